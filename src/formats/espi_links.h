#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time_zone.h"
#include "formats/espi.h"

namespace meterline::formats::espi {

/// What tells of readings is kept until the file ends: so many resources, and bytes of their links.
inline constexpr std::size_t resources_max = 100'000;
inline constexpr std::size_t resource_bytes_max = std::size_t{16} << 20;

struct Point {
  std::string path;
  std::string title;
  int service_kind = -1;
};

/// What is known of the readings of a MeterReading.
struct Context {
  std::string meter_reading;          ///< Its path; empty where it has none.
  const ReadingType* type = nullptr;  ///< Null where the file has none yet.
  std::optional<Point> point;
  const LocalTime* local_time = nullptr;

  /// Paths of what tells more, when it comes.
  std::vector<std::string> awaited;
};

/// UsagePoints, MeterReadings, ReadingTypes and LocalTimeParameters of a file, by their links.
/// The ESPI standard relates them by `self`, `up` and `related` (RFC 4287, section 4.2.7).
class Resources {
 public:
  /// Keeps what an entry tells, blocks aside. False when there is too much.
  bool add(const Entry& entry);
  /// The paths by which others may have waited for it.
  static std::vector<std::string> names_of(const Entry& entry);

  enum class Search {
    by_links,  ///< More may come.
    at_fault,  ///< Nothing is read behind. A point that has no entry is made from the path.
    /// The same at the end of a file, where what no link relates to anything is of the only one of
    /// its kind: point, type.
    at_end,
    alone_at_end,  ///< The same, of blocks that name nothing: also of the only MeterReading.
  };
  /// By what a block names its MeterReading: key_of().
  Context find(std::string_view key, Search search) const;
  /// UsagePoints of which neither a link nor a title tells who they are.
  std::size_t nameless_points() const;

  /// What the blocks of one MeterReading have in common, whether its entry came or not.
  static std::string key_of(const Entry& blocks);
  /// Whether they say nothing of what they belong to, unless something else names them.
  static bool are_alone(const Entry& blocks);

 private:
  struct MeterReading {
    std::string up;
    std::vector<std::string> related;
    std::optional<ReadingType> type;  ///< That stands in it.
  };
  struct KeptPoint {
    Point point;
    std::vector<std::string> related;
  };
  template <class Value>
  using ByPath = std::map<std::string, Value, std::less<>>;

  const MeterReading* meter_reading(std::string_view key, std::string& path) const;
  const ReadingType* type_of(const MeterReading& reading, std::string_view path) const;
  const KeptPoint* point_of(const MeterReading& reading, std::string_view path) const;
  const LocalTime* local_time_of(const KeptPoint* kept, std::string_view point) const;
  const ReadingType* only_type() const;

  ByPath<MeterReading> meter_readings_;
  ByPath<std::string> meter_reading_of_;  ///< What a MeterReading names as related.
  ByPath<ReadingType> types_;
  ByPath<std::string> type_of_;  ///< A MeterReading that a type names.
  ByPath<KeptPoint> points_;
  ByPath<std::string> point_of_;  ///< What a UsagePoint names as related.
  ByPath<LocalTime> local_times_;
  ByPath<std::string> local_time_of_;  ///< A UsagePoint that names of LocalTimeParameters tell.
  bool local_times_differ_ = false;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace meterline::formats::espi
