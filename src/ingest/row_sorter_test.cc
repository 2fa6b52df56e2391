#include "ingest/row_sorter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "testing/temp_folder.h"

namespace meterline::ingest {
namespace {

struct Key {
  std::string meter;
  Date date;
  std::uint16_t channel;
  std::uint32_t file;
  std::int64_t line;
  auto operator<=>(const Key&) const = default;
};

Key any_key() {
  return {.meter = *rc::gen::element<std::string>("A", "A1", "A.", "B", std::string(64, 'z')),
          .date = *Date::from_days(*rc::gen::inRange(-300, 300)),
          .channel = *rc::gen::inRange<std::uint16_t>(0, 400),
          .file = *rc::gen::inRange<std::uint32_t>(0, 300),
          .line = *rc::gen::inRange<std::int64_t>(1, std::int64_t{1} << 40)};
}

std::string record_of(const Key& key, std::size_t packed_bytes) {
  std::string record;
  append_record({.meter = key.meter,
                 .date = key.date,
                 .channel = key.channel,
                 .file = key.file,
                 .line = key.line,
                 .slots = {.slots = 48, .missing = 2, .rejected = 1},
                 .plain_total = -7,
                 .packed = std::string(packed_bytes, 'p')},
                record);
  return record;
}

RC_GTEST_PROP(RowRecord, ReadsBackWhatWasAppended, ()) {
  const auto key = any_key();
  auto bytes = record_of(key, *rc::gen::inRange<std::size_t>(0, 300));
  RC_ASSERT(record_bytes(bytes.data()) == bytes.size());
  move_record_line(bytes.data(), 5);
  const auto record = read_record(bytes.data());
  RC_ASSERT((Key{std::string(record.meter), record.date, record.channel, record.file,
                 record.line - 5} == key));
  RC_ASSERT(record.slots.slots == 48 && record.slots.missing == 2 && record.slots.rejected == 1);
  RC_ASSERT(record.plain_total == -7);
}

RC_GTEST_PROP(RowRecord, KeysOrderAsTheirParts, ()) {
  const auto a = any_key();
  const auto b = any_key();
  const auto bytes_a = record_of(a, 3);
  const auto bytes_b = record_of(b, 3);
  RC_ASSERT((record_key(bytes_a.data()) < record_key(bytes_b.data())) == (a < b));
  RC_ASSERT((record_day_key(bytes_a.data()) == record_day_key(bytes_b.data())) ==
            (std::tie(a.meter, a.date, a.channel, a.file) ==
             std::tie(b.meter, b.date, b.channel, b.file)));
}

/// Sorts records of these keys, given in batches, and returns the keys in the order visited.
std::vector<Key> sorted(const std::vector<Key>& keys, std::size_t bytes_max) {
  const testing::TempFolder temp;
  RowSorter sorter({.bytes_max = bytes_max, .folder = temp.path()});
  for (std::size_t i = 0; i < keys.size();) {
    std::string batch;
    for (std::size_t n = i % 5; n < 5 && i < keys.size(); ++n, ++i)
      batch += record_of(keys[i], i % 90);
    EXPECT_TRUE(sorter.add(std::move(batch)));
  }
  EXPECT_TRUE(std::filesystem::is_empty(temp.path()));  // Its file has no name.
  std::vector<Key> visited;
  EXPECT_TRUE(sorter.visit([&](const char* record) -> Result<void> {
    const auto read = read_record(record);
    visited.push_back({std::string(read.meter), read.date, read.channel, read.file, read.line});
    return {};
  }));
  return visited;
}

RC_GTEST_PROP(RowSorter, SortsAnythingInMemoryAndThroughRuns, ()) {
  auto keys = *rc::gen::container<std::vector<Key>>(rc::gen::exec(any_key));
  const auto bytes_max = *rc::gen::element<std::size_t>(1, 400, 2000, 1 << 20);
  const auto got = sorted(keys, bytes_max);
  std::sort(keys.begin(), keys.end());
  RC_ASSERT(got == keys);
}

TEST(RowSorter, ReadsRunsLongerThanItsBuffers) {
  std::vector<Key> keys;
  for (int i = 0; i < 30'000; ++i)
    keys.push_back({"M" + std::to_string(i * 7919 % 30'000), Date::min(), 0, 0, i});
  const auto got = sorted(keys, 1 << 20);
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(got, keys);
}

TEST(RowSorter, AVisitorsErrorEndsTheVisit) {
  RowSorter sorter({});
  ASSERT_TRUE(sorter.add(record_of({"A", Date::min(), 0, 0, 1}, 5)));
  const auto done =
      sorter.visit([](const char*) -> Result<void> { return fail(Errc::cancelled, "enough"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::cancelled);
}

TEST(RowSorter, AFolderThatIsNotThereIsAnError) {
  RowSorter sorter({.bytes_max = 1, .folder = "/nonexistent"});
  const auto added = sorter.add(record_of({"A", Date::min(), 0, 0, 1}, 5));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace meterline::ingest
