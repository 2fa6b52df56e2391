#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/instant.h"

/// What a Green Button file holds, entry by entry. Source: NAESB REQ.21 ESPI, versions 1.1 to 4.0
/// (espi.xsd), in Atom (RFC 4287).
namespace meterline::formats::espi {

inline constexpr std::string_view atom_namespace = "http://www.w3.org/2005/Atom";
inline constexpr std::string_view espi_namespace = "http://naesb.org/espi";

/// Readings of an entry, and of blocks that wait for what tells of them, are held in memory: so
/// many together.
inline constexpr std::size_t readings_held_max = 500'000;
/// Links of one entry, and the bytes of one.
inline constexpr std::size_t links_max = 10'000;
inline constexpr std::size_t link_bytes_max = 1024;

inline constexpr std::int64_t no_start = std::numeric_limits<std::int64_t>::min();
inline constexpr std::uint8_t no_quality = 255;

enum class ValueState : std::uint8_t { absent, good, bad };

/// An IntervalReading. Its energy is value * 10^-decimals, before any multiplier.
struct Reading {
  std::int64_t start = no_start;  ///< Seconds since 1970, UTC; no_start: behind the one before.
  std::int64_t value = 0;
  std::uint32_t duration = 0;  ///< Seconds; 0: as long as its type says.
  std::uint32_t line = 0;      ///< Lines behind that of its block.
  std::uint8_t decimals = 0;   ///< At most reading_decimals_max.
  std::uint8_t quality = no_quality;
  ValueState state = ValueState::absent;
};

/// A number that may be said once, and then again but differently.
struct Said {
  std::optional<int> value;  ///< The first.
  bool is_mixed = false;

  void add(int more) {
    is_mixed = is_mixed || (value && *value != more);
    if (!value) value = more;
  }
};

/// An IntervalBlock.
struct Block {
  std::int64_t line = 0;
  std::int64_t start = no_start;  ///< Of its `interval`.
  std::int64_t duration = 0;      ///< Of its `interval`, in seconds; 0: it has none.
  Said multiplier;                ///< Inside of readings, or of `interval`.
  Said uom;                       ///< Likewise.
  std::vector<Reading> readings;
  std::size_t too_many = 0;  ///< Readings that were not kept.
};

/// A ReadingType. Codes are those of espi.xsd; -1 stands where the file says nothing.
struct ReadingType {
  int accumulation = -1;
  int commodity = -1;
  int qualifier = -1;
  int default_quality = -1;
  int flow = -1;
  int interval_length = -1;
  int kind = -1;
  int phase = -1;
  int multiplier = no_multiplier;
  int time_attribute = -1;
  int measuring_period = -1;
  int uom = -1;
  int tou = -1;
  int tier = -1;
  int cpp = -1;
  bool is_bad = false;  ///< It has a code that is no number.

  bool operator==(const ReadingType&) const = default;

  static constexpr int no_multiplier = 127;
};

/// LocalTimeParameters, as they stand in the file.
struct LocalTime {
  std::string tz_offset;   ///< Seconds east of UTC, without daylight saving.
  std::string dst_offset;  ///< Seconds that are added while it is in force.
  std::string dst_start;   ///< Eight hexadecimal digits: espi.xsd, DstRuleType.
  std::string dst_end;

  bool operator==(const LocalTime&) const = default;
};

struct Entry {
  std::int64_t line = 0;
  std::string self;  ///< Paths of links: path_of().
  std::string up;
  std::vector<std::string> related;
  std::string title;
  std::optional<Instant> updated;

  bool is_point = false;
  int service_kind = -1;  ///< Of a point's ServiceCategory.
  bool is_meter_reading = false;
  std::optional<ReadingType> type;
  std::optional<LocalTime> local_time;
  std::vector<Block> blocks;
  std::string other;  ///< The name of a resource that is none of these.
};

/// What a link names, whether it is absolute or relative: its path without slashes around it.
std::string path_of(std::string_view href);

/// A whole number; empty when it is none.
std::optional<std::int64_t> number_of(std::string_view text);

/// Codes of QualityOfReading are 0 to this.
inline constexpr int quality_code_max = 99;

}  // namespace meterline::formats::espi
