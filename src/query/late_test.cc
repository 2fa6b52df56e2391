#include "query/late.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;
using meterline::testing::second;

class LateMeters : public ::testing::Test {
 protected:
  DeliveryId load_days(std::int64_t seconds, const std::vector<std::string>& days) {
    const auto delivery = delivery_of(seconds, ++number_, days);
    must(load(*store_, delivery));
    return delivery.delivery.id;
  }
  std::string ask(const LateQuestion& asked) const {
    const auto answer = late(*store_, asked);
    if (!answer) return answer.error().message;
    std::string out;
    for (const auto& meter : answer->meters) {
      out += (out.empty() ? "" : ", ") + meter.meter.text();
      for (const auto& channel : meter.channels)
        out += fmt::format(" {} {}", channel.channel.name, channel.last.text());
    }
    return out + (answer->next ? " | " + answer->next->text() : "");
  }
  std::string since_day(std::string_view day) const { return ask({.since = *Date::parse(day)}); }
  std::string since_second(std::int64_t seconds) const { return ask({.since = second(seconds)}); }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  std::uint8_t number_ = 0;
};

TEST_F(LateMeters, HaveNoDayAsLateAsThat) {
  load_days(1, {"A 2024-05-01 60 1x24", "B 2024-05-01 60 1x24", "B 2024-05-03 60 1x24",
                "C 2024-05-02 60 1x24", "C 2024-05-04 B1/generation/kWh 60 1x24"});
  EXPECT_EQ(since_day("2024-05-01"), "");
  EXPECT_EQ(since_day("2024-05-02"), "A consumption 2024-05-01");
  EXPECT_EQ(since_day("2024-05-04"), "A consumption 2024-05-01, B consumption 2024-05-03");
  EXPECT_EQ(since_day("2024-05-05"),
            "A consumption 2024-05-01, B consumption 2024-05-03, "
            "C B1 2024-05-04 consumption 2024-05-02");
  EXPECT_EQ(ask({.since = *Date::parse("2024-05-03"), .flow = Flow::consumption}),
            "A consumption 2024-05-01, C consumption 2024-05-02");
  EXPECT_EQ(ask({.since = *Date::parse("2024-05-05"), .channel = "B1"}), "C B1 2024-05-04");
}

TEST_F(LateMeters, HaveReceivedNothingSince) {
  load_days(1, {"A 2024-05-01 60 1x24", "B 2024-05-01 60 1x24", "C 2024-05-01 60 1x24"});
  load_days(3, {"A 2020-05-01 60 1x24"});
  const auto taken_back = load_days(5, {"B 2024-05-01 60 2x24"});
  EXPECT_EQ(since_second(0), "");
  EXPECT_EQ(since_second(1), "C consumption 2024-05-01");
  EXPECT_EQ(since_second(3), "A consumption 2024-05-01, C consumption 2024-05-01");
  EXPECT_EQ(since_second(5),
            "A consumption 2024-05-01, B consumption 2024-05-01, C consumption 2024-05-01");
  must(store_->add_event(taken_back, {.at = second(6), .who = "ann", .reason = "wrong"}));
  EXPECT_EQ(since_second(3),
            "A consumption 2024-05-01, B consumption 2024-05-01, C consumption 2024-05-01");
}

TEST_F(LateMeters, AreAskedForByChannel) {
  load_days(1, {"A 2024-05-01 60 1x24", "A 2024-05-01 B1/generation/kWh 60 1x24"});
  load_days(3, {"A 2024-05-02 60 1x24"});
  EXPECT_EQ(since_second(2), "");
  EXPECT_EQ(ask({.since = second(2), .flow = Flow::generation}), "A B1 2024-05-01");
  EXPECT_EQ(ask({.since = second(2), .flow = Flow::consumption}), "");
}

TEST_F(LateMeters, OfDeliveriesThatNameNoMeters) {
  std::vector<std::string> first;
  std::vector<std::string> many;
  for (int i = 0; i <= static_cast<int>(store::delivered_meters_max); ++i) {
    first.push_back(fmt::format("M{:04} 2024-05-01 60 1x24", i));
    if (i != 7) many.push_back(fmt::format("M{:04} 2024-05-02 60 1x24", i));
  }
  many.push_back("N 2024-05-02 60 1x24");
  load_days(1, first);
  load_days(3, many);
  EXPECT_EQ(since_second(2), "M0007 consumption 2024-05-01");
  EXPECT_EQ(since_second(0), "");
}

TEST_F(LateMeters, ComeInPages) {
  std::vector<std::string> days;
  for (const char* meter : {"A", "B", "C", "D", "E"})
    days.push_back(fmt::format("{} 2024-05-01 60 1x24", meter));
  days.push_back("C 2024-06-01 60 1x24");
  load_days(1, days);
  LateQuestion asked{.since = *Date::parse("2024-05-15"), .limit = 2};
  EXPECT_EQ(ask(asked), "A consumption 2024-05-01, B consumption 2024-05-01 | B");
  asked.after = *MeterId::parse("B");
  EXPECT_EQ(ask(asked), "D consumption 2024-05-01, E consumption 2024-05-01");
  asked.limit = 1;
  EXPECT_EQ(ask(asked), "D consumption 2024-05-01 | D");
  asked.since = second(0);
  EXPECT_EQ(ask(asked), "");
  asked.since = second(1);
  EXPECT_EQ(ask(asked), "C consumption 2024-06-01 | C");
}

TEST_F(LateMeters, WithRegisterReadsOnlyHaveNoDays) {
  auto delivery = delivery_of(1, 1, {});
  must(meterline::testing::load_reads(
      *store_, delivery.delivery,
      {meterline::testing::read_of("A 2024-05-01T00:00:00+10:00 1 11/consumption/kWh")}));
  EXPECT_EQ(since_day("2030-01-01"), "");
  EXPECT_EQ(since_second(9), "");
}

TEST_F(LateMeters, NamesOfOrders) {
  EXPECT_EQ(parse_late_by("day"), LateBy::day);
  EXPECT_EQ(parse_late_by("receipt"), LateBy::receipt);
  EXPECT_FALSE(parse_late_by("Day"));
}

}  // namespace
}  // namespace meterline::query
