#include "ingest/file_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/try.h"
#include "formats/recognise.h"
#include "ingest/archive_load.h"
#include "ingest/earlier.h"
#include "ingest/withdrawal.h"
#include "source/expand.h"

namespace meterline::ingest {
namespace {

constexpr std::size_t drain_bytes = 256 << 10;

/// A file's time may be so far ahead of this machine's clock without a word: those of other
/// machines differ.
constexpr std::int64_t clock_difference_micros_max = std::int64_t{60} * 1'000'000;

/// Reads to the end, so that the hash covers the whole file.
Result<void> drain(source::ByteSource& bytes) {
  std::vector<char> buffer(drain_bytes);
  for (;;) {
    METERLINE_TRY(const auto count, bytes.read(buffer));
    if (count == 0) return {};
  }
}

/// Whether the file itself is at fault, and so will be at the next try.
bool is_refusal(const Error& error) {
  return error.code == Errc::refused || error.code == Errc::corrupt ||
         error.code == Errc::too_large;
}

/// As much of the start as tells what it is.
Result<std::string> read_head(source::ByteSource& bytes) {
  std::string head(formats::recognise_bytes, '\0');
  std::size_t filled = 0;
  while (filled < head.size() && !is_archive({head.data(), filled})) {
    METERLINE_TRY(const auto count, bytes.read({head.data() + filled, head.size() - filled}));
    if (count == 0) break;
    filled += count;
  }
  head.resize(filled);
  return head;
}

/// A source that another one owns.
class BorrowedSource final : public source::ByteSource {
 public:
  explicit BorrowedSource(source::ByteSource& from) : from_(from) {}
  std::optional<source::Origin> origin() const override { return from_.origin(); }
  Result<std::size_t> read(std::span<char> into) override { return from_.read(into); }

 private:
  source::ByteSource& from_;
};

/// The findings by which rows were lost, or where no finding is of a row, the readings in them.
std::string losses_of(const DeliveryReport& report) {
  for (const bool of_readings : {false, true}) {
    std::string codes;
    for (std::size_t i = 0; i < finding_codes_count; ++i) {
      const auto& kind = kind_of(static_cast<FindingCode>(i));
      const auto count = report.finding_counts.at(i);
      const bool is_wanted =
          of_readings ? kind.scope == FindingScope::reading
                      : kind.scope == FindingScope::row || kind.scope == FindingScope::block;
      if (count == 0 || !is_wanted || kind.severity != FindingSeverity::loss) continue;
      codes += fmt::format("{}{} {}", codes.empty() ? "" : ", ", kind.name, count);
    }
    if (!codes.empty()) return codes;
  }
  return "for no reason that is kept";
}

/// Why nothing of a file is stored, though it has rows.
std::string all_rejected(const DeliveryReport& report) {
  std::string reason = fmt::format("none of its rows could be stored ({} read: {})",
                                   report.rows.read, losses_of(report));
  const auto first =
      std::find_if(report.findings.begin(), report.findings.end(), [](const Finding& finding) {
        return kind_of(finding.code).severity == FindingSeverity::loss;
      });
  if (first != report.findings.end())
    reason += fmt::format("; the first, line {}: {}: {}", first->line, first->text, first->excerpt);
  return reason;
}

}  // namespace

FileLoad::FileLoad(source::Incoming incoming, std::uint16_t number, const LoadContext& context)
    : incoming_(std::move(incoming)),
      number_(number),
      store_(context.store),
      options_(context.options),
      hooks_(context.hooks),
      content_(options_.findings_max) {
  record_.delivery = {.source = incoming_.source,
                      .delivered_at = incoming_.delivered_at,
                      .unit = options_.unit.value_or(Unit::unknown),
                      .zone = std::string(options_.zone.text()),
                      .feed = options_.feed.identity()};
  received_at_ = options_.now ? std::optional(options_.now()) : std::nullopt;
}

/// Whether the delivery of this id is stored; then the record becomes that of then.
Result<bool> FileLoad::is_known(const DeliveryId& id) {
  METERLINE_TRY(auto earlier, store_.delivery(id));
  if (!earlier || earlier->report.state != DeliveryState::stored) return false;
  skip(*std::move(earlier));
  return true;
}

void FileLoad::skip(store::DeliveryRecord earlier) {
  record_ = std::move(earlier);
  record_.report.state = DeliveryState::skipped;
  record_.report.reason = withdrawn_text(record_);
}

/// Whether it was read as this load would read it: what is read otherwise is another delivery.
bool FileLoad::is_read_alike(const Delivery& delivery) const {
  return delivery.unit == options_.unit && options_.feed.reads_alike(delivery.feed) &&
         (!options_.zone.is_known() || delivery.zone == options_.zone.text());
}

/// Whether it would change nothing to send the latest delivery of the same source again: it would
/// be read in the same way, and is not dated anew on purpose.
bool FileLoad::is_repeatable(const store::DeliveryRecord& latest) const {
  return latest.report.state == DeliveryState::stored && is_read_alike(latest.delivery) &&
         !incoming_.is_redated && !may_read_more(latest);
}

/// Compares the file with the latest delivery of its source, and those withdrawn, before it is
/// read.
Result<bool> FileLoad::is_stored_already() {
  if (!incoming_.bytes) return false;
  METERLINE_TRY(const bool was_withdrawn, is_withdrawn());
  if (was_withdrawn) return true;
  METERLINE_TRY(auto latest, latest_delivery(incoming_, store_));
  if (!latest || !is_repeatable(*latest)) return false;
  METERLINE_TRY(const bool is_same, is_same_file(latest->delivery));
  if (!is_same) return false;
  skip(*std::move(latest));
  return true;
}

/// Whether the same was withdrawn, whenever it was delivered: it stays so. Before a file is read,
/// and once more when its content is known.
Result<bool> FileLoad::is_withdrawn() {
  const bool is_read = record_.delivery.content != ContentHash{};
  METERLINE_TRY(auto withdrawn,
                find_withdrawn(incoming_, store_, [&](const Delivery& delivery) -> Result<bool> {
                  if (!is_read_alike(delivery)) return false;
                  if (is_read) return delivery.content == record_.delivery.content;
                  return is_same_file(delivery);
                }));
  if (!withdrawn) return false;
  skip(*std::move(withdrawn));
  return true;
}

/// Where the source names its bytes, the same name is enough. Else hashes are compared, and only
/// where the sizes are equal: most files are new and are read once.
Result<bool> FileLoad::is_same_file(const Delivery& delivery) {
  if (delivery.bytes != *incoming_.bytes) return false;
  if (!incoming_.content_tag.empty()) return is_tagged_alike(incoming_, delivery);
  if (!file_hash_) {
    METERLINE_TRY(file_hash_, hash_of_file());
  }
  return *file_hash_ == delivery.content;
}

/// Reads the file only to compare it with what is stored.
Result<ContentHash> FileLoad::hash_of_file() {
  METERLINE_TRY(auto bytes, incoming_.open());
  Received received;
  const auto noting = make_noting_source(std::move(bytes), received, hooks_.stop, nullptr);
  METERLINE_CHECK(drain(*noting));
  return received.hash.finish();
}

/// Whether what was read is stored already: by another load meanwhile, with the same delivery time,
/// or from a source whose size was not known.
Result<bool> FileLoad::is_repeated() {
  METERLINE_TRY(const bool is_same, is_known(record_.delivery.id));
  if (is_same) return true;
  METERLINE_TRY(const bool was_withdrawn, is_withdrawn());
  if (was_withdrawn) return true;
  METERLINE_TRY(auto latest, latest_delivery(incoming_, store_));
  if (!latest || latest->report.state != DeliveryState::stored) return false;
  if (is_repeatable(*latest) && latest->delivery.content == record_.delivery.content) {
    skip(*std::move(latest));
    return true;
  }
  note_later(latest->delivery);
  return false;
}

/// What was delivered later from the same source counts before what comes only now.
void FileLoad::note_later(const Delivery& latest) {
  const auto& delivery = record_.delivery;
  if (latest.delivered_at <= delivery.delivered_at) return;
  content_.findings.add(
      {.code = FindingCode::older_delivery,
       .text = fmt::format("the latest delivery of this source is of {}, and this one of {}: of a "
                           "day that both give, that one counts (--delivered-at dates this one "
                           "anew)",
                           latest.delivered_at.text(), delivery.delivered_at.text()),
       .excerpt = latest.id.text()});
}

void FileLoad::note_other_unit(Unit of_store) {
  content_.findings.add(
      {.code = FindingCode::unit_differs,
       .text = fmt::format("loaded as {}, while the store's unit is {}: these readings stand in "
                           "channels of their own, and no sum has both",
                           choice_text(record_.delivery.unit), choice_text(of_store)),
       .excerpt = std::string(choice_text(record_.delivery.unit))});
}

void FileLoad::take_origin(source::Origin origin) {
  auto& delivery = record_.delivery;
  delivery.delivered_at = origin.delivered_at;
  delivery.object_version = std::move(origin.object_version);
  delivery.content_tag = std::move(origin.content_tag);
}

/// Whether nobody knows if what is not yet read has an end: a pipe, or a device.
bool FileLoad::may_be_endless() const {
  return !incoming_.bytes && !file_->received.is_whole && !is_in_zip_;
}

Result<void> FileLoad::open() {
  METERLINE_TRY(auto opened, incoming_.open());
  file_ = std::make_unique<OpenFile>();
  file_->bytes =
      make_noting_source(std::move(opened), file_->received, hooks_.stop, hooks_.bytes_read);
  if (auto origin = file_->bytes->origin()) take_origin(*std::move(origin));
  return {};
}

/// Reads all of the file; its good rows are then in the sorters. `refused` and the like when the
/// file is at fault; it is identified even then, unless it may be endless.
Result<void> FileLoad::read_file(const GroupRows& rows) {
  const auto read_it = [&]() -> Result<void> {
    if (!file_->content.bytes) {
      METERLINE_TRY(file_->content, expand(std::make_unique<BorrowedSource>(*file_->bytes)));
    }
    return file_->content.zip == nullptr ? read_content(*file_->content.bytes, rows)
                                         : read_in_zip(rows);
  };
  auto read = read_it();
  if (!read && (!is_refusal(read.error()) || may_be_endless())) return read;
  METERLINE_CHECK(identify());
  return read;
}

/// Reads a file in a zip to its end, and looks for the next one: where there are several, each is a
/// delivery of its own.
Result<void> FileLoad::read_in_zip(const GroupRows& rows) {
  auto& zip = *file_->content.zip;
  const auto bytes = make_noting_source(std::make_unique<BorrowedSource>(*file_->content.bytes),
                                        in_zip_, hooks_.stop, nullptr);
  auto read = read_content(*bytes, rows);
  if (!read && !is_refusal(read.error())) return read;
  METERLINE_CHECK(drain(*bytes));
  const std::string name = zip.name();
  const auto next = zip.next();
  if (!next) file_->broken = next.error();
  has_rest_ = !next || *next;
  if (has_rest_ || !file_->names.empty()) become_file_in_zip(name);
  return read;
}

void FileLoad::become_file_in_zip(const std::string& name) {
  auto& names = file_->names;
  std::string unique = name;
  for (int i = 2; !names.insert(unique).second; ++i) unique = fmt::format("{}#{}", name, i);
  is_in_zip_ = true;
  incoming_.source += '/' + unique;
  incoming_.bytes = in_zip_.bytes;
  incoming_.content_tag.clear();
  record_.delivery.source = incoming_.source;
  record_.delivery.content_tag.clear();
}

Result<source::Content> FileLoad::expand(std::unique_ptr<source::ByteSource> packed) const {
  return source::expand(std::move(packed), {.expanded_bytes_max = options_.expanded_bytes_max});
}

Result<void> FileLoad::read_content(source::ByteSource& content, const GroupRows& rows) {
  METERLINE_TRY(auto head, read_head(content));
  if (is_archive(head)) return take_archive(std::move(head), content);
  const auto* const zip = file_->content.zip;
  const std::string place =
      zip == nullptr ? incoming_.source : fmt::format("{}/{}", incoming_.source, zip->name());
  FileReader reader({.source = place,
                     .file = number_,
                     .unit = options_.unit,
                     .zone = options_.zone,
                     .feed = options_.feed,
                     .received = received_at_.value_or(record_.delivery.delivered_at),
                     .findings_max = options_.findings_max,
                     .threads = options_.threads,
                     .stop = hooks_.stop,
                     .on_rejected = hooks_.on_rejected ? &hooks_.on_rejected : nullptr},
                    rows, content_);
  return reader.read(head, content);
}

/// Stores what an archive holds. One that can be read twice is read to its end before.
Result<void> FileLoad::take_archive(std::string head, source::ByteSource& rest) {
  content_.format = archive_format_name;
  if (options_.archives == Archives::refuse)
    return fail(Errc::refused,
                "this is an archive of a whole store; `meterline ingest` restores it, where the "
                "store is");
  archive_.emplace().source = incoming_.source;
  if (!incoming_.bytes || !file_->names.empty())
    return restore_archive({.head = std::move(head), .rest = rest}, store_, *archive_);
  METERLINE_CHECK(verify_archive({.head = std::move(head), .rest = rest}));
  return take_archive_again();
}

Result<void> FileLoad::take_archive_again() {
  if (hooks_.bytes_read != nullptr) *hooks_.bytes_read -= file_->received.bytes;
  METERLINE_TRY(auto opened, incoming_.open());
  Received received;
  METERLINE_TRY(const auto content, expand(make_noting_source(std::move(opened), received,
                                                              hooks_.stop, hooks_.bytes_read)));
  return restore_archive({.head = {}, .rest = *content.bytes}, store_, *archive_);
}

/// Says in the archive's report what became of it.
void FileLoad::finish_archive(const Result<void>& read) {
  if (read) {
    const bool had_all = archive_->restored == 0 && archive_->skipped > 0;
    archive_->state = had_all ? DeliveryState::skipped : DeliveryState::stored;
    return;
  }
  archive_->state = is_refusal(read.error()) ? DeliveryState::refused : DeliveryState::failed;
  archive_->reason = read.error().message;
}

/// Nothing is delivered after it was received: a clock that runs ahead, or a date written into a
/// file by mistake, would win over all that is delivered until then.
void FileLoad::date(Delivery& delivery) {
  delivery.received_at = received_at_.value_or(delivery.delivered_at);
  const auto dated =
      std::exchange(delivery.delivered_at, std::min(delivery.delivered_at, delivery.received_at));
  if (dated.micros - delivery.received_at.micros <= clock_difference_micros_max) return;
  content_.findings.add(
      {.code = FindingCode::delivery_in_future,
       .text = fmt::format("the file is dated later than it was received, so it counts as "
                           "delivered at its receipt, {}",
                           delivery.received_at.text()),
       .excerpt = dated.text()});
}

Result<void> FileLoad::identify() {
  if (!is_in_zip_) METERLINE_CHECK(drain(*file_->bytes));
  auto& received = is_in_zip_ ? in_zip_ : file_->received;
  auto& delivery = record_.delivery;
  delivery.content = received.hash.finish();
  delivery.bytes = received.bytes;
  delivery.reader = formats::reader_number(content_.format);
  delivery.feed = content_.feed;
  date(delivery);
  delivery.id = delivery_id(delivery);
  return {};
}

/// A file of which every row was rejected is refused, with its counts and findings: to say that it
/// is stored would tell nobody that something is wrong with all of it.
void FileLoad::take_report() {
  auto& report = record_.report;
  report = {.state = DeliveryState::stored,
            .format = content_.format,
            .recognised_by = content_.recognised_by,
            .rows = content_.rows,
            .readings = content_.readings,
            .register_reads = content_.register_reads,
            .finding_counts = content_.findings.counts(),
            .findings = content_.findings.take()};
  if (report.rows.read == 0 || report.rows.stored > 0) return;
  report.state = DeliveryState::refused;
  report.reason = all_rejected(report);
}

void FileLoad::refuse(const std::string& reason) {
  record_.report = {.state = DeliveryState::refused,
                    .reason = reason,
                    .format = content_.format,
                    .recognised_by = content_.recognised_by};
}

/// Whether something in the file is not as its format's standard has it: then it is refused.
bool FileLoad::refuse_as_no_standard() {
  auto counts = content_.findings.counts();
  const auto of = [&](FindingCode code) { return counts[static_cast<std::size_t>(code)]; };
  const auto count =
      of(FindingCode::not_standard) + of(FindingCode::end_missing) + of(FindingCode::broken_off);
  if (count == 0) return false;
  refuse(
      fmt::format("{} of its findings say that it is not as the standard of its format has it, "
                  "and it was to be read strictly; nothing of it is stored",
                  count));
  record_.report.finding_counts = counts;
  record_.report.findings = content_.findings.take();
  return true;
}

/// Nobody need wait until the rest of the file is read: it has no id, and is not kept.
Progress FileLoad::refuse_unkept(const std::string& reason) {
  date(record_.delivery);
  record_.delivery.bytes = incoming_.bytes.value_or(file_->received.bytes);
  refuse(reason);
  return Progress::done;
}

void FileLoad::fail_with(const std::string& reason) {
  record_.report = {.state = DeliveryState::failed, .reason = reason};
}

Result<Progress> FileLoad::try_read(const GroupRows& rows) {
  METERLINE_TRY(const bool is_stored, is_stored_already());
  if (is_stored) {
    if (hooks_.bytes_read != nullptr) *hooks_.bytes_read += *incoming_.bytes;
    return Progress::done;
  }
  METERLINE_CHECK(open());
  return read_opened(rows);
}

Result<Progress> FileLoad::read_opened(const GroupRows& rows) {
  const auto read = read_file(rows);
  if (archive_) {
    finish_archive(read);
    return Progress::done;
  }
  // What was said of it is too little, or does not fit it: said otherwise, it may well be stored.
  if (lacks_unit() || (!read && read.error().code == Errc::invalid_argument))
    return refuse_unkept(read.error().message);
  if (!read && !is_refusal(read.error())) return tl::unexpected(read.error());
  if (!read && may_be_endless())
    return refuse_unkept(read.error().message +
                         "; it was not read to its end, so no record of it is kept");
  METERLINE_TRY(const bool is_repeat, is_repeated());
  if (is_repeat) return Progress::done;
  if (read && options_.is_strict && refuse_as_no_standard()) return Progress::done;
  if (read) return Progress::read;
  refuse(read.error().message);
  return Progress::refused;
}

/// The files behind the last one in a zip cannot be read: the zip itself is told of.
Result<Progress> FileLoad::tell_broken() {
  const Error error = *file_->broken;
  if (!is_refusal(error)) return tl::unexpected(error);
  if (may_be_endless()) return refuse_unkept(error.message);
  METERLINE_CHECK(identify());
  METERLINE_TRY(const bool is_repeat, is_repeated());
  if (is_repeat) return Progress::done;
  refuse(fmt::format("{}; {} of its files were read before", error.message, file_->names.size()));
  return Progress::refused;
}

Progress FileLoad::read(const GroupRows& rows) { return progress_of(try_read(rows)); }

Progress FileLoad::read_next(std::unique_ptr<OpenFile> open, const GroupRows& rows) {
  file_ = std::move(open);
  if (auto origin = file_->bytes->origin()) take_origin(*std::move(origin));
  return progress_of(file_->broken ? tell_broken() : read_opened(rows));
}

/// What has been read to its end is closed: a group has many files, and each has buffers.
Progress FileLoad::progress_of(const Result<Progress>& progress) {
  if (!has_rest_) file_.reset();
  if (progress) return *progress;
  fail_with(progress.error().message);
  return Progress::done;
}

std::unique_ptr<OpenFile> FileLoad::take_rest() {
  return std::exchange(has_rest_, false) ? std::move(file_) : nullptr;
}

}  // namespace meterline::ingest
