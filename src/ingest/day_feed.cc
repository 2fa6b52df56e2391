#include "ingest/day_feed.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/try.h"

namespace meterline::ingest {

DayFeed::DayFeed(const std::vector<Channel>& channels, const std::vector<File>& files,
                 store::DeliveryWriter& writer)
    : channels_(channels), files_(files), writer_(writer) {}

Result<void> DayFeed::add(const SortedRow& row) {
  const bool is_same_day =
      last_ && day_key(last_->head) == day_key(row.head) && last_->meter == row.meter;
  if (is_same_day)
    note_repeat(*last_, row.head.line);
  else
    METERLINE_CHECK(keep_last());
  last_.reset();
  if (files_[row.head.file].content != nullptr) last_ = row;
  return {};
}

Result<void> DayFeed::finish() {
  METERLINE_CHECK(keep_last());
  last_.reset();
  return write_held();
}

void DayFeed::note_repeat(const SortedRow& earlier, std::int64_t later_line) {
  FileContent& content = *files_[earlier.head.file].content;
  const auto& slots = earlier.head.slots;
  --content.rows.stored;
  ++content.rows.repeated;
  content.readings.stored -= slots.slots - slots.missing - slots.rejected;
  content.readings.missing -= slots.missing;
  content.readings.rejected -= slots.rejected;
  content.readings.repeated += slots.slots;
  content.findings.add(
      {.line = earlier.head.line,
       .code = FindingCode::repeated,
       .text = fmt::format("line {} has the same meter and day and is kept", later_line),
       .excerpt = fmt::format("{},{}", earlier.meter, Date::from_days(earlier.head.date)->text())});
}

/// Rows come by (meter, date, number of the channel, file); a writer wants them by (meter, date,
/// channel, delivery). Where there is but one channel that is the same.
Result<void> DayFeed::keep_last() {
  if (!last_) return {};
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
