// What every Store must tell of the deliveries that it took in.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/contract_test.h"
#include "store/packed_day.h"
#include "testing/store_days.h"

namespace meterline::store {
namespace {

using meterline::testing::day_of;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::second;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DeliveryContract : public StoreContract {};

std::vector<int> numbers_of(const Result<std::vector<DeliveryRecord>>& records) {
  std::vector<int> numbers;
  for (const auto& record : records.value()) numbers.push_back(record.delivery.id.bytes[0]);
  return numbers;
}

TEST_P(DeliveryContract, DeliveriesPageFromTheLatest) {
  const auto store = open();
  Deliveries deliveries;
  for (const auto& [seconds, number] : {std::pair{3, 1}, {1, 2}, {2, 9}, {2, 4}, {-5, 5}})
    deliveries.push_back(
        delivery_of(seconds, static_cast<std::uint8_t>(number), {"A 2019-01-01 60 1"}));
  deliveries[1].delivery.source = deliveries[0].delivery.source = "/in/same.csv";
  expect_loaded(*store, deliveries);
  const auto page = [&](std::optional<std::string> source, int after, std::size_t limit) {
    DeliveriesQuery query{.source = std::move(source), .after = {}, .limit = limit};
    if (after != 0) query.after.emplace().bytes[0] = static_cast<std::uint8_t>(after);
    return numbers_of(store->deliveries(query));
  };
  EXPECT_THAT(page({}, 0, 100), ElementsAre(1, 9, 4, 2, 5));
  EXPECT_THAT(page({}, 0, 2), ElementsAre(1, 9));
  EXPECT_THAT(page({}, 9, 2), ElementsAre(4, 2));
  EXPECT_THAT(page({}, 5, 2), IsEmpty());
  EXPECT_THAT(page({}, 0, 0), IsEmpty());
  EXPECT_THAT(page("/in/same.csv", 0, 100), ElementsAre(1, 2));
  EXPECT_THAT(page("/in/same.csv", 0, 1), ElementsAre(1));
  EXPECT_THAT(page("/in/same.csv", 1, 1), ElementsAre(2));
  EXPECT_THAT(page("/in/same", 0, 100), IsEmpty());
}

TEST_P(DeliveryContract, DeliveriesPageFromTheOneReceivedLast) {
  const auto store = open();
  Deliveries deliveries;
  for (const auto& [seconds, number] : {std::pair{3, 1}, {1, 2}, {2, 9}, {2, 4}, {9, 5}}) {
    auto& delivery = deliveries.emplace_back(
        delivery_of(seconds, static_cast<std::uint8_t>(number), {"A 2019-01-01 60 1"}));
    delivery.delivery.delivered_at = second(-seconds);
  }
  deliveries[1].delivery.source = deliveries[0].delivery.source = "/in/same.csv";
  expect_loaded(*store, deliveries);
  const auto page = [&](int received_after, int after, std::size_t limit,
                        std::optional<std::string> source = {}) {
    DeliveriesQuery query{.source = std::move(source),
                          .received_after = second(received_after),
                          .after = {},
                          .limit = limit};
    if (after != 0) query.after.emplace().bytes[0] = static_cast<std::uint8_t>(after);
    return numbers_of(store->deliveries(query));
  };
  EXPECT_THAT(page(0, 0, 100), ElementsAre(5, 1, 9, 4, 2));
  EXPECT_THAT(page(1, 0, 100), ElementsAre(5, 1, 9, 4));
  EXPECT_THAT(page(0, 5, 2), ElementsAre(1, 9));
  EXPECT_THAT(page(2, 1, 2), IsEmpty());
  EXPECT_THAT(page(9, 0, 2), IsEmpty());
  EXPECT_THAT(page(0, 0, 100, "/in/same.csv"), ElementsAre(1, 2));

  // Begun again: what was received first is listed no more.
  deliveries[0].delivery.received_at = second(4);
  ASSERT_TRUE(load(*store, deliveries[0]));
  EXPECT_THAT(page(0, 0, 100), ElementsAre(5, 1, 9, 4, 2));
  EXPECT_THAT(page(3, 0, 100), ElementsAre(5, 1));
}

TEST_P(DeliveryContract, ARecordTellsWhichDaysItsDeliveryBrought) {
  const auto store = open();
  ASSERT_TRUE(load(*store, delivery_of(1, 1, {})));
  ASSERT_TRUE(load(*store, delivery_of(2, 2,
                                       {"B 2019-01-31 60 1", "A 2018-12-31 60 1",
                                        "A 2019-01-01 60 1", "AA 2019-01-01 60 1"})));
  const auto days = [&](std::uint8_t number) {
    DeliveryId id;
    id.bytes[0] = number;
    return store->delivery(id).value().value().days;
  };
  EXPECT_EQ(days(1), DeliveredDays());
  const DateRange dates{.from = *Date::parse("2018-12-31"), .to = *Date::parse("2019-01-31")};
  EXPECT_EQ(days(2), (DeliveredDays{.dates = dates,
                                    .meters = 3,
                                    .meter_ids = {*MeterId::parse("A"), *MeterId::parse("AA"),
                                                  *MeterId::parse("B")}}));
}

/// Each delivery of those stored together has its own; one of many meters names none.
TEST_P(DeliveryContract, RecordsOfDeliveriesStoredTogetherTellTheirOwnDays) {
  const auto store = open();
  const auto one = delivery_of(1, 1, {});
  const auto many = delivery_of(2, 2, {});
  const std::vector<Delivery> deliveries = {one.delivery, many.delivery};
  const auto writer = store->write(deliveries).value();
  const auto day = day_of("M 2019-01-01 60 1");
  const Channel channel = day.channel;
  std::string packed;
  pack_day(day, packed);
  const auto add = [&](const MeterId& meter, const char* date, std::size_t delivery) {
    ASSERT_TRUE(writer->add({.meter = meter,
                             .channel = channel,
                             .date = *Date::parse(date),
                             .packed = packed,
                             .delivery = delivery}));
  };
  for (std::size_t i = 0; i <= delivered_meters_max; ++i) {
    const auto meter = *MeterId::parse(fmt::format("M{:04}", i));
    if (i == 7) add(meter, "2019-01-01", 0);
    add(meter, "2019-01-02", 1);
    if (i == 7) add(meter, "2019-01-03", 0);
  }
  ASSERT_TRUE(writer->commit(std::vector<DeliveryReport>(2)));
  const auto of_one = store->delivery(one.delivery.id).value().value().days;
  EXPECT_EQ(of_one.meters, 1);
  EXPECT_THAT(of_one.meter_ids, ElementsAre(*MeterId::parse("M0007")));
  EXPECT_EQ(of_one.dates->size(), 3);
  const auto of_many = store->delivery(many.delivery.id).value().value().days;
  EXPECT_EQ(of_many.meters, static_cast<std::int64_t>(delivered_meters_max) + 1);
  EXPECT_THAT(of_many.meter_ids, IsEmpty());
  EXPECT_EQ(of_many.dates->size(), 1);
}

TEST_P(DeliveryContract, ARefusedDeliveryIsKeptWithItsReason) {
  const auto store = open();
  auto refused = delivery_of(1, 1, {});
  refused.report.state = DeliveryState::refused;
  refused.report.reason = "line 1: no column named `Date`";
  refused.report.finding_counts[1] = 7;
  refused.report.findings = {{.line = 3,
                              .column = 2,
                              .code = FindingCode::bad_date,
                              .text = "wanted yyyy-MM-dd",
                              .excerpt = "01/02/2019"}};
  expect_loaded(*store, {refused});
  EXPECT_THAT(store->meters({.prefix = ""}).value(), IsEmpty());
  const auto record = store->delivery(refused.delivery.id).value();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->delivery, refused.delivery);
  EXPECT_EQ(record->report, refused.report);
  EXPECT_THAT(store->deliveries({.source = {}, .after = {}}).value(), ElementsAre(*record));
}

TEST_P(DeliveryContract, ALaterCommitReplacesTheReport) {
  const auto store = open();
  auto delivery = delivery_of(1, 1, {"A 2019-01-01 60 1"});
  delivery.report.state = DeliveryState::refused;
  expect_loaded(*store, {delivery});
  delivery.report.state = DeliveryState::stored;
  delivery.report.readings.stored = 24;
  delivery.delivery.delivered_at = second(2);
  expect_loaded(*store, {delivery});
  DeliveryRecord expected{.delivery = delivery.delivery, .report = delivery.report};
  const auto date = *Date::parse("2019-01-01");
  expected.days = {.dates = DateRange{.from = date, .to = date},
                   .meters = 1,
                   .meter_ids = {*MeterId::parse("A")}};
  EXPECT_EQ(store->delivery(delivery.delivery.id).value(), expected);
  EXPECT_THAT(store->deliveries({.source = {}, .after = {}}).value(), ElementsAre(expected));
}

INSTANTIATE_TEST_SUITE_P(All, DeliveryContract, ::testing::ValuesIn(backends()), name_of);

}  // namespace
}  // namespace meterline::store
