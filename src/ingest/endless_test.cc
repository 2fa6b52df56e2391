#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>

#include "ingest/file_reader.h"
#include "ingest/ingest.h"
#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::ingest {
namespace {

using ::testing::HasSubstr;

const IngestOptions one_thread = {.unit = Unit::kWh, .threads = 1};

/// Begins with `head`, and then nearly never ends.
source::Incoming endless(std::string head, std::uint64_t& bytes_read) {
  class Endless final : public source::ByteSource {
   public:
    Endless(std::string head, std::uint64_t& bytes) : head_(std::move(head)), bytes_(bytes) {}
    Result<std::size_t> read(std::span<char> into) override {
      if (bytes_ > std::uint64_t{64} << 20) return std::size_t{0};
      const auto from_head = head_.substr(std::min<std::size_t>(bytes_, head_.size()));
      const auto count = from_head.empty() ? into.size() : std::min(into.size(), from_head.size());
      std::fill_n(into.begin(), count, '\0');
      std::copy_n(from_head.begin(), std::min(count, from_head.size()), into.begin());
      bytes_ += count;
      return count;
    }

   private:
    const std::string head_;
    std::uint64_t& bytes_;
  };
  return {.source = "pipe",
          .delivered_at = testing::second(1),
          .bytes = std::nullopt,
          .open = [&bytes_read, head]() -> Result<std::unique_ptr<source::ByteSource>> {
            return std::make_unique<Endless>(head, bytes_read);
          }};
}

TEST(Ingest, EndlessInputThatIsRefusedIsNotReadOn) {
  for (const std::string head : {"", "<html>\n", "Date,0:00\n", "\x1f\x8b\x08"}) {
    const auto store = store::make_memory_store();
    std::uint64_t bytes_read = 0;
    const auto record = load(endless(head, bytes_read), *store, one_thread);
    EXPECT_EQ(record.report.state, DeliveryState::refused) << head;
    EXPECT_THAT(record.report.reason, HasSubstr("; it was not read to its end, so no record"));
    EXPECT_LT(bytes_read, 2U << 20) << head;
    EXPECT_TRUE(store->deliveries({})->empty());
  }
}

/// Few bytes may expand to many: the file itself may have been read long before.
TEST(Ingest, AFileIsStoppedBetweenItsPieces) {
  std::atomic<bool> stop = false;
  class StoppedAtOnce final : public source::ByteSource {
   public:
    explicit StoppedAtOnce(std::atomic<bool>& stop) : stop_(stop) {}
    Result<std::size_t> read(std::span<char> into) override {
      ++reads;
      stop_ = true;
      std::fill_n(into.begin(), into.size(), '\n');
      return reads < 100 ? into.size() : std::size_t{0};
    }
    int reads = 0;

   private:
    std::atomic<bool>& stop_;
  };
  ChannelTable channels;
  RowMemory memory;
  RowSorter days({}, memory);
  RowSorter reads({}, memory);
  FileContent content(10);
  FileReader reader({.source = "a", .unit = Unit::kWh, .stop = &stop}, {channels, days, reads},
                    content);
  StoppedAtOnce bytes(stop);
  const auto read = reader.read("Meter,Date,0:00,1:00\n", bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::cancelled);
  EXPECT_EQ(bytes.reads, 1);
}

TEST(Ingest, ARefusedPipeThatEndsIsRemembered) {
  const auto store = store::make_memory_store();
  const source::Incoming piped{
      .source = "pipe", .delivered_at = testing::second(1), .bytes = std::nullopt, .open = [] {
        return Result<std::unique_ptr<source::ByteSource>>(
            source::make_memory_source("Date,0:00\n"));
      }};
  EXPECT_EQ(load(piped, *store, one_thread).report.state, DeliveryState::refused);
  EXPECT_EQ(store->deliveries({})->size(), 1U);
}

}  // namespace
}  // namespace meterline::ingest
