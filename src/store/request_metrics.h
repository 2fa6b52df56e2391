#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace meterline::store {

/// Upper bounds of the latency classes in microseconds; one more class is open above.
inline constexpr std::array<std::int64_t, 14> latency_bounds_us = {
    250,    500,     1'000,   2'500,   5'000,     10'000,    25'000,
    50'000, 100'000, 250'000, 500'000, 1'000'000, 5'000'000, 30'000'000};

/// What was asked of a database server by one statement since the store was opened.
struct RequestMetrics {
  std::string statement;
  std::int64_t requests = 0;          ///< Ended, well or not; tries of one request count once.
  std::int64_t retries = 0;           ///< Tries after the first.
  std::int64_t failures = 0;          ///< Requests that were given up.
  std::int64_t connections_lost = 0;  ///< Tries that ended with their connection.
  std::int64_t in_flight = 0;         ///< Now.
  std::int64_t micros = 0;            ///< Of all requests together, from the first try to the end.
  std::array<std::int64_t, latency_bounds_us.size() + 1> latency{};  ///< Requests by class.
};

}  // namespace meterline::store
