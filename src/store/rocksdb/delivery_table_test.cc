#include "store/rocksdb/delivery_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace meterline::store::rocksdb {
namespace {

constexpr std::uint32_t many = 1000;  // More than fit into the first chunks.

Delivery delivery(std::uint32_t number) {
  Delivery made;
  made.id.bytes[0] = static_cast<std::uint8_t>(number);
  made.id.bytes[1] = static_cast<std::uint8_t>(number >> 8);
  made.delivered_at.micros = number;
  return made;
}

TEST(DeliveryTable, ADeliveryKeepsItsNumber) {
  DeliveryTable table;
  EXPECT_EQ(table.find(0), nullptr);
  for (int again = 0; again < 2; ++again)
    for (std::uint32_t i = 0; i < many; ++i) ASSERT_EQ(table.number_of(delivery(i)), i);
  for (std::uint32_t i = 0; i < many; ++i) {
    ASSERT_EQ(table.find(i)->id, delivery(i).id);
    ASSERT_EQ(table.find(i)->version, delivery(i).version());
  }
  EXPECT_EQ(table.find(many), nullptr);
  EXPECT_EQ(table.find(UINT32_MAX), nullptr);
}

TEST(DeliveryTable, IsRestoredWithItsGaps) {
  DeliveryTable table;
  for (const std::uint32_t number : {5U, 6U, 900U}) {
    const auto bytes =
        DeliveryTable::encode({.id = delivery(number).id, .version = delivery(number).version()});
    ASSERT_TRUE(table.restore(number, bytes));
    EXPECT_FALSE(table.restore(number, bytes)) << "not ascending";
    EXPECT_FALSE(table.restore(number + 1, bytes.substr(1))) << "cut off";
  }
  EXPECT_EQ(table.find(4), nullptr);
  EXPECT_EQ(table.find(6)->id, delivery(6).id);
  EXPECT_EQ(table.find(899), nullptr);
  EXPECT_EQ(table.number_of(delivery(5)), 5U);
  EXPECT_EQ(table.number_of(delivery(7)), 901U);
  EXPECT_FALSE(table.restore(100'000'000, DeliveryTable::encode({.id = {}, .version = {}})))
      << "more than there may be";
}

TEST(DeliveryTable, IsReadWhileItGrows) {
  DeliveryTable table;
  std::atomic<std::uint32_t> known = 0;
  std::thread reader([&] {
    while (known.load() < many)
      for (std::uint32_t i = known.load(); i-- > 0;)
        ASSERT_EQ(table.find(i)->version.stated.micros, i);
  });
  for (std::uint32_t i = 0; i < many; ++i) {
    table.number_of(delivery(i));
    known = i + 1;
  }
  reader.join();
}

}  // namespace
}  // namespace meterline::store::rocksdb
