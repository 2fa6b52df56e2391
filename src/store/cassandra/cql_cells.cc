#include "store/cassandra/cql_cells.h"

#include <array>
#include <cassert>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace meterline::store::cassandra {
namespace {

// A CQL date counts days from -5877641-06-23, so that 1970-01-01 lies in the middle.
constexpr std::uint32_t date_zero = std::uint32_t{1} << 31;

template <class Integer>
std::array<char, sizeof(Integer)> big_endian(Integer value) {
  auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
  std::array<char, sizeof(Integer)> bytes;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    *byte = static_cast<char>(bits & 0xff);
    bits = static_cast<decltype(bits)>(bits >> 8);
  }
  return bytes;
}

template <class Integer>
Integer from_big_endian(std::string_view bytes) {
  std::make_unsigned_t<Integer> bits = 0;
  for (const char byte : bytes) bits = (bits << 8) | static_cast<unsigned char>(byte);
  return static_cast<Integer>(bits);
}

template <class Integer>
void append(std::string& bytes, Integer value) {
  const auto add = big_endian(value);
  bytes.append(add.data(), add.size());
}

}  // namespace

void CqlCells::length(std::size_t value) {
  assert(value <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()));
  append(bytes_, static_cast<std::int32_t>(value));
}

void CqlCells::blob(std::string_view value) {
  length(value.size());
  bytes_.append(value);
}

void CqlCells::integer(std::int32_t value) {
  length(sizeof(value));
  append(bytes_, value);
}

void CqlCells::bigint(std::int64_t value) {
  length(sizeof(value));
  append(bytes_, value);
}

void CqlCells::date(Date value) {
  length(sizeof(date_zero));
  append(bytes_, static_cast<std::uint32_t>(value.days()) + date_zero);
}

std::string_view CqlRow::blob() {
  constexpr std::size_t head = sizeof(std::int32_t);
  if (!ok_ || cells_.size() < head) return ok_ = false, std::string_view();
  const auto length = from_big_endian<std::int32_t>(cells_.substr(0, head));
  if (length < 0 || cells_.size() - head < static_cast<std::size_t>(length)) {
    return ok_ = false, std::string_view();
  }
  const auto value = cells_.substr(head, static_cast<std::size_t>(length));
  cells_.remove_prefix(head + value.size());
  return value;
}

std::string_view CqlRow::fixed(std::size_t size) {
  const auto value = blob();
  if (value.size() != size) ok_ = false;
  return ok_ ? value : std::string_view();
}

std::int32_t CqlRow::integer() {
  return from_big_endian<std::int32_t>(fixed(sizeof(std::int32_t)));
}

std::int64_t CqlRow::bigint() { return from_big_endian<std::int64_t>(fixed(sizeof(std::int64_t))); }

Date CqlRow::date() {
  const auto value = fixed(sizeof(date_zero));
  if (!ok_) return Date();
  const auto days = std::int64_t{from_big_endian<std::uint32_t>(value)} - std::int64_t{date_zero};
  const auto date = Date::from_days(days);
  if (!date) ok_ = false;
  return date.value_or(Date());
}

}  // namespace meterline::store::cassandra
