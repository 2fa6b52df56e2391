#include "store/packed_day.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "core/try.h"
#include "store/bits.h"
#include "store/packed_notes.h"
#include "store/packed_steps.h"
#include "store/packed_zone.h"

namespace meterline::store {
namespace {

//   packed day | format, 1 byte | grid | body |
//   grid       | head | -exponent, 1 byte | slots, varint | stated, zigzag varint | zone | facts |
//   its head   | facts | zone | estimate | stated | slots | interval, 3 bits |   what is there
//   body       | head | notes, sized | runs | steps |
//   its head   | notes | runs | width, 6 bits |   the width is that of the steps
//   runs       | count, varint | length << 2 | quality, a varint each |   none: all are actual
//   steps      see packed_steps.cc; zone: packed_zone.h; notes: packed_notes.cc
//   facts      | size, varint | serial, sized | register, sized | unit + 1, 1 byte |

constexpr std::array<int, 6> interval_codes = {1, 5, 10, 15, 30, 60};
constexpr unsigned char interval_mask = 0x07;
constexpr unsigned char grid_has_slots = 0x08;
constexpr unsigned char grid_has_stated = 0x10;
constexpr unsigned char grid_is_estimate = 0x20;
constexpr unsigned char grid_has_zone = 0x40;
constexpr unsigned char grid_has_facts = 0x80;
constexpr unsigned char body_has_runs = 0x40;
constexpr unsigned char body_has_notes = 0x80;
constexpr unsigned char width_mask = 0x3F;
constexpr int exponent_min = -18;
static_assert(interval_codes.size() <= interval_mask + 1U);
static_assert((interval_mask | grid_has_slots | grid_has_stated | grid_is_estimate | grid_has_zone |
               grid_has_facts) == 0xFF,
              "no two of them share a bit");
static_assert((width_mask | body_has_runs | body_has_notes) == 0xFF);
/// Their size, both words with theirs, and the unit.
constexpr std::size_t facts_bytes_max = 2 + 2 * (1 + register_word_bytes_max) + 1;
/// Of format, grid and the body's head: three bytes, slots, stated time, zone and facts.
constexpr std::size_t head_bytes_max = 4 + 2 + 10 + zone_bytes_max + facts_bytes_max;

/// Room for a day without notes and quality runs, and for the head and the steps of any.
using PackedBytes = std::array<unsigned char, head_bytes_max + steps_bytes_max>;

static_assert(register_word_bytes_max < 0x80, "the size of a word is one byte");

unsigned char* put_facts(const ChannelFacts& facts, unsigned char* at) {
  const auto unit = facts.sent ? static_cast<unsigned char>(*facts.sent) + 1U : 0U;
  at = put_varint(facts.serial.size() + facts.register_id.size() + 3, at);
  for (const auto* word : {&facts.serial, &facts.register_id}) {
    *at++ = static_cast<unsigned char>(word->size());
    at = std::copy(word->begin(), word->end(), at);
  }
  *at++ = static_cast<unsigned char>(unit);
  return at;
}

Result<ChannelFacts> read_facts(std::string_view bytes) {
  const auto damaged = [] { return fail(Errc::corrupt, "packed day: damaged facts of a channel"); };
  ChannelFacts facts;
  for (auto* word : {&facts.serial, &facts.register_id}) {
    const auto taken = take_sized(bytes);
    if (!taken) return damaged();
    *word = *taken;
  }
  if (bytes.size() != 1) return damaged();
  const auto unit = static_cast<unsigned char>(bytes[0]);
  if (unit > static_cast<unsigned>(last_unit) + 1) return damaged();
  if (unit > 0) facts.sent = static_cast<Unit>(unit - 1);
  if (fault_of(facts)) return damaged();
  return facts;
}

/// Writes the format and the grid; returns their end.
unsigned char* put_grid(const ReadingDay& day, unsigned char* at) {
  const auto* found =
      std::find(interval_codes.begin(), interval_codes.end(), day.interval.minutes());
  auto head = static_cast<unsigned char>(found - interval_codes.begin());
  const auto slots = day.mantissas.size();
  const bool whole_day = slots == static_cast<std::size_t>(day.interval.slots_per_day());
  if (!whole_day) head |= grid_has_slots;
  if (day.stated) head |= grid_has_stated;
  if (day.origin == Origin::estimate) head |= grid_is_estimate;
  if (day.zone.is_known()) head |= grid_has_zone;
  if (day.facts) head |= grid_has_facts;
  *at++ = packed_day_format;
  *at++ = head;
  *at++ = static_cast<unsigned char>(-day.exponent);
  if (!whole_day) at = put_varint(slots, at);
  if (day.stated) at = put_varint(zigzag(day.stated->micros), at);
  if (day.zone.is_known()) at = put_zone(day.zone, at);
  return day.facts ? put_facts(*day.facts, at) : at;
}

bool all_actual(const std::vector<Quality>& qualities) {
  static_assert(static_cast<int>(Quality::actual) == 0);
  unsigned any = 0;
  for (const auto quality : qualities) any |= static_cast<unsigned>(quality);
  return any == 0;
}

void pack_runs(const std::vector<Quality>& qualities, std::string& out) {
  std::array<std::uint64_t, slots_max> runs;
  std::size_t count = 0;
  for (std::size_t i = 0; i < qualities.size();) {
    std::size_t end = i + 1;
    while (end < qualities.size() && qualities[end] == qualities[i]) ++end;
    runs[count++] = (end - i) << 2 | static_cast<std::uint64_t>(qualities[i]);
    i = end;
  }
  put_varint(count, out);
  for (std::size_t i = 0; i < count; ++i) put_varint(runs[i], out);
}

/// With their size before them, so that who does not want them passes over them.
void put_notes(const Notes& notes, std::string& out) {
  std::string packed;
  pack_notes(notes, packed);
  put_varint(packed.size(), out);
  out += packed;
}

Result<void> take_runs(std::string_view& packed, std::vector<Quality>& qualities) {
  const auto damaged = [] { return fail(Errc::corrupt, "packed day: damaged quality runs"); };
  const auto count = take_varint(packed);
  if (!count) return damaged();
  std::size_t slot = 0;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto run = take_varint(packed);
    if (!run || (*run >> 2) == 0 || (*run >> 2) > qualities.size() - slot) return damaged();
    const std::size_t length = *run >> 2;
    std::fill_n(qualities.begin() + static_cast<std::ptrdiff_t>(slot), length,
                static_cast<Quality>(*run & 3));
    slot += length;
  }
  if (slot != qualities.size()) return damaged();
  return {};
}

/// Takes the head off the front of a body, which is never empty.
unsigned char take_head(std::string_view& body) {
  assert(!body.empty());
  const auto head = static_cast<unsigned char>(body[0]);
  body.remove_prefix(1);
  return head;
}

/// Takes the notes that the head says are there.
Result<void> take_notes(std::string_view& body, ReadingDay& day) {
  const auto notes = take_sized(body);
  if (!notes || !unpack_notes(*notes, day.mantissas.size(), day.notes))
    return fail(Errc::corrupt, "packed day: damaged notes");
  return {};
}

/// Room for a day's readings, and more behind them.
using Readings = std::array<std::int64_t, slots_max + steps_group>;

/// Keeps the readings that are there, as pack_steps wants them; returns their number.
std::size_t keep_present(const ReadingDay& day, Readings& kept) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < day.mantissas.size(); ++i) {
    kept[count] = day.mantissas[i];
    if (day.qualities[i] != Quality::missing) ++count;
  }
  const auto last = count > 0 ? kept[count - 1] : 0;
  std::fill_n(kept.begin() + static_cast<std::ptrdiff_t>(count), steps_group, last);
  return count;
}

/// Moves the readings at the front to where they belong; missing ones become 0.
void spread_out(ReadingDay& day, std::size_t count) {
  for (std::size_t i = day.mantissas.size(); i-- > 0;) {
    const bool missing = day.qualities[i] == Quality::missing;
    day.mantissas[i] = missing ? 0 : day.mantissas[--count];
  }
}

/// All of the body that is behind the head and the notes. Inline, as it is most of unpack_day().
[[gnu::always_inline]] inline Result<void> take_readings(std::string_view packed,
                                                         unsigned char head, ReadingDay& day) {
  if ((head & body_has_runs) == 0) {
    std::fill(day.qualities.begin(), day.qualities.end(), Quality::actual);
  } else if (auto runs = take_runs(packed, day.qualities); !runs) {
    return runs;
  }

  const int width = head & width_mask;
  const auto slots = day.mantissas.size();
  const auto count =
      (head & body_has_runs) == 0
          ? slots
          : slots - static_cast<std::size_t>(
                        std::count(day.qualities.begin(), day.qualities.end(), Quality::missing));
  if (width > remainder_bits_max || !unpack_steps(packed, width, day.mantissas.data(), count))
    return fail(Errc::corrupt, "packed day: damaged readings");
  if (count < slots) spread_out(day, count);
  return {};
}

/// Room for the slots that the grid says.
/// Facts stand last.
Result<GridInfo> take_grid_but_facts(std::string_view& packed) {
  if (packed.size() < 2) return fail(Errc::corrupt, "packed day: the grid is cut off");
  const auto head = static_cast<unsigned char>(packed[0]);
  const auto code = static_cast<std::size_t>(head & interval_mask);
  const int exponent = -static_cast<unsigned char>(packed[1]);
  if (code >= interval_codes.size() || exponent < exponent_min)
    return fail(Errc::corrupt, "packed day: unknown interval or exponent");
  packed.remove_prefix(2);
  GridInfo grid{.interval = *IntervalLength::from_minutes(interval_codes.at(code)),
                .exponent = static_cast<std::int8_t>(exponent)};
  if ((head & grid_is_estimate) != 0) grid.origin = Origin::estimate;
  grid.slots = grid.interval.slots_per_day();
  if ((head & grid_has_slots) != 0) {
    const auto slots = take_varint(packed);
    if (!slots || *slots < 1 || *slots > slots_max)
      return fail(Errc::corrupt, "packed day: impossible number of slots");
    grid.slots = static_cast<std::int64_t>(*slots);
  }
  if ((head & grid_has_stated) != 0) {
    const auto stated = take_varint(packed);
    if (!stated) return fail(Errc::corrupt, "packed day: the grid is cut off");
    grid.stated = Instant{.micros = unzigzag(*stated)};
  }
  if ((head & grid_has_zone) != 0) {
    METERLINE_TRY(grid.zone, take_zone(packed));
  }
  return grid;
}

void make_room(const GridInfo& grid, ReadingDay& day) {
  day.mantissas.resize(static_cast<std::size_t>(grid.slots));
  day.qualities.resize(static_cast<std::size_t>(grid.slots));
}

}  // namespace

std::optional<std::int64_t> pack_day(const ReadingDay& day, std::string& out) {
  assert(!day.mantissas.empty() && day.mantissas.size() <= slots_max);
  assert(day.qualities.size() == day.mantissas.size());
  assert(!fault_of(day.notes, day.mantissas.size()));
  assert(!day.facts || !fault_of(*day.facts));
  const bool plain = all_actual(day.qualities);
  const auto* values = day.mantissas.data();
  auto count = day.mantissas.size();
  Readings kept;
  if (!plain || count % steps_group != 0) {
    count = keep_present(day, kept);
    values = kept.data();
  }

  PackedBytes bytes;
  auto* head = put_grid(day, bytes.data());
  auto* readings = head + 1;
  std::optional<std::int64_t> sum;
  const auto packed = pack_steps(values, count, readings, sum);
  const bool has_notes = !day.notes.empty();
  *head = static_cast<unsigned char>(packed.remainder_bits | (plain ? 0 : body_has_runs) |
                                     (has_notes ? body_has_notes : 0));
  const auto append = [&out](const unsigned char* begin, const unsigned char* end) {
    out.append(reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin));
  };
  if (plain && !has_notes) {
    append(bytes.data(), readings + packed.bytes);
    return sum;
  }
  append(bytes.data(), readings);
  if (has_notes) put_notes(day.notes, out);
  if (!plain) pack_runs(day.qualities, out);
  append(readings, readings + packed.bytes);
  return plain ? sum : std::nullopt;
}

std::optional<std::int64_t> plain_total(const ReadingDay& day) {
  if (!all_actual(day.qualities)) return std::nullopt;
  std::int64_t total = 0;
  for (const auto mantissa : day.mantissas)
    if (__builtin_add_overflow(total, mantissa, &total)) return std::nullopt;
  return total;
}

Result<PackedParts> split_packed_day(std::string_view packed) {
  if (packed.empty() || static_cast<unsigned char>(packed[0]) != packed_day_format)
    return fail(Errc::corrupt, packed.empty() ? "packed day: no bytes"
                                              : "packed day: a format this program does not know");
  packed.remove_prefix(1);
  std::size_t grid_bytes = 2;
  const unsigned head = packed.empty() ? 0 : static_cast<unsigned char>(packed[0]);
  if ((head & (grid_has_slots | grid_has_stated | grid_has_zone | grid_has_facts)) != 0) {
    auto rest = packed.substr(std::min<std::size_t>(grid_bytes, packed.size()));
    bool is_whole = true;
    for (const unsigned part : {grid_has_slots, grid_has_stated})
      if ((head & part) != 0) is_whole = is_whole && take_varint(rest);
    if ((head & grid_has_zone) != 0) is_whole = is_whole && pass_zone(rest);
    if ((head & grid_has_facts) != 0) is_whole = is_whole && take_sized(rest);
    if (!is_whole) return fail(Errc::corrupt, "packed day: the grid is cut off");
    grid_bytes = packed.size() - rest.size();
  }
  if (packed.size() <= grid_bytes) return fail(Errc::corrupt, "packed day: the body is cut off");
  return PackedParts{.grid = packed.substr(0, grid_bytes), .body = packed.substr(grid_bytes)};
}

void join_packed_day(const PackedParts& parts, std::string& out) {
  out.clear();
  out += static_cast<char>(packed_day_format);
  out += parts.grid;
  out += parts.body;
}

Result<GridInfo> take_grid(std::string_view& packed) {
  const unsigned head = packed.empty() ? 0 : static_cast<unsigned char>(packed[0]);
  METERLINE_TRY(const auto grid, take_grid_but_facts(packed));
  if ((head & grid_has_facts) != 0 && !take_sized(packed))
    return fail(Errc::corrupt, "packed day: the grid is cut off");
  return grid;
}

Result<std::optional<ChannelFacts>> facts_of(std::string_view grid) {
  const unsigned head = grid.empty() ? 0 : static_cast<unsigned char>(grid[0]);
  if ((head & grid_has_facts) == 0) return std::optional<ChannelFacts>();
  METERLINE_CHECK(take_grid_but_facts(grid));
  const auto bytes = take_sized(grid);
  if (!bytes) return fail(Errc::corrupt, "packed day: the grid is cut off");
  METERLINE_TRY(auto facts, read_facts(*bytes));
  return std::optional(std::move(facts));
}

Result<GridInfo> grid_info(std::string_view grid) { return take_grid(grid); }

Result<Version> version_of(std::string_view grid, const Version& delivered) {
  const unsigned head = grid.empty() ? 0 : static_cast<unsigned char>(grid[0]);
  if ((head & (grid_has_stated | grid_is_estimate)) == 0) return delivered;
  METERLINE_TRY(const auto info, grid_info(grid));
  return info.version(delivered);
}

Result<std::optional<CompleteTotal>> complete_total(std::string_view packed, ReadingDay& scratch) {
  METERLINE_TRY(auto parts, split_packed_day(packed));
  METERLINE_TRY(const auto grid, grid_info(parts.grid));
  const auto head = take_head(parts.body);
  if ((head & body_has_notes) != 0 && !take_sized(parts.body))
    return fail(Errc::corrupt, "packed day: the notes are cut off");
  make_room(grid, scratch);
  auto& qualities = scratch.qualities;
  const auto count = [&](Quality quality) {
    return static_cast<std::uint16_t>(std::count(qualities.begin(), qualities.end(), quality));
  };
  if ((head & body_has_runs) != 0) {
    auto runs = parts.body;
    METERLINE_CHECK(take_runs(runs, qualities));
    if (count(Quality::missing) > 0) return std::optional<CompleteTotal>();
  }
  METERLINE_CHECK(take_readings(parts.body, head, scratch));
  CompleteTotal total{.substituted = count(Quality::substituted),
                      .estimated = count(Quality::estimated)};
  for (const auto mantissa : scratch.mantissas)
    if (__builtin_add_overflow(total.mantissa, mantissa, &total.mantissa))
      return std::optional<CompleteTotal>();
  return std::optional(total);
}

Result<void> unpack_day(std::string_view packed, ReadingDay& day) {
  METERLINE_TRY(auto parts, split_packed_day(packed));
  METERLINE_TRY(const auto grid, grid_info(parts.grid));
  day.interval = grid.interval;
  day.exponent = grid.exponent;
  day.stated = grid.stated;
  day.origin = grid.origin;
  day.zone = grid.zone;
  day.facts.reset();
  if ((static_cast<unsigned char>(parts.grid[0]) & grid_has_facts) != 0) {
    METERLINE_TRY(day.facts, facts_of(parts.grid));
  }
  make_room(grid, day);
  const auto head = take_head(parts.body);
  day.notes.clear();
  if ((head & body_has_notes) != 0) METERLINE_CHECK(take_notes(parts.body, day));
  return take_readings(parts.body, head, day);
}

}  // namespace meterline::store
