#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/result.h"

namespace meterline::store {

/// The channels that a meter has, in one value: a set, so merging in any order and repetition gives
/// the same bytes. docs/store.md has the layout. The first byte is the format number.
inline constexpr unsigned char meter_channels_format = 1;

/// Appends a value of these channels, ascending, each once.
void write_meter_channels(std::span<const Channel> channels, std::string& out);

/// Overwrites `channels`, ascending. Errors: `corrupt`; never reads past the end.
Result<void> read_meter_channels(std::string_view value, std::vector<Channel>& channels);

/// Overwrites `merged` with all that the values hold.
Result<void> merge_meter_channels(std::span<const std::string_view> values, std::string& merged);

}  // namespace meterline::store
