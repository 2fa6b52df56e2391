#include "core/delivery_event.h"

#include <gtest/gtest.h>

#include <vector>

namespace meterline {
namespace {

DeliveryEvent event(std::int64_t micros, DeliveryEventKind kind, std::string who = "ann") {
  return {.at = {micros}, .kind = kind, .who = std::move(who), .reason = "sent twice"};
}

using Kind = DeliveryEventKind;

TEST(DeliveryEvent, TheLastOneUpToATimeDecides) {
  EXPECT_FALSE(is_withdrawn({}));
  const std::vector<DeliveryEvent> events = {event(10, Kind::withdrawn), event(20, Kind::restored),
                                             event(30, Kind::withdrawn)};
  EXPECT_FALSE(is_withdrawn(events, {9}));
  EXPECT_TRUE(is_withdrawn(events, {10})) << "that time included";
  EXPECT_TRUE(is_withdrawn(events, {19}));
  EXPECT_FALSE(is_withdrawn(events, {20}));
  EXPECT_FALSE(is_withdrawn(events, {29}));
  EXPECT_TRUE(is_withdrawn(events, {30}));
  EXPECT_TRUE(is_withdrawn(events));
}

TEST(DeliveryEvent, AtTheSameTimeTheWithdrawalHolds) {
  EXPECT_LT(event(10, Kind::restored, "zoe"), event(10, Kind::withdrawn, "ann"));
  EXPECT_LT(event(10, Kind::withdrawn), event(11, Kind::restored));
  EXPECT_LT(event(10, Kind::withdrawn, "ann"), event(10, Kind::withdrawn, "zoe"));
}

}  // namespace
}  // namespace meterline
