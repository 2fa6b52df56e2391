#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace meterline::ingest {

/// Numbers meters from 0 on, in the order in which they come.
///
/// Threads: one at a time.
class MeterTable {
 public:
  /// Files list the same meters in the same order again and again: then this is one comparison.
  std::uint32_t number_of(std::string_view meter);
  std::string_view meter(std::uint32_t number) const { return meters_[number]; }
  std::size_t size() const { return meters_.size(); }

  /// All numbers, in the ascending order of their meters.
  std::vector<std::uint32_t> ascending() const;
  void clear();

 private:
  std::deque<std::string> meters_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
  std::uint32_t next_ = 0;  ///< The number behind the one that was asked for last.
};

}  // namespace meterline::ingest
