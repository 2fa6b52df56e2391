#include "store/rocksdb/cache_size.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t share = 4;

/// The number that the file begins with; empty for `max`, and where there is no such file.
std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  if (in >> number) return number;
  return std::nullopt;
}

/// Of /proc/meminfo, where the line is `MemTotal:  24658968 kB`.
std::optional<std::uint64_t> memory_of_machine(const fs::path& root) {
  std::ifstream in(root / "proc/meminfo");
  std::string word;
  std::uint64_t kilobytes = 0;
  while (in >> word)
    if (word == "MemTotal:" && in >> kilobytes) return kilobytes * 1024;
  return std::nullopt;
}

/// This process's group below the root of cgroups 2; lines of cgroups 1 name their controllers.
fs::path group(const fs::path& root) {
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("0::/")) return line.substr(4);
  return {};
}

}  // namespace

std::optional<std::uint64_t> usable_memory_bytes(const fs::path& root) {
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  const auto lower = [&](std::optional<std::uint64_t> found) {
    limit = std::min(limit, found.value_or(limit));
  };
  lower(memory_of_machine(root));
  lower(number_in(root / "sys/fs/cgroup/memory/memory.limit_in_bytes"));
  fs::path folder = root / "sys/fs/cgroup";
  lower(number_in(folder / "memory.max"));
  for (const auto& part : group(root)) {
    folder /= part;
    lower(number_in(folder / "memory.max"));
  }
  if (limit == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return limit;
}

std::size_t suitable_cache_bytes(const fs::path& root) {
  const auto usable = usable_memory_bytes(root).value_or(0);
  return std::clamp<std::uint64_t>(usable / share, cache_bytes_min, cache_bytes_max);
}

}  // namespace meterline::store::rocksdb
