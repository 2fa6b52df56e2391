#include "store/packed_read.h"

#include <cassert>
#include <cstdint>
#include <limits>
#include <optional>

#include "store/bits.h"

namespace meterline::store {
namespace {

// Of a read:
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

static_assert(4 * note_word_bytes_max + note_text_bytes_max < packed_read_bytes_max / 3,
              "two notes, and what else a read has");

void put_number(std::int64_t value, std::string& out) { put_varint(zigzag(value), out); }

void put_decimal(Decimal value, std::string& out) {
  put_number(value.mantissa, out);
  out += static_cast<char>(-value.exponent);
}

void put_state(const RegisterState& state, std::string& out) {
  put_number(state.time.offset_minutes, out);
  const bool notes = state.note.bytes() > 0;
  out += static_cast<char>(static_cast<unsigned>(state.quality) | (state.value ? has_value : 0U) |
                           (notes ? has_note : 0U));
  if (state.value) put_decimal(*state.value, out);
  if (!notes) return;
  for (const auto* part :
       {&state.note.flag, &state.note.method, &state.note.reason_code, &state.note.reason_text}) {
    put_varint(part->size(), out);
    out += *part;
  }
}

std::optional<unsigned char> take_byte(std::string_view& bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto byte = static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
  return byte;
}

bool take_number(std::string_view& bytes, std::int64_t& value) {
  const auto taken = take_varint(bytes);
  value = unzigzag(taken.value_or(0));
  return taken.has_value();
}

bool take_decimal(std::string_view& bytes, Decimal& value) {
  if (!take_number(bytes, value.mantissa)) return false;
  const auto exponent = take_byte(bytes);
  if (!exponent || -int{*exponent} < exponent_min) return false;
  value.exponent = static_cast<std::int8_t>(-int{*exponent});
  return true;
}

/// All but the time's instant.
bool take_state(std::string_view& bytes, RegisterState& state) {
  std::int64_t offset = 0;
  if (!take_number(bytes, offset)) return false;
  const auto head = take_byte(bytes);
  if (!head || (*head & ~state_mask) != 0 || offset < std::numeric_limits<std::int16_t>::min() ||
      offset > std::numeric_limits<std::int16_t>::max())
    return false;
  state.time.offset_minutes = static_cast<std::int16_t>(offset);
  state.quality = static_cast<Quality>(*head & quality_mask);
  state.value.reset();
  state.note = {};
  if ((*head & has_value) != 0 && !take_decimal(bytes, state.value.emplace())) return false;
  if ((*head & has_note) == 0) return true;
  for (auto* part :
       {&state.note.flag, &state.note.method, &state.note.reason_code, &state.note.reason_text}) {
    const auto taken = take_sized(bytes);
    if (!taken) return false;
    *part = *taken;
  }
  return state.note.bytes() > 0;
}

bool take_previous(std::string_view& bytes, RegisterRead& read) {
  const auto before = take_varint(bytes);
  if (!before || *before > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return false;
  auto& previous = read.previous.emplace();
  if (__builtin_sub_overflow(read.current.time.at.micros, static_cast<std::int64_t>(*before),
                             &previous.time.at.micros))
    return false;
  return take_state(bytes, previous);
}

bool take_next(std::string_view& bytes, RegisterRead& read) {
  std::int64_t days = 0;
  if (!take_number(bytes, days)) return false;
  read.next_read = Date::from_days(days);
  return read.next_read.has_value();
}

bool take_read(std::string_view bytes, RegisterRead& read) {
  read.previous.reset();
  read.counted.reset();
  read.next_read.reset();
  read.stated.reset();
  const auto head = take_byte(bytes);
  if (!head || (*head & ~read_mask) != 0 || !take_state(bytes, read.current)) return false;
  if ((*head & has_previous) != 0 && !take_previous(bytes, read)) return false;
  if ((*head & has_counted) != 0 && !take_decimal(bytes, read.counted.emplace())) return false;
  if ((*head & has_next) != 0 && !take_next(bytes, read)) return false;
  if ((*head & has_stated) != 0 && !take_number(bytes, read.stated.emplace().micros)) return false;
  return bytes.empty() && !fault_of(read);
}

}  // namespace

void pack_read(const RegisterRead& read, std::string& out) {
  assert(!fault_of(read));
  out += static_cast<char>(packed_read_format);
  out += static_cast<char>((read.previous ? has_previous : 0U) | (read.counted ? has_counted : 0U) |
                           (read.next_read ? has_next : 0U) | (read.stated ? has_stated : 0U));
  put_state(read.current, out);
  if (read.previous) {
    const auto before = read.current.time.at.micros - read.previous->time.at.micros;
    put_varint(static_cast<std::uint64_t>(before), out);
    put_state(*read.previous, out);
  }
  if (read.counted) put_decimal(*read.counted, out);
  if (read.next_read) put_number(read.next_read->days(), out);
  if (read.stated) put_number(read.stated->micros, out);
}

Result<void> unpack_read(std::string_view packed, RegisterRead& read) {
  if (packed.empty() || static_cast<unsigned char>(packed[0]) != packed_read_format)
    return fail(Errc::corrupt, packed.empty()
                                   ? "register read: no bytes"
                                   : "register read: a format this program does not know");
  if (!take_read(packed.substr(1), read))
    return fail(Errc::corrupt, "register read: damaged bytes");
  return {};
}

}  // namespace meterline::store
