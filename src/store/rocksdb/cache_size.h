#pragma once

#include <cstddef>
#include <filesystem>

namespace meterline::store {

inline constexpr std::size_t cache_bytes_min = std::size_t{64} << 20;
inline constexpr std::size_t cache_bytes_max = std::size_t{1} << 30;

/// How much memory a process that answers questions should give to caches: a quarter of what it may
/// use on this machine or in its container (cgroups 1 and 2), from cache_bytes_min to
/// cache_bytes_max. `root` is the root of the file system with `proc` and `sys`.
std::size_t suitable_cache_bytes(const std::filesystem::path& root = "/");

}  // namespace meterline::store
