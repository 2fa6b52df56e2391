#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/caller.h"
#include "access/key_file.h"

namespace meterline::access {

/// Keys as they are asked for. It never changes, but for the times of the last use.
///
/// Threads: every method may be called from many threads at once.
class KeyRing {
 public:
  /// The records have passed parse_keys().
  explicit KeyRing(std::vector<KeyRecord> records);

  /// Whom a key belongs to. One that is not known, has expired or is revoked is refused in the
  /// same words.
  Admission admit(std::string_view key, Instant now) const;

  /// The last use of each key that was used, by its id; to the minute.
  std::map<std::string, Instant> uses() const;

 private:
  struct Key {
    KeyRecord record;
    std::shared_ptr<const Caller> caller;
    mutable std::atomic<std::int64_t> used_at = 0;  ///< In microseconds; 0: not yet.
  };

  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, Key, Hash, std::equal_to<>> keys_;
};

}  // namespace meterline::access
