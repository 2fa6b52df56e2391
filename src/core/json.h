#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline {

inline constexpr std::size_t json_depth_max = 32;

/// Reads JSON text that others wrote. `refused` when it is none, deeper than json_depth_max, or
/// longer than `bytes_max`.
Result<boost::json::value> parse_json(std::string_view text, std::size_t bytes_max);

/// What stands below `value` at a path of member names; null when there is nothing.
const boost::json::value* find_member(const boost::json::value& value,
                                      std::initializer_list<std::string_view> path);

/// As find_member(); empty, too, when it is no text.
std::optional<std::string_view> find_text(const boost::json::value& value,
                                          std::initializer_list<std::string_view> path);

/// As find_member(); empty, too, when it is no whole number. Texts of digits are numbers as well:
/// some services write them so.
std::optional<std::int64_t> find_number(const boost::json::value& value,
                                        std::initializer_list<std::string_view> path);

}  // namespace meterline
