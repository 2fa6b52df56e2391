#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time_zone.h"
#include "store/bytes.h"

namespace meterline::store {

// A zone that is known:
//     zone = minutes east of UTC, zigzag * 2 + 1 (varint)
//          | size * 2 (varint), name as in the tz database

inline constexpr std::size_t zone_bytes_max = 1 + time_zone_name_chars_max;

unsigned char* put_zone(TimeZone zone, unsigned char* at);  ///< Returns the end.
void put_zone(TimeZone zone, std::string& out);

/// Takes one off the front of `bytes`. Errors: `corrupt`, also for a zone that the tz database of
/// this machine does not have.
Result<TimeZone> take_zone(std::string_view& bytes);
/// The same off a reader, for which an error is a failure.
TimeZone take_zone(ByteReader& in);
/// Passes over one; false where there is none.
bool pass_zone(std::string_view& bytes);

}  // namespace meterline::store
