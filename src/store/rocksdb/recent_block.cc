#include "store/rocksdb/recent_block.h"

#include "store/bits.h"

namespace meterline::store {
namespace {

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a block of recent days is damaged"); }

void put_sized(std::string_view bytes, std::string& block) {
  put_varint(bytes.size(), block);
  block += bytes;
}

}  // namespace

void add_recent_entry(const RecentEntry& entry, std::string& block) {
  if (block.empty()) block += static_cast<char>(recent_block_format);
  put_sized(entry.key, block);
  put_sized(entry.days, block);
  put_sized(entry.totals, block);
}

Result<RecentBlockReader> RecentBlockReader::open(std::string_view block) {
  if (block.empty()) return damaged();
  if (static_cast<unsigned char>(block[0]) != recent_block_format)
    return fail(Errc::corrupt, "a block of recent days is in a format this program does not know");
  return RecentBlockReader(block.substr(1));
}

Result<std::optional<RecentEntry>> RecentBlockReader::next() {
  if (rest_.empty()) return std::optional<RecentEntry>();
  const auto key = take_sized(rest_);
  const auto days = take_sized(rest_);
  const auto totals = take_sized(rest_);
  if (!key || !days || !totals) return damaged();
  return std::optional(RecentEntry{.key = *key, .days = *days, .totals = *totals});
}

}  // namespace meterline::store
