// What every Store must do; contract_test.h lists the backends.

#include "store/contract_test.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "store/memory/memory_store.h"
#include "store/packed_day.h"
#include "store/resolve.h"
#include "testing/store_days.h"

namespace meterline::store {
namespace {

using meterline::testing::answers_of;
using meterline::testing::any_deliveries;
using meterline::testing::day_of;
using meterline::testing::delivery_of;
using meterline::testing::delivery_of_days;
using meterline::testing::line_of;
using meterline::testing::load;
using meterline::testing::load_piece;
using meterline::testing::load_together;
using meterline::testing::naive_days;
using meterline::testing::naive_total;
using meterline::testing::second;
using meterline::testing::TestDelivery;
using meterline::testing::totals_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Backend> durable_backends() {
  auto all = backends();
  std::erase_if(all, [](const Backend& backend) { return backend.kept == Kept::in_memory; });
  return all;
}

/// What only a store that outlives its process must do.
class DurableStoreContract : public StoreContract {};

std::string memory_answers(const Deliveries& deliveries, Instant as_of = Instant::end_of_time()) {
  const auto memory = make_memory_store();
  for (const auto& each : deliveries)
    if (!load(*memory, each)) throw std::runtime_error("the memory store cannot load");
  return answers_of(*memory, as_of);
}

TEST_P(StoreContract, KnowsNothingAtFirst) {
  const auto store = open();
  EXPECT_EQ(answers_of(*store), "\n\n");
  EXPECT_FALSE(store->meter(meter_of("A")).value());
  EXPECT_FALSE(store->delivery({}).value());
  EXPECT_TRUE(store->ready());
}

TEST_P(StoreContract, AnswersAsWritten) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  EXPECT_EQ(totals_of(*store),
            "A 2019-01-01 consumption/consumption/kWh 23.25 of 4/5 a2 s1 e1 @2#3\n"
            "A 2019-01-02 consumption/consumption/kWh 5 of 5/5 a5 s0 e0 @1#1\n"
            "A. 2019-01-01 B1/generation/Wh -35 of 5/5 a5 s0 e0 @1#1\n"
            "A1 2019-01-01 consumption/consumption/kWh 2.5 of 5/5 a5 s0 e0 @1#1\n"
            "B 1900-01-01 consumption/consumption/kWh 10 of 5/5 a5 s0 e0 @2#3\n"
            "B 2199-12-31 consumption/consumption/kWh 5 of 5/5 a5 s0 e0 @2#3\n");
  EXPECT_EQ(answers_of(*store), memory_answers(overlapping()));
}

// --- The same delivery again ---------------------------------------------------------------

TEST_P(StoreContract, TheSameDeliveryTwiceChangesNothing) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  expect_loaded(*store, overlapping());
  EXPECT_EQ(answers_of(*store), memory_answers(overlapping()));
}

TEST_P(StoreContract, ADeliveryInPiecesIsCompletedByLoadingItAgain) {
  for (std::size_t days = 0; days <= 4; ++days) {
    const auto store = open();
    for (const auto& each : overlapping()) ASSERT_TRUE(load_piece(*store, each, days));
    expect_loaded(*store, overlapping());
    EXPECT_EQ(answers_of(*store), memory_answers(overlapping())) << days << " days before";
  }
}

TEST_P(StoreContract, TheSameDeliveriesFromTwoThreadsAtOnce) {
  const auto store = open();
  const auto load_each = [&store](Deliveries deliveries) {
    for (const auto& each : deliveries) EXPECT_TRUE(load(*store, each));
  };
  auto reversed = overlapping();
  std::reverse(reversed.begin(), reversed.end());
  std::thread first(load_each, overlapping());
  std::thread second(load_each, reversed);
  first.join();
  second.join();
  EXPECT_EQ(answers_of(*store), memory_answers(overlapping()));
}

TEST_P(StoreContract, ReadersRunBesideWritersAndSeeWholeDays) {
  const auto store = open();
  const auto whole = delivery_of(1, 1, {"A 2019-01-01 60 5x24", "A 2019-01-02 60 6x24"});
  // Reading begins once something was written, and writing ends only after the last read.
  std::atomic<int> loads = 0, reads = 0;
  std::thread writer([&] {
    while (loads < 20 || reads < 20) {
      EXPECT_TRUE(load(*store, whole));
      ++loads;
      loads.notify_one();
    }
  });
  loads.wait(0);
  const auto check = [](const DayTotal& total) -> Result<void> {
    EXPECT_EQ(total.readings, 24);
    return {};
  };
  for (; reads < 20; ++reads) EXPECT_TRUE(store->read_day_totals({.dates = ever()}, check));
  writer.join();
  EXPECT_EQ(answers_of(*store), memory_answers({whole}));
}

TEST_P(StoreContract, ADroppedWriterLeavesWholeDaysOrNone) {
  const auto store = open();
  const auto piece = delivery_of(2, 2, {"A 2019-01-01 60 7x24", "B 2019-01-01 60 9x24"});
  expect_loaded(*store, {delivery_of(1, 1, {"A 2019-01-01 60 5x24"})});
  ASSERT_TRUE(load_piece(*store, piece, 1));
  std::vector<std::string> seen;
  ASSERT_TRUE(read_resolved(*store, {.meter = meter_of("A"), .dates = ever()},
                            [&](const ResolvedDay& day) -> Result<void> {
                              const auto total = total_of(meter_of("A"), day);
                              seen.push_back(total->sum.text());
                              return {};
                            }));
  EXPECT_THAT(seen, ElementsAre(::testing::AnyOf("120", "168")));
  EXPECT_FALSE(store->delivery(piece.delivery.id).value());
}

TEST_P(StoreContract, AWriterWithoutDaysKeepsItsReport) {
  const auto store = open();
  const auto empty = delivery_of(1, 1, {});
  expect_loaded(*store, {empty});
  const auto record = store->delivery(empty.delivery.id).value();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->delivery, empty.delivery);
  EXPECT_EQ(record->report, empty.report);
}

// --- Any order ------------------------------------------------------------------------------

TEST_P(StoreContract, AnyOrderEndsInTheSameAnswers) {
  const auto expected = memory_answers(overlapping());
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    const auto store = open();
    for (const std::size_t i : order) ASSERT_TRUE(load(*store, overlapping()[i]));
    EXPECT_EQ(answers_of(*store), expected) << order[0] << order[1] << order[2];
  } while (std::next_permutation(order.begin(), order.end()));
}

std::string naive_totals(const Deliveries& deliveries, Instant as_of) {
  std::vector<std::string> lines;
  for (const auto& day : naive_days(deliveries, as_of)) lines.push_back(line_of(naive_total(day)));
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

/// In a random order, some of them again, some of them begun and dropped before.
void load_at_random(Store& store, const Deliveries& deliveries) {
  Deliveries order = deliveries;
  if (!deliveries.empty()) {
    const auto again = *rc::gen::container<std::vector<std::size_t>>(
        rc::gen::inRange<std::size_t>(0, deliveries.size()));
    for (std::size_t i = 0; i < std::min<std::size_t>(again.size(), 4); ++i)
      order.push_back(deliveries[again[i]]);
  }
  const auto keys = *rc::gen::container<std::vector<std::uint32_t>>(
      order.size(), rc::gen::arbitrary<std::uint32_t>());
  std::vector<std::size_t> indices(order.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  std::sort(indices.begin(), indices.end(),
            [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  for (const std::size_t i : indices) {
    if (keys[i] % 3 == 0) RC_ASSERT(load_piece(store, order[i], keys[i] % 4).has_value());
    RC_ASSERT(load(store, order[i]).has_value());
  }
}

TEST_P(StoreContract, RandomDeliveriesInRandomOrderEqualThoseInOrder) {
  expect_holds(GetParam(), [this] {
    const auto deliveries = *any_deliveries();
    const auto store = open();
    load_at_random(*store, deliveries);
    RC_ASSERT(answers_of(*store) == memory_answers(deliveries));
    const Instant as_of = second(*rc::gen::inRange(0, 4));
    RC_ASSERT(answers_of(*store, as_of) == memory_answers(deliveries, as_of));
    RC_ASSERT(totals_of(*store, as_of) == naive_totals(deliveries, as_of));
    RC_ASSERT(totals_of(*store) == naive_totals(deliveries, Instant::end_of_time()));
  });
}

TEST_P(StoreContract, RandomDeliveriesWrittenTogetherEqualThoseWrittenAlone) {
  expect_holds(GetParam(), [this] {
    const auto deliveries = *any_deliveries();
    if (deliveries.empty()) return;
    const auto store = open();
    RC_ASSERT(load_together(*store, deliveries).has_value());
    RC_ASSERT(answers_of(*store) == memory_answers(deliveries));
    RC_ASSERT(totals_of(*store) == naive_totals(deliveries, Instant::end_of_time()));
    load_at_random(*store, deliveries);
    RC_ASSERT(answers_of(*store) == memory_answers(deliveries));
  });
}

TEST_P(StoreContract, EveryDeliveryOfAWriterNeedsItsReport) {
  const Deliveries both = {delivery_of(1, 1, {"A 2019-01-01 60 1"}),
                           delivery_of(2, 2, {"A 2019-01-01 60 2"})};
  const Delivery heads[] = {both[0].delivery, both[1].delivery};
  const auto store = open();
  const auto committed = store->write(heads).value()->commit(both[0].report);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, Errc::invalid_argument);
}

TEST_P(StoreContract, OnlyStoredAndRefusedDeliveriesAreKept) {
  const auto delivery = delivery_of(1, 1, {"A 2019-01-01 60 1"}).delivery;
  const auto store = open();
  for (const auto state : {DeliveryState::skipped, DeliveryState::failed}) {
    const auto committed = store->write(delivery).value()->commit({.state = state});
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code, Errc::invalid_argument);
  }
  EXPECT_THAT(store->deliveries({}).value(), IsEmpty());
}

// --- Versions -------------------------------------------------------------------------------

TEST_P(StoreContract, EqualTimesGoByTheContent) {
  const auto low = delivery_of(5, 1, {"A 2019-01-01 60 1 1"});
  const auto high = delivery_of(5, 2, {"A 2019-01-01 60 2 -"});
  for (const auto& order : {Deliveries{low, high}, Deliveries{high, low}}) {
    const auto store = open();
    expect_loaded(*store, order);
    EXPECT_EQ(totals_of(*store),
              "A 2019-01-01 consumption/consumption/kWh 3 of 2/2 a2 s0 e0 @5#2\n");
  }
}

/// One content from two sources at one time is two deliveries of one version.
TEST_P(StoreContract, OneContentFromTwoSourcesCountsOnce) {
  auto first = delivery_of(5, 7, {"A 2019-01-01 60 1 2"});
  auto second = first;
  second.delivery.id.bytes[0] = 8;
  second.delivery.source = "/elsewhere/7.csv";
  std::set<std::string> answers;
  for (const auto& order : {Deliveries{first, second}, Deliveries{second, first}}) {
    const auto store = open();
    expect_loaded(*store, order);
    answers.insert(answers_of(*store));
    EXPECT_EQ(totals_of(*store),
              "A 2019-01-01 consumption/consumption/kWh 3 of 2/2 a2 s0 e0 @5#7\n");
    EXPECT_EQ(store->deliveries({.source = {}, .after = {}}).value().size(), 2U);
  }
  EXPECT_EQ(answers.size(), 1U) << "the order of deliveries shows in the answers";
}

TEST_P(StoreContract, VersionsComeNewestFirstWithTheirDeliveries) {
  const auto store = open();
  expect_loaded(*store, {delivery_of(2, 2, {"A 2019-01-01 60 2"}),
                         delivery_of(1, 9, {"A 2019-01-01 60 1", "A 2018-12-31 60 1"}),
                         delivery_of(2, 3, {"A 2019-01-01 60 3", "A 2019-01-01 A/other/ 60 3"})});
  std::vector<std::string> seen;
  ASSERT_TRUE(store->read_days(
      {.meter = meter_of("A"), .dates = ever()}, [&](const StoredDay& day) -> Result<void> {
        seen.push_back(fmt::format("{} {} {}#{}", day.date.text(), day.channel.name,
                                   day.version.stated.micros / 1'000'000, day.delivery.bytes[0]));
        return {};
      }));
  EXPECT_THAT(seen, ElementsAre("2018-12-31 consumption 1#9", "2019-01-01 A 2#3",
                                "2019-01-01 consumption 2#3", "2019-01-01 consumption 2#2",
                                "2019-01-01 consumption 1#9"));
}

TEST_P(StoreContract, TimesFarApartAndBeforeTheEpochAreOrdered) {
  const auto store = open();
  expect_loaded(*store, {delivery_of(-2, 1, {"A 2019-01-01 60 1"}),
                         delivery_of(4'102'444'800, 2, {"A 2019-01-01 60 2"}),
                         delivery_of(-1, 3, {"A 2019-01-01 60 3"})});
  EXPECT_EQ(totals_of(*store, second(0)),
            "A 2019-01-01 consumption/consumption/kWh 3 of 1/1 a1 s0 e0 @-1#3\n");
  EXPECT_EQ(totals_of(*store),
            "A 2019-01-01 consumption/consumption/kWh 2 of 1/1 a1 s0 e0 @4102444800#2\n");
}

/// A file dated yesterday and loaded today does not change what was answered yesterday.
TEST_P(StoreContract, AsOfGoesByReceiptAndTheOrderByWhatIsStated) {
  auto first = delivery_of(10, 1, {"A 2019-01-01 60 1", "A 2019-01-02 60 1"});
  auto older = delivery_of(5, 2, {"A 2019-01-01 60 2", "A 2019-01-02 60 2 stated:11"});
  older.delivery.received_at = second(20);
  for (const auto& order : {Deliveries{first, older}, Deliveries{older, first}}) {
    const auto store = open();
    expect_loaded(*store, order);
    EXPECT_EQ(totals_of(*store, second(19)),
              "A 2019-01-01 consumption/consumption/kWh 1 of 1/1 a1 s0 e0 @10#1\n"
              "A 2019-01-02 consumption/consumption/kWh 1 of 1/1 a1 s0 e0 @10#1\n");
    EXPECT_EQ(totals_of(*store, second(20)),
              "A 2019-01-01 consumption/consumption/kWh 1 of 1/1 a1 s0 e0 @10#1\n"
              "A 2019-01-02 consumption/consumption/kWh 2 of 1/1 a1 s0 e0 @11/20#2\n");
  }
}

TEST_P(StoreContract, ASourceWinsOverAnEstimateOfTheSameTime) {
  const auto store = open();
  auto estimate = delivery_of(
      1, 1, {"A 2019-01-01 60 7 7 stated:3 estimate", "A 2019-01-02 60 7e 7e stated:4 estimate"});
  estimate.delivery.received_at = second(9);
  expect_loaded(*store,
                {estimate, delivery_of(3, 2, {"A 2019-01-01 60 1 -", "A 2019-01-02 60 1 -"})});
  EXPECT_EQ(totals_of(*store),
            "A 2019-01-01 consumption/consumption/kWh 8 of 2/2 a2 s0 e0 @3#2\n"
            "A 2019-01-02 consumption/consumption/kWh 14 of 2/2 a0 s0 e2 ~4/9#1\n");
}

/// Each day of a meter may state a time of its own, as NEM12 does, and many meters one.
TEST_P(StoreContract, ManyStatedTimesInOneDelivery) {
  std::vector<std::string> lines;
  for (int meter = 0; meter < 40; ++meter)
    for (int day = 1; day <= 28; ++day)
      lines.push_back(fmt::format("M{:02} 2019-02-{:02} 60 {} 2{} stated:{}", meter, day,
                                  meter + day, day % 3 == 0 ? "e" : "", 100 + (meter * day) % 17));
  const Deliveries all = {delivery_of(200, 1, lines),
                          delivery_of(108, 2, {"M07 2019-02-05 60 3 3"})};
  const auto store = open();
  expect_loaded(*store, all);
  EXPECT_EQ(totals_of(*store), naive_totals(all, Instant::end_of_time()));
  EXPECT_EQ(answers_of(*store), memory_answers(all));
}

TEST_P(StoreContract, AsOfEqualsAStoreThatGotNoMore) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  for (int seconds = 0; seconds <= 3; ++seconds) {
    Deliveries until = overlapping();
    std::erase_if(until, [&](const TestDelivery& each) {
      return each.delivery.delivered_at > second(seconds);
    });
    EXPECT_EQ(totals_of(*store, second(seconds)), naive_totals(until, Instant::end_of_time()));
    const auto memory = make_memory_store();
    expect_loaded(*memory, until);
    EXPECT_EQ(totals_of(*store, second(seconds)), totals_of(*memory));
  }
}

// --- Days -----------------------------------------------------------------------------------

TEST_P(StoreContract, GivesBackTheBytesOfADay) {
  const auto store = open();
  std::string packed;
  pack_day(day_of("A 2019-01-01 60 1 2 - 3.25e"), packed);
  const auto delivery = delivery_of(1, 1, {"A 2019-01-01 60 1 2 - 3.25e"});
  expect_loaded(*store, {delivery});
  ASSERT_TRUE(store->read_days({.meter = meter_of("A"), .dates = ever()},
                               [&](const StoredDay& day) -> Result<void> {
                                 EXPECT_EQ(day.packed, packed);
                                 EXPECT_EQ(day.delivery, delivery.delivery.id);
                                 EXPECT_EQ(day.version, delivery.delivery.version());
                                 return {};
                               }));
}

TEST_P(StoreContract, KeepsWhatSourcesSayOfReadings) {
  const auto store = open();
  const auto first = day_of("A 2019-01-01 1 1sx1440 note:0-700:S/14/32/fuse note:700-1440:S/14//");
  const auto later =
      day_of("A 2019-01-01 1 2sx700 -x740 note:0-700:F/// note:800-801:N//79/outage");
  // As long as notes of a day may be.
  auto longest = day_of("A 2019-01-02 30 1x48");
  for (std::size_t slot = 0; slot < 48; ++slot)
    append(longest.notes, slot, slot + 1,
           {.flag = std::to_string(slot), .reason_text = std::string(note_text_bytes_max, 'x')});
  expect_loaded(*store,
                {delivery_of_days(1, 1, {first, longest}), delivery_of_days(2, 2, {later})});
  std::vector<ReadingDay> found;
  ASSERT_TRUE(store->read_days({.meter = meter_of("A"), .dates = ever()},
                               [&](const StoredDay& stored) -> Result<void> {
                                 ReadingDay& day = found.emplace_back();
                                 day.meter = meter_of("A");
                                 day.channel = stored.channel;
                                 day.date = stored.date;
                                 return unpack_day(stored.packed, day);
                               }));
  EXPECT_EQ(found, (std::vector{later, first, longest}));
  EXPECT_EQ(totals_of(*store),
            "A 2019-01-01 consumption/consumption/kWh 2140 of 1440/1440 a0 s1440 e0 @2#2\n"
            "A 2019-01-02 consumption/consumption/kWh 48 of 48/48 a48 s0 e0 @1#1\n");
}

TEST_P(StoreContract, ADayOfMinutesAndTheLargestValues) {
  const auto store = open();
  expect_loaded(*store, {delivery_of(1, 1,
                                     {"A 2019-10-27 1 999999999999999999x1500",
                                      "A 2019-10-28 1 -999999999999999999x700 -x800",
                                      "A 2019-10-29 5 0.00000000000000001x300"})});
  EXPECT_EQ(totals_of(*store),
            "A 2019-10-27 consumption/consumption/kWh 1499999999999999998500 of 1500/1500 a1500 "
            "s0 e0 @1#1\n"
            "A 2019-10-28 consumption/consumption/kWh -699999999999999999300 of 700/1500 a700 s0 "
            "e0 @1#1\n"
            "A 2019-10-29 consumption/consumption/kWh 0.000000000000003 of 300/300 a300 s0 e0 "
            "@1#1\n");
}

TEST_P(StoreContract, ARangeOfDaysIncludesBothEnds) {
  const auto store = open();
  expect_loaded(*store, {delivery_of(1, 1,
                                     {"A 2018-12-30 60 1", "A 2018-12-31 60 2", "A 2019-01-31 60 3",
                                      "A 2019-02-01 60 4", "B 2018-12-31 60 5"})});
  const DateRange dates{.from = date_of("2018-12-31"), .to = date_of("2019-01-31")};
  std::multiset<std::string> by_meter;
  ASSERT_TRUE(store->read_days({.meter = meter_of("A"), .dates = dates},
                               [&](const StoredDay& day) -> Result<void> {
                                 by_meter.insert(day.date.text());
                                 return {};
                               }));
  EXPECT_THAT(by_meter, ElementsAre("2018-12-31", "2019-01-31"));
  std::multiset<std::string> by_day;
  ASSERT_TRUE(store->read_day_totals({.dates = dates}, [&](const DayTotal& total) -> Result<void> {
    by_day.insert(total.meter.text() + total.date.text());
    return {};
  }));
  EXPECT_THAT(by_day, ElementsAre("A2018-12-31", "A2019-01-31", "B2018-12-31"));
}

TEST_P(StoreContract, ARangeThatEndsBeforeItStartsIsEmpty) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  const DateRange dates{.from = date_of("2019-01-02"), .to = date_of("2019-01-01")};
  EXPECT_TRUE(store->read_days({.meter = meter_of("A"), .dates = dates},
                               [](const auto&) { return fail(Errc::corrupt, "a day"); }));
  EXPECT_TRUE(store->read_day_totals({.dates = dates},
                                     [](const auto&) { return fail(Errc::corrupt, "a total"); }));
  EXPECT_TRUE(store->read_day_presence({.dates = dates},
                                       [](const auto&) { return fail(Errc::corrupt, "a day"); }));
}

TEST_P(StoreContract, MetersThatBeginAlikeAreKeptApart) {
  const auto store = open();
  const std::vector<std::string> names = {"A", "A-", "A.", "A0", "A1", "A:", "AA", "A_", "Aa"};
  std::vector<std::string> lines;
  for (const auto& name : names)
    lines.push_back(name + " 2019-01-01 60 " + std::to_string(lines.size()));
  lines.push_back(std::string(meter_id_chars_max, 'z') + " 2019-01-01 60 99");
  expect_loaded(*store, {delivery_of(1, 1, lines)});
  EXPECT_EQ(answers_of(*store), memory_answers({delivery_of(1, 1, lines)}));
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<std::string> sums;
    ASSERT_TRUE(read_resolved(*store, {.meter = meter_of(names[i]), .dates = ever()},
                              [&](const ResolvedDay& day) -> Result<void> {
                                sums.push_back(day.reading(0).text());
                                return {};
                              }));
    EXPECT_THAT(sums, ElementsAre(std::to_string(i)));
  }
}

TEST_P(StoreContract, ChannelsThatDifferInNameFlowOrUnitAreKeptApart) {
  const auto store = open();
  const auto delivery =
      delivery_of(1, 1,
                  {"A 2019-01-01 E/consumption/kWh 60 1", "A 2019-01-01 E/consumption/Wh 30 2",
                   "A 2019-01-01 E/generation/kWh 60 3", "A 2019-01-01 E1/consumption/kWh 60 4",
                   "A 2019-01-01 E/other/ 60 5", "A 2019-01-02 E/consumption/kWh 15 6"});
  expect_loaded(*store, {delivery});
  EXPECT_EQ(answers_of(*store), memory_answers({delivery}));
  const auto info = store->meter(meter_of("A")).value();
  ASSERT_TRUE(info);
  EXPECT_EQ(info->channels.size(), 5U);
}

TEST_P(StoreContract, AnErrorOfTheVisitorEndsTheReading) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  int visits = 0;
  const auto stop = [&visits](const auto&) -> Result<void> {
    ++visits;
    return fail(Errc::cancelled, "enough");
  };
  const auto days = store->read_days({.meter = meter_of("A"), .dates = ever()}, stop);
  ASSERT_FALSE(days);
  EXPECT_EQ(days.error().message, "enough");
  EXPECT_EQ(visits, 1);
  const auto totals = store->read_day_totals({.dates = ever()}, stop);
  ASSERT_FALSE(totals);
  EXPECT_EQ(totals.error().code, Errc::cancelled);
  EXPECT_EQ(visits, 2);
  const auto presence = store->read_day_presence({.dates = ever()}, stop);
  ASSERT_FALSE(presence);
  EXPECT_EQ(presence.error().code, Errc::cancelled);
  EXPECT_EQ(visits, 3);
}

TEST_P(StoreContract, AVisitorMayAskTheStore) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  EXPECT_TRUE(store->read_day_totals({.dates = ever()}, [&](const DayTotal& total) -> Result<void> {
    EXPECT_TRUE(store->meter(total.meter).value());
    return {};
  }));
  const auto ask = [&](const DayPresence& part) -> Result<void> {
    EXPECT_TRUE(store->meter(part.meter).value());
    return {};
  };
  EXPECT_TRUE(store->read_day_presence({.dates = ever()}, ask));
}

TEST_P(StoreContract, TotalsOfAllMetersEqualTotalsOfTheirDays) {
  const auto store = open();
  expect_loaded(*store, overlapping());
  int totals = 0;
  ASSERT_TRUE(store->read_day_totals({.dates = ever()}, [&](const DayTotal& total) -> Result<void> {
    ++totals;
    const DaysQuery query{.meter = total.meter, .dates = {.from = total.date, .to = total.date}};
    return read_resolved(*store, query, [&](const ResolvedDay& day) -> Result<void> {
      if (day.channel == total.channel) {
        EXPECT_EQ(total_of(total.meter, day).value(), total);
      }
      return {};
    });
  }));
  EXPECT_EQ(totals, 6);
}

// --- Writing --------------------------------------------------------------------------------

struct Refusal {
  std::string says;
  std::string first;
  std::string second;
};

Result<void> add_line(DeliveryWriter& writer, const std::string& line) {
  const ReadingDay day = day_of(line);
  std::string packed;
  pack_day(day, packed);
  return writer.add(
      {.meter = day.meter, .channel = day.channel, .date = day.date, .packed = packed});
}

TEST_P(StoreContract, DaysMustBeAddedInAscendingOrder) {
  const Refusal refusals[] = {
      {"the same again", "A 2019-01-01 60 1", "A 2019-01-01 60 2"},
      {"an earlier day", "A 2019-01-02 60 1", "A 2019-01-01 60 1"},
      {"a smaller meter", "A1 2019-01-01 60 1", "A 2019-01-02 60 1"},
      {"a smaller channel", "A 2019-01-01 E2/other/ 60 1", "A 2019-01-01 E1/other/ 60 1"},
  };
  for (const auto& [says, first, second] : refusals) {
    const auto store = open();
    const auto writer = store->write(delivery_of(1, 1, {first}).delivery).value();
    ASSERT_TRUE(add_line(*writer, first)) << says;
    const auto added = add_line(*writer, second);
    ASSERT_FALSE(added) << says;
    EXPECT_EQ(added.error().code, Errc::invalid_argument) << says;
  }
}

TEST_P(StoreContract, ManyDaysOfManyMeters) {
  const auto store = open();
  std::vector<ReadingDay> days;
  for (int meter = 0; meter < 40; ++meter) {
    ReadingDay day = day_of(fmt::format("M{:03} 2018-12-20 60 1.5x24", meter));
    for (int i = 0; i < 45; ++i, day.date = day.date.next()) days.push_back(day);
  }
  const auto delivery = delivery_of_days(1, 1, days);
  expect_loaded(*store, {delivery});
  EXPECT_EQ(answers_of(*store), memory_answers({delivery}));
}

// --- Meters ---------------------------------------------------------------------------------

std::vector<std::string> names_of(const Result<std::vector<MeterInfo>>& meters) {
  std::vector<std::string> names;
  for (const auto& info : meters.value()) names.push_back(info.meter.text());
  return names;
}

TEST_P(StoreContract, MetersPageByPrefix) {
  const auto store = open();
  expect_loaded(*store,
                {delivery_of(1, 1,
                             {"A 2019-01-01 60 1", "A. 2019-01-01 60 1", "A1 2019-01-01 60 1",
                              "A10 2019-01-01 60 1", "B 2019-01-01 60 1"})});
  const auto meters = [&](std::string prefix, std::string_view after, std::size_t limit) {
    return names_of(store->meters({.prefix = std::move(prefix),
                                   .after = MeterId::parse(after).value_or(MeterId()),
                                   .limit = limit}));
  };
  EXPECT_THAT(meters("", "", 100), ElementsAre("A", "A.", "A1", "A10", "B"));
  EXPECT_THAT(meters("", "", 2), ElementsAre("A", "A."));
  EXPECT_THAT(meters("", "A.", 2), ElementsAre("A1", "A10"));
  EXPECT_THAT(meters("", "A11", 2), ElementsAre("B"));
  EXPECT_THAT(meters("", "B", 2), IsEmpty());
  EXPECT_THAT(meters("A1", "", 100), ElementsAre("A1", "A10"));
  EXPECT_THAT(meters("A1", "A1", 100), ElementsAre("A10"));
  EXPECT_THAT(meters("B", "A", 100), ElementsAre("B"));
  EXPECT_THAT(meters("A", "B", 100), IsEmpty());
  EXPECT_THAT(meters("C", "", 100), IsEmpty());
  EXPECT_THAT(meters("", "", 0), IsEmpty());
}

TEST_P(StoreContract, AMeterSpansItsDaysInAnyOrder) {
  const Deliveries deliveries = {
      delivery_of(3, 3, {"A 2019-01-02 60 1x24", "A 2019-01-02 B1/generation/Wh 5 1"}),
      delivery_of(1, 1, {"A 2199-12-31 15 1x96"}),
      delivery_of(2, 2, {"A 1900-01-01 30 -x48"}),
  };
  for (std::size_t first = 0; first < deliveries.size(); ++first) {
    const auto store = open();
    for (std::size_t i = 0; i < deliveries.size(); ++i)
      ASSERT_TRUE(load(*store, deliveries[(first + i) % deliveries.size()]));
    const auto info = store->meter(meter_of("A")).value();
    ASSERT_TRUE(info);
    std::ostringstream text;
    for (const auto& of : info->channels)
      text << of.channel << ' ' << of.interval.minutes() << ' ' << of.first << ' ' << of.last
           << '\n';
    EXPECT_EQ(text.str(),
              "B1/generation/Wh 5 2019-01-02 2019-01-02\n"
              "consumption/consumption/kWh 15 1900-01-01 2199-12-31\n");
    EXPECT_THAT(store->meters({.prefix = ""}).value(), ElementsAre(*info));
  }
}

TEST_P(StoreContract, WhatIsKnownOfAChannelIsThatOfTheNewestVersionOfItsLastDay) {
  const Deliveries deliveries = {
      delivery_of(1, 1, {"A 2019-01-02 60 1x24 zone:+10:00 device:M1"}),
      delivery_of(2, 2, {"A 2019-01-02 30 -x48 zone:Europe/London device:M2"}),
      delivery_of(3, 3, {"A 2019-01-01 15 1x96 device:M3"})};
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    const auto store = open();
    for (const std::size_t i : order) ASSERT_TRUE(load(*store, deliveries[i]));
    const auto info = store->meter(meter_of("A")).value();
    ASSERT_TRUE(info);
    EXPECT_EQ(info->channels.at(0).interval.minutes(), 30) << order[0] << order[1] << order[2];
    EXPECT_EQ(info->channels.at(0).zone.text(), "Europe/London");
    EXPECT_EQ(info->channels.at(0).facts.value().serial, "M2");
  } while (std::next_permutation(order.begin(), order.end()));
}

// --- The default unit -----------------------------------------------------------------------

TEST_P(StoreContract, TheFirstUnitIsRememberedForGood) {
  for (const auto unit : {Unit::kWh, Unit::unknown}) {
    const auto store = open();
    EXPECT_EQ(store->default_unit().value(), std::nullopt);
    EXPECT_EQ(store->remember_unit(unit).value(), unit);
    EXPECT_EQ(store->default_unit().value(), unit);
    EXPECT_EQ(store->remember_unit(Unit::Wh).value(), unit);
    expect_loaded(*store, overlapping());
    EXPECT_EQ(store->default_unit().value(), unit);
    EXPECT_EQ(answers_of(*store), memory_answers(overlapping()));
  }
}

TEST_P(StoreContract, UnitsRememberedAtOnceEndInOne) {
  const auto store = open();
  constexpr std::array units = {Unit::kWh, Unit::Wh, Unit::unknown, Unit::MWh};
  {
    std::vector<std::jthread> threads;
    for (const auto unit : units)
      threads.emplace_back([&store, unit] { EXPECT_TRUE(store->remember_unit(unit)); });
  }
  const auto unit = store->default_unit().value();
  ASSERT_TRUE(unit);
  EXPECT_NE(std::find(units.begin(), units.end(), *unit), units.end());
  for (const auto other : units) EXPECT_EQ(store->remember_unit(other).value(), *unit);
}

TEST_P(DurableStoreContract, ItsUnitIsThereWhenItIsOpenedAgain) {
  for (const auto unit : {Unit::varh, Unit::unknown}) {
    auto store = open();
    ASSERT_TRUE(store->remember_unit(unit));
    store.reopen();
    EXPECT_EQ(store->default_unit().value(), unit);
    EXPECT_EQ(store->remember_unit(Unit::kWh).value(), unit);
  }
}

// --- Opened again ---------------------------------------------------------------------------

TEST_P(DurableStoreContract, AnswersTheSameAfterItIsOpenedAgain) {
  auto store = open();
  for (const auto& each : overlapping()) {
    ASSERT_TRUE(load(*store, each));
    store.reopen();
  }
  EXPECT_EQ(answers_of(*store), memory_answers(overlapping()));
  EXPECT_EQ(answers_of(*store, second(1)), memory_answers(overlapping(), second(1)));
}

TEST_P(DurableStoreContract, RandomDeliveriesWithAReopeningEqualThoseInOrder) {
  expect_holds(GetParam(), [this] {
    const auto deliveries = *any_deliveries();
    auto store = open();
    const auto reopened = *rc::gen::inRange<std::size_t>(0, 6);
    for (std::size_t i = deliveries.size(); i-- > 0;) {
      RC_ASSERT(load(*store, deliveries[i]).has_value());
      if (i == reopened) store.reopen();
    }
    RC_ASSERT(answers_of(*store) == memory_answers(deliveries));
  });
}

INSTANTIATE_TEST_SUITE_P(All, StoreContract, ::testing::ValuesIn(backends()), name_of);
INSTANTIATE_TEST_SUITE_P(OnDisk, DurableStoreContract, ::testing::ValuesIn(durable_backends()),
                         name_of);

}  // namespace
}  // namespace meterline::store
