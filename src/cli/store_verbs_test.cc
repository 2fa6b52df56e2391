#include "cli/store_verbs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterline::cli {
namespace {

using ::testing::ElementsAre;

TEST(DataCentres, AreNamesWithNumbers) {
  EXPECT_THAT(parse_data_centres("dc1=3").value(),
              ElementsAre(DataCentre{.name = "dc1", .replicas = 3}));
  EXPECT_THAT(parse_data_centres("eu-west=100,us_1=1").value(),
              ElementsAre(DataCentre{.name = "eu-west", .replicas = 100},
                          DataCentre{.name = "us_1", .replicas = 1}));
}

TEST(DataCentres, OfAnyOtherFormAreRefused) {
  for (const std::string text :
       {"", ",", "dc1", "dc1=", "=3", "dc1=0", "dc1=-1", "dc1=101", "dc1=3x", "dc1= 3", "dc1=3,",
        "dc1=3,dc1=2", "dc 1=3", "d'c=3", "dc1=3;dc2=2", "dc1=99999999999999999999"}) {
    const auto parsed = parse_data_centres(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::invalid_argument);
    EXPECT_THAT(parsed.error().message, ::testing::HasSubstr("like dc1=3,dc2=2"));
  }
  EXPECT_FALSE(parse_data_centres(std::string(49, 'x') + "=1"));
  EXPECT_TRUE(parse_data_centres(std::string(48, 'x') + "=1"));
}

}  // namespace
}  // namespace meterline::cli
