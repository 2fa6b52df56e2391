#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "core/date.h"
#include "store/store.h"

namespace meterline::store {

/// Months of all meters in memory, the least recently asked for given up first.
///
/// Threads: every method may be called from many threads at once.
class MonthCache {
 public:
  explicit MonthCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  using Value = std::shared_ptr<const MonthOfMeters>;  ///< Null: it is too much to keep.
  /// What is kept. Where nothing is, make it after this call and hand `ticket` to put().
  std::optional<Value> find(Month month, std::uint64_t& ticket);
  /// Returns what is kept then. Forgotten when the month changed since the ticket was given.
  Value put(Month month, std::uint64_t ticket, MonthOfMeters&& made);
  /// To be called after what changed these months can be read.
  void forget(Month first, Month last);

  std::size_t bytes_max() const { return bytes_max_; }

 private:
  struct Entry {
    Month month;
    Value value;
    std::size_t bytes;
  };
  void drop(std::list<Entry>::iterator entry);

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::uint64_t changes_ = 0;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  ///< The last asked for first.
  std::map<Month, std::list<Entry>::iterator> by_month_;
};

/// Memory that it takes.
std::size_t bytes_of(const MonthOfMeters& month);

}  // namespace meterline::store
