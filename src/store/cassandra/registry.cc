#include "store/cassandra/registry.h"

#include <fmt/format.h>

#include "core/try.h"
#include "store/cassandra/partition_batch.h"

namespace meterline::store::cassandra {
namespace {

/// So few meters of a bucket are asked for one by one: others may lie between them.
constexpr std::size_t meters_by_name_max = 16;

/// A span is read up to so many rows; what is then still in doubt is written.
std::size_t rows_read_max(std::size_t noted) { return 4 * noted + 1000; }

std::size_t count_meters(const std::set<std::tuple<std::string, std::string, int>>& noted) {
  std::size_t count = 0;
  const std::string* last = nullptr;
  for (const auto& [meter, channel, year] : noted) {
    if (last == nullptr || *last != meter) ++count;
    last = &meter;
  }
  return count;
}

Result<void> unless_enough(const Result<void>& read) {
  return is_enough(read) ? Result<void>() : read;
}

}  // namespace

std::string channel_text(const Channel& channel) {
  return fmt::format("{}/{}/{}", channel.name, text_of(channel.flow), text_of(channel.unit));
}

std::optional<Channel> parse_channel(std::string_view text) {
  const auto last = text.rfind('/');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const auto first = text.rfind('/', last - 1);
  if (first == std::string_view::npos || first == 0 || first > channel_name_chars_max)
    return std::nullopt;
  const auto flow = parse_flow(text.substr(first + 1, last - first - 1));
  const auto unit_text = text.substr(last + 1);
  const auto unit = unit_text.empty() ? Unit::unknown : parse_unit(unit_text);
  if (!flow || !unit) return std::nullopt;
  return Channel{.name = std::string(text.substr(0, first)), .flow = *flow, .unit = *unit};
}

void Registry::note_meter(const MeterId& meter, const Channel& channel, int year) {
  auto& noted = meters_[place_of(meter)];
  const std::size_t before = noted.size();
  // Meters mostly come in their order.
  noted.emplace_hint(noted.end(), meter.text(), channel_text(channel), year);
  noted_ += noted.size() - before;
}

void Registry::note_reads(const MeterId& meter) {
  auto& noted = meters_[place_of(meter)];
  noted_ += noted.emplace(meter.text(), std::string(registers_text), 0).second ? 1 : 0;
}

void Registry::note_name(std::string_view kind, std::string name) {
  auto found = names_.find(kind);
  if (found == names_.end()) found = names_.emplace(kind, std::set<std::string>()).first;
  noted_ += found->second.insert(std::move(name)).second ? 1 : 0;
}

void Registry::note_meter_by_days(std::string_view month, const std::string& meter) {
  if (!layout_.spreads_names) {
    note_name(totals_kind, fmt::format("{}/{}", month, by_days));
    note_name(days_kind(month), meter);
    return;
  }
  const auto bucket = bucket_of(*MeterId::parse(meter), layout_.buckets);
  note_name(totals_kind, fmt::format("{}/{}/{:02}", month, by_days, bucket));
  note_name(days_kind(month, bucket), meter);
}

Result<void> Registry::flush(CqlWriter& writer) {
  METERLINE_CHECK(drop_known_by_meter());
  METERLINE_CHECK(drop_known_by_span());
  METERLINE_CHECK(drop_known_names());
  METERLINE_CHECK(write(writer));
  for (auto& noted : meters_) noted.clear();
  names_.clear();
  noted_ = 0;
  return {};
}

/// Asks for each meter of the buckets of which few are noted, all at once.
Result<void> Registry::drop_known_by_meter() {
  CqlCells keys;
  std::vector<std::pair<std::size_t, std::string>> asked;  ///< Bucket and meter.
  for (std::size_t bucket = 0; bucket < meters_.size(); ++bucket) {
    if (count_meters(meters_[bucket]) > meters_by_name_max) continue;
    for (const auto& [meter, channel, year] : meters_[bucket]) {
      if (!asked.empty() && asked.back().second == meter) continue;
      keys.integer(static_cast<std::int32_t>(bucket));
      keys.text(meter);
      asked.emplace_back(bucket, meter);
    }
  }
  const auto drop = [&](std::size_t key, const CqlPage& page) {
    return visit_rows(page, [&](CqlRow& row) -> Result<void> {
      const std::string channel(row.text());
      const auto& [bucket, meter] = asked[key];
      meters_[bucket].erase(MeterYear(meter, channel, row.integer()));
      return {};
    });
  };
  return tables_.read_pages(Statement::select_meter, keys, asked.size(), drop,
                            short_reads_in_flight);
}

Result<void> Registry::drop_known_by_span() {
  for (std::size_t bucket = 0; bucket < meters_.size(); ++bucket) {
    auto& noted = meters_[bucket];
    if (count_meters(noted) <= meters_by_name_max) continue;
    CqlCells key;
    key.integer(static_cast<std::int32_t>(bucket));
    key.text(std::get<0>(*noted.begin()));
    key.text(std::get<0>(*noted.rbegin()));
    std::size_t rows_left = rows_read_max(noted.size());
    METERLINE_CHECK(unless_enough(
        tables_.read_rows(Statement::select_meters, key, [&](CqlRow& row) -> Result<void> {
          std::string meter(row.text());
          std::string channel(row.text());
          noted.erase(MeterYear(std::move(meter), std::move(channel), row.integer()));
          return noted.empty() || --rows_left == 0 ? enough() : Result<void>();
        })));
  }
  return {};
}

Result<void> Registry::drop_known_names() {
  for (auto& [kind, noted] : names_) {
    if (noted.empty()) continue;
    CqlCells key;
    key.text(kind);
    key.text(*noted.begin());
    key.text(*noted.rbegin());
    std::size_t rows_left = rows_read_max(noted.size());
    METERLINE_CHECK(unless_enough(
        tables_.read_rows(Statement::select_names, key, [&](CqlRow& row) -> Result<void> {
          noted.erase(std::string(row.text()));
          return noted.empty() || --rows_left == 0 ? enough() : Result<void>();
        })));
  }
  return {};
}

Result<void> Registry::write(CqlWriter& writer) {
  PartitionBatch meters(tables_, Statement::insert_meter);
  for (std::size_t bucket = 0; bucket < meters_.size(); ++bucket) {
    for (const auto& [meter, channel, year] : meters_[bucket]) {
      if (meters.is_full()) METERLINE_CHECK(meters.send(writer));
      auto& cells = meters.add_row();
      cells.integer(static_cast<std::int32_t>(bucket));
      cells.text(meter);
      cells.text(channel);
      cells.integer(year);
    }
    METERLINE_CHECK(meters.send(writer));
  }
  PartitionBatch names(tables_, Statement::insert_name);
  for (const auto& [kind, noted] : names_) {
    for (const auto& name : noted) {
      if (names.is_full()) METERLINE_CHECK(names.send(writer));
      auto& cells = names.add_row();
      cells.text(kind);
      cells.text(name);
    }
    METERLINE_CHECK(names.send(writer));
  }
  return {};
}

}  // namespace meterline::store::cassandra
