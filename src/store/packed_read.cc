#include "store/packed_read.h"

#include <array>
#include <cassert>
#include <cstdint>
#include <limits>

#include "store/bytes.h"

namespace meterline::store {
namespace {

// Bytes: | format | head | current state | what the head says is there, in this order:
//          | previous: microseconds before the current one, varint | its state
//          | counted: a decimal | next: days since 1970 | stated: microseconds since 1970 |
// State:   | offset, minutes | quality and head | value: a decimal | note: 4 x (size, text) |
// Decimal: | mantissa | -exponent, 1 byte |.  Numbers are zigzag varints, heads bytes:
//
//   read   | 0 | 0 | 0 | 0 | stated | next | counted | previous |
//   state  | 0 | 0 | 0 | 0 | note | value | quality, 2 bits |
constexpr unsigned char has_previous = 0x01;
constexpr unsigned char has_counted = 0x02;
constexpr unsigned char has_next = 0x04;
constexpr unsigned char has_stated = 0x08;
constexpr unsigned char read_mask = 0x0F;
// Of a state, beside its quality:
constexpr unsigned char quality_mask = 0x03;
constexpr unsigned char has_value = 0x04;
constexpr unsigned char has_note = 0x08;
constexpr unsigned char state_mask = 0x0F;

constexpr int exponent_min = -18;

static_assert((has_previous | has_counted | has_next | has_stated) == read_mask);
static_assert((quality_mask | has_value | has_note) == state_mask);
static_assert(static_cast<unsigned>(Quality::missing) <= quality_mask);
static_assert(4 * note_word_bytes_max + note_text_bytes_max < packed_read_bytes_max / 3,
              "two notes, and what else a read has");

void put_decimal(Decimal value, ByteWriter& out) {
  out.number(value.mantissa);
  out.byte(static_cast<std::uint8_t>(-value.exponent));
}

template <class State>
auto note_parts(State& state) {
  auto& note = state.note;
  return std::array{&note.flag, &note.method, &note.reason_code, &note.reason_text};
}

void put_state(const RegisterState& state, ByteWriter& out) {
  out.number(state.time.offset_minutes);
  const bool notes = state.note.bytes() > 0;
  out.byte(static_cast<std::uint8_t>(static_cast<unsigned>(state.quality) |
                                     (state.value ? has_value : 0U) | (notes ? has_note : 0U)));
  if (state.value) put_decimal(*state.value, out);
  if (!notes) return;
  for (const auto* part : note_parts(state)) out.sized(*part);
}

Decimal take_decimal(ByteReader& in) {
  const auto mantissa = in.number();
  const int exponent = -int{in.byte()};
  if (exponent < exponent_min) in.refuse();
  return {.mantissa = mantissa, .exponent = static_cast<std::int8_t>(in.ok() ? exponent : 0)};
}

/// All but the time's instant.
void take_state(ByteReader& in, RegisterState& state) {
  const auto offset = in.number();
  const auto head = in.byte();
  if ((head & ~state_mask) != 0 || offset < std::numeric_limits<std::int16_t>::min() ||
      offset > std::numeric_limits<std::int16_t>::max())
    return in.refuse();
  state.time.offset_minutes = static_cast<std::int16_t>(offset);
  state.quality = static_cast<Quality>(head & quality_mask);
  state.value.reset();
  state.note = {};
  if ((head & has_value) != 0) state.value = take_decimal(in);
  if ((head & has_note) == 0) return;
  for (auto* part : note_parts(state)) *part = in.sized();
  if (state.note.bytes() == 0) in.refuse();
}

void take_previous(ByteReader& in, RegisterRead& read) {
  const auto before = in.varint(std::numeric_limits<std::int64_t>::max());
  auto& previous = read.previous.emplace();
  if (__builtin_sub_overflow(read.current.time.at.micros, static_cast<std::int64_t>(before),
                             &previous.time.at.micros))
    return in.refuse();
  take_state(in, previous);
}

bool take_read(ByteReader in, RegisterRead& read) {
  read.previous.reset();
  read.counted.reset();
  read.next_read.reset();
  read.stated.reset();
  const auto head = in.byte();
  if ((head & ~read_mask) != 0) return false;
  take_state(in, read.current);
  if ((head & has_previous) != 0) take_previous(in, read);
  if ((head & has_counted) != 0) read.counted = take_decimal(in);
  if ((head & has_next) != 0) {
    read.next_read = Date::from_days(in.number());
    if (!read.next_read) return false;
  }
  if ((head & has_stated) != 0) read.stated.emplace().micros = in.number();
  return in.ok() && in.at_end() && !fault_of(read);
}

}  // namespace

void pack_read(const RegisterRead& read, std::string& packed) {
  assert(!fault_of(read));
  ByteWriter out(packed);
  out.byte(packed_read_format);
  out.byte(static_cast<std::uint8_t>(
      (read.previous ? has_previous : 0U) | (read.counted ? has_counted : 0U) |
      (read.next_read ? has_next : 0U) | (read.stated ? has_stated : 0U)));
  put_state(read.current, out);
  if (read.previous) {
    const auto before = read.current.time.at.micros - read.previous->time.at.micros;
    out.varint(static_cast<std::uint64_t>(before));
    put_state(*read.previous, out);
  }
  if (read.counted) put_decimal(*read.counted, out);
  if (read.next_read) out.number(read.next_read->days());
  if (read.stated) out.number(read.stated->micros);
}

Result<void> unpack_read(std::string_view packed, RegisterRead& read) {
  if (packed.empty() || static_cast<unsigned char>(packed[0]) != packed_read_format)
    return fail(Errc::corrupt, packed.empty()
                                   ? "register read: no bytes"
                                   : "register read: a format this program does not know");
  if (!take_read(ByteReader(packed.substr(1)), read))
    return fail(Errc::corrupt, "register read: damaged bytes");
  return {};
}

}  // namespace meterline::store
