#include "ingest/row_sorter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "testing/temp_folder.h"

namespace meterline::ingest {
namespace {

struct Key {
  std::string meter;
  std::int32_t date;
  std::uint16_t channel;
  std::uint16_t file;
  std::int64_t line;
  auto operator<=>(const Key&) const = default;
};

Key any_key() {
  return {.meter = *rc::gen::element<std::string>("A", "A1", "A.", "B", std::string(64, 'z')),
          .date = *rc::gen::inRange(-300, 300),
          .channel = *rc::gen::inRange<std::uint16_t>(0, 400),
          .file = *rc::gen::inRange<std::uint16_t>(0, 300),
          .line = *rc::gen::inRange<std::int64_t>(1, std::int64_t{1} << 40)};
}

/// What the rows of a key hold, so that a row that lost its bytes is found out.
std::string packed_of(const Key& key) {
  return key.meter + std::string(static_cast<std::size_t>(key.line % 90), 'p');
}

std::string labels_of(const Key& key) {
  return std::string(static_cast<std::size_t>(key.line % 3) * label_bytes, 'l');
}

void append(const Key& key, PackedRows& rows) {
  const auto packed = packed_of(key);
  const auto at = rows.bytes.size();
  rows.bytes.resize(at + sizeof(RowHead));
  put_head({.line = key.line,
            .plain_total = -7,
            .meter = rows.number_of_next(key.meter),
            .date = key.date,
            .channel = key.channel,
            .file = key.file,
            .slots = {.slots = 48, .missing = 2, .rejected = 1},
            .has_plain_total = 1,
            .labels = static_cast<std::uint8_t>(labels_of(key).size() / label_bytes),
            .packed_bytes = static_cast<std::uint32_t>(packed.size())},
           rows.bytes.data() + at);
  rows.bytes += packed;
  rows.bytes += labels_of(key);
}

PackedRows rows_of(const Key& key) {
  PackedRows rows;
  append(key, rows);
  return rows;
}

/// Sorts rows of these keys, given in batches, and returns the keys in the order visited. The lines
/// of a batch are one less than those wanted. Each row must be as it was, in the visit after its
/// own.
std::vector<Key> sorted(const std::vector<Key>& keys, std::size_t bytes_max) {
  constexpr std::int64_t lines_before = 1;
  const testing::TempFolder temp;
  RowMemory memory;
  RowSorter sorter({.bytes_max = bytes_max, .folder = temp.path()}, memory);
  for (std::size_t i = 0; i < keys.size();) {
    PackedRows batch;
    for (std::size_t n = i % 5; n < 5 && i < keys.size(); ++n, ++i) {
      Key key = keys[i];
      key.line -= lines_before;
      append(key, batch);
    }
    EXPECT_TRUE(sorter.add(batch, lines_before));
  }
  EXPECT_TRUE(std::filesystem::is_empty(temp.path()));  // Its file has no name.
  std::vector<Key> visited;
  std::optional<SortedRow> last;
  const auto take = [&] {
    if (!last) return;
    visited.push_back({std::string(last->meter), last->head.date, last->head.channel,
                       last->head.file, last->head.line});
    Key as_packed = visited.back();
    as_packed.line -= lines_before;
    EXPECT_EQ(last->packed, packed_of(as_packed));
    EXPECT_EQ(last->labels, labels_of(as_packed));
    EXPECT_EQ(last->head.plain_total, -7);
    EXPECT_EQ(last->head.slots.missing, 2);
  };
  EXPECT_TRUE(sorter.visit([&](const SortedRow& row) -> Result<void> {
    take();
    last = row;
    return {};
  }));
  take();
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
    keys.push_back({"M" + std::to_string(i * 7919 % 30'000), -5, 0, 0, i + 1});
  const auto got = sorted(keys, 1 << 20);
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(got, keys);
}

TEST(RowSorter, KeepsAnOrderThatRowsHaveAlready) {
  std::vector<Key> keys;
  for (int i = 0; i < 1000; ++i)
    keys.push_back({"M" + std::to_string(1000 + i / 3), i % 3, 0, 0, 1});
  EXPECT_EQ(sorted(keys, 1 << 20), keys);
}

TEST(RowSorter, AVisitorsErrorEndsTheVisit) {
  RowMemory memory;
  RowSorter sorter({}, memory);
  ASSERT_TRUE(sorter.add(rows_of({"A", 0, 0, 0, 1}), 0));
  const auto done = sorter.visit(
      [](const SortedRow&) -> Result<void> { return fail(Errc::cancelled, "enough"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::cancelled);
}

TEST(RowSorter, AFolderThatIsNotThereIsAnError) {
  RowMemory memory;
  RowSorter sorter({.bytes_max = 1, .folder = "/nonexistent"}, memory);
  const auto added = sorter.add(rows_of({"A", 0, 0, 0, 1}), 0);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::unavailable);
}

TEST(RowSorter, ATemporaryFolderThatIsNotThereIsAnError) {
  ASSERT_EQ(::setenv("TMPDIR", "/nowhere/at/all", 1), 0);
  RowMemory memory;
  RowSorter sorter({.bytes_max = 1, .folder = {}}, memory);
  const auto added = sorter.add(rows_of({"A", 0, 0, 0, 1}), 0);
  ASSERT_EQ(::unsetenv("TMPDIR"), 0);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::unavailable);
}

TEST(RowSorter, TakesItsTemporaryFileFromABudgetAndGivesItBack) {
  const testing::TempFolder folder;
  Budget budget(10'000);
  {
    RowMemory memory;
    RowSorter sorter({.bytes_max = 4'000, .folder = folder.path(), .temporary = &budget}, memory);
    Result<void> added;
    for (std::int64_t line = 1; added && line < 10'000; ++line)
      added =
          sorter.add(rows_of({.meter = "A", .date = 1, .channel = 0, .file = 0, .line = line}), 0);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Errc::unavailable);
    EXPECT_NE(added.error().message.find("--temporary-bytes-max"), std::string::npos);
    EXPECT_GT(budget.used(), 0U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace meterline::ingest
