#include "store/rocksdb/entry_buffer.h"

#include <algorithm>

namespace meterline::store {

void EntryBuffer::add(std::string_view key, std::string_view value) {
  entries_.push_back({.at = bytes_.size(),
                      .key_bytes = static_cast<std::uint32_t>(key.size()),
                      .value_bytes = static_cast<std::uint32_t>(value.size())});
  bytes_ += key;
  bytes_ += value;
}

void EntryBuffer::sort() {
  const std::string_view bytes = bytes_;
  const auto key = [&](const Entry& entry) { return bytes.substr(entry.at, entry.key_bytes); };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&](const Entry& a, const Entry& b) { return key(a) < key(b); });
}

std::size_t EntryBuffer::count_before(std::string_view key) const {
  const std::string_view bytes = bytes_;
  const auto found = std::partition_point(
      entries_.begin(), entries_.end(),
      [&](const Entry& entry) { return bytes.substr(entry.at, entry.key_bytes) < key; });
  return static_cast<std::size_t>(found - entries_.begin());
}

void EntryBuffer::clear() {
  bytes_.clear();
  entries_.clear();
}

}  // namespace meterline::store
