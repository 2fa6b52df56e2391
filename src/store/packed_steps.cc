#include "store/packed_steps.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <type_traits>

#include "store/bits.h"

namespace meterline::store {
namespace {

/// A quotient of so much or more is cut to it; what is above stands behind the quotients.
constexpr int quotient_max = 24;
/// What a quotient counts at most when the remainders' width is chosen: its bits and an escape.
constexpr int quotient_cost_max = quotient_max + 8;

/// Values are handled in groups of eight: the remainders of a group fill whole bytes, whatever
/// their width. Arrays have room for whole groups.
constexpr std::size_t group = 8;
constexpr std::size_t padded(std::size_t count) { return (count + group - 1) / group * group; }

/// Up to this width a group's remainders are packed as two words of four.
constexpr int narrow_bits_max = 15;
static_assert(4 * narrow_bits_max + 4 <= 64);
/// Up to this width a step without escape is unpacked in 16 bits.
constexpr int lane_width_max = 11;
static_assert(quotient_max << lane_width_max <= 0x10000);

/// Numbers are kept in the narrowest lanes that hold them, so that more fit into a register. The
/// 16 bytes of a vector are what every x86-64 and arm64 has.
template <class Lane>
struct Lanes {
  typedef Lane Vector __attribute__((vector_size(16)));  // NOLINT: no alias takes the attribute
  static constexpr std::size_t per_vector = 16 / sizeof(Lane);
  typedef std::uint8_t Bytes __attribute__((vector_size(per_vector)));  // NOLINT: as above

  alignas(16) std::array<Lane, padded(slots_max) + 2 * group> at;

  Vector vector(std::size_t i) const {
    Vector v;
    std::memcpy(&v, &at[i], sizeof v);
    return v;
  }
  void set_vector(std::size_t i, Vector v) { std::memcpy(&at[i], &v, sizeof v); }
};

using Pair = Lanes<std::uint64_t>::Vector;
using Four = Lanes<std::uint32_t>::Vector;
using Eight = Lanes<std::uint16_t>::Vector;

/// Of each two numbers the lesser, as signed ones.
template <class Vector>
Vector lesser(Vector a, Vector b) {
  using Signed = decltype(a < b);
  const auto signed_a = reinterpret_cast<Signed>(a);
  const auto signed_b = reinterpret_cast<Signed>(b);
  return reinterpret_cast<Vector>(signed_a < signed_b ? signed_a : signed_b);
}

/// The least of numbers of which none is above 0.
template <class Vector>
auto least_of(Vector v) {
  const auto pair = reinterpret_cast<Pair>(v);
  v = lesser(v, reinterpret_cast<Vector>(__builtin_shufflevector(pair, pair, 1, 0)));
  v = lesser(v, reinterpret_cast<Vector>(reinterpret_cast<Pair>(v) >> 32));
  if constexpr (sizeof v[0] == 2)
    v = lesser(v, reinterpret_cast<Vector>(reinterpret_cast<Pair>(v) >> 16));
  return v[0];
}

/// Whether any bit is set.
template <class Vector>
bool any_of(Vector v) {
  const auto words = reinterpret_cast<Pair>(v);
  return (words[0] | words[1]) != 0;
}

/// Each two neighbours added, in lanes of twice the width.
Pair pair_sums(Four v) {
  const auto pairs = reinterpret_cast<Pair>(v);
  return (pairs & 0xFFFF'FFFF) + (pairs >> 32);
}
Four pair_sums(Eight v) {
  const auto pairs = reinterpret_cast<Four>(v);
  return (pairs & 0xFFFF) + (pairs >> 16);
}
std::uint64_t sum_of(Pair v) { return v[0] + v[1]; }
std::uint64_t sum_of(Four v) { return sum_of(pair_sums(v)); }
std::uint64_t sum_of(Eight v) { return sum_of(pair_sums(v)); }

// Packing

/// What is told of all values at once.
struct Survey {
  std::uint64_t sum = 0;   ///< Those repeated at the end included; right when none is large.
  std::uint64_t bits = 0;  ///< Those that are set in any value.
  int width = 0;           ///< By MeanOfSteps.
};

/// About the width of remainders that the mean suggests.
int width_of_mean(std::uint64_t sum, std::size_t count) {
  return std::max(static_cast<int>(std::bit_width(sum)) - static_cast<int>(std::bit_width(count)),
                  0);
}

/// The mean of the steps but the largest, as a width of remainders.
template <class Lane>
class MeanOfSteps {
 public:
  using Vector = typename Lanes<Lane>::Vector;
  void add(Vector steps) {
    sum_ += pair_sums(steps);
    least_ = lesser(least_, -steps);
  }
  int width(std::size_t count) const {
    const auto largest = static_cast<Lane>(-least_of(least_));
    return width_of_mean(sum_of(sum_) - largest, count);
  }

 private:
  decltype(pair_sums(Vector{})) sum_{};
  Vector least_{};  ///< Of the steps below 0.
};

/// The low 16 bits of eight numbers.
Eight low_lanes(Pair a, Pair b, Pair c, Pair d) {
  const auto low_four = [](Pair first, Pair second) {
    const Four four = __builtin_shufflevector(reinterpret_cast<Four>(first),
                                              reinterpret_cast<Four>(second), 0, 2, 4, 6);
    return reinterpret_cast<Eight>(four);
  };
  return __builtin_shufflevector(low_four(a, b), low_four(c, d), 0, 2, 4, 6, 8, 10, 12, 14);
}

Pair load_pair(const std::int64_t* at) {
  Pair pair;
  std::memcpy(&pair, at, sizeof pair);
  return pair;
}

/// The steps in 16 bits: right when no value has more than 14 bits.
Survey narrow_steps_of(const std::int64_t* values, std::size_t count, Lanes<std::uint16_t>& steps) {
  Pair sum{};
  Pair bits{};
  Pair last{};
  MeanOfSteps<std::uint16_t> mean;
  for (std::size_t i = 0; i < padded(count); i += group) {
    const Pair v[] = {load_pair(values + i), load_pair(values + i + 2), load_pair(values + i + 4),
                      load_pair(values + i + 6)};
    const auto before = [](Pair first, Pair second) {
      return __builtin_shufflevector(first, second, 1, 2);
    };
    const Eight step = low_lanes(v[0] - before(last, v[0]), v[1] - before(v[0], v[1]),
                                 v[2] - before(v[1], v[2]), v[3] - before(v[2], v[3]));
    using Signed = Lanes<std::int16_t>::Vector;
    const auto signs = reinterpret_cast<Eight>(reinterpret_cast<Signed>(step) < Signed{});
    const Eight zigzag = (step + step) ^ signs;
    steps.set_vector(i, zigzag);
    mean.add(zigzag);
    sum += (v[0] + v[1]) + (v[2] + v[3]);
    bits |= (v[0] | v[1]) | (v[2] | v[3]);
    last = v[3];
  }
  return {.sum = sum[0] + sum[1], .bits = bits[0] | bits[1], .width = mean.width(count)};
}

/// About how many bits shorter the readings are with one bit less in each remainder.
template <class Lane>
std::int64_t saved_by_one_less(const Lanes<Lane>& steps, std::size_t count, int width) {
  static_assert(padded(slots_max) / 8 * quotient_cost_max < std::numeric_limits<Lane>::max());
  using Vector = typename Lanes<Lane>::Vector;
  const Vector most = Vector{} + static_cast<Lane>(quotient_cost_max);
  Vector lost{};
  for (std::size_t i = 0; i < padded(count); i += Lanes<Lane>::per_vector) {
    const Vector one_less = steps.vector(i) >> (width - 1);
    lost += lesser(one_less, most) - lesser(one_less >> 1, most);
  }
  return static_cast<std::int64_t>(count - sum_of(lost));
}

/// The width of remainders that makes the readings shortest, or nearly so: `width`, or
/// narrower as long as that pays.
template <class Lane>
int best_width(const Lanes<Lane>& steps, std::size_t count, int width) {
  const auto readings = static_cast<std::int64_t>(count);
  for (std::int64_t saved = readings; width > 0 && 2 * saved >= readings;) {
    saved = saved_by_one_less(steps, count, width);
    width -= saved > 0 ? 1 : 0;
  }
  return width;
}

/// The same for steps of any size.
int best_width_of_words(const Lanes<std::uint64_t>& steps, std::size_t count) {
  constexpr std::uint64_t step_max = low_bits(remainder_bits_max - 4);
  std::uint64_t sum = 0;
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto step = std::min(steps.at[i], step_max);
    sum += step;
    largest = std::max(largest, step);
  }
  int width = width_of_mean(sum - largest, count);
  for (int dropped = width; width == dropped;) {
    // Without the bits that a remainder has in any case, what matters fits in 31.
    dropped = std::max(width - 16, 0);
    Lanes<std::uint32_t> high;
    for (std::size_t i = 0; i < padded(count); ++i)
      high.at[i] = static_cast<std::uint32_t>(std::min(steps.at[i] >> dropped, low_bits(31)));
    width = dropped + best_width(high, count, width - dropped);
    if (dropped == 0) break;
  }
  return width;
}

/// Brings the low `width` bits of each word's four 16-bit lanes together, the others being 0.
Pair squeeze(Pair words, int width) {
  constexpr std::uint64_t even_lanes = 0x0000'FFFF'0000'FFFF;
  constexpr std::uint64_t even_pairs = 0x0000'0000'FFFF'FFFF;
  words = (words & even_lanes) | (words & ~even_lanes) >> (16 - width);
  return (words & even_pairs) | (words & ~even_pairs) >> (32 - 2 * width);
}

void put_narrow_remainders(const Lanes<std::uint16_t>& steps, std::size_t count, int width,
                           unsigned char* at) {
  const auto mask = static_cast<std::uint16_t>(low_bits(width));
  const int half = 4 * width;
  for (std::size_t i = 0; i < count; i += group, at += width) {
    const Pair words = squeeze(reinterpret_cast<Pair>(steps.vector(i) & mask), width);
    store_word(words[0], at);
    store_word(words[0] >> (half & ~7) | words[1] << (half & 7), at + (half >> 3));
  }
}

template <class Lane>
void put_wide_remainders(const Lanes<Lane>& steps, std::size_t count, int width,
                         unsigned char* at) {
  BitWriter writer(at);
  const auto remainder = [&](std::size_t i) { return steps.at[i] & low_bits(width); };
  std::size_t i = 0;
  if (2 * width <= BitWriter::put_max)
    for (; i + 2 <= count; i += 2) writer.put(remainder(i) | remainder(i + 1) << width, 2 * width);
  for (; i < count; ++i) writer.put(remainder(i), width);
}

void put_remainders(const Lanes<std::uint16_t>& steps, std::size_t count, int width,
                    unsigned char* at) {
  width <= narrow_bits_max ? put_narrow_remainders(steps, count, width, at)
                           : put_wide_remainders(steps, count, width, at);
}
void put_remainders(const Lanes<std::uint32_t>& steps, std::size_t count, int width,
                    unsigned char* at) {
  put_wide_remainders(steps, count, width, at);
}

using Quotients = std::array<std::uint8_t, padded(slots_max) + group>;

/// Cuts the quotients of one step or more to quotient_max; returns whether any is so much.
template <class Lane>
bool cut_quotients(const Lanes<Lane>& steps, std::size_t count, int width, Quotients& quotients) {
  using Vector = typename Lanes<Lane>::Vector;
  const Vector most = Vector{} + static_cast<Lane>(quotient_max);
  Vector any{};
  std::size_t i = 0;
  do {
    const Vector quotient = lesser(static_cast<Vector>(steps.vector(i) >> width), most);
    any |= reinterpret_cast<Vector>(quotient == most);
    const auto bytes = __builtin_convertvector(quotient, typename Lanes<Lane>::Bytes);
    std::memcpy(&quotients[i], &bytes, sizeof bytes);
    i += Lanes<Lane>::per_vector;
  } while (i < count);
  return any_of(any);
}

/// A shift by so much, which is slower on older processors.
constexpr auto bit_at = [] {
  std::array<std::uint64_t, 64> bits{};
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = std::uint64_t{1} << i;
  return bits;
}();

/// A quotient is so many zeros and a one.
unsigned char* put_quotients(const Quotients& quotients, std::size_t count, unsigned char* at) {
  BitWriter writer(at);
  constexpr std::uint64_t each = 0x0101'0101'0101'0101;
  std::size_t i = 0;
  for (; i + group <= count; i += group) {
    // Byte j is where number j ends; a group has at most 8 * 25 bits.
    static_assert(group * (quotient_max + 1) <= 0xFF);
    std::array<std::uint8_t, group> ends;
    const std::uint64_t word = (load_word(&quotients[i]) + each) * each - each;
    store_word(word, ends.data());
    if (ends[group - 1] >= BitWriter::put_max) {
      for (std::size_t j = i; j < i + group; ++j)
        writer.put(std::uint64_t{1} << quotients[j], quotients[j] + 1);
      continue;
    }
    std::uint64_t ones = 0;
    for (const auto end : ends) ones |= bit_at[end];
    writer.put(ones, ends[group - 1] + 1);
  }
  for (; i < count; ++i) writer.put(std::uint64_t{1} << quotients[i], quotients[i] + 1);
  return writer.finish();
}

std::size_t remainder_bytes(std::size_t count, int width) {
  return (count * static_cast<std::size_t>(width) + 7) / 8;
}

/// What is above quotient_max.
template <class Lane>
unsigned char* put_escapes(const Lanes<Lane>& steps, std::size_t count, int width,
                           unsigned char* at) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t quotient = std::uint64_t{steps.at[i]} >> width;
    if (quotient >= quotient_max) at = put_varint(quotient - quotient_max, at);
  }
  return at;
}

/// Steps below half of what a lane holds.
template <class Lane>
PackedSteps pack_lanes(const Lanes<Lane>& steps, std::size_t count, int width, unsigned char* out) {
  width = best_width(steps, count, width);
  put_remainders(steps, count, width, out);
  Quotients quotients;
  const bool has_escapes = cut_quotients(steps, count, width, quotients);
  auto* at = put_quotients(quotients, count, out + remainder_bytes(count, width));
  if (has_escapes) at = put_escapes(steps, count, width, at);
  return {.remainder_bits = width, .bytes = static_cast<std::size_t>(at - out)};
}

/// Any steps.
PackedSteps pack_words(const Lanes<std::uint64_t>& steps, std::size_t count, unsigned char* out) {
  const int width = best_width_of_words(steps, count);
  put_wide_remainders(steps, count, width, out);
  Quotients quotients;
  for (std::size_t i = 0; i < count; ++i)
    quotients[i] =
        static_cast<std::uint8_t>(std::min<std::uint64_t>(steps.at[i] >> width, quotient_max));
  auto* at = put_quotients(quotients, count, out + remainder_bytes(count, width));
  at = put_escapes(steps, count, width, at);
  return {.remainder_bits = width, .bytes = static_cast<std::size_t>(at - out)};
}

/// Values of which some are negative or have more than 14 bits.
PackedSteps pack_large(const std::int64_t* values, std::size_t count, unsigned char* out) {
  Lanes<std::uint64_t> steps;
  steps.at[0] = zigzag(values[0]);
  std::uint64_t bits = steps.at[0];
  for (std::size_t i = 1; i < padded(count); ++i) {
    const auto step =
        static_cast<std::uint64_t>(values[i]) - static_cast<std::uint64_t>(values[i - 1]);
    steps.at[i] = zigzag(static_cast<std::int64_t>(step));
    bits |= steps.at[i];
  }
  if (bits >> 31 != 0) return pack_words(steps, count, out);
  Lanes<std::uint32_t> low;
  for (std::size_t i = 0; i < padded(count); ++i)
    low.at[i] = static_cast<std::uint32_t>(steps.at[i]);
  MeanOfSteps<std::uint32_t> mean;
  for (std::size_t i = 0; i < padded(count); i += low.per_vector) mean.add(low.vector(i));
  return pack_lanes(low, count, mean.width(count), out);
}

// Unpacking

/// For each byte, the places of its ones and how many there are.
struct OnesOfByte {
  std::array<std::array<std::uint16_t, 8>, 256> places{};
  std::array<std::uint16_t, 256> counts{};
};
constexpr OnesOfByte make_ones_of_byte() {
  OnesOfByte ones;
  for (unsigned byte = 0; byte < 256; ++byte)
    for (std::uint16_t place = 0; place < 8; ++place)
      if ((byte >> place & 1) != 0) ones.places[byte][ones.counts[byte]++] = place;
  return ones;
}
constexpr OnesOfByte ones_of_byte = make_ones_of_byte();

using Ends = Lanes<std::uint16_t>;

/// Where each quotient ends, counted in bits, into `ends` from index `group` on. Takes the
/// quotients off the front of `packed`; false when they are not `count`.
bool take_ends(std::string_view& packed, std::size_t count, Ends& ends) {
  static_assert(slots_max * (quotient_max + 1) + 8 <= std::numeric_limits<std::uint16_t>::max());
  const std::size_t bytes_max = std::min(packed.size(), (count * (quotient_max + 1) + 7) / 8);
  ends.at[group - 1] = 0xFFFF;  // So that the first quotient, too, is the distance less 1.
  Eight first{};
  std::size_t found = 0;
  std::size_t bytes = 0;
  for (; found < count; first += 8) {
    if (bytes == bytes_max) return false;
    const auto byte = static_cast<unsigned char>(packed[bytes++]);
    Eight places;
    std::memcpy(&places, &ones_of_byte.places[byte], sizeof places);
    ends.set_vector(group + found, first + places);
    found += ones_of_byte.counts[byte];
  }
  for (std::size_t i = count; i < padded(count); ++i)
    ends.at[group + i] = static_cast<std::uint16_t>(ends.at[group + i - 1] + 1);
  packed.remove_prefix(bytes);
  return found == count;
}

/// The word at `offset`, with zeros beyond the end.
std::uint64_t word_at(std::string_view bytes, std::size_t offset) {
  const auto* begin = reinterpret_cast<const unsigned char*>(bytes.data());
  if (offset + 8 <= bytes.size()) return load_word(begin + offset);
  std::uint64_t word = 0;
  for (int shift = 0; offset < bytes.size(); ++offset, shift += 8)
    word |= std::uint64_t{begin[offset]} << shift;
  return word;
}

/// A packed day's readings, of which the quotients were found.
struct Parts {
  std::string_view bytes;    ///< The remainders are at the front.
  std::string_view escapes;  ///< At the end.
  int width;
  std::size_t count;
};

/// The opposite of squeeze, for one word.
std::uint64_t spread(std::uint64_t word, int width) {
  const std::uint64_t low_pair = low_bits(2 * width);
  const std::uint64_t low_lanes = low_bits(width) * 0x0000'0001'0000'0001;
  word = (word & low_pair) | (word & ~low_pair) << (32 - 2 * width);
  return (word & low_lanes) | (word & ~low_lanes) << (16 - width);
}

void take_narrow_remainders(const Parts& parts, Lanes<std::uint16_t>& remainders) {
  const int width = parts.width;
  const int half = 4 * width;
  std::size_t offset = 0;
  for (std::size_t i = 0; i < parts.count; i += group, offset += static_cast<std::size_t>(width)) {
    auto* lanes = reinterpret_cast<unsigned char*>(&remainders.at[i]);
    const std::uint64_t low = word_at(parts.bytes, offset);
    const std::uint64_t high =
        word_at(parts.bytes, offset + static_cast<std::size_t>(half >> 3)) >> (half & 7);
    store_word(spread(low & low_bits(half), width), lanes);
    store_word(spread(high & low_bits(half), width), lanes + 8);
  }
}

struct UnpackedQuotients {
  Lanes<std::uint16_t> lanes;
  bool has_escapes = false;
};

/// The quotients from their ends; false when one exceeds quotient_max.
bool take_quotients(const Ends& ends, std::size_t count, UnpackedQuotients& quotients) {
  constexpr std::uint16_t top = 0x8000;
  Eight above{};
  Eight escaped{};
  for (std::size_t i = 0; i < count; i += group) {
    const Eight quotient = ends.vector(group + i) - ends.vector(group + i - 1) - 1;
    above |= quotient | (quotient + static_cast<std::uint16_t>(top - quotient_max - 1));
    escaped |= reinterpret_cast<Eight>(quotient == quotient_max);
    quotients.lanes.set_vector(i, quotient);
  }
  quotients.has_escapes = any_of(escaped);
  return !any_of(above & top);
}

/// When every step fits in 16 bits.
void take_narrow(const Parts& parts, const UnpackedQuotients& quotients, std::int64_t* values) {
  using Signed = Lanes<std::int16_t>;
  Lanes<std::uint16_t> remainders;
  take_narrow_remainders(parts, remainders);
  Signed steps;
  for (std::size_t i = 0; i < parts.count; i += group) {
    const auto step = quotients.lanes.vector(i) << parts.width | remainders.vector(i);
    steps.set_vector(i, reinterpret_cast<Signed::Vector>(step >> 1 ^ -(step & 1)));
  }
  std::int64_t value = 0;
  std::size_t i = 0;
  for (; i + group <= parts.count; i += group)
    for (std::size_t j = i; j < i + group; ++j) values[j] = value += steps.at[j];
  for (; i < parts.count; ++i) values[i] = value += steps.at[i];
}

/// Any steps; false when what stands behind the quotients does not belong to them.
bool take_wide(const Parts& parts, const UnpackedQuotients& quotients, std::int64_t* values) {
  auto escapes = parts.escapes;
  std::uint64_t value = 0;
  std::size_t bit = 0;
  for (std::size_t i = 0; i < parts.count; ++i, bit += static_cast<std::size_t>(parts.width)) {
    std::uint64_t quotient = quotients.lanes.at[i];
    if (quotient == quotient_max) {
      const auto above = take_varint(escapes);
      if (!above || *above > (~std::uint64_t{0} >> parts.width) - quotient_max) return false;
      quotient += *above;
    }
    const auto remainder = word_at(parts.bytes, bit / 8) >> (bit % 8);
    const auto step = quotient << parts.width | (remainder & low_bits(parts.width));
    value += static_cast<std::uint64_t>(unzigzag(step));
    values[i] = static_cast<std::int64_t>(value);
  }
  return escapes.empty();
}

/// The sum, when it fits.
std::optional<std::int64_t> careful_sum(const std::int64_t* values, std::size_t count) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (__builtin_add_overflow(sum, values[i], &sum)) return std::nullopt;
  return sum;
}

}  // namespace

PackedSteps pack_steps(const std::int64_t* values, std::size_t count, unsigned char* out,
                       std::optional<std::int64_t>& sum) {
  sum = 0;
  if (count == 0) return {.remainder_bits = 0, .bytes = 0};
  Lanes<std::uint16_t> narrow;
  const auto survey = narrow_steps_of(values, count, narrow);
  if (survey.bits < std::uint64_t{1} << 14) {
    const auto repeated = static_cast<std::int64_t>(padded(count) - count);
    sum = static_cast<std::int64_t>(survey.sum) - repeated * values[count - 1];
    return pack_lanes(narrow, count, survey.width, out);
  }
  sum = careful_sum(values, count);
  return pack_large(values, count, out);
}

bool unpack_steps(std::string_view packed, int width, std::int64_t* values, std::size_t count) {
  const std::size_t bits = count * static_cast<std::size_t>(width) % 8;
  const std::size_t bytes = remainder_bytes(count, width);
  if (bytes > packed.size()) return false;
  if (bits != 0 && static_cast<unsigned char>(packed[bytes - 1]) >> bits != 0) return false;

  Ends ends;
  UnpackedQuotients quotients;
  Parts parts{.bytes = packed, .escapes = packed.substr(bytes), .width = width, .count = count};
  if (!take_ends(parts.escapes, count, ends) || !take_quotients(ends, count, quotients))
    return false;
  if (quotients.has_escapes || width > lane_width_max) return take_wide(parts, quotients, values);
  if (!parts.escapes.empty()) return false;
  take_narrow(parts, quotients, values);
  return true;
}

}  // namespace meterline::store
