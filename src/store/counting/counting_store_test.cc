#include "store/counting/counting_store.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "store/packed_day.h"
#include "testing/store_days.h"

namespace meterline::store::counting {
namespace {

TEST(CountingStore, CountsNothingAtFirst) {
  const auto estimate = make_counting_store(nullptr)->estimate();
  EXPECT_EQ(estimate.reading_days, 0);
  EXPECT_FALSE(estimate.dates);
  EXPECT_FALSE(estimate.servers);
}

TEST(CountingStore, CountsWhatIsCommittedAndKeepsNothing) {
  const auto store = make_counting_store(nullptr);
  const auto first = testing::delivery_of(1, 1, {"A 2019-01-02 60 5x24", "B 2018-12-31 60 5x24"});
  const auto second = testing::delivery_of(2, 2, {"A 2019-03-01 60 5x24"});
  ASSERT_TRUE(testing::load(*store, first));
  ASSERT_TRUE(testing::load(*store, second));
  const auto estimate = store->estimate();
  EXPECT_EQ(estimate.reading_days, 3);
  EXPECT_EQ(estimate.meters, 2);
  EXPECT_EQ(estimate.dates->from.text() + estimate.dates->to.text(), "2018-12-312019-03-01");
  EXPECT_EQ(estimate.packed_bytes, 3 * 9);
  EXPECT_EQ(testing::answers_of(*store), testing::answers_of(*make_counting_store(nullptr)));
}

TEST(CountingStore, WhatWasNotCommittedDoesNotCount) {
  const auto store = make_counting_store(nullptr);
  const auto delivery = testing::delivery_of(1, 1, {"A 2019-01-02 60 5x24"});
  ASSERT_TRUE(testing::load_piece(*store, delivery, 1));
  EXPECT_EQ(store->estimate().reading_days, 0);
  EXPECT_EQ(store->estimate().meters, 0);
}

RC_GTEST_PROP(CountingStore, AgreesWithAPlainCount, ()) {
  const auto deliveries = *testing::any_deliveries();
  const auto store = make_counting_store(nullptr);
  std::set<std::string> meters;
  std::int64_t days = 0;
  std::int64_t bytes = 0;
  for (const auto& delivery : deliveries) {
    RC_ASSERT(testing::load(*store, delivery).has_value());
    for (const auto& day : delivery.days) {
      std::string packed;
      pack_day(day, packed);
      bytes += static_cast<std::int64_t>(packed.size());
      meters.insert(day.meter.text());
      ++days;
    }
  }
  const auto estimate = store->estimate();
  RC_ASSERT(estimate.reading_days == days);
  RC_ASSERT(estimate.packed_bytes == bytes);
  RC_ASSERT(estimate.meters == static_cast<std::int64_t>(meters.size()));
}

/// Prices every day at a hundred units.
class HundredEach final : public Pricing {
 public:
  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery>) override {
    class Writer final : public DeliveryWriter {
     public:
      explicit Writer(WriteCost& cost) : cost_(cost) {}
      Result<void> add(const DayToStore& day) override {
        if (day.meter.text() == "LONG") return fail(Errc::too_large, "too many channels");
        ++cost_.rows;
        cost_.units += 100;
        return {};
      }
      Result<void> add(const RegisterRead&, std::size_t) override { return {}; }
      using DeliveryWriter::commit;
      Result<void> commit(std::span<const DeliveryReport>) override { return {}; }

     private:
      WriteCost& cost_;
    };
    return std::make_unique<Writer>(cost_);
  }
  WriteCost cost() const override { return cost_; }

 private:
  WriteCost cost_;
};

TEST(CountingStore, AsksThePricingAndHandsItsErrorsOn) {
  const auto store = make_counting_store(std::make_unique<HundredEach>());
  ASSERT_TRUE(testing::load(*store, testing::delivery_of(1, 1, {"A 2019-01-02 60 5x24"})));
  EXPECT_EQ(store->estimate().servers, (WriteCost{.rows = 1, .units = 100}));
  const auto refused =
      testing::load(*store, testing::delivery_of(1, 2, {"LONG 2019-01-02 60 5x24"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "too many channels");
  EXPECT_EQ(store->estimate().reading_days, 1);
}

}  // namespace
}  // namespace meterline::store::counting
