// What every Store must do with deliveries that are withdrawn and brought back.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/contract_test.h"
#include "store/resolve.h"
#include "testing/store_days.h"

namespace meterline::store {
namespace {

using meterline::testing::answers_of;
using meterline::testing::any_deliveries;
using meterline::testing::any_steps;
using meterline::testing::delivery_of;
using meterline::testing::line_of;
using meterline::testing::load;
using meterline::testing::naive_days;
using meterline::testing::naive_total;
using meterline::testing::second;
using meterline::testing::TestDelivery;
using meterline::testing::totals_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using namespace std::string_literals;
using Kind = DeliveryEventKind;

DeliveryEvent withdrawn_at(std::int64_t seconds) {
  return {.at = second(seconds), .kind = Kind::withdrawn, .who = "ann", .reason = "sent twice"};
}
DeliveryEvent restored_at(std::int64_t seconds) {
  return {.at = second(seconds), .kind = Kind::restored, .who = "bob", .reason = ""};
}

class WithdrawalContract : public StoreContract {
 protected:
  static void expect_added(Store& store, const TestDelivery& to, const DeliveryEvent& event) {
    const auto added = store.add_event(to.delivery.id, event);
    ASSERT_TRUE(added) << added.error().message;
  }
};

constexpr std::string_view of_first = "A 2019-01-01 consumption/consumption/kWh 2 of 2/2 a2 s0 e0";
constexpr std::string_view of_second = "A 2019-01-01 consumption/consumption/kWh 6 of 2/2 a2 s0 e0";

/// Of all meters and their channels.
std::string names_of(const Store& store) {
  std::string text;
  const auto meters = store.meters({.names_only = true}).value();
  for (const auto& meter : meters) {
    text += meter.meter.text();
    for (const auto& known : meter.channels) text += ' ' + known.channel.name;
  }
  return text;
}

TEST_P(WithdrawalContract, CountsAsOfEveryTimeOutsideOfTheWithdrawal) {
  const auto first = delivery_of(1, 1, {"A 2019-01-01 60 1 1"});
  const auto second_one = delivery_of(2, 2, {"A 2019-01-01 60 3 3"});
  const auto store = open();
  expect_loaded(*store, {first, second_one});
  EXPECT_THAT(totals_of(*store), ::testing::StartsWith(std::string(of_second)));
  expect_added(*store, second_one, withdrawn_at(10));
  EXPECT_THAT(totals_of(*store), ::testing::StartsWith(std::string(of_first)));
  EXPECT_THAT(totals_of(*store, second(9)), ::testing::StartsWith(std::string(of_second)));
  EXPECT_THAT(totals_of(*store, second(10)), ::testing::StartsWith(std::string(of_first)));
  expect_added(*store, second_one, restored_at(20));
  EXPECT_THAT(totals_of(*store), ::testing::StartsWith(std::string(of_second)));
  EXPECT_THAT(totals_of(*store, second(9)), ::testing::StartsWith(std::string(of_second)));
  EXPECT_THAT(totals_of(*store, second(19)), ::testing::StartsWith(std::string(of_first)));
  EXPECT_THAT(totals_of(*store, second(20)), ::testing::StartsWith(std::string(of_second)));
}

TEST_P(WithdrawalContract, AHalfDayIsHalfAgainWithoutWhatCompletedIt) {
  const auto half = delivery_of(1, 1, {"A 2019-01-01 60 1 1 - -"});
  const auto rest = delivery_of(2, 2, {"A 2019-01-01 60 - - 5 5"});
  for (const bool is_first_withdrawn : {true, false}) {
    const auto store = open();
    expect_loaded(*store, {half, rest});
    EXPECT_EQ(totals_of(*store),
              "A 2019-01-01 consumption/consumption/kWh 12 of 4/4 a4 s0 e0 @2#2\n");
    expect_added(*store, is_first_withdrawn ? half : rest, withdrawn_at(10));
    EXPECT_EQ(totals_of(*store),
              is_first_withdrawn
                  ? "A 2019-01-01 consumption/consumption/kWh 10 of 2/4 a2 s0 e0 @2#2\n"
                  : "A 2019-01-01 consumption/consumption/kWh 2 of 2/4 a2 s0 e0 @1#1\n");
  }
}

TEST_P(WithdrawalContract, ADayOfWhichNothingCountsIsAsIfItWereNotStored) {
  const auto kept = delivery_of(1, 1, {"A 2019-01-02 30 1x48", "A 2019-03-05 30 1x48"});
  const auto gone =
      delivery_of(2, 2,
                  {"A 2018-12-31 60 1x24", "A 2019-01-01 60 1x24", "A 2019-05-01 60 1x24",
                   "A 2019-01-01 B1/generation/Wh 60 1x24", "B 2019-01-01 60 1x24"});
  const auto store = open();
  expect_loaded(*store, {kept, gone});
  ASSERT_EQ(store->meters({.prefix = ""}).value().size(), 2U);
  const auto before = totals_of(*store);
  expect_added(*store, gone, withdrawn_at(10));
  const auto alone = make_memory_store();
  expect_loaded(*alone, {kept});
  EXPECT_EQ(totals_of(*store), totals_of(*alone));
  EXPECT_EQ(store->meter(meter_of("A")).value(), alone->meter(meter_of("A")).value());
  EXPECT_EQ(store->meter(meter_of("B")).value(), std::nullopt);
  EXPECT_EQ(store->meters({.prefix = ""}).value(), alone->meters({.prefix = ""}).value());
  EXPECT_EQ(store->meters({.prefix = "", .limit = 1}).value().size(), 1U);
  EXPECT_EQ(names_of(*store), names_of(*alone));
  EXPECT_EQ(store->meters({.prefix = "", .withdrawn = Withdrawn::counted}).value().size(), 2U);
  expect_added(*store, gone, restored_at(20));
  EXPECT_EQ(totals_of(*store), before);
  EXPECT_EQ(store->meters({.prefix = ""}).value().size(), 2U);
}

TEST_P(WithdrawalContract, EveryVersionIsStillTold) {
  const auto first = delivery_of(1, 1, {"A 2019-01-01 60 1"});
  const auto second_one = delivery_of(2, 2, {"A 2019-01-01 60 2"});
  const auto store = open();
  expect_loaded(*store, {first, second_one});
  expect_added(*store, second_one, withdrawn_at(10));
  const auto told = [&](Instant as_of) {
    std::vector<std::string> versions;
    const auto read =
        store->read_days({.meter = meter_of("A"), .dates = ever(), .as_of = as_of},
                         [&](const StoredDay& day) -> Result<void> {
                           versions.push_back(fmt::format("{}{}", day.delivery.bytes[0],
                                                          day.withdrawn ? " withdrawn" : ""));
                           return {};
                         });
    EXPECT_TRUE(read);
    return versions;
  };
  EXPECT_THAT(told(Instant::end_of_time()), ElementsAre("2 withdrawn", "1"));
  EXPECT_THAT(told(second(9)), ElementsAre("2", "1"));
}

TEST_P(WithdrawalContract, EventsStandInTheRecordInTheirOrder) {
  const auto delivery = delivery_of(1, 1, {"A 2019-01-01 60 1"});
  const auto other = delivery_of(2, 2, {"A 2019-01-01 60 2"});
  const auto store = open();
  expect_loaded(*store, {delivery, other});
  const DeliveryEvent early{.at = {-5}, .who = "zoë", .reason = std::string(1000, 'r')};
  for (const auto& event : {restored_at(20), withdrawn_at(10), early, withdrawn_at(10)})
    expect_added(*store, delivery, event);
  const std::vector<DeliveryEvent> expected = {early, withdrawn_at(10), restored_at(20)};
  EXPECT_EQ(store->delivery(delivery.delivery.id).value().value().events, expected);
  EXPECT_EQ(store->deliveries({}).value().at(1).events, expected);
  EXPECT_THAT(store->deliveries({}).value().at(0).events, IsEmpty());
}

TEST_P(WithdrawalContract, ADeliveryCommittedAgainKeepsItsEvents) {
  auto delivery = delivery_of(1, 1, {"A 2019-01-01 60 1"});
  const auto store = open();
  expect_added(*store, delivery, withdrawn_at(10));  // Before the store knows it, too.
  expect_loaded(*store, {delivery});
  delivery.report.rows.rejected = 1;
  delivery.delivery.received_at = second(11);
  expect_loaded(*store, {delivery});
  EXPECT_EQ(totals_of(*store), "\n");
  const auto record = store->delivery(delivery.delivery.id).value();
  ASSERT_TRUE(record);
  EXPECT_THAT(record->events, ElementsAre(withdrawn_at(10)));
  EXPECT_EQ(record->report.rows.rejected, 1);
}

TEST_P(WithdrawalContract, WithdrawnDeliveriesAreListedByThemselves) {
  const Deliveries all = {delivery_of(1, 1, {"A 2019-01-01 60 1"}), delivery_of(2, 2, {}),
                          delivery_of(3, 3, {"A 2019-01-01 60 1"})};
  const auto store = open();
  expect_loaded(*store, all);
  const auto listed = [&](DeliveriesQuery query) {
    query.only = DeliveriesOf::withdrawn;
    std::vector<int> numbers;
    const auto found = store->deliveries(query).value();
    for (const auto& record : found) numbers.push_back(record.delivery.id.bytes[0]);
    return numbers;
  };
  EXPECT_THAT(listed({}), IsEmpty());
  expect_added(*store, all[0], withdrawn_at(10));
  expect_added(*store, all[2], withdrawn_at(11));
  EXPECT_THAT(listed({}), ElementsAre(3, 1));
  EXPECT_THAT(listed({.limit = 1}), ElementsAre(3));
  EXPECT_THAT(listed({.after = all[2].delivery.id, .limit = 1}), ElementsAre(1));
  EXPECT_THAT(listed({.source = "/in/1.csv"}), ElementsAre(1));
  EXPECT_THAT(listed({.source = "/in/2.csv"}), IsEmpty());
  expect_added(*store, all[2], restored_at(12));
  EXPECT_THAT(listed({}), ElementsAre(1));
}

TEST_P(WithdrawalContract, ManyWithdrawnDeliveriesAreListedInPages) {
  constexpr int count = 80;
  const auto store = open();
  for (int i = 1; i <= count; ++i) {
    auto delivery = delivery_of(i % 10, static_cast<std::uint8_t>(i), {});
    if (i % 2 == 0) delivery.delivery.source = "/in/even.csv";
    expect_loaded(*store, {delivery});
    if (i % 7 != 0) expect_added(*store, delivery, withdrawn_at(10));
  }
  for (const int limit : {7, 100}) {
    for (const auto& source : {std::optional<std::string>(), std::optional("/in/even.csv"s)}) {
      std::vector<DeliveryRecord> wanted;
      const auto all = store->deliveries({.source = source, .limit = 1000}).value();
      std::copy_if(all.begin(), all.end(), std::back_inserter(wanted),
                   [](const auto& record) { return record.is_withdrawn(); });
      std::vector<DeliveryRecord> found;
      DeliveriesQuery query{.source = source, .after = {}, .only = DeliveriesOf::withdrawn};
      query.limit = static_cast<std::size_t>(limit);
      for (;;) {
        const auto page = store->deliveries(query).value();
        found.insert(found.end(), page.begin(), page.end());
        if (page.size() < query.limit) break;
        query.after = page.back().delivery.id;
      }
      EXPECT_EQ(found, wanted);
      EXPECT_EQ(found.size(), source ? 35U : 69U);
    }
  }
}

TEST_P(WithdrawalContract, EventsHaveLimits) {
  const auto delivery = delivery_of(1, 1, {});
  const auto store = open();
  expect_loaded(*store, {delivery});
  const auto& id = delivery.delivery.id;
  for (const DeliveryEvent& wrong :
       {DeliveryEvent{.at = {1}, .who = "", .reason = "nobody"},
        DeliveryEvent{.at = {1}, .who = std::string(101, 'w'), .reason = ""},
        DeliveryEvent{.at = {1}, .who = "ann", .reason = std::string(1001, 'r')}})
    EXPECT_EQ(store->add_event(id, wrong).error().code, Errc::invalid_argument);
  for (std::size_t i = 0; i < delivery_events_max; ++i)
    expect_added(*store, delivery, withdrawn_at(static_cast<std::int64_t>(i)));
  expect_added(*store, delivery, withdrawn_at(0));
  EXPECT_EQ(store->add_event(id, withdrawn_at(-1)).error().code, Errc::too_large);
  EXPECT_EQ(store->delivery(id).value()->events.size(), delivery_events_max);
}

TEST_P(WithdrawalContract, TwoThreadsThatAddEventsLoseNone) {
  const Deliveries both = {delivery_of(1, 1, {"A 2019-01-01 60 1"}),
                           delivery_of(2, 2, {"A 2019-01-01 60 2"})};
  const auto store = open();
  expect_loaded(*store, both);
  const auto add = [&](const TestDelivery& to) {
    for (int i = 0; i < 20; ++i) expect_added(*store, to, withdrawn_at(i));
  };
  std::thread other([&] { add(both[0]); });
  add(both[1]);
  other.join();
  for (const auto& each : both)
    EXPECT_EQ(store->delivery(each.delivery.id).value()->events.size(), 20U);
  EXPECT_EQ(totals_of(*store), "\n");
}

// --- Against a naive reading of all of it -----------------------------------------------------

using Lines = std::multiset<std::string>;

Lines naive_lines(const Deliveries& deliveries, Instant as_of) {
  Lines lines;
  for (const auto& day : naive_days(deliveries, as_of)) lines.insert(line_of(naive_total(day)));
  return lines;
}

/// Days and months are answered by other ways on some stores.
Lines lines_by_meter(const Store& store, const Deliveries& deliveries, Instant as_of) {
  std::set<MeterId> meters;
  for (const auto& each : deliveries)
    for (const auto& day : each.days) meters.insert(day.meter);
  Lines lines;
  for (const auto& meter : meters) {
    const auto read =
        store.read_meter_totals({.meter = meter, .dates = ever(), .as_of = as_of},
                                [&](const DayTotal& total, IntervalLength) -> Result<void> {
                                  lines.insert(line_of(total));
                                  return {};
                                });
    RC_ASSERT(read.has_value());
  }
  return lines;
}

std::string presence_line(const MeterId& meter, const Channel& channel, Date date,
                          std::string_view kind) {
  std::ostringstream out;
  out << meter << ' ' << channel << ' ' << date << ' ' << kind;
  return out.str();
}

Lines presence_of(const Store& store, Instant as_of) {
  Lines lines;
  const auto read = store.read_day_presence(
      {.dates = ever(), .as_of = as_of}, [&](const DayPresence& part) -> Result<void> {
        for (int day = 0; day < 32; ++day)
          if ((part.stored >> day & 1) != 0)
            lines.insert(presence_line(part.meter, part.channel,
                                       *Date::from_days(part.first.days() + std::int64_t{day}),
                                       (part.complete >> day & 1) != 0 ? "complete" : "stored"));
        return {};
      });
  RC_ASSERT(read.has_value());
  return lines;
}

Lines naive_presence(const Deliveries& deliveries, Instant as_of) {
  Lines lines;
  for (const auto& day : naive_days(deliveries, as_of)) {
    const auto total = naive_total(day);
    lines.insert(presence_line(day.meter, day.channel, day.date,
                               total.readings == total.expected ? "complete" : "stored"));
  }
  return lines;
}

/// `day` counts from 1.
Date day_of_month(Month month, int day) {
  return *Date::from_days(month.first_day().days() + day - 1);
}

/// What a month of all meters says, where the store makes one; of sums, those of all meters.
void check_months(const Store& store, const Deliveries& deliveries) {
  std::map<std::pair<Channel, Date>, Sum> sums;
  Lines wanted;
  std::set<Month> months;
  for (const auto& each : deliveries)
    for (const auto& day : each.days) months.insert(Month::of(day.date));
  for (const auto& day : naive_days(deliveries)) {
    const auto total = naive_total(day);
    wanted.insert(presence_line(day.meter, day.channel, day.date,
                                total.readings == total.expected ? "complete" : "stored"));
    RC_ASSERT(sums[std::pair(day.channel, day.date)].add(total.sum).has_value());
  }
  Lines lines;
  for (const auto month : months) {
    bool is_made = false;
    const auto told =
        store.read_months({.dates = {month.first_day(), day_of_month(month, month.days())}},
                          {.days = [](const MeterDays&) { return Result<void>(); },
                           .month = [&](Month of, const MonthOfMeters& all) -> Result<bool> {
                             RC_ASSERT(of == month);
                             is_made = true;
                             for (const auto& channel : all.channels)
                               for (std::size_t i = 0; i < channel.days.size(); ++i) {
                                 const auto date = day_of_month(month, static_cast<int>(i) + 1);
                                 RC_ASSERT(channel.days[i].sum.text() ==
                                           sums[std::pair(channel.channel, date)].text());
                                 for (const auto& meter : channel.meters)
                                   if ((meter.stored >> i & 1) != 0)
                                     lines.insert(presence_line(
                                         meter.meter, channel.channel, date,
                                         (meter.complete >> i & 1) != 0 ? "complete" : "stored"));
                               }
                             return true;
                           }});
    RC_ASSERT(told.has_value());
    if (!is_made) return;
  }
  RC_ASSERT(lines == wanted);
}

void check_all(const Store& store, const Deliveries& deliveries, Instant as_of) {
  const auto naive = naive_lines(deliveries, as_of);
  const auto totals = totals_of(store, as_of);
  RC_ASSERT(totals == fmt::format("{}\n", fmt::join(naive, "\n")));
  RC_ASSERT(lines_by_meter(store, deliveries, as_of) == naive);
  RC_ASSERT(presence_of(store, as_of) == naive_presence(deliveries, as_of));
}

TEST_P(WithdrawalContract, AnyOrderOfLoadsAndEventsIsReadAsTheNaiveModelReadsIt) {
  expect_holds(GetParam(), [this] {
    auto deliveries = *any_deliveries();
    const auto steps = any_steps(deliveries);
    const auto store = open();
    const auto memory = make_memory_store();
    for (std::size_t i = 0; i < deliveries.size(); ++i) {
      RC_ASSERT(load(*memory, deliveries[i]).has_value());
      for (const auto& event : deliveries[i].events)
        RC_ASSERT(memory->add_event(deliveries[i].delivery.id, event).has_value());
    }
    for (const auto& [delivery, event] : steps) {
      const auto& each = deliveries[delivery];
      RC_ASSERT(
          (event ? store->add_event(each.delivery.id, *event) : load(*store, each)).has_value());
      // What is kept in memory of a month must be made anew.
      if (delivery % 2 == 0) static_cast<void>(presence_of(*store, Instant::end_of_time()));
    }
    check_all(*store, deliveries, Instant::end_of_time());
    check_all(*store, deliveries, second(*rc::gen::inRange(0, 9)));
    check_months(*store, deliveries);
    RC_ASSERT(answers_of(*store) == answers_of(*memory));
    const auto as_of = second(*rc::gen::inRange(0, 9));
    RC_ASSERT(answers_of(*store, as_of) == answers_of(*memory, as_of));
  });
}

INSTANTIATE_TEST_SUITE_P(All, WithdrawalContract, ::testing::ValuesIn(backends()), name_of);

class DurableWithdrawalContract : public WithdrawalContract {};

TEST_P(DurableWithdrawalContract, EventsOutliveTheProcess) {
  const auto delivery = delivery_of(1, 1, {"A 2019-01-01 60 1"});
  auto store = open();
  expect_loaded(*store, {delivery});
  expect_added(*store, delivery, withdrawn_at(10));
  store.reopen();
  EXPECT_EQ(totals_of(*store), "\n");
  EXPECT_THAT(store->delivery(delivery.delivery.id).value()->events, ElementsAre(withdrawn_at(10)));
  expect_added(*store, delivery, restored_at(20));
  store.reopen();
  EXPECT_EQ(totals_of(*store), "A 2019-01-01 consumption/consumption/kWh 1 of 1/1 a1 s0 e0 @1#1\n");
  EXPECT_EQ(totals_of(*store, second(10)), "\n");
}

std::vector<Backend> durable_backends() {
  auto all = backends();
  std::erase_if(all, [](const Backend& backend) { return backend.kept == Kept::in_memory; });
  return all;
}

INSTANTIATE_TEST_SUITE_P(OnDisk, DurableWithdrawalContract, ::testing::ValuesIn(durable_backends()),
                         name_of);

}  // namespace
}  // namespace meterline::store
