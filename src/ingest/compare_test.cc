#include "ingest/compare.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "store/resolve.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::must;

const IngestOptions options = {.unit = Unit::kWh, .threads = 1};

source::Incoming incoming(const std::string& rows, std::int64_t second,
                          const std::string& name = "a") {
  const auto text = std::make_shared<const std::string>("Meter,Date,0:00,1:00\n" + rows);
  return {.source = name,
          .delivered_at = testing::second(second),
          .bytes = text->size(),
          .open = [text]() -> Result<std::unique_ptr<source::ByteSource>> {
            class Owning final : public source::ByteSource {
             public:
              explicit Owning(std::shared_ptr<const std::string> text)
                  : text_(std::move(text)), bytes_(source::make_memory_source(*text_)) {}
              Result<std::size_t> read(std::span<char> into) override { return bytes_->read(into); }

             private:
              const std::shared_ptr<const std::string> text_;
              const std::unique_ptr<source::ByteSource> bytes_;
            };
            return std::make_unique<Owning>(text);
          }};
}

struct Compared {
  store::DeliveryRecord record;
  Comparison comparison;
};

std::vector<Compared> compare(const std::vector<source::Incoming>& files, const store::Store& store,
                              const IngestOptions& how = options) {
  std::vector<Compared> all;
  compare_all(files, store, how, {}, [&](const auto& record, const auto& comparison) {
    all.push_back({.record = record, .comparison = comparison});
  });
  return all;
}

Compared compare_one(const source::Incoming& file, const store::Store& store,
                     const IngestOptions& how = options) {
  return compare({file}, store, how).at(0);
}

/// `FLOW/UNIT BEFORE AFTER`
std::vector<std::string> sums_of(const Comparison& comparison) {
  std::vector<std::string> lines;
  for (const auto& sum : comparison.sums)
    lines.push_back(fmt::format("{}/{} {} {}", text_of(sum.flow), text_of(sum.unit),
                                sum.before.text(), sum.after.text()));
  return lines;
}

TEST(Compare, TellsDaysApartAndStoresNothing) {
  const auto store = store::make_memory_store();
  load(incoming("A,2019-01-01,1,2\nA,2019-01-02,1,2\nA,2019-01-03,1,\n", 5), *store, options);
  const auto before = testing::answers_of(*store);
  const std::string rows =
      "A,2019-01-01,1.0,2\nA,2019-01-02,1,9\nA,2019-01-03,1,7\nA,2019-01-04,0.5,0.5\n";

  const auto newer = compare_one(incoming(rows, 6), *store);
  EXPECT_EQ(newer.record.report.state, DeliveryState::stored);
  EXPECT_EQ(newer.comparison.days, (Comparison::Days{.added = 1, .replacing = 2, .equal = 1}));
  EXPECT_THAT(sums_of(newer.comparison), ElementsAre("consumption/kWh 7 22"));

  const auto older = compare_one(incoming(rows, 4), *store);
  EXPECT_EQ(older.comparison.days,
            (Comparison::Days{.added = 1, .replacing = 1, .not_counting = 1, .equal = 1}))
      << "it completes a day";
  EXPECT_THAT(sums_of(older.comparison), ElementsAre("consumption/kWh 7 15"));
  EXPECT_EQ(
      older.record.report.finding_counts.at(static_cast<std::size_t>(FindingCode::older_delivery)),
      1);

  EXPECT_EQ(testing::answers_of(*store), before);
}

TEST(Compare, WhatWasWithdrawnDoesNotCount) {
  const auto store = store::make_memory_store();
  const auto stored = load(incoming("A,2019-01-01,1,2\n", 7), *store, options);
  must(store->add_event(stored.delivery.id,
                        {.at = testing::second(9), .who = "ann", .reason = "wrong file"}));
  const auto other = compare_one(incoming("A,2019-01-01,3,4\n", 6, "b"), *store);
  EXPECT_EQ(other.comparison.days, (Comparison::Days{.added = 1}));
  EXPECT_THAT(sums_of(other.comparison), ElementsAre("consumption/kWh 0 7"));
}

TEST(Compare, AFileWithoutReadingsChangesNothing) {
  const auto store = store::make_memory_store();
  load(incoming("A,2019-01-01,1,2\n", 5), *store, options);
  const auto empty = compare_one(incoming("A,2019-01-01,,\n", 6), *store);
  EXPECT_EQ(empty.comparison.days, (Comparison::Days{.equal = 1}));
  EXPECT_THAT(sums_of(empty.comparison), ElementsAre("consumption/kWh 3 3"));
}

/// More days of one meter than are compared together, on both sides of the store's only one.
TEST(Compare, AMeterMayHaveManyDays) {
  const auto store = store::make_memory_store();
  constexpr int days = 2500;
  const auto first = Date::parse("2010-01-01")->days();
  std::string rows;
  for (int i = 0; i < days; ++i)
    rows += fmt::format("A,{},1,2\n", Date::from_days(first + i)->text());
  load(incoming(fmt::format("A,{},1,2\nA,{},1,7\n", Date::from_days(first + 1000)->text(),
                            Date::from_days(first + days - 1)->text()),
                5),
       *store, options);
  const auto compared = compare_one(incoming(rows, 6), *store);
  EXPECT_EQ(compared.comparison.days,
            (Comparison::Days{.added = days - 2, .replacing = 1, .equal = 1}));
  EXPECT_THAT(sums_of(compared.comparison), ElementsAre("consumption/kWh 11 7500"));
}

TEST(Compare, OfAnotherQuantityAllDaysAreNew) {
  const auto store = store::make_memory_store();
  load(incoming("A,2019-01-01,1,2\n", 5), *store, options);
  const auto other =
      compare_one(incoming("A,2019-01-01,1,2\n", 6), *store, {.unit = Unit::kVAh, .threads = 1});
  EXPECT_EQ(other.comparison.days, (Comparison::Days{.added = 1}));
  EXPECT_THAT(sums_of(other.comparison), ElementsAre("consumption/kVAh 0 3"));
  const auto power =
      compare_one(incoming("A,2019-01-01,1,2\n", 7), *store, {.unit = Unit::kW, .threads = 1});
  EXPECT_EQ(power.comparison.days, (Comparison::Days{.added = 1}));
  EXPECT_THAT(sums_of(power.comparison), ElementsAre()) << "they do not add up";
  EXPECT_EQ(
      other.record.report.finding_counts.at(static_cast<std::size_t>(FindingCode::unit_differs)),
      1);
}

TEST(Compare, EachFileIsComparedWithTheStoreAlone) {
  const auto store = store::make_memory_store();
  const auto all = compare({incoming("A,2019-01-01,1,2\nB,2019-01-01,1,1\n", 1, "one"),
                            incoming("A,2019-01-01,3,4\n", 2, "two"), incoming("x", 3, "three")},
                           *store);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].comparison.days, (Comparison::Days{.added = 2}));
  EXPECT_THAT(sums_of(all[0].comparison), ElementsAre("consumption/kWh 0 5"));
  EXPECT_EQ(all[1].comparison.days, (Comparison::Days{.added = 1}));
  EXPECT_THAT(sums_of(all[1].comparison), ElementsAre("consumption/kWh 0 7"));
  EXPECT_EQ(all[2].record.report.state, DeliveryState::refused);
  EXPECT_THAT(all[2].comparison.sums, IsEmpty());
  EXPECT_EQ(store->default_unit().value(), std::nullopt) << "nothing is remembered";
}

TEST(Compare, WhatIsLoadedAlreadyIsSkipped) {
  const auto store = store::make_memory_store();
  const auto file = incoming("A,2019-01-01,1,2\n", 5);
  load(file, *store, options);
  const auto again = compare_one(file, *store);
  EXPECT_EQ(again.record.report.state, DeliveryState::skipped);
  EXPECT_EQ(again.comparison.days, Comparison::Days());
}

/// Every day's readings, so far as there are any.
struct Answers {
  std::map<std::string, std::string> days;
};

Answers answers_of_a_and_b(const store::Store& store) {
  Answers answers;
  for (const auto* meter : {"A", "B"})
    must(store::read_resolved(
        store, {.meter = *MeterId::parse(meter), .dates = {.from = Date::min(), .to = Date::max()}},
        [&](const store::ResolvedDay& day) -> Result<void> {
          std::string text;
          for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot)
            text += day.qualities[slot] == Quality::missing ? "-;" : day.reading(slot).text() + ';';
          answers.days[meter + day.date.text()] = text;
          return {};
        }));
  return answers;
}

/// Rows of few meters and days, some of them with holes.
rc::Gen<std::string> any_rows() {
  const auto row =
      rc::gen::map(rc::gen::tuple(rc::gen::element('A', 'B'), rc::gen::inRange(1, 5),
                                  rc::gen::element<std::string>("", "1", "2.5"),
                                  rc::gen::element<std::string>("", "1", "7")),
                   [](const auto& parts) {
                     const auto& [meter, day, first, second] = parts;
                     return fmt::format("{},2019-01-0{},{},{}\n", meter, day, first, second);
                   });
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(6, row), [](const auto& rows) {
    std::string text;
    for (const auto& each : rows) text += each;
    return text;
  });
}

/// The days that a load then changes are those that were said to be new or replaced.
RC_GTEST_PROP(Compare, SaysWhatALoadWouldChange, ()) {
  const auto store = store::make_memory_store();
  for (int files = *rc::gen::inRange(0, 4); files > 0; --files) {
    const auto name = fmt::format("file {}", files);
    load(incoming(*any_rows(), *rc::gen::inRange(1, 5), name), *store, options);
  }
  const auto rows = *any_rows();
  const auto file = incoming(rows, *rc::gen::inRange(1, 5), "new");
  const auto said = compare_one(file, *store);
  const auto before = answers_of_a_and_b(*store);
  const auto loaded = load(file, *store, options);
  const auto after = answers_of_a_and_b(*store);

  RC_ASSERT(loaded.report == said.record.report);
  const auto& days = said.comparison.days;
  std::set<std::string> given;
  std::istringstream lines(rows);
  for (std::string line; std::getline(lines, line);)
    given.insert(line.substr(0, std::string_view("A,2019-01-01").size()));
  RC_ASSERT(days.added + days.replacing + days.not_counting + days.equal == std::ssize(given));
  std::int64_t added = 0;
  std::int64_t changed = 0;
  for (const auto& [day, readings] : after.days) {
    const auto was = before.days.find(day);
    if (was == before.days.end()) ++added;
    if (was != before.days.end() && was->second != readings) ++changed;
  }
  RC_ASSERT(days.added == added);
  RC_ASSERT(days.replacing == changed);
}

}  // namespace
}  // namespace meterline::ingest
