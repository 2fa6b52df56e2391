#include "store/cassandra/totals_row.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/try.h"
#include "store/bytes.h"
#include "store/cassandra/schema.h"
#include "store/packed_zone.h"

namespace meterline::store::cassandra {
namespace {

//   row      | format, 1 byte | span, 1 byte | channels | grids | entry | entry | ...
//   channels | count | name, sized | flow | unit | of each
//   grids    | count | -exponent | slots | flags | stated | zone | of each
//   entry    | bytes of the meter before | more of them, sized | channel | grid * 3 + kind |
//            | day, in a month | sum, unless unknown | actual, substituted, estimated, if partial |
// Numbers are varints; `stated` and the sum are zigzag ones. Entries ascend by meter.

constexpr unsigned char row_format = 2;
/// What stands behind the slots of a grid.
constexpr std::uint64_t grid_has_stated = 1;
constexpr std::uint64_t grid_is_estimate = 2;
constexpr std::uint64_t grid_has_zone = 4;
constexpr std::uint64_t grid_flags = grid_has_stated | grid_is_estimate | grid_has_zone;
constexpr std::uint64_t kinds = 3;
static_assert(static_cast<std::uint64_t>(TotalEntry::Kind::unknown) + 1 == kinds);
static_assert(grid_flags == 7, "no two of them share a bit");
constexpr std::size_t channels_max = 100'000;
/// As many as there are entries, where each day states a time of its own.
constexpr std::size_t grids_max = 1'000'000;
constexpr int exponent_min = -18;

struct RowTables {
  std::vector<Channel> channels;
  std::vector<GridInfo> grids;
};

GridInfo take_grid(ByteReader& in) {
  GridInfo grid;
  grid.exponent = static_cast<std::int8_t>(-static_cast<int>(in.varint(-exponent_min)));
  grid.slots = static_cast<std::int64_t>(in.varint(slots_max));
  const auto flags = in.varint(grid_flags);
  if ((flags & grid_has_stated) != 0) grid.stated = Instant{.micros = in.number()};
  if ((flags & grid_is_estimate) != 0) grid.origin = Origin::estimate;
  if ((flags & grid_has_zone) != 0) grid.zone = take_zone(in);
  return grid;
}

void put_grid(const GridInfo& grid, std::string& out) {
  put_varint(static_cast<std::uint64_t>(-grid.exponent), out);
  put_varint(static_cast<std::uint64_t>(grid.slots), out);
  const auto flags = (grid.stated ? grid_has_stated : 0) |
                     (grid.origin == Origin::estimate ? grid_is_estimate : 0) |
                     (grid.zone.is_known() ? grid_has_zone : 0);
  put_varint(flags, out);
  if (grid.stated) put_varint(zigzag(grid.stated->micros), out);
  if (grid.zone.is_known()) put_zone(grid.zone, out);
}

RowTables take_tables(ByteReader& in) {
  RowTables tables;
  for (auto left = in.varint(channels_max); left > 0 && in.ok(); --left) {
    Channel channel;
    channel.name = in.sized(channel_name_chars_max);
    channel.flow = static_cast<Flow>(in.varint(static_cast<std::uint64_t>(Flow::other)));
    channel.unit = static_cast<Unit>(in.varint(static_cast<std::uint64_t>(last_unit)));
    tables.channels.push_back(std::move(channel));
  }
  for (auto left = in.varint(grids_max); left > 0 && in.ok(); --left)
    tables.grids.push_back(take_grid(in));
  return tables;
}

/// Reads entries; their meters are added to `row.meters` and found again by `places`.
class EntryTaker {
 public:
  EntryTaker(const RowTables& tables, TotalsRow& row) : tables_(tables), row_(row) {}

  bool take(ByteReader& in) {
    if (!take_meter(in)) return false;
    const auto channel = in.varint();
    const auto head = in.varint();
    const auto kind = head % kinds;
    const auto grid = head / kinds;
    if (channel >= tables_.channels.size() || grid >= tables_.grids.size()) return false;
    TotalEntry entry;
    entry.channel = tables_.channels[channel];
    if (row_.span == TotalsRowWriter::Span::month) entry.day = static_cast<int>(in.varint(31));
    entry.kind = static_cast<TotalEntry::Kind>(kind);
    entry.grid = tables_.grids[grid];
    if (entry.kind != TotalEntry::Kind::unknown) entry.mantissa = in.number();
    if (entry.kind == TotalEntry::Kind::complete) entry.quality.actual = entry.grid.slots;
    if (entry.kind == TotalEntry::Kind::partial && !take_quality(in, entry)) return false;
    if (!in.ok()) return false;
    row_.entries.push_back(std::move(entry));
    places_.push_back(place_);
    return true;
  }

  void finish() {
    const std::string_view meters = row_.meters;
    for (std::size_t i = 0; i < places_.size(); ++i)
      row_.entries[i].meter = meters.substr(places_[i].begin, places_[i].size);
  }

 private:
  struct Place {
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  bool take_meter(ByteReader& in) {
    const auto shared = in.varint(place_.size);
    const auto rest = in.sized(meter_id_chars_max);
    if (!in.ok() || shared + rest.size() > meter_id_chars_max) return false;
    if (rest.empty() && shared == place_.size) return shared > 0;
    const std::size_t begin = row_.meters.size();
    row_.meters.append(row_.meters, place_.begin, shared);
    row_.meters += rest;
    place_ = {.begin = begin, .size = shared + rest.size()};
    return true;
  }

  static bool take_quality(ByteReader& in, TotalEntry& entry) {
    const auto take = [&] { return static_cast<std::int64_t>(in.varint(slots_max)); };
    entry.quality.actual = take();
    entry.quality.substituted = take();
    entry.quality.estimated = take();
    const auto& quality = entry.quality;
    entry.quality.missing =
        entry.grid.slots - quality.actual - quality.substituted - quality.estimated;
    return entry.quality.missing >= 0;
  }

  const RowTables& tables_;
  TotalsRow& row_;
  Place place_;
  std::vector<Place> places_;
};

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt,
              "the store holds damaged day totals; `meterline store check` names them");
}

std::optional<std::int32_t> parse_bucket(std::string_view digits) {
  std::int32_t bucket = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, bucket);
  return error == std::errc() && stop == end && bucket >= 0 ? std::optional(bucket) : std::nullopt;
}

}  // namespace

std::uint64_t TotalsRowWriter::channel_number(const Channel& channel) {
  const auto found = std::find(channels_.begin(), channels_.end(), channel);
  const auto number = static_cast<std::uint64_t>(found - channels_.begin());
  if (found == channels_.end()) {
    channels_.push_back(channel);
    tables_bytes_ += channel.name.size() + 3;
  }
  return number;
}

/// Neighbours state one time, as a rule: the last grid is looked at first.
std::uint64_t TotalsRowWriter::grid_number(const GridInfo& grid) {
  const auto found = std::find(grids_.rbegin(), grids_.rend(), grid);
  if (found != grids_.rend()) return static_cast<std::uint64_t>(grids_.rend() - found) - 1;
  grids_.push_back(grid);
  std::string bytes;
  put_grid(grid, bytes);
  tables_bytes_ += bytes.size();
  return grids_.size() - 1;
}

void TotalsRowWriter::add(const TotalEntry& entry) {
  if (entries_.empty()) first_meter_ = entry.meter;
  const std::uint64_t channel = channel_number(entry.channel);
  const std::uint64_t grid = grid_number(entry.grid);
  const auto differs =
      std::mismatch(last_meter_.begin(), last_meter_.end(), entry.meter.begin(), entry.meter.end());
  const auto shared = static_cast<std::size_t>(differs.first - last_meter_.begin());
  put_varint(shared, entries_);
  put_sized(entry.meter.substr(shared), entries_);
  if (shared != entry.meter.size() || shared != last_meter_.size()) last_meter_ = entry.meter;
  put_varint(channel, entries_);
  put_varint(grid * kinds + static_cast<std::uint64_t>(entry.kind), entries_);
  if (span_ == Span::month) put_varint(static_cast<std::uint64_t>(entry.day), entries_);
  if (entry.kind != TotalEntry::Kind::unknown) put_varint(zigzag(entry.mantissa), entries_);
  if (entry.kind != TotalEntry::Kind::partial) return;
  for (const auto count :
       {entry.quality.actual, entry.quality.substituted, entry.quality.estimated})
    put_varint(static_cast<std::uint64_t>(count), entries_);
}

std::string TotalsRowWriter::take() {
  std::string row;
  row += static_cast<char>(row_format);
  row += static_cast<char>(span_);
  put_varint(channels_.size(), row);
  for (const auto& channel : channels_) {
    put_sized(channel.name, row);
    put_varint(static_cast<std::uint64_t>(channel.flow), row);
    put_varint(static_cast<std::uint64_t>(channel.unit), row);
  }
  put_varint(grids_.size(), row);
  for (const auto& grid : grids_) put_grid(grid, row);
  row += entries_;
  *this = TotalsRowWriter(span_);
  return row;
}

std::optional<TotalsPart> parse_totals_part(std::string_view name) {
  const auto slash = name.find('/');
  if (slash != 7 && slash != 10) return std::nullopt;
  TotalsPart part{.name = std::string(name), .period = std::string(name.substr(0, slash))};
  if (!Date::parse(slash == 7 ? part.period + "-01" : part.period)) return std::nullopt;
  auto rest = name.substr(slash + 1);
  const bool is_by_days = part.is_month() && rest.starts_with(by_days);
  if (is_by_days) {
    rest.remove_prefix(by_days.size());
    part.names = days_kind(part.period);
    if (rest.empty()) return part;
    if (rest[0] != '/') return std::nullopt;
    rest.remove_prefix(1);
  }
  const auto bucket = parse_bucket(rest);
  if (!bucket) return std::nullopt;
  part.bucket = *bucket;
  if (is_by_days) part.names = days_kind(part.period, *bucket);
  return part;
}

Result<void> read_totals_row(std::string_view bytes, TotalsRow& row) {
  row.entries.clear();
  row.meters.clear();
  if (bytes.empty()) return damaged();
  if (static_cast<unsigned char>(bytes[0]) > row_format)
    return fail(Errc::corrupt, "the store holds day totals of a newer meterline; use that one");
  if (static_cast<unsigned char>(bytes[0]) != row_format) return damaged();
  ByteReader in(bytes.substr(1));
  row.span = static_cast<TotalsRowWriter::Span>(in.varint(1));
  const RowTables tables = take_tables(in);
  EntryTaker entries(tables, row);
  while (in.ok() && !in.at_end())
    if (!entries.take(in)) return damaged();
  if (!in.ok()) return damaged();
  entries.finish();
  return {};
}

}  // namespace meterline::store::cassandra
