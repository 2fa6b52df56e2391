#include "source/packer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "source/byte_source.h"
#include "source/expand.h"

namespace meterline::source {
namespace {

/// What can be read of packed bytes: up to their end, or to where they are cut off.
struct Unpacked {
  std::string text;
  bool is_whole = false;
};

Unpacked unpacked(std::string_view packed) {
  auto content = expand(make_memory_source(packed));
  if (!content) return {};
  Unpacked all;
  std::string piece(1000, '\0');
  for (;;) {
    const auto count = content->bytes->read(piece);
    if (!count) return all;
    all.is_whole = *count == 0;
    if (all.is_whole) return all;
    all.text.append(piece, 0, *count);
  }
}

/// Lines that differ from each other, as those of tables do.
std::string lines(std::size_t bytes) {
  std::string text;
  for (std::uint32_t number = 1; text.size() < bytes; number = number * 1'103'515'245 + 12'345)
    text += "EX00027,consumption," + std::to_string(number >> 16) + '\n';
  text.resize(bytes);
  return text;
}

class PackerTest : public ::testing::TestWithParam<Packing> {};

TEST_P(PackerTest, WhatIsPackedCanBeUnpacked) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, pack_step_bytes - 1,
                                  pack_step_bytes, 3 * pack_step_bytes, 3 * pack_step_bytes + 1}) {
    const auto text = lines(bytes);
    const auto whole = packed(GetParam(), text).value();
    const auto back = unpacked(whole);
    EXPECT_TRUE(back.is_whole) << bytes;
    EXPECT_TRUE(back.text == text) << bytes;
    EXPECT_LT(whole.size(), 64 + bytes / 2) << bytes;
  }
}

TEST_P(PackerTest, EachStepIsHandedOverAndCanBeReadAtOnce) {
  std::vector<std::string> pieces;
  const auto packer = Packer::make(GetParam(), [&](std::string_view piece) -> Result<void> {
                        pieces.emplace_back(piece);
                        return {};
                      }).value();
  const auto text = lines(3 * pack_step_bytes + 7);
  constexpr std::size_t drip = 1000;
  std::string sent;
  for (std::size_t at = 0; at < text.size(); at += drip) {
    ASSERT_TRUE(packer->add(std::string_view(text).substr(at, drip)));
    const auto steps = std::min(at + drip, text.size()) / pack_step_bytes;
    ASSERT_EQ(pieces.size(), steps);
  }
  for (std::size_t step = 1; step <= 3; ++step) {
    sent += pieces[step - 1];
    const auto back = unpacked(sent);
    EXPECT_FALSE(back.is_whole);
    EXPECT_TRUE(back.text == text.substr(0, step * pack_step_bytes)) << step;
  }
  ASSERT_TRUE(packer->finish());
  ASSERT_EQ(pieces.size(), 4U);
  EXPECT_TRUE(unpacked(sent + pieces.back()).text == text);
}

TEST_P(PackerTest, WhatDoesNotGetShorterIsWholeAllTheSame) {
  std::string text;
  for (std::uint32_t number = 1; text.size() < 1'000'000; number = number * 1'664'525 + 1'013)
    text += static_cast<char>(number >> 24);
  EXPECT_TRUE(unpacked(packed(GetParam(), text).value()).text == text);
}

TEST_P(PackerTest, AnErrorOfTheSinkEndsIt) {
  const auto packer = Packer::make(GetParam(), [](std::string_view) -> Result<void> {
                        return fail(Errc::unavailable, "full");
                      }).value();
  EXPECT_TRUE(packer->add("a"));
  EXPECT_EQ(packer->add(lines(pack_step_bytes)).error().message, "full");
}

INSTANTIATE_TEST_SUITE_P(All, PackerTest, ::testing::Values(Packing::gzip, Packing::zstd),
                         [](const auto& each) { return std::string(text_of(each.param)); });

TEST(Packing, HasAName) {
  for (const auto packing : {Packing::gzip, Packing::zstd})
    EXPECT_EQ(parse_packing(text_of(packing)), packing);
  for (const std::string_view other : {"", "GZIP", "gz", "br", "none"})
    EXPECT_EQ(parse_packing(other), std::nullopt) << other;
}

}  // namespace
}  // namespace meterline::source
