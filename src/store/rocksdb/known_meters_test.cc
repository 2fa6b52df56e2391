#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "store/rocksdb/meters.h"

namespace meterline::store::rocksdb {
namespace {

std::string value_of(const std::set<Channel>& channels) {
  const std::vector<Channel> ascending(channels.begin(), channels.end());
  std::string value;
  write_meter_channels(ascending, value);
  return value;
}

std::set<Channel> any_channels() {
  std::set<Channel> channels;
  const int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i)
    channels.insert({.name = *rc::gen::element<std::string>("a", "ab", "b-1"),
                     .flow = *rc::gen::element(Flow::consumption, Flow::generation),
                     .unit = *rc::gen::element(Unit::Wh, Unit::kWh)});
  return channels;
}

TEST(KnownMeters, KnowsWhatItWasToldUpToItsLimit) {
  KnownMeters known;
  EXPECT_FALSE(known.has("A"));
  std::vector<std::string> entries;
  for (std::size_t i = 0; i <= KnownMeters::entries_max; ++i) entries.push_back(std::to_string(i));
  known.add(entries);
  EXPECT_TRUE(known.has("0"));
  EXPECT_FALSE(known.has(entries.back()));
}

TEST(KnownMeters, ChannelsComeAscendingAndOnce) {
  KnownMeters known;
  EXPECT_TRUE(known.channels()->empty());
  known.add_channels(std::vector<Channel>{{.name = "b"}, {.name = "a"}});
  known.add_channels(std::vector<Channel>{{.name = "b"}});
  EXPECT_EQ(*known.channels(), (std::vector<Channel>{{.name = "a"}, {.name = "b"}}));
}

TEST(MeterChannels, StandByteForByteAsDocumented) {
  EXPECT_EQ(value_of({{.name = "in", .flow = Flow::generation, .unit = Unit::kWh}}),
            std::string("\x01\x05in\x00\x01\x02", 7));
}

RC_GTEST_PROP(MeterChannels, MergingIsUnionInAnyOrder, ()) {
  const auto a = any_channels();
  const auto b = any_channels();
  auto all = a;
  all.insert(b.begin(), b.end());
  const auto left = value_of(a);
  const auto right = value_of(b);
  std::string merged;
  RC_ASSERT(merge_meter_channels(std::vector<std::string_view>{left, right}, merged).has_value());
  RC_ASSERT(merged == value_of(all));
  RC_ASSERT(
      merge_meter_channels(std::vector<std::string_view>{right, left, left}, merged).has_value());
  RC_ASSERT(merged == value_of(all));
  std::vector<Channel> read;
  RC_ASSERT(read_meter_channels(merged, read).has_value());
  RC_ASSERT(std::set<Channel>(read.begin(), read.end()) == all);
}

RC_GTEST_PROP(MeterChannels, AnyBytesAreReadOrRefused, (std::string bytes)) {
  if (!bytes.empty()) bytes[0] = static_cast<char>(meter_channels_format);
  const std::vector<char> exact(bytes.begin(), bytes.end());  // A sanitizer sees its end.
  std::vector<Channel> read;
  if (!read_meter_channels({exact.data(), exact.size()}, read)) return;
  std::string written;
  write_meter_channels(read, written);
  RC_ASSERT(written == bytes);
}

}  // namespace
}  // namespace meterline::store::rocksdb
