#include "store/packed_read.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>

#include "testing/register_reads.h"

namespace meterline::store {
namespace {

using meterline::testing::any_read;
using meterline::testing::read_of;

RegisterRead place_of(const RegisterRead& read) {
  return {.meter = read.meter, .of = read.of, .current = {.time = {.at = read.current.time.at}}};
}

RC_GTEST_PROP(PackedRead, IsReadBackAsItWas, ()) {
  const auto read = *any_read();
  std::string packed;
  pack_read(read, packed);
  auto back = place_of(read);
  RC_ASSERT(unpack_read(packed, back).has_value());
  RC_ASSERT(back == read);
  std::ostringstream was, is;
  was << read;
  is << back;
  RC_ASSERT(is.str() == was.str());  // Decimals with their exponents.
  RC_ASSERT(packed.size() <= packed_read_bytes_max);
}

RC_GTEST_PROP(PackedRead, DamagedBytesAreAnErrorOrAnotherRead, ()) {
  const auto read = *any_read();
  std::string packed;
  pack_read(read, packed);
  auto damaged = packed.substr(0, *rc::gen::inRange<std::size_t>(0, packed.size() + 1));
  if (!damaged.empty())
    damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] = *rc::gen::arbitrary<char>();
  auto back = place_of(read);
  const auto unpacked = unpack_read(damaged, back);
  if (!unpacked) {
    RC_ASSERT(unpacked.error().code == Errc::corrupt);
    return;
  }
  RC_ASSERT(!fault_of(back));
}

TEST(PackedRead, StandsByteForByteAsDocumented) {
  auto read = read_of("A 2019-10-01T00:00:00+10:00 1234.5");
  read.current.note = {.flag = "E", .method = "62"};
  read.current.quality = Quality::estimated;
  read.previous = read_of("A 2019-09-30T23:59:59.9999+10:00 1200").current;
  read.counted = Decimal{.mantissa = 345, .exponent = -1};
  std::string packed;
  pack_read(read, packed);
  const unsigned char expected[] = {0x01, 0x03,                                //
                                    0xb0, 0x09, 0x0e, 0xf2, 0xc0, 0x01, 0x01,  //
                                    0x01, 'E',  0x02, '6',  '2',  0x00, 0x00,  //
                                    0x64, 0xb0, 0x09, 0x04, 0xe0, 0x12, 0x00,  //
                                    0xb2, 0x05, 0x01};
  EXPECT_EQ(packed, std::string(std::begin(expected), std::end(expected)));
}

TEST(PackedRead, ANewerFormatIsRefused) {
  auto read = read_of("A 2019-10-01T00:00:00Z 1");
  std::string packed;
  pack_read(read, packed);
  packed[0] = 2;
  EXPECT_FALSE(unpack_read(packed, read));
  EXPECT_FALSE(unpack_read("", read));
}

}  // namespace
}  // namespace meterline::store
