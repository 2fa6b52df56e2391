#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/ingest.h"
#include "source/byte_source.h"
#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::ingest {
namespace {

/// How many files are open, and how many were at once.
struct Opened {
  int now = 0;
  int most = 0;
};

class CountedFile final : public source::ByteSource {
 public:
  CountedFile(std::string text, Opened& opened)
      : text_(std::move(text)), bytes_(source::make_memory_source(text_)), opened_(opened) {
    opened_.most = std::max(opened_.most, ++opened_.now);
  }
  ~CountedFile() override { --opened_.now; }
  CountedFile(const CountedFile&) = delete;
  CountedFile& operator=(const CountedFile&) = delete;
  Result<std::size_t> read(std::span<char> into) override { return bytes_->read(into); }

 private:
  const std::string text_;
  const std::unique_ptr<source::ByteSource> bytes_;
  Opened& opened_;
};

/// Each open file takes a descriptor and buffers, and a group has a hundred files.
TEST(LoadGroup, HasOneFileOpenAtATime) {
  Opened opened;
  std::vector<source::Incoming> files;
  for (const std::string name : {"a", "b", "c", "d"}) {
    const std::string text = "Meter,Date,0:00,1:00\n" + name + ",2019-01-01,1,2\n";
    files.push_back({.source = name + ".csv",
                     .delivered_at = testing::second(1),
                     .bytes = text.size(),
                     .open = [text, &opened]() -> Result<std::unique_ptr<source::ByteSource>> {
                       return std::make_unique<CountedFile>(text, opened);
                     }});
  }
  const auto store = store::make_memory_store();
  const IngestOptions one_thread = {.unit = Unit::kWh, .threads = 1};
  int stored = 0;
  load_all(files, *store, one_thread, {}, [&](const store::DeliveryRecord& record) {
    stored += record.report.state == DeliveryState::stored ? 1 : 0;
  });
  EXPECT_EQ(stored, 4);
  EXPECT_EQ(opened.most, 1);
  EXPECT_EQ(opened.now, 0);
}

}  // namespace
}  // namespace meterline::ingest
