#include "access/digest.h"

#include <gtest/gtest.h>

namespace meterline::access {
namespace {

TEST(Digest, IsThatOfTheStandards) {  // FIPS 180-4 and RFC 4231, case 2.
  EXPECT_EQ(hex_of(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digest, IsReadAsItIsWritten) {
  const auto digest = sha256("abc");
  EXPECT_EQ(parse_digest(hex_of(digest)), digest);
  EXPECT_TRUE(is_same(digest, sha256("abc")));
  EXPECT_FALSE(is_same(digest, sha256("abd")));
  EXPECT_FALSE(parse_digest("ba78"));
  EXPECT_FALSE(parse_digest(std::string(63, '0') + "g"));
  EXPECT_FALSE(parse_digest(std::string(63, '0') + "A"));
}

TEST(Digest, ReadsBase64urlAndNothingElse) {
  EXPECT_EQ(from_base64url(""), "");
  EXPECT_EQ(from_base64url("Zg"), "f");
  EXPECT_EQ(from_base64url("Zm9vYmE"), "fooba");
  EXPECT_EQ(from_base64url("-_8"), "\xfb\xff");
  for (const std::string_view wrong : {"Z", "Zg==", "Zh", "Zm9=", "Z g", "+/8", "Zm9vY"})
    EXPECT_FALSE(from_base64url(wrong)) << wrong;
}

TEST(Digest, MakesRandomTextsThatDiffer) {
  const auto one = random_hex(32).value();
  EXPECT_EQ(one.size(), 64);
  EXPECT_NE(one, random_hex(32).value());
}

}  // namespace
}  // namespace meterline::access
