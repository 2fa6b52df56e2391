#include "ingest/erasure.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "ingest/archive.h"
#include "ingest/ingest.h"
#include "store/check.h"
#include "store/contract_test.h"
#include "store/packed_day.h"
#include "testing/must.h"

namespace meterline::ingest {
namespace {

using testing::answers_of;
using testing::day_of;
using testing::delivery_of;
using ::testing::HasSubstr;
using testing::must;
using ::testing::Not;
using testing::second;

const std::string gone = "EE-00027";

source::Incoming incoming(const std::string& text, const std::string& name,
                          std::int64_t seconds = 1) {
  return {.source = name,
          .delivered_at = second(seconds),
          .bytes = text.size(),
          .open = [text]() -> Result<std::unique_ptr<source::ByteSource>> {
            class Owning final : public source::ByteSource {
             public:
              explicit Owning(std::string content)
                  : content_(std::move(content)), bytes_(source::make_memory_source(content_)) {}
              Result<std::size_t> read(std::span<char> into) override { return bytes_->read(into); }

             private:
              std::string content_;
              std::unique_ptr<source::ByteSource> bytes_;
            };
            return std::make_unique<Owning>(text);
          }};
}

std::string row_of(const std::string& meter, const std::string& date, const std::string& value) {
  std::string row = meter + ',' + date;
  for (int i = 0; i < 24; ++i) row += ',' + value;
  return row + '\n';
}

std::string file_of(const std::string& rows) {
  std::string header = "Meter,Date";
  for (int hour = 0; hour < 24; ++hour) header += fmt::format(",{}:00", hour);
  return header + '\n' + rows;
}

store::DeliveryRecord load(store::Store& store, const std::string& rows, const std::string& name) {
  return ingest::load(incoming(file_of(rows), name), store, {.unit = Unit::kWh, .threads = 1});
}

EraseReport erased(store::Store& store, const std::string& meter,
                   EraseMode mode = EraseMode::erase) {
  return must(erase(store, {.meter = *MeterId::parse(meter), .now = second(1000)}, mode));
}

std::vector<std::string> damage_of(const store::Store& store) {
  std::vector<std::string> lines;
  for (const auto& damage : must(store::check_store(store)).damage)
    lines.push_back(damage.where + ": " + damage.text);
  return lines;
}

TEST(WithoutErased, ReplacesIdsThatStandByThemselves) {
  const auto scrubbed = [](std::string_view text) {
    return without_erased(text, [](std::string_view meter) {
      return meter == "A-1" || meter == "A" || meter == "7";
    });
  };
  EXPECT_EQ(scrubbed(""), "");
  EXPECT_EQ(scrubbed("A-1,2019-01-01,x"), "[erased],2019-01-01,x");
  EXPECT_EQ(scrubbed("/in/A-1.csv.gz"), "/in/[erased].csv.gz");
  EXPECT_EQ(scrubbed("/in/meter_A-1.csv"), "/in/meter_[erased].csv");
  EXPECT_EQ(scrubbed("meter A-1: bad"), "meter [erased]: bad");
  EXPECT_EQ(scrubbed("A12 and A-12"), "A12 and [erased]-12") << "rather more than less";
  EXPECT_EQ(scrubbed("xA-1 and BA stay"), "xA-1 and BA stay") << "of a word a part is none";
  EXPECT_EQ(scrubbed("A,7,77"), "[erased],[erased],77");
}

TEST(ErasedMeters, KnowsThemByTheirMarks) {
  const ErasedMeters none;
  EXPECT_FALSE(none.has("A"));
  const auto first = none.new_mark("A");
  EXPECT_EQ(first.size(), 48U);
  EXPECT_NE(first, none.new_mark("A")) << "each store has its own salt";
  const ErasedMeters one({first});
  EXPECT_TRUE(one.has("A"));
  EXPECT_FALSE(one.has("a"));
  EXPECT_EQ(one.new_mark("B").substr(0, 16), first.substr(0, 16));
  // Two erasures in the same moment.
  const ErasedMeters two({first, none.new_mark("B")});
  EXPECT_TRUE(two.has("A") && two.has("B"));
  EXPECT_EQ(two.marks_of("A"), std::vector{first});
}

class Erase : public store::StoreContract {};

TEST_P(Erase, LeavesTheOthersAsTheyWere) {
  auto store = open();
  auto wanted = open();
  const auto of = [](std::vector<std::string> lines) { return delivery_of(1, 1, lines); };
  std::vector<std::string> lines;
  for (int day = 1; day < 29; ++day)
    for (const auto* meter : {"A", "B", "EE-00027", "EE-000271", "F"})
      lines.push_back(fmt::format("{} 2019-02-{:02} 60 {}x24", meter, day, day));
  expect_loaded(*store, {of(lines), delivery_of(2, 2, {"EE-00027 2019-02-01 60 1 -x23"})});
  std::erase_if(lines, [](const auto& line) { return line.starts_with(gone + ' '); });
  expect_loaded(*wanted, {of(lines)});

  EXPECT_EQ(erased(*store, gone, EraseMode::dry_run).days, 29);
  EXPECT_TRUE(must(store->meter(*MeterId::parse(gone))));
  EXPECT_EQ(erased(*store, gone).days, 29);
  EXPECT_FALSE(must(store->meter(*MeterId::parse(gone))));
  EXPECT_EQ(testing::totals_of(*store), testing::totals_of(*wanted));
  EXPECT_EQ(must(store->meters({})), must(wanted->meters({})));
  EXPECT_THAT(answers_of(*store), Not(HasSubstr(gone + ' ')));
  const auto again = erased(*store, gone);
  EXPECT_TRUE(again.was_erased);
  EXPECT_EQ(again.days, 0);
}

TEST_P(Erase, RedeliveryDoesNotBringItBack) {
  auto store = open();
  const auto rows = row_of(gone, "2019-01-01", "1") + row_of("B", "2019-01-01", "2");
  EXPECT_EQ(load(*store, rows, "/in/a.csv").report.rows.stored, 2);
  erased(*store, gone);
  if (GetParam().kept == store::Kept::outside) store.reopen();

  const auto record = load(*store, rows + row_of(gone, "2019-01-02", "x"), "/in/" + gone + ".csv");
  EXPECT_EQ(record.report.rows.read, 3);
  EXPECT_EQ(record.report.rows.stored, 1);
  EXPECT_EQ(record.report.rows.rejected, 2);
  const auto& readings = record.report.readings;
  EXPECT_EQ(readings.read,
            readings.stored + readings.missing + readings.repeated + readings.rejected);
  EXPECT_FALSE(must(store->meter(*MeterId::parse(gone))));
  EXPECT_THAT(answers_of(*store), Not(HasSubstr(gone)));
  for (const auto& kept : must(store->deliveries({}))) {
    EXPECT_THAT(kept.delivery.source, Not(HasSubstr(gone)));
    for (const auto& finding : kept.report.findings)
      EXPECT_THAT(finding.text + finding.excerpt, Not(HasSubstr(gone)));
  }
  EXPECT_EQ(damage_of(*store), std::vector<std::string>());

  EXPECT_TRUE(must(allow_again(*store, {.meter = *MeterId::parse(gone), .now = second(2000)})));
  EXPECT_FALSE(must(allow_again(*store, {.meter = *MeterId::parse(gone), .now = second(2000)})));
  EXPECT_EQ(load(*store, rows, "/in/b.csv").report.rows.stored, 2);
  EXPECT_TRUE(must(store->meter(*MeterId::parse(gone))));
  EXPECT_EQ(damage_of(*store), std::vector<std::string>());
}

TEST_P(Erase, AnArchiveDoesNotBringItBackAndTellsOfIt) {
  auto store = open();
  const auto rows = row_of(gone, "2019-01-01", "1") + row_of("B", "2019-01-01", "2");
  load(*store, rows, "/in/a.csv");
  const auto archive_of = [](const store::Store& from) {
    std::string bytes;
    must(write_archive(from, [&](std::string_view piece) -> Result<void> {
      bytes += piece;
      return {};
    }));
    return bytes;
  };
  const auto restore = [](const std::string& archive, store::Store& to) {
    ArchiveReport report;
    load_all({incoming(archive, "store.archive")}, to,
             {.archives = Archives::restore, .threads = 1},
             {.on_archive = [&](const ArchiveReport& told) { report = told; }}, [](const auto&) {});
    EXPECT_EQ(report.reason, "");
    return report;
  };
  const auto before = archive_of(*store);
  erased(*store, gone);
  const auto after = archive_of(*store);

  auto other = open();
  restore(after, *other);
  EXPECT_EQ(must(other->settings()).erased, must(store->settings()).erased);
  EXPECT_EQ(restore(before, *other).left_out, 0) << "it has that delivery";
  EXPECT_THAT(answers_of(*other), Not(HasSubstr(gone)));
  EXPECT_EQ(damage_of(*other), std::vector<std::string>());

  auto third = open();
  erased(*third, gone);
  EXPECT_EQ(restore(before, *third).left_out, 1);
  EXPECT_THAT(answers_of(*third), Not(HasSubstr(gone)));
  EXPECT_EQ(damage_of(*third), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(All, Erase, ::testing::ValuesIn(store::backends()), store::name_of);

/// All bytes of all files below a folder, whose names are looked at, too.
std::string bytes_below(const std::filesystem::path& folder) {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    all += entry.path().string() + '\n';
    std::ifstream file(entry.path(), std::ios::binary);
    if (entry.is_regular_file()) all.append(std::istreambuf_iterator<char>(file), {});
  }
  return all;
}

/// Small deliveries and large ones, of which the meter's keys are the first and last of tables.
TEST(EraseFiles, NoByteIsLeftInThem) {
  const testing::TempFolder folder;
  const auto open = [&] {
    return must(store::open_rocksdb_store({.folder = folder.path() / "store"}));
  };
  std::vector<ReadingDay> days;
  for (int day = 0; day < 400; ++day) {
    auto one = day_of(fmt::format("{} 2019-01-01 60 {}x24", gone, day));
    for (std::size_t slot = 0; slot < one.mantissas.size(); ++slot)
      one.mantissas[slot] = 7919 * (day + 3) * (static_cast<std::int64_t>(slot) + 11) % 99991;
    one.date = *Date::from_days(one.date.days() + day);
    days.push_back(one);
  }
  std::string packed;
  store::pack_day(days[5], packed);
  const std::string body(must(store::split_packed_day(packed)).body);
  {
    auto store = open();
    must(testing::load(*store, testing::delivery_of_days(1, 1, days)));
  }
  {
    auto store = open();
    must(testing::load(*store, testing::delivery_of_days(2, 2, {days[5]})));
    load(*store, row_of(gone, "2019-01-01", "1") + row_of(gone, "2019-01-02", "x"),
         "/in/" + gone + ".csv");
    const auto loaded = must(store->deliveries({})).front().delivery.id;
    must(store->add_event(loaded, {.at = second(9), .who = "w", .reason = gone + " was wrong"}));
    must(store->add_event(
        loaded, {.at = second(10), .kind = DeliveryEventKind::restored, .who = "w", .reason = ""}));
  }
  ASSERT_THAT(bytes_below(folder.path()), HasSubstr(gone));
  ASSERT_THAT(bytes_below(folder.path()), HasSubstr(body));
  {
    auto store = open();
    EXPECT_GE(erased(*store, gone).days, 402);
    EXPECT_EQ(damage_of(*store), std::vector<std::string>());
    EXPECT_EQ(bytes_below(folder.path()).find(gone), std::string::npos) << "while it is open";
  }
  EXPECT_EQ(bytes_below(folder.path()).find(gone), std::string::npos);
  EXPECT_EQ(bytes_below(folder.path()).find(body), std::string::npos);
  auto store = open();
  EXPECT_EQ(must(store->deliveries({})).front().events.front().reason, "[erased] was wrong");
}

}  // namespace
}  // namespace meterline::ingest
