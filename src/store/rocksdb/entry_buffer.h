#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace meterline::store {

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

}  // namespace meterline::store
