#include "store/rocksdb/cache_size.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "testing/temp_folder.h"

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mb = std::size_t{1} << 20;

class CacheSize : public ::testing::Test {
 protected:
  void write(const fs::path& file, const std::string& text) {
    fs::create_directories((temp_.path() / file).parent_path());
    std::ofstream(temp_.path() / file) << text;
  }
  std::size_t bytes() { return suitable_cache_bytes(temp_.path()); }

  testing::TempFolder temp_;
};

TEST_F(CacheSize, IsAQuarterOfTheMachine) {
  write("proc/meminfo", "MemTotal:        2097152 kB\nMemFree: 1 kB\n");
  EXPECT_EQ(bytes(), 512 * mb);
}

TEST_F(CacheSize, StaysWithinItsBounds) {
  EXPECT_FALSE(usable_memory_bytes(temp_.path()));
  EXPECT_EQ(bytes(), cache_bytes_min);
  write("proc/meminfo", "MemTotal: 131072 kB\n");
  EXPECT_EQ(bytes(), cache_bytes_min);
  write("proc/meminfo", "MemTotal: 263192576 kB\n");
  EXPECT_EQ(bytes(), cache_bytes_max);
}

TEST_F(CacheSize, IsAQuarterOfTheContainer) {
  write("proc/meminfo", "MemTotal: 263192576 kB\n");
  write("sys/fs/cgroup/memory.max", "1073741824\n");
  EXPECT_EQ(bytes(), 256 * mb);
  write("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(bytes(), cache_bytes_max);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
  EXPECT_EQ(bytes(), 128 * mb);
}

TEST_F(CacheSize, TheLowestOfTheGroupsAboveTheProcessCounts) {
  write("proc/meminfo", "MemTotal: 263192576 kB\n");
  write("proc/self/cgroup", "1:name=systemd:/x\n0::/system.slice/meterline.service\n");
  write("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
  write("sys/fs/cgroup/system.slice/meterline.service/memory.max", "2147483648\n");
  EXPECT_EQ(bytes(), 256 * mb);
}

TEST_F(CacheSize, FollowsTheMemoryOfThisMachine) {
  const auto usable = usable_memory_bytes();
  ASSERT_TRUE(usable);
  // The kernel's own word, which knows no container.
  const auto of_machine = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                          static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  EXPECT_LE(*usable, of_machine);
  EXPECT_GE(*usable, 16 * mb);  // Less than this test itself takes.
}

}  // namespace
}  // namespace meterline::store::rocksdb
