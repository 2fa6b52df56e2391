#include "aws/objects.h"

#include <gtest/gtest.h>

namespace meterline::aws {
namespace {

TEST(ObjectName, IsShownAsAUrlThatIsNotEscaped) {
  const ObjectName name{.bucket = "uploads", .key = "a b+c%41/é.csv", .version_id = "v1"};
  EXPECT_EQ(name.text(), "s3://uploads/a b+c%41/é.csv");
  EXPECT_EQ((ObjectName{.bucket = "b", .key = "../../etc"}).text(), "s3://b/../../etc");
}

}  // namespace
}  // namespace meterline::aws
