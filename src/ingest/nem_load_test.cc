// Files of NEM12 and NEM13, which name their own units, on their way into a store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ingest/ingest.h"
#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::ingest {
namespace {

source::Incoming incoming(const std::string& text) {
  const auto kept = std::make_shared<const std::string>(text);
  return {.source = "a.csv",
          .delivered_at = testing::second(1),
          .bytes = text.size(),
          .open = [kept]() -> Result<std::unique_ptr<source::ByteSource>> {
            return source::make_memory_source(*kept);
          }};
}

std::string nem12() {
  std::string text = "100,NEM12,202501271200,MDP1,RET1\n200,NMI1,E1,1,E1,N1,M,KWH,30,\n";
  text += "300,20250126";
  for (int slot = 0; slot < 48; ++slot) text += ",1.5";
  return text + ",A,,,20250127101112,\n900\n";
}

TEST(NemLoad, AFileThatNamesItsUnitsNeedsNoOther) {
  const auto store = store::make_memory_store();
  const auto record = load(incoming(nem12()), *store, {.unit = {}, .threads = 1});
  EXPECT_EQ(record.report.state, DeliveryState::stored) << record.report.reason;
  EXPECT_EQ(record.delivery.unit, Unit::unknown);
  EXPECT_EQ(store->default_unit().value(), std::nullopt) << "nobody named one for other files";
  EXPECT_EQ(store->meter(*MeterId::parse("NMI1")).value()->channels.at(0).channel.unit, Unit::kWh);
}

}  // namespace
}  // namespace meterline::ingest
