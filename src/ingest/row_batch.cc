#include "ingest/row_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/decimal.h"
#include "ingest/read_feed.h"
#include "store/packed_day.h"

namespace meterline::ingest {
namespace {

/// More reasons than this of one row are only counted.
constexpr int reasons_max = 4;

/// A stated time may be so far ahead of this machine's clock without a word, as a file's may.
constexpr std::int64_t clock_difference_micros_max = std::int64_t{60} * 1'000'000;

bool is_before(const Finding& a, const Finding& b) {
  return std::tie(a.line, a.column, a.code) < std::tie(b.line, b.column, b.code);
}

}  // namespace

void FindingKeeper::keep(Finding finding) {
  if (max_ == 0) return;
  if (heap_.size() == max_) {
    if (!is_before(finding, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), is_before);
    heap_.pop_back();
  }
  heap_.push_back(std::move(finding));
  std::push_heap(heap_.begin(), heap_.end(), is_before);
}

void FindingKeeper::add(Finding finding) {
  ++counts_.at(static_cast<std::size_t>(finding.code));
  keep(std::move(finding));
}

void FindingKeeper::add(FindingKeeper&& other, std::int64_t lines) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_.at(i) += other.counts_.at(i);
  for (auto& finding : other.heap_) {
    finding.line += lines;
    keep(std::move(finding));
  }
}

void FindingKeeper::count(FindingCode code, std::int64_t more) {
  counts_.at(static_cast<std::size_t>(code)) += more;
}

std::vector<Finding> FindingKeeper::take() {
  std::sort_heap(heap_.begin(), heap_.end(), is_before);
  return std::move(heap_);
}

void BatchSink::take_channel(const Channel& channel) {
  channel_ = channel;
  const auto [kept, exponent] = kept_unit(channel.unit);
  kept_exponent_ = exponent;
  Channel kept_channel = channel;
  kept_channel.unit = kept;
  channel_number_ = channels_.number_of(kept_channel);
  has_channel_ = true;
}

/// Makes kept_ of the day: its readings in the unit that they are kept in. Returns how many do not
/// fit there, which are then missing.
int BatchSink::rescale(const ReadingDay& day, std::int64_t line) {
  kept_ = day;
  if (!kept_.facts) kept_.facts.emplace();
  kept_.facts->sent = channel_.unit;
  int exponent = day.exponent + kept_exponent_;
  int lost = 0;
  const auto lose = [&](std::size_t slot) {
    const auto value = Decimal{day.mantissas[slot], day.exponent}.text();
    on_finding({.line = line,
                .code = FindingCode::value_too_large,
                .text = fmt::format("{} {} has more digits than fit into a number of {}", value,
                                    text_of(channel_.unit), text_of(kept_unit(channel_.unit).kept)),
                .excerpt = value});
    kept_.mantissas[slot] = 0;
    kept_.qualities[slot] = Quality::missing;
    ++lost;
  };
  for (; exponent > 0; --exponent)
    for (std::size_t slot = 0; slot < kept_.mantissas.size(); ++slot)
      if (__builtin_mul_overflow(kept_.mantissas[slot], 10, &kept_.mantissas[slot])) lose(slot);
  kept_.exponent = static_cast<std::int8_t>(exponent);
  return lost;
}

/// The day as stated at the file's receipt.
ReadingDay BatchSink::capped(const ReadingDay& day, const formats::Row& row) {
  ReadingDay stated_now = day;
  stated_now.stated = received_;
  tell_future(*day.stated, row);
  return stated_now;
}

void BatchSink::tell_future(Instant stated, const formats::Row& row) {
  if (stated.micros - received_.micros <= clock_difference_micros_max) return;
  on_finding({.line = row.line,
              .code = FindingCode::stated_in_future,
              .text = fmt::format("the row states a time later than the file's receipt, {}, which "
                                  "counts instead",
                                  received_.text()),
              .excerpt = stated.text()});
}

void BatchSink::on_day(const ReadingDay& day, int rejected_readings, const formats::Row& row) {
  if (day.stated && *day.stated > received_)
    return on_day(capped(day, row), rejected_readings, row);
  if (!has_channel_ || day.channel != channel_) take_channel(day.channel);
  if (kept_exponent_ == 0) return keep(day, rejected_readings, row);
  const int lost = rescale(day, row.line);
  keep(kept_, rejected_readings + lost, row);
}

void BatchSink::keep(const ReadingDay& day, int rejected_readings, const formats::Row& row) {
  auto& bytes = batch_.good.bytes;
  const std::size_t head_at = bytes.size();
  bytes.resize(head_at + sizeof(RowHead));
  const auto total = store::pack_day(day, bytes);
  const auto missing_slots =
      total ? 0 : std::count(day.qualities.begin(), day.qualities.end(), Quality::missing);
  const std::int64_t missing = missing_slots - rejected_readings;
  put_head({.line = row.line,
            .plain_total = total.value_or(0),
            .meter = batch_.good.number_of_next(day.meter.text()),
            .date = day.date.days(),
            .channel = channel_number_,
            .file = file_,
            .slots = {.slots = static_cast<std::uint16_t>(row.slots),
                      .missing = static_cast<std::uint16_t>(missing),
                      .rejected = static_cast<std::uint16_t>(rejected_readings)},
            .has_plain_total = static_cast<std::uint8_t>(total ? 1 : 0),
            .labels = static_cast<std::uint8_t>(row.labels.size()),
            .packed_bytes = static_cast<std::uint32_t>(bytes.size() - head_at - sizeof(RowHead))},
           bytes.data() + head_at);
  if (!row.labels.empty())
    bytes.append(reinterpret_cast<const char*>(row.labels.data()), row.labels.size_bytes());
  ++batch_.rows.read;
  ++batch_.rows.stored;
  batch_.readings.read += row.slots;
  batch_.readings.stored += row.slots - missing_slots;
  batch_.readings.missing += missing;
  batch_.readings.rejected += rejected_readings;
  if (rejected_readings > 0)
    note_rejected(row);
  else
    forget_reasons();  // What is told of a row that lost nothing.
}

void BatchSink::on_read(const RegisterRead& read, const formats::Row& row) {
  if (read.stated && *read.stated > received_) {
    tell_future(*read.stated, row);
    auto stated_now = read;
    stated_now.stated = received_;
    return on_read(stated_now, row);
  }
  auto& reads = batch_.reads;
  put_read(read,
           {.line = row.line, .meter = reads.number_of_next(read.meter.text()), .file = file_},
           reads.bytes);
  for (auto* rows : {&batch_.rows, &batch_.register_reads}) {
    ++rows->read;
    ++rows->stored;
  }
  forget_reasons();
}

void BatchSink::on_rejected_row(const formats::Row& row) {
  ++batch_.rows.read;
  ++batch_.rows.rejected;
  batch_.register_reads.read += row.is_register_read ? 1 : 0;
  batch_.register_reads.rejected += row.is_register_read ? 1 : 0;
  batch_.readings.read += row.slots;
  batch_.readings.rejected += row.slots;
  note_rejected(row);
}

void BatchSink::on_finding(Finding finding) {
  if (rejects_ == Rejects::keep && ++reasons_count_ <= reasons_max) {
    if (!reasons_.empty()) reasons_ += "; ";
    reasons_ += fmt::format("{}: {}", text_of(finding.code), finding.text);
  }
  batch_.findings.add(std::move(finding));
}

void BatchSink::note_rejected(const formats::Row& row) {
  if (rejects_ == Rejects::drop) return;
  if (reasons_count_ > reasons_max)
    reasons_ += fmt::format("; and {} more", reasons_count_ - reasons_max);
  batch_.rejected.push_back(
      {.line = row.line, .reasons = std::move(reasons_), .text = std::string(row.text)});
  forget_reasons();
}

void BatchSink::forget_reasons() {
  reasons_.clear();
  reasons_count_ = 0;
}

}  // namespace meterline::ingest
