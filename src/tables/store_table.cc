#include "tables/store_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "core/channel.h"
#include "core/decimal.h"
#include "core/note.h"
#include "core/reading_day.h"
#include "core/time_zone.h"
#include "core/try.h"
#include "store/resolve.h"
#include "tables/rows.h"

namespace meterline::tables {
namespace {

constexpr std::int64_t second_micros = 1'000'000;
constexpr std::int64_t minute_micros = 60 * second_micros;
constexpr std::int32_t day_minutes = 24 * 60;

constexpr std::size_t batch_rows = 1 << 16;

constexpr std::array reading_columns = {
    Column{"meter", ColumnType::text},       Column{"channel", ColumnType::text},
    Column{"flow", ColumnType::text},        Column{"unit", ColumnType::text},
    Column{"date", ColumnType::date},        Column{"start", ColumnType::local_time},
    Column{"utc_offset", ColumnType::int16}, Column{"interval", ColumnType::int16},
    Column{"value", ColumnType::decimal},    Column{"quality", ColumnType::text},
    Column{"flag", ColumnType::text},        Column{"method", ColumnType::text},
    Column{"reason_code", ColumnType::text}, Column{"reason_text", ColumnType::text},
    Column{"stated", ColumnType::instant},   Column{"received", ColumnType::instant},
};
/// The first four are those of readings.
constexpr std::array sum_columns = {
    Column{"meter", ColumnType::text},      Column{"channel", ColumnType::text},
    Column{"flow", ColumnType::text},       Column{"unit", ColumnType::text},
    Column{"date", ColumnType::date},       Column{"sum", ColumnType::decimal},
    Column{"readings", ColumnType::int32},  Column{"expected", ColumnType::int32},
    Column{"actual", ColumnType::int32},    Column{"substituted", ColumnType::int32},
    Column{"estimated", ColumnType::int32}, Column{"missing", ColumnType::int32},
    Column{"stated", ColumnType::instant},  Column{"received", ColumnType::instant},
};

/// Minutes east of UTC, out of a label that ends with them (TimeZone::label).
std::optional<int> offset_in(std::string_view label) {
  constexpr std::size_t offset_chars = 6;
  if (label.ends_with('Z')) return 0;
  if (label.size() < offset_chars) return std::nullopt;
  const auto text = label.substr(label.size() - offset_chars);
  if ((text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int minutes = two(1) * 60 + two(4);
  return text[0] == '-' ? -minutes : minutes;
}

enum ReadingColumn : std::size_t {
  reading_date = 4,
  reading_start,
  reading_offset,
  reading_interval,
  reading_value,
  reading_quality,
  reading_flag,
  reading_method,
  reading_reason_code,
  reading_reason_text,
  reading_stated,
  reading_received,
};

/// What a wall clock shows, out of a label that begins with it (TimeZone::label).
std::int64_t shown_in(std::string_view label) {
  constexpr std::size_t date_chars = 10;
  const auto two = [&](std::size_t at) { return (label[at] - '0') * 10 + (label[at + 1] - '0'); };
  const auto date = Date::parse(label.substr(0, date_chars)).value_or(Date());
  const auto seconds = (two(11) * 60 + two(14)) * 60 + two(17);
  return std::int64_t{date.days()} * day_minutes * minute_micros + seconds * second_micros;
}

/// When each interval of a day begins, by its wall clock.
void add_starts(const store::ResolvedDay& day, Rows& rows) {
  const auto midnight = std::int64_t{day.date.days()} * day_minutes;
  const auto slots = static_cast<std::size_t>(day.slots());
  const auto minutes = day.interval.minutes();
  auto& starts = rows.numbers(reading_start);
  auto& offsets = rows.numbers(reading_offset);
  if (!day.zone.is_known() || day.zone.minutes_of(day.date) == day_minutes) {
    for (std::size_t slot = 0; slot < slots; ++slot)
      starts.add((midnight + static_cast<std::int64_t>(slot) * minutes) * minute_micros);
    const auto offset = day.zone.is_known() ? offset_in(day.zone.label(day.date, 0)) : std::nullopt;
    if (offset)
      offsets.add(*offset, slots);
    else
      offsets.add_none(slots);
    return;
  }
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const auto minute = static_cast<int>(slot) * minutes;
    const auto label = day.zone.label(day.date, minute);
    starts.add(shown_in(label));
    const auto offset = offset_in(label);
    if (offset)
      offsets.add(*offset);
    else
      offsets.add_none();
  }
}

void add_word(TextValues& values, std::string_view word, std::size_t rows) {
  if (word.empty())
    values.add_none(rows);
  else
    values.add(word, rows);
}

/// What sources say of intervals; nothing of most days.
void add_notes(const store::ResolvedDay& day, Rows& rows) {
  const auto add = [&](const Note& note, std::size_t count) {
    add_word(rows.texts(reading_flag), note.flag, count);
    add_word(rows.texts(reading_method), note.method, count);
    add_word(rows.texts(reading_reason_code), note.reason_code, count);
    add_word(rows.texts(reading_reason_text), note.reason_text, count);
  };
  std::size_t next = 0;
  for (const auto& run : day.notes) {
    if (next < run.first) add({}, run.first - next);
    add(run.note, run.end - run.first);
    next = run.end;
  }
  const auto slots = static_cast<std::size_t>(day.slots());
  if (next < slots) add({}, slots - next);
}

Result<void> add_values(const store::ResolvedDay& day, Rows& rows) {
  auto& values = rows.decimals(reading_value);
  auto& qualities = rows.texts(reading_quality);
  for (std::size_t slot = 0; slot < day.qualities.size(); ++slot) {
    const auto quality = day.qualities[slot];
    qualities.add(text_of(quality));
    if (quality == Quality::missing) {
      values.add_none();
      continue;
    }
    const auto reading = day.reading(slot);
    METERLINE_TRY(const auto value, scaled(Sum(reading.mantissa, reading.exponent)));
    values.add(value);
  }
  return {};
}

void add_versions(const store::ResolvedDay& day, Rows& rows) {
  auto& stated = rows.numbers(reading_stated);
  auto& received = rows.numbers(reading_received);
  const auto slots = static_cast<std::size_t>(day.slots());
  if (day.part_of_slot.empty()) {
    stated.add(day.main.version.stated.micros, slots);
    received.add(day.main.version.received.micros, slots);
    return;
  }
  for (std::size_t slot = 0; slot < slots; ++slot) {
    stated.add(day.part(slot).version.stated.micros);
    received.add(day.part(slot).version.received.micros);
  }
}

Result<void> add_readings(const MeterId& meter, const store::ResolvedDay& day, Rows& rows) {
  const auto slots = static_cast<std::size_t>(day.slots());
  rows.add_channel(meter, day.channel, slots);
  rows.numbers(reading_date).add(day.date.days(), slots);
  rows.numbers(reading_interval).add(day.interval.minutes(), slots);
  add_starts(day, rows);
  METERLINE_CHECK(add_values(day, rows));
  add_notes(day, rows);
  add_versions(day, rows);
  return rows.added(slots);
}

/// The sum of some days.
struct Summed {
  Sum sum;
  std::int64_t readings = 0;
  std::int64_t expected = 0;
  store::QualityCounts quality;
  Version version;

  Result<void> add(const store::DayTotal& day) {
    METERLINE_CHECK(sum.add(day.sum));
    readings += day.readings;
    expected += day.expected;
    quality.actual += day.quality.actual;
    quality.substituted += day.quality.substituted;
    quality.estimated += day.quality.estimated;
    quality.missing += day.quality.missing;
    version = std::max(version, day.version);
    return {};
  }
};

Result<void> add_sum(const MeterId& meter, const Channel& channel, Date date, const Summed& summed,
                     Rows& rows) {
  rows.add_channel(meter, channel, 1);
  std::size_t column = 4;
  rows.numbers(column++).add(date.days());
  auto& sums = rows.decimals(column++);
  if (summed.readings > 0) {
    METERLINE_TRY(const auto value, scaled(summed.sum));
    sums.add(value);
  } else {
    sums.add_none();
  }
  const auto& quality = summed.quality;
  for (const auto count : {summed.readings, summed.expected, quality.actual, quality.substituted,
                           quality.estimated, quality.missing})
    rows.numbers(column++).add(count);
  rows.numbers(column++).add(summed.version.stated.micros);
  rows.numbers(column++).add(summed.version.received.micros);
  return rows.added(1);
}

class StoreTable {
 public:
  StoreTable(const store::Store& store, TableOf table, const TableSelection& selection,
             TableWriter& writer, const TableHooks& hooks)
      : store_(store),
        table_(table),
        selection_(selection),
        hooks_(hooks),
        rows_(columns_of(table), writer, batch_rows) {}

  Result<TableSummary> write() {
    METERLINE_CHECK(
        each_meter(store_, selection_, [&](const MeterId& meter) { return add(meter); }));
    METERLINE_CHECK(rows_.flush());
    return TableSummary{.meters = meters_, .rows = rows_.count()};
  }

 private:
  Result<void> add(const MeterId& meter) {
    METERLINE_CHECK(check_stop(hooks_.stop));
    const auto before = rows_.count();
    months_.clear();
    METERLINE_CHECK(store::read_resolved(
        store_, {.meter = meter, .dates = selection_.dates, .as_of = selection_.as_of},
        [&](const store::ResolvedDay& day) { return add_day(meter, day); }));
    for (const auto& [key, summed] : months_)
      METERLINE_CHECK(add_sum(meter, key.first, key.second.first_day(), summed, rows_));
    if (rows_.count() > before) ++meters_;
    if (hooks_.meters != nullptr) ++*hooks_.meters;
    return {};
  }
  Result<void> add_day(const MeterId& meter, const store::ResolvedDay& day) {
    METERLINE_CHECK(check_stop(hooks_.stop));
    if (hooks_.days != nullptr) ++*hooks_.days;
    if (table_ == TableOf::readings) return add_readings(meter, day, rows_);
    METERLINE_TRY(const auto total, store::total_of(meter, day));
    if (table_ == TableOf::months) return months_[{day.channel, Month::of(day.date)}].add(total);
    Summed summed;
    METERLINE_CHECK(summed.add(total));
    return add_sum(meter, day.channel, day.date, summed, rows_);
  }

  const store::Store& store_;
  const TableOf table_;
  const TableSelection& selection_;
  const TableHooks& hooks_;
  Rows rows_;
  std::map<std::pair<Channel, Month>, Summed> months_;  ///< Of the meter.
  std::int64_t meters_ = 0;
};

}  // namespace

std::optional<TableOf> parse_table_of(std::string_view text) {
  if (text == "readings") return TableOf::readings;
  if (text == "days") return TableOf::days;
  if (text == "months") return TableOf::months;
  return std::nullopt;
}

std::span<const Column> columns_of(TableOf table) {
  if (table == TableOf::readings) return reading_columns;
  return sum_columns;
}

Result<TableSummary> write_store_table(const store::Store& store, TableOf table,
                                       const TableSelection& selection, TableWriter& writer,
                                       const TableHooks& hooks) {
  return StoreTable(store, table, selection, writer, hooks).write();
}

}  // namespace meterline::tables
