#include "ingest/erasure.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "core/try.h"
#include "ingest/content_hash.h"
#include "store/register_reads.h"

namespace meterline::ingest {
namespace {

constexpr std::string_view hashed_prefix = "meterline erased meter";
constexpr std::size_t salt_bytes = 8;
constexpr std::size_t salt_digits = 2 * salt_bytes;
constexpr std::size_t hash_bytes = 16;
/// Versions that are taken out by one amendment, and records that are replaced by one.
constexpr std::size_t batch_versions = 20'000;
constexpr std::size_t deliveries_step = 50;

std::string mark_of(std::string_view meter, std::string_view salt) {
  Sha256 hash;
  hash.add(hashed_prefix);
  hash.add({"\0", 1});
  hash.add(salt);
  hash.add(meter);
  const auto digest = hash.finish();
  return std::string(salt) + hex(digest.data(), hash_bytes);
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Whether an id may begin, or end, between these two characters of a text.
bool is_border(std::string_view text, std::size_t at) {
  return at == 0 || at == text.size() || !is_letter_or_digit(text[at - 1]) ||
         !is_letter_or_digit(text[at]);
}

/// The longest erased id that begins there; 0 where there is none.
std::size_t erased_at(std::string_view text, std::size_t from, const IsErased& is_erased) {
  std::size_t end = from;
  while (end < text.size() && end - from < meter_id_chars_max &&
         is_meter_id_text(text.substr(end, 1)))
    ++end;
  for (; end > from; --end)
    if (is_border(text, end) && is_erased(text.substr(from, end - from))) return end - from;
  return 0;
}

bool change(std::string& text, const IsErased& is_erased) {
  auto changed = without_erased(text, is_erased);
  if (changed == text) return false;
  text = std::move(changed);
  return true;
}

}  // namespace

ErasedMeters::ErasedMeters(std::vector<std::string> marks) : marks_(std::move(marks)) {
  std::sort(marks_.begin(), marks_.end());
  for (const auto& mark : marks_) {
    const auto salt = mark.substr(0, salt_digits);
    if (salts_.empty() || salts_.back() != salt) salts_.push_back(salt);
  }
}

bool ErasedMeters::has(std::string_view meter) const {
  return std::any_of(salts_.begin(), salts_.end(), [&](const std::string& salt) {
    return std::binary_search(marks_.begin(), marks_.end(), mark_of(meter, salt));
  });
}

std::vector<std::string> ErasedMeters::marks_of(std::string_view meter) const {
  std::vector<std::string> found;
  for (const auto& salt : salts_) {
    auto mark = mark_of(meter, salt);
    if (std::binary_search(marks_.begin(), marks_.end(), mark)) found.push_back(std::move(mark));
  }
  return found;
}

std::string ErasedMeters::new_mark(std::string_view meter) const {
  if (!salts_.empty()) return mark_of(meter, salts_.front());
  std::random_device random;
  std::array<std::uint8_t, salt_bytes> salt{};
  for (auto& byte : salt) byte = static_cast<std::uint8_t>(random());
  return mark_of(meter, hex(salt.data(), salt.size()));
}

std::string without_erased(std::string_view text, const IsErased& is_erased) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto length = is_border(text, at) ? erased_at(text, at, is_erased) : 0;
    out += length > 0 ? erased_text : text.substr(at, 1);
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

bool remove_erased(store::DeliveryRecord& record, const IsErased& is_erased) {
  bool changed = change(record.delivery.source, is_erased);
  changed |= change(record.report.reason, is_erased);
  for (auto& finding : record.report.findings) {
    changed |= change(finding.text, is_erased);
    changed |= change(finding.excerpt, is_erased);
  }
  for (auto& event : record.events) changed |= change(event.reason, is_erased);
  const auto meters = std::erase_if(record.days.meter_ids,
                                    [&](const MeterId& meter) { return is_erased(meter.text()); });
  record.days.meters -= static_cast<std::int64_t>(meters);
  return changed || meters > 0;
}

bool ErasedRows::is_of_erased(const SortedRow& row) {
  if (erased_.empty() || files_[row.head.file].content == nullptr) return false;
  if (row.meter != meter_) is_erased_ = erased_.has(row.meter);
  meter_ = row.meter;
  return is_erased_;
}

void ErasedRows::tell(const SortedRow& row) const {
  constexpr std::string_view reason =
      "the row's meter was erased, and is not taken any more; `meterline erase METER --allow` lets "
      "it be loaded again";
  const auto& file = files_[row.head.file];
  file.content->findings.add({.line = row.head.line,
                              .code = FindingCode::meter_erased,
                              .text = std::string(reason),
                              .excerpt = std::string(erased_text)});
  if (!on_rejected_) return;
  const auto reasons = fmt::format("{}: {}", text_of(FindingCode::meter_erased), reason);
  on_rejected_({.source = file.source, .line = row.head.line, .reasons = reasons});
}

bool ErasedRows::take_day(const SortedRow& row) {
  if (!is_of_erased(row)) return false;
  FileContent& content = *files_[row.head.file].content;
  const auto& slots = row.head.slots;
  --content.rows.stored;
  ++content.rows.rejected;
  content.readings.stored -= slots.slots - slots.missing - slots.rejected;
  content.readings.missing -= slots.missing;
  content.readings.rejected += slots.slots - slots.rejected;
  tell(row);
  return true;
}

bool ErasedRows::take_read(const SortedRow& row) {
  if (!is_of_erased(row)) return false;
  FileContent& content = *files_[row.head.file].content;
  for (auto* rows : {&content.rows, &content.register_reads}) {
    --rows->stored;
    ++rows->rejected;
  }
  tell(row);
  return true;
}

namespace {

class Erasing {
 public:
  Erasing(store::Store& store, const EraseRequest& request, EraseMode mode, const EraseHooks& hooks)
      : store_(store), request_(request), mode_(mode), hooks_(hooks) {}

  Result<EraseReport> run() {
    METERLINE_CHECK(note_mark());
    METERLINE_CHECK(remove_days());
    METERLINE_CHECK(remove_reads());
    METERLINE_CHECK(change_records());
    METERLINE_CHECK(amend({.meters = std::span(&request_.meter, 1), .traces = store::Traces::now}));
    return report_;
  }

 private:
  Result<void> note_mark();
  Result<void> remove_days();
  Result<void> remove_reads();
  Result<void> change_records();
  Result<void> amend(store::Amendment amendment) {
    if (mode_ == EraseMode::dry_run) return {};
    amendment.at = request_.now;
    amendment.pace = hooks_.pace;
    return store_.amend(amendment);
  }
  Result<void> check_stop() const {
    if (hooks_.stop != nullptr && *hooks_.stop) return fail(Errc::cancelled, "stopped on request");
    return {};
  }

  store::Store& store_;
  const EraseRequest& request_;
  const EraseMode mode_;
  const EraseHooks& hooks_;
  EraseReport report_;
};

Result<void> Erasing::note_mark() {
  METERLINE_TRY(auto settings, store_.settings());
  const ErasedMeters erased(std::move(settings.erased));
  report_.was_erased = erased.has(request_.meter.text());
  if (report_.was_erased) return {};
  const std::vector<std::string> marks = {erased.new_mark(request_.meter.text())};
  return amend({.erased = marks});
}

/// The places are gathered before any goes: a store need not tell what it is losing.
Result<void> Erasing::remove_days() {
  std::vector<store::DayPlace> days;
  METERLINE_CHECK(
      store_.read_days({.meter = request_.meter, .dates = {.from = Date::min(), .to = Date::max()}},
                       [&](const store::StoredDay& day) -> Result<void> {
                         METERLINE_CHECK(check_stop());
                         days.push_back({.meter = request_.meter,
                                         .channel = day.channel,
                                         .date = day.date,
                                         .version = day.version,
                                         .delivery = day.delivery});
                         return {};
                       }));
  report_.days = std::ssize(days);
  for (std::span<const store::DayPlace> left = days; !left.empty();) {
    METERLINE_CHECK(check_stop());
    const auto count = std::min(left.size(), batch_versions);
    METERLINE_CHECK(amend({.days = left.first(count)}));
    left = left.subspan(count);
  }
  return {};
}

Result<void> Erasing::remove_reads() {
  std::vector<store::ReadPlace> reads;
  METERLINE_CHECK(store_.read_registers(store::all_reads_of(request_.meter),
                                        [&](const store::StoredRead& stored) -> Result<void> {
                                          reads.push_back({.meter = request_.meter,
                                                           .at = stored.read.current.time.at,
                                                           .of = stored.read.of,
                                                           .version = stored.version,
                                                           .delivery = stored.delivery});
                                          return {};
                                        }));
  report_.reads = std::ssize(reads);
  return reads.empty() ? Result<void>() : amend({.reads = reads});
}

Result<void> Erasing::change_records() {
  const auto is_meter = [&](std::string_view text) { return text == request_.meter.text(); };
  store::DeliveriesQuery query{.limit = deliveries_step};
  for (;;) {
    METERLINE_CHECK(check_stop());
    METERLINE_TRY(auto page, store_.deliveries(query));
    const bool is_last = page.size() < query.limit;
    if (!page.empty()) query.after = page.back().delivery.id;
    std::erase_if(page, [&](auto& record) { return !remove_erased(record, is_meter); });
    report_.deliveries += std::ssize(page);
    if (!page.empty()) METERLINE_CHECK(amend({.records = page}));
    if (is_last) return {};
  }
}

}  // namespace

Result<EraseReport> erase(store::Store& store, const EraseRequest& request, EraseMode mode,
                          const EraseHooks& hooks) {
  return Erasing(store, request, mode, hooks).run();
}

Result<bool> allow_again(store::Store& store, const EraseRequest& request) {
  METERLINE_TRY(auto settings, store.settings());
  const auto marks = ErasedMeters(std::move(settings.erased)).marks_of(request.meter.text());
  if (marks.empty()) return false;
  METERLINE_CHECK(store.amend({.at = request.now, .allowed = marks}));
  return true;
}

}  // namespace meterline::ingest
