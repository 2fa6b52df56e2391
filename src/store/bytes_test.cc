#include "store/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

namespace meterline::store {
namespace {

RC_GTEST_PROP(Bytes, GiveBackWhatWasWrittenAndAreZeroBehindTheirEnd,
              (std::uint8_t byte, std::uint64_t varint, std::int64_t number,
               const std::string& sized, const std::array<char, 3>& raw)) {
  std::string bytes;
  ByteWriter out(bytes);
  out.byte(byte);
  out.varint(varint);
  out.number(number);
  out.sized(sized);
  out.raw(raw);
  ByteReader in(bytes);
  RC_ASSERT(in.byte() == byte);
  RC_ASSERT(in.varint() == varint);
  RC_ASSERT(in.number() == number);
  RC_ASSERT(in.sized() == sized);
  RC_ASSERT(in.bytes(raw.size()) == std::string_view(raw.data(), raw.size()));
  RC_ASSERT(in.ok() && in.at_end());

  // A buffer of its own, so that reading past its end is seen.
  const std::string cut = bytes.substr(0, *rc::gen::inRange<std::size_t>(0, bytes.size()));
  ByteReader short_in(cut);
  short_in.byte();
  short_in.varint();
  short_in.number();
  short_in.sized();
  short_in.bytes(raw.size());
  RC_ASSERT(!short_in.ok());
  RC_ASSERT(short_in.byte() == 0 && short_in.number() == 0 && short_in.sized().empty());
}

TEST(Bytes, MoreThanTheMostIsAFailure) {
  ByteReader in(
      "\x05\x02"
      "ab");
  EXPECT_EQ(in.varint(5), 5U);
  EXPECT_EQ(in.sized(1), "");
  EXPECT_FALSE(in.ok());
  EXPECT_TRUE(in.at_end());
}

}  // namespace
}  // namespace meterline::store
