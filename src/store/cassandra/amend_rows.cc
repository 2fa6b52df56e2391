#include "store/cassandra/amend_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/try.h"
#include "store/cassandra/delivery_rows.h"
#include "store/cassandra/register_rows.h"
#include "store/cassandra/registry.h"
#include "store/cassandra/totals_row.h"

namespace meterline::store::cassandra {
namespace {

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt,
              "the store's catalogue is damaged; `meterline store check` tells what is wrong");
}

std::string version_key(const Version& version, const DeliveryId& delivery) {
  std::string key;
  append_version_key(version, delivery, key);
  return key;
}

std::string month_text(Date date) { return date.text().substr(0, 7); }

/// Names of the catalogue that are held at once: a store of ten million meters has some 5,000 a
/// month.
constexpr std::size_t parts_at_once = 10'000;

/// What goes of the totals of one delivery in one month.
using Going = std::set<std::tuple<std::string, Channel, Date>>;
using GoesOfRow = std::function<bool(std::string_view meter, const Channel& channel, Date date)>;

struct TotalsRowKey {
  std::string version;
  std::string first_meter;
  std::string last_meter;
};

class Amending {
 public:
  Amending(const Tables& tables, const Layout& layout, const Amendment& amendment)
      : tables_(tables),
        layout_(layout),
        amendment_(amendment),
        writer_(tables.session().writer({})) {}

  Result<void> run() {
    METERLINE_CHECK(note_settings());
    if (!amendment_.days.empty()) METERLINE_CHECK(remove_days());
    METERLINE_CHECK(remove_reads());
    if (amendment_.before && amendment_.days.empty()) METERLINE_CHECK(remove_totals_before());
    METERLINE_CHECK(unlist_meters());
    METERLINE_CHECK(acknowledge());
    METERLINE_CHECK(replace_records());
    return {};
  }

 private:
  bool is_old(const DayPlace& day) const {
    return amendment_.before && day.date < *amendment_.before;
  }
  /// Keyspaces removes no more than 1,000 rows of a span at once; so row by row there.
  bool has_spans() const { return tables_.dialect() == Dialect::cassandra; }

  Result<void> note_settings();
  Result<void> remove_days();
  Result<std::vector<DayPlace>> rows_of_days();
  Result<void> remove_day_row(const DayPlace& day);
  Result<void> remove_old_days(std::span<const DayPlace> of_meter);
  Result<void> remove_totals(std::span<const DayPlace> rows);
  Result<void> remove_totals_of(std::vector<TotalsPart> parts, const std::string& version,
                                const Going& going);
  Result<Instant> delivered_at(const DayPlace& day);
  Result<void> remove_totals_before();
  Result<void> remove_parts(std::span<const TotalsPart> parts);
  Result<void> remove_names(const std::string& kind);
  Result<void> rewrite_part(const TotalsPart& part, Date before);
  Result<void> rewrite_row(const TotalsPart& part, const TotalsRowKey& key, const GoesOfRow& goes);
  Result<void> remove_row(const TotalsPart& part, const TotalsRowKey& key);
  Result<void> each_part(std::string_view after, std::string_view to,
                         const std::function<Result<void>(TotalsPart)>& visit) const;
  Result<std::vector<TotalsPart>> list_parts(std::string_view after, std::string_view to,
                                             std::size_t limit = SIZE_MAX) const;
  Result<void> remove_reads();
  Result<void> unlist_meters();
  Result<void> unlist_by_days(const MeterId& meter);
  Result<void> replace_records();

  Result<void> send(Statement statement, const CqlCells& cells) {
    if (amendment_.pace) amendment_.pace(1);
    return writer_->write(tables_[statement], cells.bytes(), 1);
  }
  CqlCells list_key(const MeterId& meter) const {
    CqlCells cells;
    cells.integer(bucket_of(meter, layout_.buckets));
    cells.text(meter.text());
    return cells;
  }
  Result<void> send_name(Statement statement, std::string_view kind, std::string_view name) {
    CqlCells cells;
    cells.text(kind);
    cells.text(name);
    return send(statement, cells);
  }
  void pace_reads(std::size_t requests) const {
    if (amendment_.pace) amendment_.pace(requests);
  }
  /// What was sent counts from then on.
  Result<void> acknowledge() {
    METERLINE_CHECK(writer_->finish());
    writer_ = tables_.session().writer({});
    return {};
  }

  const Tables& tables_;
  const Layout layout_;
  const Amendment& amendment_;
  std::unique_ptr<CqlWriter> writer_;
  std::map<DeliveryId, Instant> delivered_;
};

/// They count before anything goes.
Result<void> Amending::note_settings() {
  METERLINE_TRY(const auto before, read_settings(tables_));
  StoreSettings after = before;
  METERLINE_CHECK(change_settings(amendment_, after));
  for (const auto& mark : amendment_.erased)
    METERLINE_CHECK(send_name(Statement::insert_name, erased_kind, mark));
  for (const auto& mark : amendment_.allowed)
    METERLINE_CHECK(send_name(Statement::delete_name, erased_kind, mark));
  if (after.amended_at != before.amended_at)
    METERLINE_CHECK(send_name(Statement::insert_name, amended_kind,
                              fmt::format("{:020}", after.amended_at->micros)));
  return acknowledge();
}

Result<void> Amending::remove_days() {
  METERLINE_TRY(const auto rows, rows_of_days());
  METERLINE_CHECK(remove_totals(rows));
  METERLINE_CHECK(acknowledge());
  for (const auto& row : rows) METERLINE_CHECK(remove_day_row(row));
  const auto days = amendment_.days;
  for (std::size_t begin = 0; begin < days.size();) {
    std::size_t end = begin;
    while (end < days.size() && days[end].meter == days[begin].meter) ++end;
    METERLINE_CHECK(remove_old_days(days.subspan(begin, end - begin)));
    begin = end;
  }
  return {};
}

/// The rows of days that go one by one. A load that was begun again may have left rows of two
/// receipts, of which a question tells one: both go.
Result<std::vector<DayPlace>> Amending::rows_of_days() {
  using Told = std::set<std::tuple<Date, Channel, DeliveryId>>;
  std::map<std::pair<MeterId, int>, Told> years;
  for (const auto& day : amendment_.days)
    if (!is_old(day) || !has_spans())
      years[{day.meter, day.date.civil().year}].emplace(day.date, day.channel, day.delivery);
  CqlCells keys;
  std::vector<const std::pair<const std::pair<MeterId, int>, Told>*> asked;
  for (const auto& year : years) {
    keys.text(year.first.first.text());
    keys.integer(year.first.second);
    asked.push_back(&year);
  }
  pace_reads(asked.size());
  std::vector<DayPlace> rows;
  METERLINE_CHECK(
      tables_.read_pages(Statement::select_first_days_all, keys, asked.size(),
                         [&](std::size_t which, const CqlPage& page) {
                           return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                             const Date date = row.date();
                             auto channel = parse_channel(row.text());
                             const auto bytes = row.blob();
                             if (!row.ok() || !channel || bytes.size() != version_key_bytes)
                               return damaged();
                             const auto key = parse_version_key(bytes);
                             if (!asked[which]->second.contains({date, *channel, key.delivery}))
                               return {};
                             rows.push_back({.meter = asked[which]->first.first,
                                             .channel = *std::move(channel),
                                             .date = date,
                                             .version = key.version,
                                             .delivery = key.delivery});
                             return {};
                           });
                         }));
  return rows;
}

Result<void> Amending::remove_day_row(const DayPlace& day) {
  CqlCells cells;
  cells.text(day.meter.text());
  cells.integer(day.date.civil().year);
  cells.date(day.date);
  cells.text(channel_text(day.channel));
  cells.blob(version_key(day.version, day.delivery));
  return send(Statement::delete_day, cells);
}

/// Whole years, and the year of the date up to it; with the years that the meter is listed under.
Result<void> Amending::remove_old_days(std::span<const DayPlace> of_meter) {
  std::set<int> years;
  std::set<std::pair<std::string, int>> listed;
  for (const auto& day : of_meter) {
    if (!is_old(day)) continue;
    years.insert(day.date.civil().year);
    listed.emplace(channel_text(day.channel), day.date.civil().year);
  }
  if (years.empty()) return {};
  const auto& meter = of_meter.front().meter;
  const int year_of_date = amendment_.before->civil().year;
  for (const int year : years) {
    if (!has_spans()) break;
    CqlCells cells;
    cells.text(meter.text());
    cells.integer(year);
    if (year == year_of_date) cells.date(*amendment_.before);
    METERLINE_CHECK(
        send(year == year_of_date ? Statement::delete_days_before : Statement::delete_year, cells));
  }
  for (const auto& [channel, year] : listed) {
    if (year == year_of_date) continue;
    CqlCells cells = list_key(meter);
    cells.text(channel);
    cells.integer(year);
    METERLINE_CHECK(send(Statement::delete_meter_year, cells));
  }
  return {};
}

/// Those of old days go all together, when no meter has any more.
Result<void> Amending::remove_totals(std::span<const DayPlace> rows) {
  std::map<std::pair<std::string, std::string>, Going> groups;  ///< By month and version of a row.
  for (const auto& day : rows) {
    if (is_old(day)) continue;
    METERLINE_TRY(const auto delivered, delivered_at(day));
    const Version version{
        .stated = delivered, .received = day.version.received, .tie = day.version.tie};
    groups[{month_text(day.date), version_key(version, day.delivery)}].emplace(
        day.meter.text(), day.channel, day.date);
  }
  std::string month;
  std::vector<TotalsPart> parts;
  for (const auto& [key, going] : groups) {
    if (key.first != month) {
      month = key.first;
      METERLINE_TRY(parts, list_parts(month, month + "~"));
    }
    METERLINE_CHECK(remove_totals_of(parts, key.second, going));
  }
  return {};
}

/// Of a load that never finished there is no record: its days state no time, as a rule.
Result<Instant> Amending::delivered_at(const DayPlace& day) {
  const auto known = delivered_.find(day.delivery);
  if (known != delivered_.end()) return known->second;
  METERLINE_TRY(const auto record, read_delivery(tables_, day.delivery));
  const auto delivered = record ? record->delivery.delivered_at : day.version.stated;
  if (record) delivered_[day.delivery] = delivered;
  return delivered;
}

/// By their names, those behind `after`.
Result<void> Amending::each_part(std::string_view after, std::string_view to,
                                 const std::function<Result<void>(TotalsPart)>& visit) const {
  CqlCells key;
  key.text(totals_kind);
  key.text(after);
  key.text(to);
  return tables_.read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
    auto part = parse_totals_part(row.text());
    if (!part) return damaged();
    return part->name > after ? visit(*std::move(part)) : Result<void>();
  });
}

Result<std::vector<TotalsPart>> Amending::list_parts(std::string_view after, std::string_view to,
                                                     std::size_t limit) const {
  std::vector<TotalsPart> parts;
  auto read = each_part(after, to, [&](TotalsPart part) -> Result<void> {
    parts.push_back(std::move(part));
    return parts.size() < limit ? Result<void>() : enough();
  });
  if (!is_enough(read)) METERLINE_CHECK(std::move(read));
  return parts;
}

/// `parts`: of the month that all of it is in.
Result<void> Amending::remove_totals_of(std::vector<TotalsPart> parts, const std::string& version,
                                        const Going& going) {
  std::set<std::string> dates;
  for (const auto& [meter, channel, date] : going) dates.insert(date.text());
  std::erase_if(parts, [&](const TotalsPart& part) {
    return !part.names.empty() || (!part.is_month() && !dates.contains(part.period));
  });
  CqlCells keys;
  for (const auto& part : parts) {
    keys.text(part.period);
    keys.integer(part.bucket);
    keys.blob(version);
  }
  pace_reads(parts.size());
  std::vector<std::pair<std::size_t, TotalsRowKey>> rows;
  METERLINE_CHECK(tables_.read_pages(
      Statement::select_totals_of, keys, parts.size(), [&](std::size_t which, const CqlPage& page) {
        return visit_rows(page, [&](CqlRow& row) -> Result<void> {
          TotalsRowKey key{.version = version, .first_meter = {}, .last_meter = {}};
          key.first_meter = row.text();
          key.last_meter = row.text();
          rows.emplace_back(which, std::move(key));
          return {};
        });
      }));
  const GoesOfRow goes = [&](std::string_view meter, const Channel& channel, Date date) {
    return going.contains({std::string(meter), channel, date});
  };
  for (const auto& [which, key] : rows) {
    const auto first = going.lower_bound({key.first_meter, Channel{.name = ""}, Date::min()});
    if (first == going.end() || std::get<0>(*first) > key.last_meter) continue;
    METERLINE_CHECK(rewrite_row(parts[which], key, goes));
  }
  return {};
}

/// Writes the row anew without what goes; where its first or last meter goes, under another key.
Result<void> Amending::rewrite_row(const TotalsPart& part, const TotalsRowKey& key,
                                   const GoesOfRow& goes) {
  CqlCells cells;
  cells.text(part.period);
  cells.integer(part.bucket);
  cells.blob(key.version);
  cells.text(key.first_meter);
  cells.text(key.last_meter);
  std::string bytes;
  pace_reads(1);
  METERLINE_CHECK(
      tables_.read_rows(Statement::select_totals_row, cells, [&](CqlRow& row) -> Result<void> {
        bytes = row.blob();
        return {};
      }));
  if (bytes.empty()) return {};
  TotalsRow row;
  METERLINE_CHECK(read_totals_row(bytes, row));
  const Date begin = *Date::parse(part.is_month() ? part.period + "-01" : part.period);
  TotalsRowWriter left(row.span);
  std::size_t count = 0;
  for (const auto& entry : row.entries) {
    const auto date = Date::from_days(begin.days() + std::max(1, entry.day) - 1);
    if (!date) return damaged();
    if (goes(entry.meter, entry.channel, *date)) continue;
    left.add(entry);
    ++count;
  }
  if (count == row.entries.size()) return {};
  if (count == 0) return remove_row(part, key);
  const bool is_same = left.first_meter() == key.first_meter && left.last_meter() == key.last_meter;
  CqlCells written;
  written.text(part.period);
  written.integer(part.bucket);
  written.blob(key.version);
  written.text(left.first_meter());
  written.text(left.last_meter());
  written.blob(left.take());
  METERLINE_CHECK(send(Statement::insert_totals, written));
  return is_same ? Result<void>() : remove_row(part, key);
}

Result<void> Amending::remove_row(const TotalsPart& part, const TotalsRowKey& key) {
  CqlCells cells;
  cells.text(part.period);
  cells.integer(part.bucket);
  cells.blob(key.version);
  cells.text(key.first_meter);
  cells.text(key.last_meter);
  return send(Statement::delete_totals, cells);
}

/// By name, those of all days and months that are over stand before the date, and those of its own
/// month behind it.
Result<void> Amending::remove_totals_before() {
  const Date before = *amendment_.before;
  const std::string date = before.text();
  std::string last;
  for (;;) {
    METERLINE_TRY(const auto over, list_parts(last, date, parts_at_once));
    if (over.empty()) break;
    METERLINE_CHECK(remove_parts(over));
    last = over.back().name;
  }
  if (before.civil().day == 1) return {};
  const std::string month = month_text(before);
  METERLINE_TRY(const auto own, list_parts(month + "/", month + "/~"));
  for (const auto& part : own)
    if (part.names.empty()) METERLINE_CHECK(rewrite_part(part, before));
  return {};
}

/// Names go when what they lead to is gone: as a span, which is one tombstone however many buckets
/// there are.
Result<void> Amending::remove_parts(std::span<const TotalsPart> parts) {
  for (const auto& part : parts) {
    if (!part.names.empty()) {
      METERLINE_CHECK(remove_names(part.names));
    } else if (has_spans()) {
      CqlCells cells;
      cells.text(part.period);
      cells.integer(part.bucket);
      METERLINE_CHECK(send(Statement::delete_totals_part, cells));
    } else {
      METERLINE_CHECK(rewrite_part(part, Date::max()));
    }
  }
  METERLINE_CHECK(acknowledge());
  if (has_spans()) {
    METERLINE_CHECK(send_name(Statement::delete_names_to, totals_kind, parts.back().name));
  } else {
    for (const auto& part : parts)
      METERLINE_CHECK(send_name(Statement::delete_name, totals_kind, part.name));
  }
  return acknowledge();
}

/// All of a kind.
Result<void> Amending::remove_names(const std::string& kind) {
  CqlCells cells;
  cells.text(kind);
  if (has_spans()) return send(Statement::delete_names, cells);
  cells.text("");
  cells.text("~");
  pace_reads(1);
  return tables_.read_rows(Statement::select_names, cells, [&](CqlRow& row) {
    return send_name(Statement::delete_name, kind, row.text());
  });
}

/// Without what stands before the date.
Result<void> Amending::rewrite_part(const TotalsPart& part, Date before) {
  CqlCells cells;
  cells.text(part.period);
  cells.integer(part.bucket);
  std::vector<TotalsRowKey> keys;
  pace_reads(1);
  METERLINE_CHECK(
      tables_.read_rows(Statement::select_totals_keys, cells, [&](CqlRow& row) -> Result<void> {
        auto& key = keys.emplace_back();
        key.version = row.blob();
        key.first_meter = row.text();
        key.last_meter = row.text();
        return {};
      }));
  const GoesOfRow goes = [&](std::string_view, const Channel&, Date date) { return date < before; };
  for (const auto& key : keys) METERLINE_CHECK(rewrite_row(part, key, goes));
  return {};
}

/// As of days, rows of both receipts. A meter whose last read goes is listed as one that has reads
/// no more.
Result<void> Amending::remove_reads() {
  std::map<MeterId, std::set<std::tuple<std::int64_t, std::string, DeliveryId>>> meters;
  for (const auto& read : amendment_.reads)
    meters[read.meter].emplace(read.at.micros, register_text(read.of), read.delivery);
  CqlCells cells;
  for (const auto& [meter, told] : meters) {
    bool any_left = false;
    pace_reads(1);
    METERLINE_CHECK(each_read_row(tables_, meter, [&](const ReadRow& row) -> Result<void> {
      const auto key = parse_version_key(row.version);
      any_left = any_left || !told.contains({row.at.micros, std::string(row.of), key.delivery});
      if (!told.contains({row.at.micros, std::string(row.of), key.delivery})) return {};
      cells.clear();
      cells.text(meter.text());
      cells.bigint(row.at.micros);
      cells.text(row.of);
      cells.blob(row.version);
      return send(Statement::delete_read, cells);
    }));
    if (any_left) continue;
    cells = list_key(meter);
    cells.text(registers_text);
    cells.integer(0);
    METERLINE_CHECK(send(Statement::delete_meter_year, cells));
  }
  return {};
}

Result<void> Amending::unlist_meters() {
  for (const auto& meter : amendment_.meters) {
    METERLINE_CHECK(send(Statement::delete_meter, list_key(meter)));
    if (amendment_.traces == Traces::now) METERLINE_CHECK(unlist_by_days(meter));
  }
  return {};
}

/// Elsewhere a name there does no harm: nothing is found of the meter then.
Result<void> Amending::unlist_by_days(const MeterId& meter) {
  const auto bucket = bucket_of(meter, layout_.buckets);
  return each_part("", "~", [&](const TotalsPart& part) -> Result<void> {
    const bool may_have_it =
        !part.names.empty() && (!layout_.spreads_names || part.bucket == bucket);
    return may_have_it ? send_name(Statement::delete_name, part.names, meter.text())
                       : Result<void>();
  });
}

Result<void> Amending::replace_records() {
  for (const auto& record : amendment_.records) {
    pace_reads(1);
    METERLINE_CHECK(replace_delivery(tables_, record));
  }
  return {};
}

}  // namespace

Result<StoreSettings> read_settings(const Tables& tables) {
  constexpr std::array kinds = {unit_kind, erased_kind, amended_kind};
  CqlCells keys;
  for (const auto kind : kinds) {
    keys.text(kind);
    keys.text("");
    keys.text("~");
  }
  std::array<std::vector<std::string>, kinds.size()> names;
  METERLINE_CHECK(tables.read_pages(Statement::select_names, keys, kinds.size(),
                                    [&](std::size_t which, const CqlPage& page) {
                                      return visit_rows(page, [&](CqlRow& row) -> Result<void> {
                                        names.at(which).emplace_back(row.text());
                                        return {};
                                      });
                                    }));
  StoreSettings settings;
  auto& [units, erased, amended] = names;
  settings.erased = std::move(erased);
  if (!units.empty()) settings.unit = parse_unit_choice(units.front());
  if (!units.empty() && !settings.unit)
    return fail(Errc::corrupt, "the store's catalogue has a unit that is none");
  if (amended.empty()) return settings;
  const auto& last = amended.back();
  Instant at;
  const auto [stop, error] = std::from_chars(last.data(), last.data() + last.size(), at.micros);
  if (error != std::errc() || stop != last.data() + last.size()) return damaged();
  settings.amended_at = at;
  return settings;
}

Result<void> amend_rows(const Tables& tables, const Amendment& amendment) {
  METERLINE_CHECK(tables.prepare_amendments());
  METERLINE_TRY(const auto layout, tables.layout());
  return Amending(tables, layout, amendment).run();
}

}  // namespace meterline::store::cassandra
