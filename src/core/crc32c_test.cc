#include "core/crc32c.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace meterline {
namespace {

/// RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
TEST(Crc32c, IsThatOfTheStandard) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
}

std::uint32_t bit_by_bit(std::string_view bytes) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

RC_GTEST_PROP(Crc32c, GrowsWithWhatComes, (const std::string& first, const std::string& more)) {
  RC_ASSERT(crc32c(first + more) == bit_by_bit(first + more));
  RC_ASSERT(crc32c(more, crc32c(first)) == crc32c(first + more));
}

}  // namespace
}  // namespace meterline
