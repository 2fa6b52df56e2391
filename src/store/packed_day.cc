#include "store/packed_day.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "store/bits.h"

namespace meterline::store {
namespace {

constexpr std::array<int, 6> interval_codes = {1, 5, 10, 15, 30, 60};
constexpr unsigned char grid_has_slots = 0x08;
constexpr unsigned char body_has_runs = 0x40;
constexpr unsigned char rice_mask = 0x3F;
constexpr int exponent_min = -18;

/// From this many ones on, a value is written whole instead of as quotient and remainder.
constexpr int quotient_max = 16;
/// The most bytes a reading can need: the ones, and 64 bits.
constexpr std::size_t reading_bytes_max = quotient_max / 8 + 8;

void pack_grid(const ReadingDay& day, std::string& out) {
  const auto* found =
      std::find(interval_codes.begin(), interval_codes.end(), day.interval.minutes());
  auto head = static_cast<unsigned char>(found - interval_codes.begin());
  const auto slots = day.mantissas.size();
  const bool whole_day = slots == static_cast<std::size_t>(day.interval.slots_per_day());
  if (!whole_day) head |= grid_has_slots;
  out += static_cast<char>(head);
  out += static_cast<char>(-day.exponent);
  if (!whole_day) put_varint(slots, out);
}

/// The grid at the front of `packed`, into `day`; `packed` then begins with the body.
Result<void> take_grid(std::string_view& packed, ReadingDay& day) {
  if (packed.size() < 2) return fail(Errc::corrupt, "packed day: the grid is cut off");
  const auto head = static_cast<unsigned char>(packed[0]);
  const auto code = static_cast<std::size_t>(head & 0x07);
  const int exponent = -static_cast<unsigned char>(packed[1]);
  if (code >= interval_codes.size() || (head & ~(grid_has_slots | 0x07)) != 0 ||
      exponent < exponent_min)
    return fail(Errc::corrupt, "packed day: unknown interval or exponent");
  packed.remove_prefix(2);
  day.interval = *IntervalLength::from_minutes(interval_codes.at(code));
  day.exponent = static_cast<std::int8_t>(exponent);
  auto slots = static_cast<std::uint64_t>(day.interval.slots_per_day());
  if ((head & grid_has_slots) != 0) {
    const auto stated = take_varint(packed);
    if (!stated || *stated < 1 || *stated > slots_max)
      return fail(Errc::corrupt, "packed day: impossible number of slots");
    slots = *stated;
  }
  day.mantissas.resize(slots);
  day.qualities.resize(slots);
  return {};
}

bool all_actual(const std::vector<Quality>& qualities) {
  return std::all_of(qualities.begin(), qualities.end(),
                     [](Quality quality) { return quality == Quality::actual; });
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

/// The bits of a remainder that make the readings shortest, judged by their mean step.
int rice_bits(const std::uint64_t* steps, std::size_t count) {
  constexpr std::uint64_t step_cap = std::uint64_t{1} << 50;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::min(steps[i], step_cap);
  const auto mean = count == 0 ? 0 : sum / count;
  return std::max(0, static_cast<int>(std::bit_width(mean)) - 1);
}

/// The differences between neighbouring readings; missing ones are passed over.
std::size_t steps_of(const ReadingDay& day, std::uint64_t* steps) {
  std::size_t count = 0;
  std::uint64_t previous = 0;
  for (std::size_t i = 0; i < day.mantissas.size(); ++i) {
    if (day.qualities[i] == Quality::missing) continue;
    const auto value = static_cast<std::uint64_t>(day.mantissas[i]);
    steps[count++] = zigzag(static_cast<std::int64_t>(value - previous));
    previous = value;
  }
  return count;
}

unsigned char* put_steps(const std::uint64_t* steps, std::size_t count, int k, unsigned char* at) {
  BitWriter writer(at);
  const std::uint64_t remainder_mask = (std::uint64_t{1} << k) - 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t quotient = steps[i] >> k;
    if (quotient >= quotient_max) {
      writer.put((1U << quotient_max) - 1, quotient_max);
      writer.put(steps[i] & 0xFFFFFFFF, 32);
      writer.put(steps[i] >> 32, 32);
      continue;
    }
    const auto ones = static_cast<int>(quotient);
    writer.put((std::uint64_t{1} << ones) - 1, ones + 1);
    const std::uint64_t remainder = steps[i] & remainder_mask;
    if (k > 32) {
      writer.put(remainder & 0xFFFFFFFF, 32);
      writer.put(remainder >> 32, k - 32);
    } else {
      writer.put(remainder, k);
    }
  }
  return writer.finish();
}

std::uint64_t take_step(BitReader& reader, int k) {
  const int ones = reader.take_ones(quotient_max);
  if (ones == quotient_max) {
    const std::uint64_t low = reader.take(32);
    return reader.take(32) << 32 | low;
  }
  std::uint64_t remainder = 0;
  if (k > 32) {
    remainder = reader.take(32);
    remainder |= reader.take(k - 32) << 32;
  } else {
    remainder = reader.take(k);
  }
  return static_cast<std::uint64_t>(ones) << k | remainder;
}

Result<void> take_body(std::string_view packed, ReadingDay& day) {
  if (packed.empty()) return fail(Errc::corrupt, "packed day: the body is cut off");
  const auto head = static_cast<unsigned char>(packed[0]);
  packed.remove_prefix(1);
  if ((head & ~(rice_mask | body_has_runs)) != 0)
    return fail(Errc::corrupt, "packed day: unknown body");
  if ((head & body_has_runs) == 0) {
    std::fill(day.qualities.begin(), day.qualities.end(), Quality::actual);
  } else if (auto runs = take_runs(packed, day.qualities); !runs) {
    return runs;
  }

  BitReader reader(packed);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < day.mantissas.size(); ++i) {
    day.mantissas[i] = 0;
    if (day.qualities[i] == Quality::missing) continue;
    value += static_cast<std::uint64_t>(unzigzag(take_step(reader, head & rice_mask)));
    day.mantissas[i] = static_cast<std::int64_t>(value);
  }
  if (!reader.at_end()) return fail(Errc::corrupt, "packed day: readings end too early or late");
  return {};
}

}  // namespace

void pack_day(const ReadingDay& day, std::string& out) {
  assert(!day.mantissas.empty() && day.mantissas.size() <= slots_max);
  assert(day.qualities.size() == day.mantissas.size());
  out += static_cast<char>(packed_day_format);
  pack_grid(day, out);

  std::array<std::uint64_t, slots_max> steps;
  const std::size_t count = steps_of(day, steps.data());
  const int k = rice_bits(steps.data(), count);
  const bool plain = all_actual(day.qualities);
  out += static_cast<char>(plain ? k : k | body_has_runs);
  if (!plain) pack_runs(day.qualities, out);

  const std::size_t before = out.size();
  out.resize(before + count * reading_bytes_max + 4);
  auto* begin = reinterpret_cast<unsigned char*>(out.data() + before);
  const auto* end = put_steps(steps.data(), count, k, begin);
  out.resize(before + static_cast<std::size_t>(end - begin));
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
  if (packed.size() > 2 && (static_cast<unsigned char>(packed[0]) & grid_has_slots) != 0) {
    auto rest = packed.substr(2);
    if (!take_varint(rest)) return fail(Errc::corrupt, "packed day: the grid is cut off");
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

Result<GridInfo> grid_info(std::string_view grid) {
  ReadingDay day;
  if (auto taken = take_grid(grid, day); !taken) return tl::unexpected(std::move(taken).error());
  return GridInfo{.interval = day.interval,
                  .exponent = day.exponent,
                  .slots = static_cast<std::int64_t>(day.mantissas.size())};
}

Result<void> unpack_day(std::string_view packed, ReadingDay& day) {
  auto parts = split_packed_day(packed);
  if (!parts) return tl::unexpected(std::move(parts).error());
  if (auto grid = take_grid(parts->grid, day); !grid) return grid;
  return take_body(parts->body, day);
}

}  // namespace meterline::store
