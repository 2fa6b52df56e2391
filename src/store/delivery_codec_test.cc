#include "store/delivery_codec.h"

#include <gtest/gtest.h>

namespace meterline::store {
namespace {

DeliveryRecord example() {
  DeliveryRecord record;
  record.delivery = {.id = *DeliveryId::parse("00112233445566778899aabbccddeeff"),
                     .source = "/data/a.csv",
                     .content = {1, 2, 3},
                     .bytes = 77,
                     .delivered_at = {-5},
                     .unit = Unit::kWh};
  record.report = {
      .state = DeliveryState::refused,
      .reason = "why",
      .format = "wide-csv",
      .rows = {.read = 3, .stored = 1, .repeated = 1, .rejected = 1},
      .readings = {.read = 144, .stored = 40, .missing = 8, .repeated = 48, .rejected = 48},
      .finding_counts = {1, 2, 3},
      .findings = {{.line = 4, .column = 2, .text = "t", .excerpt = "e"}}};
  return record;
}

TEST(DeliveryCodec, ReadsBackWhatWasWritten) {
  const auto record = example();
  const auto back = decode_delivery(encode_delivery(record.delivery, record.report));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, record);
}

TEST(DeliveryCodec, EveryCutOffRecordIsRefused) {
  const auto record = example();
  const auto bytes = encode_delivery(record.delivery, record.report);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_delivery(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(decode_delivery(bytes + 'x'));
}

}  // namespace
}  // namespace meterline::store
