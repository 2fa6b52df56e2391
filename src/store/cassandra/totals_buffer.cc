#include "store/cassandra/totals_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/try.h"
#include "store/packed_day.h"

namespace meterline::store::cassandra {
namespace {

/// From so many on, a day's totals are rows of their own: a question for one day then reads no
/// other. Fewer go with the other days of their month, or each day would cost a row.
constexpr std::size_t totals_of_a_day_min = 32;
/// So few of a month are written nowhere, for their row would cost as much as the days themselves:
/// the catalogue names their meters, once a month, and who asks reads the days.
constexpr std::size_t totals_of_a_month_min = 4;

Date date_of(std::int32_t days) { return *Date::from_days(days); }

/// The first day of the month behind that of `days`.
std::int32_t end_of_month(std::int32_t days) {
  const Month month = Month::of(date_of(days));
  return month.first_day().days() + month.days();
}

}  // namespace

Result<void> TotalsBuffer::add(const DayToStore& day) {
  if (meters_.empty() || meters_.back() != day.meter.text()) meters_.push_back(day.meter.text());
  auto channel = std::find(channels_.begin(), channels_.end(), day.channel);
  if (channel == channels_.end()) channel = channels_.insert(channel, day.channel);

  Entry entry;
  entry.date = day.date.days();
  entry.meter = static_cast<std::uint32_t>(meters_.size() - 1);
  entry.channel = static_cast<std::uint32_t>(channel - channels_.begin());
  METERLINE_TRY(const auto parts, split_packed_day(day.packed));
  METERLINE_TRY(const auto grid, grid_info(parts.grid));
  entry.slots = static_cast<std::uint16_t>(grid.slots);
  entry.exponent = grid.exponent;
  entry.is_dated = grid.stated.has_value();
  entry.stated = grid.stated.value_or(Instant{});
  entry.origin = grid.origin;
  entry.zone = grid.zone;
  if (day.plain_total) {
    entry.kind = TotalEntry::Kind::complete;
    entry.mantissa = *day.plain_total;
  } else {
    METERLINE_CHECK(count_readings(day.packed, entry));
  }
  entries_of({.delivery = day.delivery, .date = entry.date}).push_back(entry);
  ++entries_count_;
  return {};
}

Result<void> TotalsBuffer::count_readings(std::string_view packed, Entry& entry) {
  METERLINE_CHECK(unpack_day(packed, scratch_));
  Sum sum;
  for (std::size_t slot = 0; slot < scratch_.mantissas.size(); ++slot) {
    const Quality quality = scratch_.qualities[slot];
    if (quality == Quality::actual) ++entry.actual;
    if (quality == Quality::substituted) ++entry.substituted;
    if (quality == Quality::estimated) ++entry.estimated;
    if (quality == Quality::missing) continue;
    METERLINE_CHECK(sum.add(Decimal{scratch_.mantissas[slot], scratch_.exponent}));
  }
  const bool fits = sum.mantissa() >= std::numeric_limits<std::int64_t>::min() &&
                    sum.mantissa() <= std::numeric_limits<std::int64_t>::max();
  if (!fits) return {};
  entry.kind = TotalEntry::Kind::partial;
  entry.mantissa = static_cast<std::int64_t>(sum.mantissa());
  entry.exponent = static_cast<std::int8_t>(sum.exponent());
  return {};
}

/// As a rule, the day behind that of the last entry.
std::vector<TotalsBuffer::Entry>& TotalsBuffer::entries_of(const DayKey& key) {
  if (last_day_ != days_.end() && last_day_->first < key) ++last_day_;
  if (last_day_ == days_.end() || last_day_->first != key) last_day_ = days_.try_emplace(key).first;
  return last_day_->second;
}

Result<void> TotalsBuffer::flush(CqlWriter& writer) {
  for (auto begin = days_.cbegin(); begin != days_.cend();) {
    const auto month_end = days_.lower_bound(
        {.delivery = begin->first.delivery, .date = end_of_month(begin->first.date)});
    METERLINE_CHECK(write_month(begin, month_end, writer));
    begin = month_end;
  }
  days_.clear();
  last_day_ = days_.end();
  entries_count_ = 0;
  meters_.clear();
  return {};
}

/// The days of one delivery and month.
Result<void> TotalsBuffer::write_month(Days::const_iterator begin, Days::const_iterator end,
                                       CqlWriter& writer) {
  const Delivery& delivery = deliveries_[begin->first.delivery];
  std::vector<Entry> few;
  for (auto day = begin; day != end; ++day) {
    const auto& entries = day->second;
    if (entries.size() >= totals_of_a_day_min) {
      METERLINE_CHECK(write_rows(delivery, entries, TotalsRowWriter::Span::day, writer));
    } else {
      few.insert(few.end(), entries.begin(), entries.end());
    }
  }
  if (few.empty()) return {};
  if (few.size() < totals_of_a_month_min) return note_meters(few), Result<void>();
  std::stable_sort(few.begin(), few.end(),
                   [](const Entry& a, const Entry& b) { return a.meter < b.meter; });
  return write_rows(delivery, few, TotalsRowWriter::Span::month, writer);
}

void TotalsBuffer::note_meters(Entries entries) {
  const std::string month = date_of(entries.front().date).text().substr(0, 7);
  for (const auto& entry : entries) registry_.note_meter_by_days(month, meters_[entry.meter]);
}

TotalEntry TotalsBuffer::total_entry(const Entry& entry, TotalsRowWriter::Span span) const {
  const bool in_month = span == TotalsRowWriter::Span::month;
  return {
      .meter = meters_[entry.meter],
      .channel = channels_[entry.channel],
      .day = in_month ? date_of(entry.date).civil().day : 0,
      .kind = entry.kind,
      .grid = {.exponent = entry.exponent,
               .slots = entry.slots,
               .stated = entry.is_dated ? std::optional(entry.stated) : std::nullopt,
               .origin = entry.origin,
               .zone = entry.zone},
      .mantissa = entry.mantissa,
      .quality = {
          .actual = entry.actual, .substituted = entry.substituted, .estimated = entry.estimated}};
}

/// Entries of one period, by meter.
Result<void> TotalsBuffer::write_rows(const Delivery& delivery, Entries entries,
                                      TotalsRowWriter::Span span, CqlWriter& writer) {
  const std::string day = date_of(entries.front().date).text();
  const std::string period = span == TotalsRowWriter::Span::day ? day : day.substr(0, 7);
  TotalsRowWriter row(span);
  for (std::size_t begin = 0; begin < entries.size();) {
    if (row.bytes() >= totals_bytes_max) METERLINE_CHECK(write_row(delivery, period, row, writer));
    const std::size_t bytes_before = row.bytes();
    std::size_t end = begin;
    for (; end < entries.size() && entries[end].meter == entries[begin].meter; ++end)
      row.add(total_entry(entries[end], span));
    if (row.bytes() - bytes_before > meter_totals_bytes_max)
      return fail(Errc::too_large,
                  fmt::format("meter {} has too many channels in {}: their totals take more than "
                              "{} bytes",
                              meters_[entries[begin].meter], period, meter_totals_bytes_max));
    begin = end;
  }
  return write_row(delivery, period, row, writer);
}

Result<void> TotalsBuffer::write_row(const Delivery& delivery, const std::string& period,
                                     TotalsRowWriter& row, CqlWriter& writer) {
  std::string version;
  append_version_key(delivery.version(), delivery.id, version);
  // By the delivery alone, so that a load that is begun again writes to the same partitions.
  const auto id = std::string_view(version).substr(version.size() - delivery.id.bytes.size());
  const std::int32_t bucket = totals_bucket_of(id, row.first_meter(), layout_.buckets);
  CqlCells cells;
  cells.text(period);
  cells.integer(bucket);
  cells.blob(version);
  cells.text(row.first_meter());
  cells.text(row.last_meter());
  cells.blob(row.take());
  registry_.note_name(totals_kind, fmt::format("{}/{:02}", period, bucket));
  return writer.write(tables_[Statement::insert_totals], cells.bytes(), 1);
}

}  // namespace meterline::store::cassandra
