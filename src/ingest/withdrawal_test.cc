#include "ingest/withdrawal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::ingest {
namespace {

using testing::delivery_of;
using ::testing::HasSubstr;
using testing::second;
using Kind = DeliveryEventKind;

class Withdrawal : public ::testing::Test {
 protected:
  DeliveryId load(std::int64_t seconds, std::uint8_t number, const std::string& source = "/in/a") {
    auto delivery = delivery_of(seconds, number, {"A 2019-01-01 60 1"});
    delivery.delivery.source = source;
    if (!testing::load(*store_, delivery)) throw std::runtime_error("load");
    return delivery.delivery.id;
  }
  Result<WithdrawalAnswer> ask(const DeliveryId& id, Kind kind, std::int64_t seconds,
                               const std::string& reason = "wrong") {
    return withdraw(
        *store_,
        {.delivery = id, .kind = kind, .now = second(seconds), .who = "ann", .reason = reason});
  }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
};

TEST_F(Withdrawal, IsKeptOnceHoweverOftenItIsAskedFor) {
  const auto id = load(1, 1);
  EXPECT_FALSE(ask(id, Kind::restored, 4, "").value().changed);
  const auto answer = ask(id, Kind::withdrawn, 5).value();
  EXPECT_TRUE(answer.changed);
  EXPECT_TRUE(answer.record.is_withdrawn());
  EXPECT_EQ(store_->delivery(id).value(), answer.record);
  const auto again = ask(id, Kind::withdrawn, 6, "another reason").value();
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.record, answer.record);
  EXPECT_TRUE(ask(id, Kind::restored, 7, "").value().changed);
  EXPECT_EQ(testing::totals_of(*store_, second(6)), "\n");
  EXPECT_NE(testing::totals_of(*store_), "\n");
}

TEST_F(Withdrawal, IsLaterThanAllBeforeWhateverTheClockSays) {
  const auto id = load(1, 1);
  ASSERT_TRUE(ask(id, Kind::withdrawn, 100));
  const auto back = ask(id, Kind::restored, 50, "").value();
  EXPECT_EQ(back.record.events.back().at, Instant{second(100).micros + 1});
  EXPECT_FALSE(store_->delivery(id).value()->is_withdrawn());
}

TEST_F(Withdrawal, RefusesWhatCannotBe) {
  const auto id = load(1, 1);
  EXPECT_EQ(ask({}, Kind::withdrawn, 5).error().code, Errc::not_found);
  EXPECT_EQ(ask(id, Kind::withdrawn, 5, "").error().code, Errc::invalid_argument);
  EXPECT_EQ(ask(id, Kind::withdrawn, 5, "two\nlines").error().code, Errc::invalid_argument);
  EXPECT_EQ(ask(id, Kind::withdrawn, 5, std::string(1001, 'r')).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(withdraw(*store_, {.delivery = id, .now = second(5), .who = "", .reason = "wrong"})
                .error()
                .code,
            Errc::invalid_argument);
  auto refused = delivery_of(1, 2, {});
  refused.report.state = DeliveryState::refused;
  ASSERT_TRUE(testing::load(*store_, refused));
  EXPECT_THAT(ask(refused.delivery.id, Kind::withdrawn, 5).error().message,
              HasSubstr("nothing to withdraw"));
  EXPECT_TRUE(store_->deliveries({.only = store::DeliveriesOf::withdrawn}).value().empty());
}

TEST_F(Withdrawal, ASourceMeansItsLatestThatCanBe) {
  std::vector<DeliveryId> ids;
  for (std::uint8_t number = 1; number <= 120; ++number) ids.push_back(load(number, number));
  load(500, 200, "/in/b");
  const auto meant = [&](Kind kind) { return delivery_of_source(*store_, "/in/a", kind); };
  EXPECT_EQ(meant(Kind::restored).error().code, Errc::not_found);
  for (std::size_t i = ids.size(); i-- > 0;) {
    EXPECT_EQ(meant(Kind::withdrawn).value(), ids[i]);
    ASSERT_TRUE(ask(ids[i], Kind::withdrawn, 600));
    EXPECT_EQ(meant(Kind::restored).value(), ids.back());
  }
  EXPECT_EQ(meant(Kind::withdrawn).error().code, Errc::not_found);
}

}  // namespace
}  // namespace meterline::ingest
