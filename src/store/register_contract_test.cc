// What every Store must do with register reads; contract_test.h lists the backends.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "store/check.h"
#include "store/contract_test.h"
#include "store/packed_day.h"
#include "store/register_reads.h"
#include "testing/register_reads.h"

namespace meterline::store {
namespace {

using meterline::testing::any_read;
using meterline::testing::delivery_of;
using meterline::testing::in_order;
using meterline::testing::load_reads;
using meterline::testing::read_of;
using meterline::testing::reads_of;
using meterline::testing::second;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RegisterContract : public StoreContract {};
class DurableRegisterContract : public StoreContract {};

Delivery of_second(std::int64_t seconds, std::uint8_t number) {
  return delivery_of(seconds, number, {}).delivery;
}

std::vector<std::string> newest_of(const Store& store, const ReadsQuery& query) {
  std::vector<std::string> lines;
  const auto read = read_newest_registers(store, query, [&](const StoredRead& stored) {
    lines.push_back(fmt::format("{} {} {}", stored.read.current.time.text(),
                                stored.read.of.channel.name, stored.read.current.value->text()));
    return Result<void>();
  });
  if (!read) lines.push_back(read.error().message);
  return lines;
}

std::vector<std::string> meters_of(const Store& store) {
  std::vector<std::string> lines;
  const auto infos = store.meters({.prefix = "", .after = {}, .limit = 100}).value();
  for (const auto& info : infos)
    lines.push_back(fmt::format("{} {}{}", info.meter.text(), info.channels.size(),
                                info.has_reads ? " reads" : ""));
  return lines;
}

TEST_P(RegisterContract, KeepsEveryPartOfARead) {
  const auto store = open();
  auto read = read_of("A 2019-10-01T00:00:00+10:00 1234.50");
  read.current.note = {.flag = "S", .method = "62", .reason_code = "7", .reason_text = "seen"};
  read.current.quality = Quality::substituted;
  read.previous = read_of("A 2019-07-01T00:00:00+10:00 1200").current;
  read.counted = Decimal{.mantissa = 345, .exponent = -1};
  read.next_read = date_of("2020-01-01");
  read.stated = second(5);
  ASSERT_TRUE(load_reads(*store, of_second(9, 1), {read}));
  EXPECT_THAT(
      reads_of(*store, meter_of("A")),
      ElementsAre("A 11/consumption/kWh|1|M1 2019-10-01T00:00:00+10:00 1234.5 substituted "
                  "S 62 7 seen after 2019-07-01T00:00:00+10:00 1200 actual counted 34.5 "
                  "next 2020-01-01 stated 1970-01-01T00:00:05Z @1970-01-01T00:00:05Z/"
                  "1970-01-01T00:00:09Z#" +
                  fmt::format("{} {}", of_second(9, 1).version().tie, of_second(9, 1).id.text())));
}

TEST_P(RegisterContract, IsNeverADayAndInNoTotal) {
  const auto store = open();
  ASSERT_TRUE(load_reads(*store, of_second(1, 1), {read_of("A 2019-10-01T00:00:00Z 5")}));
  expect_loaded(*store, {delivery_of(2, 2, {"B 2019-10-01 60 1x24"})});
  const auto none = [](const auto&) -> Result<void> { return fail(Errc::corrupt, "a day"); };
  EXPECT_TRUE(store->read_days({.meter = meter_of("A"), .dates = ever()}, none));
  EXPECT_THAT(store->channels(meter_of("A")).value(), IsEmpty());
  int totals = 0;
  ASSERT_TRUE(store->read_day_totals({.dates = ever()}, [&](const DayTotal& total) {
    EXPECT_EQ(total.meter, meter_of("B"));
    ++totals;
    return Result<void>();
  }));
  EXPECT_EQ(totals, 1);
}

TEST_P(RegisterContract, MetersAreKnownByTheirReads) {
  const auto store = open();
  ASSERT_TRUE(load_reads(*store, of_second(1, 1),
                         {read_of("A 2019-10-01T00:00:00Z 5"), read_of("C 2019-10-01T00:00:00Z 5"),
                          read_of("A1 2019-10-01T00:00:00Z 5")}));
  expect_loaded(*store, {delivery_of(2, 2, {"B 2019-10-01 60 1x24", "C 2019-10-01 60 1x24"})});
  EXPECT_THAT(meters_of(*store), ElementsAre("A 0 reads", "A1 0 reads", "B 1", "C 1 reads"));
  EXPECT_TRUE(store->meter(meter_of("A")).value()->has_reads);
  EXPECT_FALSE(store->meter(meter_of("B")).value()->has_reads);
  EXPECT_FALSE(store->meter(meter_of("D")).value());
  // In pages of one, and by prefix.
  MetersQuery query{.prefix = "", .after = {}, .limit = 1};
  std::string pages;
  for (;;) {
    const auto page = store->meters(query).value();
    if (page.empty()) break;
    pages += page.front().meter.text() + ' ';
    query.after = page.front().meter;
  }
  EXPECT_EQ(pages, "A A1 B C ");
  EXPECT_EQ(store->meters({.prefix = "A", .after = {}, .limit = 9}).value().size(), 2U);
}

TEST_P(RegisterContract, TheNewestVersionOfEachRegisterAndTimeCounts) {
  const auto store = open();
  ASSERT_TRUE(load_reads(*store, of_second(3, 1),
                         {read_of("A 2019-10-01T00:00:00Z 5"), read_of("A 2019-11-01T00:00:00Z 9"),
                          read_of("A 2019-10-01T00:00:00Z 1 41/generation/kWh"),
                          read_of("A1 2019-10-01T00:00:00Z 8")}));
  ASSERT_TRUE(load_reads(*store, of_second(2, 2), {read_of("A 2019-10-01T00:00:00Z 4")}));
  EXPECT_THAT(newest_of(*store, all_reads_of(meter_of("A"))),
              ElementsAre("2019-10-01T00:00:00Z 11 5", "2019-10-01T00:00:00Z 41 1",
                          "2019-11-01T00:00:00Z 11 9"));
  auto query = all_reads_of(meter_of("A"));
  query.as_of = second(2);
  EXPECT_THAT(newest_of(*store, query), ElementsAre("2019-10-01T00:00:00Z 11 4"));
}

TEST_P(RegisterContract, AStatedTimeOrdersBeforeTheDelivery) {
  const auto store = open();
  auto late = read_of("A 2019-10-01T00:00:00Z 5");
  late.stated = second(1);
  ASSERT_TRUE(load_reads(*store, of_second(9, 1), {late}));
  ASSERT_TRUE(load_reads(*store, of_second(2, 2), {read_of("A 2019-10-01T00:00:00Z 4")}));
  EXPECT_THAT(newest_of(*store, all_reads_of(meter_of("A"))),
              ElementsAre("2019-10-01T00:00:00Z 11 4"));
}

TEST_P(RegisterContract, ARangeIncludesBothEnds) {
  const auto store = open();
  ASSERT_TRUE(
      load_reads(*store, of_second(1, 1),
                 {read_of("A 1960-01-01T00:00:00Z 1"), read_of("A 2019-10-01T00:00:00Z 2"),
                  read_of("A 2019-10-01T00:00:01Z 3"), read_of("A 2019-10-02T00:00:00+10:00 4")}));
  const auto at = [](std::string_view text) { return *Instant::parse(text); };
  EXPECT_THAT(newest_of(*store, {.meter = meter_of("A"),
                                 .from = at("2019-10-01T00:00:00Z"),
                                 .to = at("2019-10-01T00:00:01Z")}),
              ElementsAre("2019-10-01T00:00:00Z 11 2", "2019-10-01T00:00:01Z 11 3"));
  EXPECT_THAT(newest_of(*store, {.meter = meter_of("A"),
                                 .from = at("2019-10-01T00:00:01Z"),
                                 .to = at("2019-10-01T00:00:00Z")}),
              IsEmpty());
  EXPECT_EQ(newest_of(*store, all_reads_of(meter_of("A"))).size(), 4U);
}

TEST_P(RegisterContract, WhatIsWithdrawnDoesNotCount) {
  const auto store = open();
  const auto first = of_second(1, 1);
  const auto last = of_second(2, 2);
  ASSERT_TRUE(load_reads(*store, first, {read_of("A 2019-10-01T00:00:00Z 5")}));
  ASSERT_TRUE(load_reads(*store, last, {read_of("A 2019-10-01T00:00:00Z 6")}));
  const auto all = all_reads_of(meter_of("A"));
  const auto event = [](std::int64_t at, DeliveryEventKind kind) {
    return DeliveryEvent{.at = second(at), .kind = kind, .who = "me", .reason = "wrong"};
  };
  ASSERT_TRUE(store->add_event(last.id, event(5, DeliveryEventKind::withdrawn)));
  EXPECT_THAT(newest_of(*store, all), ElementsAre("2019-10-01T00:00:00Z 11 5"));
  EXPECT_EQ(reads_of(*store, meter_of("A")).size(), 2U);
  auto before = all;
  before.as_of = second(4);
  EXPECT_THAT(newest_of(*store, before), ElementsAre("2019-10-01T00:00:00Z 11 6"));
  ASSERT_TRUE(store->add_event(first.id, event(6, DeliveryEventKind::withdrawn)));
  EXPECT_THAT(newest_of(*store, all), IsEmpty());
  EXPECT_FALSE(store->meter(meter_of("A")).value());
  EXPECT_THAT(meters_of(*store), IsEmpty());
  EXPECT_EQ(
      store->meters({.prefix = "", .limit = 9, .withdrawn = Withdrawn::counted}).value().size(),
      1U);
  EXPECT_EQ(check_store(*store)->damage_count, 0);
  ASSERT_TRUE(store->add_event(last.id, event(7, DeliveryEventKind::restored)));
  EXPECT_THAT(newest_of(*store, all), ElementsAre("2019-10-01T00:00:00Z 11 6"));
  EXPECT_THAT(meters_of(*store), ElementsAre("A 0 reads"));
}

TEST_P(RegisterContract, ReadsMustBeAddedInAscendingOrder) {
  const auto store = open();
  const auto refused = [&](std::string_view first, std::string_view second, std::size_t delivery) {
    const auto writer = store->write(of_second(1, 1)).value();
    EXPECT_TRUE(writer->add(read_of(first), 0));
    const auto added = writer->add(read_of(second), delivery);
    return !added && added.error().code == Errc::invalid_argument;
  };
  EXPECT_TRUE(refused("A 2019-10-01T00:00:00Z 1", "A 2019-10-01T00:00:00Z 2", 0));
  EXPECT_TRUE(refused("A 2019-10-02T00:00:00Z 1", "A 2019-10-01T00:00:00Z 1", 0));
  EXPECT_TRUE(refused("B 2019-10-01T00:00:00Z 1", "A 2019-10-02T00:00:00Z 1", 0));
  EXPECT_TRUE(refused("A 2019-10-01T00:00:00Z 1", "A 2019-10-02T00:00:00Z 1", 1));
  EXPECT_FALSE(refused("A 2019-10-01T00:00:00Z 1", "A 2019-10-02T00:00:00Z 1", 0));
}

TEST_P(RegisterContract, ADroppedWriterIsNotListed) {
  const auto store = open();
  {
    const auto writer = store->write(of_second(1, 1)).value();
    ASSERT_TRUE(writer->add(read_of("A 2019-10-01T00:00:00Z 1"), 0));
  }
  EXPECT_FALSE(store->delivery(of_second(1, 1).id).value());
  ASSERT_TRUE(load_reads(*store, of_second(1, 1), {read_of("A 2019-10-01T00:00:00Z 1")}));
  EXPECT_EQ(reads_of(*store, meter_of("A")).size(), 1U);
}

TEST_P(RegisterContract, AnErrorOfTheVisitorEndsTheReading) {
  const auto store = open();
  ASSERT_TRUE(
      load_reads(*store, of_second(1, 1),
                 {read_of("A 2019-10-01T00:00:00Z 1"), read_of("A 2019-10-02T00:00:00Z 1")}));
  int visited = 0;
  const auto read = store->read_registers(all_reads_of(meter_of("A")), [&](const StoredRead&) {
    ++visited;
    return Result<void>(fail(Errc::cancelled, "enough"));
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "enough");
  EXPECT_EQ(visited, 1);
}

/// More than goes into one batch of any store.
TEST_P(RegisterContract, ManyReadsOfManyMetersBesideDays) {
  const auto store = open();
  std::vector<RegisterRead> reads;
  for (int meter = 0; meter < 300; ++meter)
    for (int day = 0; day < 60; ++day) {
      auto read = read_of(fmt::format("M{:03} 2019-10-01T00:00:00Z {}", meter, day));
      read.current.time.at.micros += std::int64_t{86'400'000'000} * day;
      read.current.note.reason_text = std::string(40, 'x');
      reads.push_back(std::move(read));
    }
  const auto writer = store->write(of_second(1, 1)).value();
  const auto day = meterline::testing::day_of("M000 2019-01-01 60 1x24");
  std::string packed;
  pack_day(day, packed);
  ASSERT_TRUE(writer->add(
      {.meter = day.meter, .channel = day.channel, .date = day.date, .packed = packed}));
  for (const auto& read : reads) ASSERT_TRUE(writer->add(read, 0));
  ASSERT_FALSE(writer->add(
      {.meter = day.meter, .channel = day.channel, .date = day.date.next(), .packed = packed}));
  DeliveryReport report;
  report.rows.read = report.rows.stored = std::ssize(reads) + 1;
  report.register_reads.read = report.register_reads.stored = std::ssize(reads);
  report.readings.read = report.readings.stored = 24;
  ASSERT_TRUE(writer->commit(report));
  EXPECT_EQ(reads_of(*store, meter_of("M000")).size(), 60U);
  EXPECT_EQ(reads_of(*store, meter_of("M299")).size(), 60U);
  EXPECT_EQ(store->meters({.prefix = "", .after = {}, .limit = 1000}).value().size(), 300U);
  const auto checked = check_store(*store);
  EXPECT_EQ(checked->register_reads, std::ssize(reads));
  EXPECT_THAT(checked->damage, IsEmpty());
}

struct AnyDelivery {
  Delivery delivery;
  std::vector<RegisterRead> reads;
};

std::vector<std::string> naive_reads(const std::vector<AnyDelivery>& deliveries,
                                     const MeterId& meter, Instant as_of) {
  using Place = std::tuple<Instant, MeterRegister>;
  std::map<Place, std::vector<std::pair<Version, std::string>>> places;
  for (const auto& [delivery, reads] : deliveries)
    for (const auto& read : in_order(reads)) {
      if (read.meter != meter || delivery.received_at > as_of) continue;
      const auto version = read.version(delivery.version());
      std::ostringstream line;
      line << read << " @" << version << ' ' << delivery.id;
      places[{read.current.time.at, read.of}].emplace_back(version, line.str());
    }
  std::vector<std::string> lines;
  for (auto& [place, versions] : places) {
    std::sort(versions.rbegin(), versions.rend());
    for (const auto& [version, line] : versions) lines.push_back(line);
  }
  return lines;
}

TEST_P(RegisterContract, AnyOrderIsReadAsTheNaiveModelReadsIt) {
  const bool passed = rc::check([&] {
    const auto drafts = *rc::gen::resize(
        4, rc::gen::container<std::vector<std::vector<RegisterRead>>>(
               rc::gen::resize(8, rc::gen::container<std::vector<RegisterRead>>(any_read()))));
    std::vector<AnyDelivery> deliveries;
    for (const auto& reads : drafts) {
      const auto number = static_cast<std::uint8_t>(1 + deliveries.size());
      auto delivery = of_second(*rc::gen::inRange<std::int64_t>(1, 4), number);
      delivery.received_at.micros += *rc::gen::inRange<std::int64_t>(0, 3) * 1'000'000;
      deliveries.push_back({.delivery = delivery, .reads = reads});
    }
    const auto store = open();
    auto order = deliveries;
    if (*rc::gen::arbitrary<bool>()) std::reverse(order.begin(), order.end());
    if (!order.empty()) order.push_back(order.front());
    for (const auto& each : order)
      RC_ASSERT(load_reads(*store, each.delivery, each.reads).has_value());
    for (const auto* meter : {"A", "A1", "B."})
      for (const auto as_of : {second(2), second(3), Instant::end_of_time()})
        RC_ASSERT(reads_of(*store, meter_of(meter), as_of) ==
                  naive_reads(deliveries, meter_of(meter), as_of));
    RC_ASSERT(check_store(*store)->damage.empty());
  });
  EXPECT_TRUE(passed);
}

TEST_P(DurableRegisterContract, ReadsOutliveTheProcess) {
  auto store = open();
  ASSERT_TRUE(load_reads(*store, of_second(1, 1), {read_of("A 2019-10-01T00:00:00Z 5")}));
  const auto before = reads_of(*store, meter_of("A"));
  store.reopen();
  EXPECT_EQ(reads_of(*store, meter_of("A")), before);
  EXPECT_THAT(meters_of(*store), ElementsAre("A 0 reads"));
}

std::vector<Backend> durable_backends() {
  auto all = backends();
  std::erase_if(all, [](const Backend& backend) { return backend.kept == Kept::in_memory; });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Registers, RegisterContract, ::testing::ValuesIn(backends()), name_of);
INSTANTIATE_TEST_SUITE_P(Registers, DurableRegisterContract,
                         ::testing::ValuesIn(durable_backends()), name_of);

}  // namespace
}  // namespace meterline::store
