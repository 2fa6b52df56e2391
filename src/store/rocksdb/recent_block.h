#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::store {

/// All days of one small write in one value, which costs the database one entry instead of two for
/// each meter. docs/store.md has the layout. The first byte is the format number.
inline constexpr unsigned char recent_block_format = 1;

/// What a write gives for one month of one channel of one meter.
struct RecentEntry {
  std::string_view key;     ///< As in `days`.
  std::string_view days;    ///< A month block.
  std::string_view totals;  ///< A month of totals.
};

/// Appends an entry; the first one to an empty block. Keys ascending.
void add_recent_entry(const RecentEntry& entry, std::string& block);

/// Reads a block entry by entry; they point into it.
class RecentBlockReader {
 public:
  /// Errors: `corrupt`; never reads past the end, whatever the bytes are.
  static Result<RecentBlockReader> open(std::string_view block);
  /// Empty behind the last.
  Result<std::optional<RecentEntry>> next();

 private:
  explicit RecentBlockReader(std::string_view entries) : rest_(entries) {}
  std::string_view rest_;
};

}  // namespace meterline::store
