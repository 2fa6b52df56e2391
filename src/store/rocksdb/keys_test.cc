#include "store/rocksdb/keys.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <tuple>

namespace meterline::store::rocksdb {
namespace {

MeterId any_meter() {
  const auto text = *rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::element('A', 'Z', 'a', '0', '9', '_', '-', '.', ':')));
  return *MeterId::parse(std::string_view(text).substr(0, meter_id_chars_max));
}

Channel any_channel() {
  return {.name = *rc::gen::element<std::string>("B1", "E1", "E11", "consumption"),
          .flow = *rc::gen::element(Flow::consumption, Flow::generation),
          .unit = *rc::gen::element(Unit::unknown, Unit::Wh, Unit::kWh)};
}

Month any_month() { return {.index = *rc::gen::inRange<std::uint16_t>(0, 3600)}; }

RC_GTEST_PROP(Keys, OrderAsTheirParts, ()) {
  const auto meter_a = any_meter(), meter_b = any_meter();
  const auto channel_a = any_channel(), channel_b = any_channel();
  const auto month_a = any_month(), month_b = any_month();
  std::string a, b;
  days_key(meter_a, month_a, channel_a, a);
  days_key(meter_b, month_b, channel_b, b);
  const bool is_same_month = meter_a == meter_b && month_a == month_b;
  if (is_same_month)
    RC_ASSERT((a == b) == (channel_a == channel_b));
  else
    RC_ASSERT((a < b) == (std::tie(meter_a, month_a) < std::tie(meter_b, month_b)));
  RC_ASSERT(days_key_start(meter_a, month_a) < a);
  RC_ASSERT(a < days_key_end(meter_a));
  totals_key(meter_a, month_a, channel_a, a);
  totals_key(meter_b, month_b, channel_b, b);
  if (is_same_month)
    RC_ASSERT((a == b) == (channel_a == channel_b));
  else
    RC_ASSERT((a < b) == (std::tie(month_a, meter_a) < std::tie(month_b, meter_b)));
}

RC_GTEST_PROP(Keys, ReadBackAsTheirParts, ()) {
  const auto meter = any_meter();
  const auto channel = any_channel();
  const auto month = any_month();
  std::string key;
  days_key(meter, month, channel, key);
  const auto days = parse_days_key(key);
  RC_ASSERT(days && days->meter == meter.text() && days->month == month &&
            days->channel == channel);
  totals_key(meter, month, channel, key);
  const auto totals = parse_totals_key(key);
  RC_ASSERT(totals && totals->meter == meter.text() && totals->month == month &&
            totals->channel == channel);
}

RC_GTEST_PROP(Keys, AnyBytesAreReadOrRefused, (std::string bytes)) {
  parse_days_key(bytes);
  parse_totals_key(bytes);
  id_of_index_key(bytes);
}

TEST(Keys, TheLatestDeliveryComesFirst) {
  const Delivery early{.id = {{1}}, .source = "s", .delivered_at = {-5}, .received_at = {9}};
  const Delivery late{.id = {{1}}, .source = "s", .delivered_at = {7}, .received_at = {8}};
  const Delivery greater{.id = {{2}}, .source = "s", .delivered_at = {7}, .received_at = {8}};
  EXPECT_LT(time_key(late), time_key(early));
  EXPECT_LT(time_key(greater), time_key(late));
  EXPECT_LT(receipt_key(early), receipt_key(late));
  EXPECT_LT(receipt_key(greater), receipt_key(late));
  EXPECT_LT(source_key(late), source_key(early));
  EXPECT_EQ(id_of_index_key(receipt_key(greater)), greater.id);
}

}  // namespace
}  // namespace meterline::store::rocksdb
