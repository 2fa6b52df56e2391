#include "store/visible/visible_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "query/changes.h"
#include "query/consumption.h"
#include "query/history.h"
#include "query/portfolio.h"
#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::store::visible {
namespace {

using ::meterline::testing::delivery_of;
using ::meterline::testing::load;
using ::meterline::testing::TestDelivery;
using ::meterline::testing::totals_of;

MeterFilter filter_of(const std::vector<std::string>& patterns) {
  return MeterFilter::parse(patterns).value();
}

/// The same without the days of other meters.
TestDelivery only(TestDelivery delivery, const MeterFilter& filter) {
  std::erase_if(delivery.days, [&](const ReadingDay& day) { return !filter.admits(day.meter); });
  return delivery;
}

std::vector<std::string> names_of(const std::vector<MeterInfo>& infos) {
  std::vector<std::string> names;
  names.reserve(infos.size());
  for (const auto& info : infos) names.push_back(info.meter.text());
  return names;
}

RC_GTEST_PROP(VisibleStore, IsAStoreThatNeverHadTheOthers, ()) {
  const auto deliveries = *meterline::testing::any_deliveries();
  const auto filter = filter_of(
      *rc::gen::elementOf(std::vector<std::vector<std::string>>{{"A"}, {"A*"}, {"B", "C"}, {}}));
  const auto whole = make_memory_store();
  const auto own = make_memory_store();
  for (const auto& delivery : deliveries) {
    RC_ASSERT(load(*whole, delivery));
    RC_ASSERT(load(*own, only(delivery, filter)));
  }
  VisibleStore visible(*whole, filter);
  RC_ASSERT(totals_of(visible) == totals_of(*own));
  RC_ASSERT(visible.meters({.limit = 100}).value() == own->meters({.limit = 100}).value());
}

class Visible : public ::testing::Test {
 protected:
  Visible() {
    EXPECT_TRUE(
        load(*whole_, delivery_of(1, 1, {"A1 2019-01-01 60 1x24", "B1 2019-01-01 60 2x24"})));
    EXPECT_TRUE(load(*whole_, delivery_of(2, 2, {"A2 2019-01-01 60 4x24"})));
    EXPECT_TRUE(load(*whole_, delivery_of(3, 3, {"B2 2019-01-01 60 8x24"})));
  }
  std::unique_ptr<Store> whole_ = make_memory_store();
  MeterFilter filter_ = filter_of({"A*"});
  VisibleStore visible_{*whole_, filter_};
  const MeterId foreign_ = *MeterId::parse("B1");
  const DateRange day_{.from = *Date::parse("2019-01-01"), .to = *Date::parse("2019-01-01")};
};

TEST_F(Visible, ListsPagesOfItsMetersOnly) {
  EXPECT_THAT(names_of(visible_.meters({.limit = 9}).value()), ::testing::ElementsAre("A1", "A2"));
  EXPECT_THAT(names_of(visible_.meters({.limit = 1}).value()), ::testing::ElementsAre("A1"));
  EXPECT_THAT(names_of(visible_.meters({.after = *MeterId::parse("A1"), .limit = 9}).value()),
              ::testing::ElementsAre("A2"));
  EXPECT_THAT(names_of(visible_.meters({.prefix = "A2", .limit = 9}).value()),
              ::testing::ElementsAre("A2"));
  EXPECT_THAT(names_of(visible_.meters({.prefix = "B", .limit = 9}).value()), ::testing::IsEmpty());
  EXPECT_THAT(visible_.meters({.only = foreign_}).value(), ::testing::IsEmpty());
  EXPECT_THAT(visible_.channels(foreign_).value(), ::testing::IsEmpty());
}

TEST_F(Visible, ListsNamesAndBeginningsInTheirOrder) {
  const auto filter = filter_of({"B2", "A2*", "B1", "Z"});
  const VisibleStore visible(*whole_, filter);
  EXPECT_THAT(names_of(visible.meters({.limit = 9}).value()),
              ::testing::ElementsAre("A2", "B1", "B2"));
  EXPECT_THAT(names_of(visible.meters({.after = *MeterId::parse("B1"), .limit = 9}).value()),
              ::testing::ElementsAre("B2"));
}

TEST_F(Visible, WithholdsWhatADeliverySaysOfOthers) {
  const auto seen = visible_.deliveries({.limit = 9}).value();
  ASSERT_EQ(seen.size(), 2);
  EXPECT_EQ(seen[0].days.meter_ids.size(), 1);
  EXPECT_NE(seen[0].delivery.source, "withheld");
  EXPECT_EQ(seen[1].delivery.source, "withheld");
  EXPECT_EQ(seen[1].delivery.bytes, 0);
  EXPECT_THAT(seen[1].days.meter_ids, ::testing::ElementsAre(*MeterId::parse("A1")));
  const auto all = whole_->deliveries({.limit = 9}).value();
  EXPECT_FALSE(visible_.delivery(all.front().delivery.id).value());
  EXPECT_EQ(visible_.deliveries({.limit = 1}).value().size(), 1);
}

TEST_F(Visible, TakesNoDaysOfOthers) {
  const auto own = delivery_of(5, 5, {"A3 2019-01-01 60 1x24"});
  EXPECT_TRUE(load(visible_, own));
  EXPECT_FALSE(visible_.has_refused());
  for (const std::string meter : {"B1", "C9"}) {  // Whether it is known makes no difference.
    const auto refused = load(visible_, delivery_of(6, 6, {meter + " 2019-01-01 60 1x24"}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
  }
  EXPECT_TRUE(visible_.has_refused());
  EXPECT_FALSE(visible_.add_event(own.delivery.id, {.at = {}, .who = "ann", .reason = "x"}));
}

TEST_F(Visible, TakesNothingOut) {
  const auto before = totals_of(*whole_);
  const std::vector<MeterId> meters = {*MeterId::parse("A1")};
  const std::vector<std::string> marks = {"mark"};
  for (const Amendment& amendment :
       {Amendment{.at = {}, .before = Date::max()}, Amendment{.at = {}, .meters = meters},
        Amendment{.at = {}, .erased = marks}, Amendment{.at = {}, .allowed = marks}}) {
    const auto refused = visible_.amend(amendment);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
  }
  EXPECT_EQ(totals_of(*whole_), before);
  EXPECT_EQ(whole_->settings().value(), StoreSettings());
}

TEST_F(Visible, AnswersForeignMetersLikeUnknownOnes) {
  for (const std::string meter : {"B1", "Z9"}) {
    const auto id = *MeterId::parse(meter);
    EXPECT_EQ(query::consumption(visible_, {.meter = id, .dates = day_}).error().code,
              Errc::not_found);
    EXPECT_EQ(query::history(visible_, {.meter = id, .date = day_.from}).error().code,
              Errc::not_found);
    EXPECT_FALSE(query::daily_sum(visible_, id, day_.from).value());
    EXPECT_TRUE(query::changes(visible_, {.since = {}, .meter = id}).value().days.empty());
  }
  EXPECT_EQ(query::portfolio(visible_, {.dates = day_}).value().channels.front().total.meters, 2);
  EXPECT_EQ(query::changes(visible_, {.since = {}}).value().days.size(), 2);
}

}  // namespace
}  // namespace meterline::store::visible
