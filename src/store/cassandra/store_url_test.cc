#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "store/cassandra/cassandra_store.h"

namespace meterline::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Environment = std::map<std::string, std::string>;

Result<CassandraOptions> parse(std::string_view url, const Environment& environment = {}) {
  return parse_cassandra_url(url, [&](const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  });
}

TEST(StoreUrl, NamesACluster) {
  const auto options =
      parse("cassandra://10.0.0.1:9043,db.example:9043,[::1]:9043/readings?dc=east");
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->dialect, Dialect::cassandra);
  EXPECT_EQ(options->keyspace, "readings");
  EXPECT_THAT(options->cql.nodes, ElementsAre("10.0.0.1:9043", "db.example:9043", "[::1]:9043"));
  EXPECT_EQ(options->cql.port, 9043);
  EXPECT_EQ(options->cql.data_centre, "east");
  EXPECT_FALSE(options->cql.tls.on);
  EXPECT_EQ(options->cql.aws_region, "");
}

TEST(StoreUrl, LogsInAsToldByTheUrlOrTheEnvironment) {
  const auto by_url = parse("cassandra://me:p%40ss%3A@h/ks");
  ASSERT_TRUE(by_url) << by_url.error().message;
  EXPECT_EQ(by_url->cql.user, "me");
  EXPECT_EQ(by_url->cql.password, "p@ss:");
  const auto by_environment =
      parse("cassandra://h/ks?user=me", {{"METERLINE_CASSANDRA_PASSWORD", "x"}});
  ASSERT_TRUE(by_environment);
  EXPECT_EQ(by_environment->cql.password, "x");
  EXPECT_TRUE(parse("cassandra://h/ks",
                    {{"METERLINE_CASSANDRA_PASSWORD", "x"}, {"METERLINE_CASSANDRA_USER", "me"}}));
}

TEST(StoreUrl, AsksForCertificates) {
  const auto options = parse("cassandra://h/ks?tls=on&ca=/etc/ca.pem&server-name=db");
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->cql.tls.on);
  EXPECT_EQ(options->cql.tls.ca_file, "/etc/ca.pem");
  EXPECT_EQ(options->cql.tls.server_name, "db");
  EXPECT_TRUE(parse("cassandra://h/ks?ca=/etc/ca.pem")->cql.tls.on);
}

/// On each of its nine endpoints, for 500 requests a second on a connection, of 10 ms each.
TEST(StoreUrl, ConnectionsToKeyspacesAreAsManyAsItAsksFor) {
  constexpr int endpoints = 9;
  const auto options = parse("keyspaces://eu-west-1/readings");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->cql.writes_per_connection, 500 / 100);
  EXPECT_EQ(options->cql.connections_per_node * endpoints * 500, 18'000);
  EXPECT_EQ(parse("keyspaces://eu-west-1/readings?connections=12")->cql.connections_per_node, 12);
  EXPECT_EQ(parse("keyspaces://eu-west-1/readings?timeout=5")->cql.connect_timeout,
            std::chrono::seconds(5));
}

TEST(StoreUrl, LimitsRequests) {
  const auto options = parse("cassandra://h/ks?connections=8&timeout=5");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->cql.connections_per_node, 8);
  EXPECT_EQ(options->cql.retry.deadline, std::chrono::seconds(5));
  EXPECT_EQ(options->cql.retry.try_timeout, std::chrono::seconds(5));
}

TEST(StoreUrl, SaysHowManyMetersAreExpected) {
  EXPECT_EQ(parse("cassandra://h/ks")->expected_meters, 0);
  for (const auto* url : {"cassandra://h/ks?expected-meters=10000000",
                          "keyspaces://eu-west-1/ks?expected-meters=10000000"})
    EXPECT_EQ(parse(url)->expected_meters, 10'000'000);
  for (const auto* number : {"0", "-1", "many", "256000001"}) {
    const auto refused = parse(fmt::format("cassandra://h/ks?expected-meters={}", number));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("expected-meters must be 1 to 256000000"));
  }
}

TEST(StoreUrl, NamesKeyspaces) {
  const auto options = parse("keyspaces://eu-west-1/readings");
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->dialect, Dialect::keyspaces);
  EXPECT_THAT(options->cql.nodes, ElementsAre("cassandra.eu-west-1.amazonaws.com"));
  EXPECT_EQ(options->cql.port, 9142);
  EXPECT_TRUE(options->cql.tls.on);
  EXPECT_EQ(options->cql.tls.server_name, "cassandra.eu-west-1.amazonaws.com");
  EXPECT_EQ(options->cql.aws_region, "eu-west-1");
  EXPECT_EQ(options->cql.connect_timeout, std::chrono::seconds(30));
  EXPECT_EQ(options->cql.keepalive_interval, std::chrono::seconds(30));
  EXPECT_EQ(options->cql.keepalive_timeout, std::chrono::seconds(30));
  EXPECT_EQ(parse("keyspaces://cn-north-1/ks")->cql.nodes[0],
            "cassandra.cn-north-1.amazonaws.com.cn");
  const auto service = parse("keyspaces://eu-west-1/ks?user=u&endpoint=vpce.example",
                             {{"METERLINE_CASSANDRA_PASSWORD", "x"}});
  ASSERT_TRUE(service) << service.error().message;
  EXPECT_EQ(service->cql.aws_region, "") << "with a user, the login is by password";
  EXPECT_EQ(service->cql.nodes[0], "vpce.example");
}

TEST(StoreUrl, RefusesWhatIsNone) {
  const struct {
    std::string_view url;
    std::string_view says;
  } refusals[] = {
      {"cassandra://", "no keyspace"},
      {"cassandra://h", "no keyspace"},
      {"cassandra://h/", "a keyspace is"},
      {"cassandra://h/Readings", "a keyspace is"},
      {"cassandra:///ks", "is no HOST"},
      {"cassandra://h,/ks", "is no HOST"},
      {"cassandra://h:0/ks", "is no HOST"},
      {"cassandra://h:99999/ks", "is no HOST"},
      {"cassandra://h h/ks", "is no HOST"},
      {"cassandra://h/ks?dc", "without `=`"},
      {"cassandra://h/ks?dc=", "no proper value"},
      {"cassandra://h/ks?dc=%zz", "no proper value"},
      {"cassandra://h/ks?dc=%2", "no proper value"},
      {"cassandra://h/ks?dc=a&dc=b", "twice"},
      {"cassandra://h/ks?rack=a", "no option rack"},
      {"cassandra://h/ks?tls=yes", "on or off"},
      {"cassandra://h/ks?tls=off&ca=x", "tls=off"},
      {"cassandra://h/ks?connections=0", "1 to 64"},
      {"cassandra://h/ks?timeout=x", "seconds"},
      {"cassandra://h/ks?user=me", "needs a password"},
      {"keyspaces://EU/ks", "is no region"},
      {"keyspaces:///ks", "is no region"},
      {"keyspaces://eu-west-1/ks?tls=off", "never with Keyspaces"},
      {"keyspaces://eu-west-1/ks?endpoint=h:1", "host name"},
      {"keyspaces://eu-west-1/ks?dc=x", "no option dc"},
  };
  for (const auto& [url, says] : refusals) {
    const auto options = parse(url);
    ASSERT_FALSE(options) << url;
    EXPECT_EQ(options.error().code, Errc::invalid_argument) << url;
    EXPECT_THAT(options.error().message, HasSubstr(std::string(says))) << url;
  }
  EXPECT_FALSE(parse("cassandra://h/ks?dc=" + std::string(5000, 'x')));
  EXPECT_FALSE(parse("cassandra://h/ks", {{"METERLINE_CASSANDRA_PASSWORD", "x"}}));
}

TEST(StoreUrl, NeverShowsThePassword) {
  for (const std::string url :
       {"cassandra://me:s3cret@h h/ks", "cassandra://me:s3cret@/ks", "cassandra://me:s3cret@h/KS",
        "cassandra://me:s3cret%@h/ks", "cassandra://me:s3cret@h/ks?s3cret"}) {
    const auto options = parse(url);
    ASSERT_FALSE(options) << url;
    EXPECT_THAT(options.error().message, Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace meterline::store::cassandra
