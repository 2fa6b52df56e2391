#include "ingest/day_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/try.h"
#include "store/packed_day.h"

namespace meterline::ingest {

DayFeed::DayFeed(const std::vector<Channel>& channels, const std::vector<File>& files,
                 store::DeliveryWriter& writer, const OnRejected& on_rejected)
    : channels_(channels), files_(files), writer_(writer), on_rejected_(on_rejected) {}

Result<void> DayFeed::add(const SortedRow& row) {
  const bool is_same_day =
      last_ && day_key(last_->head) == day_key(row.head) && last_->meter == row.meter;
  if (is_same_day) {
    note_difference(*last_, row);
    METERLINE_CHECK(unite(row));
  } else {
    METERLINE_CHECK(end_day());
  }
  last_.reset();
  if (files_[row.head.file].content != nullptr) last_ = row;
  return {};
}

Result<void> DayFeed::finish() {
  METERLINE_CHECK(end_day());
  return write_held();
}

/// What becomes of last_ and the rows before it is known once all of them were seen.
Result<void> DayFeed::end_day() {
  if (!last_) return {};
  const bool is_ambiguous = !rows_.difference.empty();
  if (is_ambiguous)
    reject_all();
  else if (rows_.count > 0)
    take_united();
  if (!is_ambiguous) METERLINE_CHECK(keep_last());
  if (rows_.count > 0) rows_ = {};
  last_.reset();
  return {};
}

void DayFeed::note_difference(const SortedRow& earlier, const SortedRow& later) {
  if (earlier.labels == later.labels || !rows_.difference.empty()) return;
  const auto place = std::mismatch(earlier.labels.begin(), earlier.labels.end(),
                                   later.labels.begin(), later.labels.end());
  const auto label = static_cast<std::size_t>(place.first - earlier.labels.begin()) / label_bytes;
  rows_.difference =
      fmt::format("lines {} and {} differ in column {}", earlier.head.line, later.head.line,
                  files_[earlier.head.file].content->label_names.at(label));
}

Result<ReadingDay> DayFeed::day_of(const SortedRow& row) const {
  ReadingDay day;
  day.channel = channels_[row.head.channel];
  day.date = *Date::from_days(row.head.date);
  METERLINE_CHECK(store::unpack_day(row.packed, day));
  return day;
}

/// Takes in a row of the day of last_.
Result<void> DayFeed::unite(const SortedRow& row) {
  if (rows_.count == 0) {
    METERLINE_TRY(auto first, day_of(*last_));
    rows_.day.start(std::move(first), last_->head.line);
    forget(*last_);
  }
  forget(row);
  if (!rows_.difference.empty()) return {};
  METERLINE_TRY(auto day, day_of(row));
  rows_.day.add(std::move(day), row.head.line);
  return {};
}

/// Counts a row as nothing, as long as it is not known what becomes of it.
void DayFeed::forget(const SortedRow& row) {
  FileContent& content = *files_[row.head.file].content;
  const auto& slots = row.head.slots;
  --content.rows.stored;
  content.readings.stored -= slots.slots - slots.missing - slots.rejected;
  content.readings.missing -= slots.missing;
  content.readings.rejected -= slots.rejected;
  ++rows_.count;
  rows_.slots += slots.slots;
  rows_.rejected_max = std::max<std::int64_t>(rows_.rejected_max, slots.rejected);
  if (rows_.lines.size() < UnitedDay::outcomes_max) rows_.lines.push_back(row.head.line);
}

std::string DayFeed::excerpt() const {
  return fmt::format("{},{}", last_->meter, Date::from_days(last_->head.date)->text());
}

/// What the rows make together stands for the last of them.
void DayFeed::take_united() {
  FileContent& content = *files_[last_->head.file].content;
  const auto& day = rows_.day.day();
  const auto slots = std::ssize(day.qualities);
  const auto empty =
      std::int64_t{std::count(day.qualities.begin(), day.qualities.end(), Quality::missing)};
  const auto rejected = std::min(empty, rows_.rejected_max);
  content.rows.stored += rows_.day.stored();
  content.rows.repeated += rows_.count - rows_.day.stored();
  content.readings.stored += slots - empty;
  content.readings.missing += empty - rejected;
  content.readings.rejected += rejected;
  content.readings.repeated += rows_.slots - slots;

  const auto total = store::pack_day(day, rows_.packed);
  last_->packed = rows_.packed;
  last_->head.has_plain_total = total ? 1 : 0;
  last_->head.plain_total = total.value_or(0);

  const auto outcomes = rows_.day.outcomes();
  for (const auto& outcome : outcomes) tell(outcome);
  const auto told = std::count_if(outcomes.begin(), outcomes.end(),
                                  [](const RowOutcome& outcome) { return !outcome.is_stored; });
  content.findings.count(FindingCode::repeated, rows_.count - rows_.day.stored() - told);
  if (!rows_.day.lost_notes()) return;
  content.findings.add({.line = last_->head.line,
                        .code = FindingCode::notes_dropped,
                        .text = "the rows of this day have more to say than is kept of one day: "
                                "their readings are kept, and what they say of them is not",
                        .excerpt = excerpt()});
}

void DayFeed::tell(const RowOutcome& outcome) {
  auto& findings = files_[last_->head.file].content->findings;
  const auto add = [&](FindingCode code, std::string text) {
    findings.add(
        {.line = outcome.line, .code = code, .text = std::move(text), .excerpt = excerpt()});
  };
  const auto later = outcome.is_older ? ", states a later time" : "";
  if (outcome.is_unlike)
    return add(FindingCode::repeated,
               fmt::format("line {} has the same meter and day{} and is kept; it is of another "
                           "interval or has more decimals, so nothing of this row is",
                           outcome.kept_line, later));
  if (!outcome.is_stored)
    return add(
        FindingCode::repeated,
        fmt::format("line {} has the same meter and day{} and is kept", outcome.kept_line, later));
  if (outcome.replaced == 0) return;
  add(FindingCode::reading_replaced,
      fmt::format("line {} has the same meter and day, and another reading in {} of the slots that "
                  "this row has, which is kept; the row's other readings are, too",
                  outcome.kept_line, outcome.replaced));
}

/// The rows of the day are different things, of which the file does not say which one is meant.
void DayFeed::reject_all() {
  FileContent& content = *files_[last_->head.file].content;
  content.rows.rejected += rows_.count;
  content.readings.rejected += rows_.slots;
  const auto reason = fmt::format(
      "rows of one meter and day are different things: {}, which is not "
      "read, so none of them is stored",
      rows_.difference);
  content.findings.count(FindingCode::ambiguous_row, rows_.count - std::ssize(rows_.lines));
  for (const auto line : rows_.lines) reject(line, reason);
}

void DayFeed::reject(std::int64_t line, const std::string& reason) {
  const File& file = files_[last_->head.file];
  file.content->findings.add(
      {.line = line, .code = FindingCode::ambiguous_row, .text = reason, .excerpt = excerpt()});
  if (!on_rejected_) return;
  const auto reasons = fmt::format("{}: {}", text_of(FindingCode::ambiguous_row), reason);
  on_rejected_({.source = file.source, .line = line, .reasons = reasons});
}

/// Rows come by (meter, date, number of the channel, file); a writer wants them by (meter, date,
/// channel, delivery). Where there is but one channel that is the same.
Result<void> DayFeed::keep_last() {
  const bool is_other_day = !held_.empty() && (held_.front().head.date != last_->head.date ||
                                               meter_.text() != last_->meter);
  if (is_other_day) METERLINE_CHECK(write_held());
  if (meter_.text() != last_->meter) {
    auto meter = MeterId::parse(last_->meter);
    if (!meter) return fail(Errc::corrupt, "a row changed on its way to the store");
    meter_ = *std::move(meter);
  }
  if (channels_.size() == 1) return write(last_->head, last_->packed);
  held_.push_back({.head = last_->head, .packed = std::string(last_->packed)});
  return {};
}

Result<void> DayFeed::write_held() {
  std::stable_sort(held_.begin(), held_.end(), [this](const Held& a, const Held& b) {
    return channels_[a.head.channel] < channels_[b.head.channel];
  });
  for (const auto& held : held_) METERLINE_CHECK(write(held.head, held.packed));
  held_.clear();
  return {};
}

Result<void> DayFeed::write(const RowHead& head, std::string_view packed) {
  return writer_.add(
      {.meter = meter_,
       .channel = channels_[head.channel],
       .date = *Date::from_days(head.date),
       .packed = packed,
       .plain_total = head.has_plain_total != 0 ? std::optional(head.plain_total) : std::nullopt,
       .delivery = files_[head.file].delivery});
}

}  // namespace meterline::ingest
