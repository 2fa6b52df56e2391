#include "ingest/day_feed.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/try.h"

namespace meterline::ingest {

DayFeed::DayFeed(const std::vector<Channel>& channels, const std::vector<File>& files,
                 store::DeliveryWriter& writer)
    : channels_(channels), files_(files), writer_(writer) {}

Result<void> DayFeed::add(const char* record) {
  if (files_[read_record(record).file].content == nullptr) return {};
  if (!last_.empty()) {
    if (record_day_key(last_.data()) == record_day_key(record))
      note_repeat(read_record(last_.data()), read_record(record).line);
    else
      METERLINE_CHECK(keep(read_record(last_.data())));
  }
  last_.assign(record, record_bytes(record));
  return {};
}

Result<void> DayFeed::finish() {
  if (!last_.empty()) METERLINE_CHECK(keep(read_record(last_.data())));
  return write_day();
}

void DayFeed::note_repeat(const RowRecord& earlier, std::int64_t later_line) {
  FileContent& content = *files_[earlier.file].content;
  const auto& slots = earlier.slots;
  --content.rows.stored;
  ++content.rows.repeated;
  content.readings.stored -= slots.slots - slots.missing - slots.rejected;
  content.readings.missing -= slots.missing;
  content.readings.rejected -= slots.rejected;
  content.readings.repeated += slots.slots;
  content.findings.add(
      {.line = earlier.line,
       .code = FindingCode::repeated,
       .text = fmt::format("line {} has the same meter and day and is kept", later_line),
       .excerpt = fmt::format("{},{}", earlier.meter, earlier.date.text())});
}

/// Records come by (meter, date, number of the channel, file); a writer wants them by (meter, date,
/// channel, delivery). Where there is but one channel that is the same.
Result<void> DayFeed::keep(const RowRecord& record) {
  if (channels_.size() == 1) return write(record);
  if (!held_.empty()) {
    const auto first = read_record(held_.front().bytes.data());
    if (first.meter != record.meter || first.date != record.date) METERLINE_CHECK(write_day());
  }
  held_.push_back({.bytes = {}, .channel = channels_.at(record.channel)});
  append_record(record, held_.back().bytes);
  return {};
}

Result<void> DayFeed::write_day() {
  std::stable_sort(held_.begin(), held_.end(),
                   [](const Held& a, const Held& b) { return a.channel < b.channel; });
  for (const auto& held : held_) METERLINE_CHECK(write(read_record(held.bytes.data())));
  held_.clear();
  return {};
}

Result<void> DayFeed::write(const RowRecord& record) {
  if (record.meter != meter_.text()) {
    auto meter = MeterId::parse(record.meter);
    if (!meter) return fail(Errc::corrupt, "a row changed on its way to the store");
    meter_ = *std::move(meter);
  }
  return writer_.add({.meter = meter_,
                      .channel = channels_.at(record.channel),
                      .date = record.date,
                      .packed = record.packed,
                      .plain_total = record.plain_total,
                      .delivery = files_[record.file].delivery});
}

}  // namespace meterline::ingest
