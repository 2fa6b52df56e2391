#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/channel.h"
#include "core/meter_id.h"
#include "core/result.h"
#include "store/cassandra/tables.h"

namespace meterline::store::cassandra {

/// Notes what a store must know to exist: which meter has which channel in which year, and names
/// of the catalogue. Most of it is known from deliveries before, and a read is cheaper than a
/// write: flush() asks first and writes what is missing. Only amendments remove anything, and
/// writing a row twice changes nothing, so a race between two writers is harmless.
///
/// Threads: one at a time.
class Registry {
 public:
  Registry(const Tables& tables, const Layout& layout)
      : tables_(tables), layout_(layout), meters_(static_cast<std::size_t>(layout.buckets)) {}

  void note_meter(const MeterId& meter, const Channel& channel, int year);
  /// That the meter has register reads.
  void note_reads(const MeterId& meter);
  void note_name(std::string_view kind, std::string name);
  /// That days of the meter have to be read to know what they come to in the month, `2019-01`.
  void note_meter_by_days(std::string_view month, const std::string& meter);
  std::size_t noted() const { return noted_; }

  Result<void> flush(CqlWriter& writer);

 private:
  using MeterYear = std::tuple<std::string, std::string, int>;  ///< Meter, channel, year.
  using MeterYears = std::set<MeterYear>;

  Result<void> drop_known_by_meter();
  Result<void> drop_known_by_span();
  Result<void> drop_known_names();
  Result<void> write(CqlWriter& writer);

  std::size_t place_of(const MeterId& meter) const {
    return static_cast<std::size_t>(bucket_of(meter, layout_.buckets));
  }

  const Tables& tables_;
  const Layout layout_;
  std::size_t noted_ = 0;
  std::vector<MeterYears> meters_;                                   ///< By bucket.
  std::map<std::string, std::set<std::string>, std::less<>> names_;  ///< By kind.
};

/// Stands in the place of a channel, with year 0, for a meter that has register reads.
inline constexpr std::string_view registers_text = "registers";

/// `E1/consumption/kWh`, as in the tables; and back. Empty when it is no channel.
std::string channel_text(const Channel& channel);
std::optional<Channel> parse_channel(std::string_view text);

}  // namespace meterline::store::cassandra
