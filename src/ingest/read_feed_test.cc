#include "ingest/read_feed.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/memory/memory_store.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::ingest {
namespace {

using ::testing::ElementsAre;
using testing::read_of;

/// Files that are loaded together, and what becomes of their reads.
struct Load {
  explicit Load(std::size_t count, std::size_t sort_bytes_max = 1 << 20)
      : sorter({.bytes_max = sort_bytes_max, .folder = folder.path()}, memory) {
    for (std::size_t i = 0; i < count; ++i) {
      contents.push_back(std::make_unique<FileContent>(1000));
      deliveries.push_back(testing::delivery_of(1, static_cast<std::uint8_t>(i + 1), {}).delivery);
      files.push_back({.content = contents[i].get(), .source = "in", .delivery = i});
    }
  }

  void add(const RegisterRead& read, std::size_t file, std::int64_t line) {
    PackedRows rows;
    put_read(read,
             {.line = line,
              .meter = rows.number_of_next(read.meter.text()),
              .file = static_cast<std::uint16_t>(file)},
             rows.bytes);
    auto& content = *contents[file];
    for (auto* counts : {&content.rows, &content.register_reads}) {
      ++counts->read;
      ++counts->stored;
    }
    EXPECT_TRUE(sorter.add(rows, 0));
  }

  Result<void> run() {
    const auto writer = store->write(deliveries).value();
    const DayFeed::OnRejected on_rejected = [&](const RejectedRow& row) {
      rejected.push_back(fmt::format("{}: {}", row.line, row.reasons));
    };
    ReadFeed feed(files, *writer, on_rejected);
    const auto visited = sorter.visit([&](const SortedRow& row) { return feed.add(row); });
    if (!visited) return visited;
    if (const auto finished = feed.finish(); !finished) return finished;
    std::vector<DeliveryReport> reports;
    for (const auto& content : contents)
      reports.push_back({.rows = content->rows, .register_reads = content->register_reads});
    return writer->commit(reports);
  }

  std::vector<std::string> findings(std::size_t file) {
    std::vector<std::string> lines;
    for (const auto& finding : contents[file]->findings.take())
      lines.push_back(fmt::format("{} {}: {} [{}]", finding.line, text_of(finding.code),
                                  finding.text, finding.excerpt));
    return lines;
  }

  testing::TempFolder folder;
  RowMemory memory;
  RowSorter sorter;
  std::vector<std::unique_ptr<FileContent>> contents;
  std::vector<Delivery> deliveries;
  std::vector<DayFeed::File> files;
  std::unique_ptr<store::Store> store = store::make_memory_store();
  std::vector<std::string> rejected;
};

TEST(ReadFeed, OfOneRegisterAndTimeTheLastCounts) {
  Load load(1);
  load.add(read_of("A 2019-10-01T00:00:00+10:00 5"), 0, 2);
  load.add(read_of("A 2019-10-01T00:00:00+10:00 5"), 0, 3);
  load.add(read_of("A 2019-10-01T00:00:00+10:00 6"), 0, 4);
  load.add(read_of("A 2019-10-01T00:00:01+10:00 7"), 0, 5);
  ASSERT_TRUE(load.run());
  EXPECT_THAT(
      load.findings(0),
      ElementsAre("2 repeated: line 3 has the same register and time, says the same, and is "
                  "kept [A,11,2019-10-01T00:00:00+10:00]",
                  "3 read_replaced: line 4 has the same register and time, says otherwise, "
                  "and is kept [A,11,2019-10-01T00:00:00+10:00]"));
  const RowCounts counts{.read = 4, .stored = 2, .repeated = 2, .rejected = 0};
  EXPECT_EQ(load.contents[0]->rows, counts);
  EXPECT_EQ(load.contents[0]->register_reads, counts);
  EXPECT_EQ(testing::reads_of(*load.store, *MeterId::parse("A")).size(), 2U);
}

TEST(ReadFeed, TheOneThatStatesTheLatestTimeCountsWhereverItStands) {
  Load load(1);
  auto read = read_of("A 2019-10-01T00:00:00+10:00 5");
  read.stated = testing::second(7);
  load.add(read, 0, 2);
  load.add(read_of("A 2019-10-01T00:00:00+10:00 6"), 0, 3);
  read.stated = testing::second(6);
  load.add(read, 0, 4);
  ASSERT_TRUE(load.run());
  EXPECT_THAT(load.findings(0), ElementsAre(::testing::HasSubstr("3 read_replaced: line 2"),
                                            ::testing::HasSubstr("4 repeated: line 2")));
}

TEST(ReadFeed, FilesDoNotRepeatEachOther) {
  Load load(2);
  load.add(read_of("A 2019-10-01T00:00:00+10:00 5"), 1, 2);
  load.add(read_of("A 2019-10-01T00:00:00+10:00 5"), 0, 2);
  ASSERT_TRUE(load.run());
  EXPECT_EQ(testing::reads_of(*load.store, *MeterId::parse("A")).size(), 2U);
  EXPECT_EQ(load.contents[0]->rows.stored + load.contents[1]->rows.stored, 2);
}

TEST(ReadFeed, MoreRegistersInAMinuteThanAreKeptAreRejected) {
  Load load(1);
  auto read = read_of("A 2019-10-01T00:00:00+10:00 5");
  for (std::size_t i = 0; i < reads_a_minute_max + 2; ++i) {
    read.of.id = std::to_string(i);
    load.add(read, 0, static_cast<std::int64_t>(i + 2));
  }
  read.of.id = "0";  // A repeat of one that is kept takes no room.
  load.add(read, 0, 20'000);
  ASSERT_TRUE(load.run());
  const auto& rows = load.contents[0]->rows;
  EXPECT_EQ(rows.stored, static_cast<std::int64_t>(reads_a_minute_max));
  EXPECT_EQ(rows.rejected, 2);
  EXPECT_EQ(rows.repeated, 1);
  EXPECT_THAT(load.rejected,
              ElementsAre("10002: too_many_registers: more than 10000 registers of the meter are "
                          "read in this minute",
                          "10003: too_many_registers: more than 10000 registers of the meter are "
                          "read in this minute"));
}

/// Reads of several files in any order, in memory or spilled, are stored as they are, each place
/// of a file once.
RC_GTEST_PROP(ReadFeed, StoresWhatCountsOfEachFile, ()) {
  constexpr std::size_t files = 3;
  Load load(files, *rc::gen::element<std::size_t>(100, 1000, 1 << 20));
  const auto reads = *rc::gen::container<std::vector<RegisterRead>>(testing::any_read());
  using Place = std::tuple<std::size_t, MeterId, Instant, MeterRegister>;
  std::map<Place, RegisterRead> counting;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const auto& read = reads[i];
    const auto file = *rc::gen::inRange<std::size_t>(0, files);
    load.add(read, file, static_cast<std::int64_t>(i + 1));
    const auto [known, is_new] =
        counting.try_emplace({file, read.meter, read.current.time.at, read.of}, read);
    if (!is_new && !(read.stated < known->second.stated)) known->second = read;
  }
  RC_ASSERT(load.run().has_value());

  const auto expected = store::make_memory_store();
  for (std::size_t file = 0; file < files; ++file) {
    std::vector<RegisterRead> of_file;
    for (const auto& [place, read] : counting)
      if (std::get<0>(place) == file) of_file.push_back(read);
    RC_ASSERT(testing::load_reads(*expected, load.deliveries[file], of_file).has_value());
  }
  std::int64_t read = 0;
  std::int64_t stored = 0;
  for (const auto& content : load.contents) {
    RC_ASSERT(content->rows == content->register_reads);
    RC_ASSERT(content->rows.read == content->rows.stored + content->rows.repeated);
    read += content->rows.read;
    stored += content->rows.stored;
  }
  RC_ASSERT(read == static_cast<std::int64_t>(reads.size()));
  RC_ASSERT(stored == static_cast<std::int64_t>(counting.size()));
  for (const auto* meter : {"A", "A1", "B."})
    RC_ASSERT(testing::reads_of(*load.store, *MeterId::parse(meter)) ==
              testing::reads_of(*expected, *MeterId::parse(meter)));
}

}  // namespace
}  // namespace meterline::ingest
