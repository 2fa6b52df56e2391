#pragma once

#include <rocksdb/iterator.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/entry_buffer.h"

namespace meterline::store {

/// Goes over a range of `days` or `totals`: what the database holds and what is recent, united by
/// key. Either forward or backward after each seek.
class UnitedIterator {
 public:
  /// Both must outlive it; `recent` is sorted, and all there is in the range.
  UnitedIterator(Family family, rocksdb::Iterator& stored, const EntryBuffer& recent)
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
  rocksdb::Iterator& stored_;
  const EntryBuffer& recent_;
  bool is_valid_ = false;
  bool uses_stored_ = false;
  bool uses_recent_ = false;
  std::size_t begin_ = 0;  ///< Of the recent entries with this key, or where they would be.
  std::size_t end_ = 0;
  std::string united_;
  Result<void> status_;
};

}  // namespace meterline::store
