// The store of the first release with this format, tests/data/store: whatever comes, it is read,
// and written on.

#include "testing/released_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "store/check.h"
#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"
#include "testing/temp_folder.h"

namespace meterline::store::rocksdb {
namespace {

using meterline::testing::answers_of;
using meterline::testing::delivery_of;
using meterline::testing::Half;
using meterline::testing::load;
using meterline::testing::load_released;
using meterline::testing::must;
using meterline::testing::released_answers;

const std::filesystem::path released = "tests/data/store";

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// Works on a copy.
class ReleasedStore : public ::testing::Test {
 protected:
  ReleasedStore() {
    std::filesystem::copy(released / "rocksdb", folder_.path() / "s",
                          std::filesystem::copy_options::recursive);
  }
  std::unique_ptr<Store> open(std::size_t recent_bytes_max) const {
    return must(open_rocksdb_store(
        {.folder = folder_.path() / "s", .create = false, .recent_bytes_max = recent_bytes_max}));
  }

  meterline::testing::TempFolder folder_;
};

TEST_F(ReleasedStore, AnswersWhatItAnsweredThen) {
  const auto answers = text_of(released / "answers.txt");
  ASSERT_FALSE(answers.empty());
  EXPECT_EQ(released_answers(*open(1000)), answers);
}

TEST_F(ReleasedStore, IsFoundWhole) {
  const auto report = must(check_store(*open(1000)));
  EXPECT_EQ(report.damage_count, 0) << report.damage.front();
  EXPECT_EQ(report.deliveries, 14);
}

/// As if all had been stored by the program of today.
TEST_F(ReleasedStore, IsWrittenOn) {
  const auto today = make_memory_store();
  must(load_released(*today, Half::odd));
  must(load_released(*today, Half::even));
  const auto more = delivery_of(600, 20, {"A 2019-01-02 30 5x24 -x24", "Z 2019-01-01 30 1x48"});
  for (const std::size_t recent_bytes_max : {1'000'000, 0}) {
    const auto store = open(recent_bytes_max);
    for (auto* const each : {store.get(), today.get()}) {
      must(load(*each, more));
      must(each->add_event(more.delivery.id, {.at = {1}, .who = "bob", .reason = ""}));
    }
    EXPECT_EQ(answers_of(*store), answers_of(*today));
  }
}

}  // namespace
}  // namespace meterline::store::rocksdb
