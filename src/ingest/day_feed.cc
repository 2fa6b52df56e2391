#include "ingest/day_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/try.h"

namespace meterline::ingest {
namespace {

/// Rows of one meter and day of a file, told of one by one; more are only counted.
constexpr std::size_t earlier_lines_max = 10'000;

}  // namespace

DayFeed::DayFeed(const std::vector<Channel>& channels, const std::vector<File>& files,
                 store::DeliveryWriter& writer, const OnRejected& on_rejected)
    : channels_(channels), files_(files), writer_(writer), on_rejected_(on_rejected) {}

Result<void> DayFeed::add(const SortedRow& row) {
  const bool is_same_day =
      last_ && day_key(last_->head) == day_key(row.head) && last_->meter == row.meter;
  if (is_same_day)
    note_earlier(*last_, row);
  else
    METERLINE_CHECK(end_day());
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
  const bool is_ambiguous = !earlier_.difference.empty();
  if (is_ambiguous)
    reject_all();
  else if (earlier_.rows > 0)
    tell_repeats();
  if (earlier_.rows > 0) earlier_ = {};
  if (!is_ambiguous) METERLINE_CHECK(keep_last());
  last_.reset();
  return {};
}

/// Counts a row as repeated, as long as nothing else is known of it.
void DayFeed::note_earlier(const SortedRow& earlier, const SortedRow& later) {
  FileContent& content = *files_[earlier.head.file].content;
  const auto& slots = earlier.head.slots;
  --content.rows.stored;
  ++content.rows.repeated;
  content.readings.stored -= slots.slots - slots.missing - slots.rejected;
  content.readings.missing -= slots.missing;
  content.readings.rejected -= slots.rejected;
  content.readings.repeated += slots.slots;
  ++earlier_.rows;
  earlier_.slots += slots.slots;
  if (earlier_.lines.size() < earlier_lines_max) earlier_.lines.push_back(earlier.head.line);
  if (earlier.labels == later.labels || !earlier_.difference.empty()) return;
  const auto place = std::mismatch(earlier.labels.begin(), earlier.labels.end(),
                                   later.labels.begin(), later.labels.end());
  const auto label = static_cast<std::size_t>(place.first - earlier.labels.begin()) / label_bytes;
  earlier_.difference = fmt::format("lines {} and {} differ in column {}", earlier.head.line,
                                    later.head.line, content.label_names.at(label));
}

std::string DayFeed::excerpt() const {
  return fmt::format("{},{}", last_->meter, Date::from_days(last_->head.date)->text());
}

/// Each of the earlier rows is replaced by the next of its meter and day.
void DayFeed::tell_repeats() {
  auto& findings = files_[last_->head.file].content->findings;
  const auto& lines = earlier_.lines;
  findings.count(FindingCode::repeated, earlier_.rows - std::ssize(lines));
  for (std::size_t i = 0; i < lines.size(); ++i)
    findings.add(
        {.line = lines[i],
         .code = FindingCode::repeated,
         .text = fmt::format("line {} has the same meter and day and is kept", last_->head.line),
         .excerpt = excerpt()});
}

/// The rows of the day are different things, of which the file does not say which one is meant.
void DayFeed::reject_all() {
  FileContent& content = *files_[last_->head.file].content;
  const auto& slots = last_->head.slots;
  content.rows.repeated -= earlier_.rows;
  --content.rows.stored;
  content.rows.rejected += earlier_.rows + 1;
  content.readings.repeated -= earlier_.slots;
  content.readings.stored -= slots.slots - slots.missing - slots.rejected;
  content.readings.missing -= slots.missing;
  content.readings.rejected += earlier_.slots + slots.slots - slots.rejected;

  const auto reason = fmt::format(
      "rows of one meter and day are different things: {}, which is not "
      "read, so none of them is stored",
      earlier_.difference);
  content.findings.count(FindingCode::ambiguous_row, earlier_.rows - std::ssize(earlier_.lines));
  for (const auto line : earlier_.lines) reject(line, reason);
  reject(last_->head.line, reason);
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
