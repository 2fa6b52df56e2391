#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/date.h"
#include "core/result.h"

namespace meterline::store::cassandra {

/// Values in the wire form of CQL (native protocol v4, section 6): a length of 4 bytes,
/// big-endian, then the value; length -1 is null.
class CqlCells {
 public:
  void text(std::string_view value) { blob(value); }
  void blob(std::string_view value);
  void integer(std::int32_t value);  ///< int
  void bigint(std::int64_t value);   ///< bigint
  void date(Date value);             ///< date
  void add(const CqlCells& cells) { bytes_ += cells.bytes_; }

  std::string_view bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  void clear() { bytes_.clear(); }

 private:
  void length(std::size_t value);
  std::string bytes_;
};

/// Takes values off the front, in the order of the selected columns. After a value that is
/// missing, null or of the wrong length, ok() is false and every further value is empty or 0.
class CqlRow {
 public:
  explicit CqlRow(std::string_view cells) : cells_(cells) {}

  std::string_view blob();
  std::string_view text() { return blob(); }
  std::int32_t integer();
  std::int64_t bigint();
  Date date();

  bool ok() const { return ok_; }
  bool at_end() const { return cells_.empty(); }
  std::size_t left() const { return cells_.size(); }  ///< Bytes.

 private:
  std::string_view fixed(std::size_t size);
  std::string_view cells_;
  bool ok_ = true;
};

}  // namespace meterline::store::cassandra
