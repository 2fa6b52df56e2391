#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace meterline::store::rocksdb {

inline constexpr std::size_t cache_bytes_min = std::size_t{64} << 20;
inline constexpr std::size_t cache_bytes_max = std::size_t{1} << 30;

/// How much memory this process may use on this machine or in its container (cgroups 1 and 2);
/// empty where nothing tells. `root` is the root of the file system with `proc` and `sys`.
std::optional<std::uint64_t> usable_memory_bytes(const std::filesystem::path& root = "/");

/// How much memory a process that answers questions should give to caches: a quarter of
/// usable_memory_bytes(), from cache_bytes_min to cache_bytes_max.
std::size_t suitable_cache_bytes(const std::filesystem::path& root = "/");

}  // namespace meterline::store::rocksdb
