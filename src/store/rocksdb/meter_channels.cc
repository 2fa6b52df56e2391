#include "store/rocksdb/meter_channels.h"

#include <algorithm>

#include "core/try.h"
#include "store/rocksdb/keys.h"

namespace meterline::store {
namespace {

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a list of channels is damaged"); }

}  // namespace

void write_meter_channels(std::span<const Channel> channels, std::string& out) {
  out += static_cast<char>(meter_channels_format);
  for (const auto& channel : channels) {
    const std::size_t size_at = out.size();
    out += '\0';
    put_channel(channel, out);
    out[size_at] = static_cast<char>(out.size() - size_at - 1);
  }
}

Result<void> read_meter_channels(std::string_view value, std::vector<Channel>& channels) {
  channels.clear();
  if (value.empty()) return damaged();
  if (static_cast<unsigned char>(value[0]) != meter_channels_format)
    return fail(Errc::corrupt, "a list of channels is in a format this program does not know");
  value.remove_prefix(1);
  while (!value.empty()) {
    const std::size_t size = static_cast<unsigned char>(value[0]);
    if (size >= value.size()) return damaged();
    auto channel = channel_of_bytes(value.substr(1, size));
    if (!channel || (!channels.empty() && *channel <= channels.back())) return damaged();
    channels.push_back(*std::move(channel));
    value.remove_prefix(1 + size);
  }
  return {};
}

Result<void> merge_meter_channels(std::span<const std::string_view> values, std::string& merged) {
  std::vector<Channel> all;
  std::vector<Channel> some;
  for (const auto value : values) {
    METERLINE_CHECK(read_meter_channels(value, some));
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  merged.clear();
  write_meter_channels(all, merged);
  return {};
}

}  // namespace meterline::store
