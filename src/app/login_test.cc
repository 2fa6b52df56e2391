#include "app/login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace meterline::app {
namespace {

using Texts = std::map<std::string, std::string>;
using ::testing::ElementsAre;

constexpr auto user = "METERLINE_CASSANDRA_USER";
constexpr auto password = "METERLINE_CASSANDRA_PASSWORD";
constexpr auto user_parameter = "METERLINE_CASSANDRA_USER_PARAMETER";
constexpr auto password_parameter = "METERLINE_CASSANDRA_PASSWORD_PARAMETER";

class ReadLogin : public ::testing::Test {
 protected:
  Result<Texts> login() {
    return read_login([&](const std::string& name) { return variables[name]; },
                      [&](const std::string& name) -> Result<std::string> {
                        read.push_back(name);
                        const auto found = parameters.find(name);
                        if (found == parameters.end())
                          return fail(Errc::not_found, "parameter " + name + ": ?");
                        return found->second;
                      });
  }

  Texts variables;
  Texts parameters{{"/m/user", "loader"}, {"/m/password", "s3cret"}};
  std::vector<std::string> read;  ///< Names of parameters.
};

TEST_F(ReadLogin, IsEmptyAndReadsNothingWhereNothingIsSet) {
  EXPECT_EQ(login().value(), Texts{});
  EXPECT_THAT(read, ElementsAre());
}

TEST_F(ReadLogin, ReadsTheParametersThatAreNamed) {
  variables = {{user_parameter, "/m/user"}, {password_parameter, "/m/password"}};
  EXPECT_EQ(login().value(), (Texts{{user, "loader"}, {password, "s3cret"}}));
}

TEST_F(ReadLogin, DoesNotReadAParameterWhereTheVariableIsSet) {
  variables = {{user, "me"}, {user_parameter, "/m/user"}, {password_parameter, "/m/password"}};
  EXPECT_EQ(login().value(), (Texts{{user, "me"}, {password, "s3cret"}}));
  EXPECT_THAT(read, ElementsAre("/m/password"));
}

TEST_F(ReadLogin, NamesTheParameterThatIsNotThere) {
  variables = {{user_parameter, "/m/user"}, {password_parameter, "/m/none"}};
  const auto failed = login();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::not_found);
  EXPECT_EQ(failed.error().message, "METERLINE_CASSANDRA_PASSWORD_PARAMETER: parameter /m/none: ?");
}

}  // namespace
}  // namespace meterline::app
