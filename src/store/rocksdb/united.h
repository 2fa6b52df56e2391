#pragma once

#include <rocksdb/iterator.h>
#include <rocksdb/merge_operator.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/rocksdb/database.h"

namespace meterline::store::rocksdb {

/// Keys and values in memory, in the order in which they came.
class EntryBuffer {
 public:
  void add(std::string_view key, std::string_view value);
  void sort();  ///< By key; equal keys keep their order.
  void clear();
  std::size_t bytes() const { return bytes_.size(); }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  /// Of sorted entries, how many have a key before this one.
  std::size_t count_before(std::string_view key) const;

  /// Views: valid until the next add() or clear().
  std::string_view key(std::size_t i) const {
    return std::string_view(bytes_).substr(entries_[i].at, entries_[i].key_bytes);
  }
  std::string_view value(std::size_t i) const {
    const Entry& entry = entries_[i];
    return std::string_view(bytes_).substr(entry.at + entry.key_bytes, entry.value_bytes);
  }

  template <class Visit>
  Result<void> each(const Visit& visit) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto done = visit(key(i), value(i));
      if (!done) return done;
    }
    return {};
  }

 private:
  struct Entry {
    std::size_t at;
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

// They let RocksDB write without reading what is there: values that are sets are united when they
// are read or compacted.

std::shared_ptr<::rocksdb::MergeOperator> make_days_merge();    ///< Of month blocks.
std::shared_ptr<::rocksdb::MergeOperator> make_totals_merge();  ///< Of months of totals.
std::shared_ptr<::rocksdb::MergeOperator> make_meters_merge();  ///< Of a meter's channels.

/// Overwrites `united` with all that the values of this family hold; `days` or `totals`.
Result<void> unite_values(Family family, const std::vector<std::string_view>& values,
                          std::string& united);

/// Goes over a range of `days` or `totals`: what the database holds and what is recent, united by
/// key. Either forward or backward after each seek.
class UnitedIterator {
 public:
  /// Both must outlive it; `recent` is sorted, and all there is in the range.
  UnitedIterator(Family family, ::rocksdb::Iterator& stored, const EntryBuffer& recent)
      : family_(family), stored_(stored), recent_(recent) {}

  void seek(std::string_view from);     ///< To the first key that is not before it.
  void seek_back(std::string_view to);  ///< To the last key that is not behind it.
  void next();                          ///< Behind seek().
  void previous();                      ///< Behind seek_back().

  /// False behind the last and after an error.
  bool is_valid() const { return is_valid_; }
  Result<void> status() const { return status_; }
  /// Views: valid until the next step.
  std::string_view key() const {
    return uses_stored_ ? view_of(stored_.key()) : recent_.key(begin_);
  }
  std::string_view value() const { return begin_ == end_ ? view_of(stored_.value()) : united_; }

 private:
  void settle_forward();
  void settle_backward();
  void choose(std::size_t recent);
  void unite();

  const Family family_;
  ::rocksdb::Iterator& stored_;
  const EntryBuffer& recent_;
  bool is_valid_ = false;
  bool uses_stored_ = false;
  bool uses_recent_ = false;
  std::size_t begin_ = 0;  ///< Of the recent entries with this key, or where they would be.
  std::size_t end_ = 0;
  std::string united_;
  Result<void> status_;
};

}  // namespace meterline::store::rocksdb
