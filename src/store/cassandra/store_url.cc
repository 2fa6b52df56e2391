#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>

#include "core/finding.h"
#include "core/try.h"
#include "store/cassandra/cassandra_store.h"

namespace meterline::store::cassandra {
namespace {

constexpr std::string_view cassandra_scheme = "cassandra://";
constexpr std::string_view keyspaces_scheme = "keyspaces://";
constexpr std::size_t url_bytes_max = 4096;
constexpr std::uint16_t keyspaces_port = 9142;
constexpr int connections_max = 64;
constexpr int timeout_seconds_max = 3600;
/// Keyspaces asks to plan for 500 requests a second on each connection, of the 3,000 that it serves
/// at most; it has nine endpoints, so 18,000 a second. Source: Amazon Keyspaces Developer Guide,
/// "Optimize client driver connections for the serverless environment".
constexpr int keyspaces_connections = 4;
/// In flight on each: as many as that rate has under way when a write takes 10 ms.
constexpr int keyspaces_writes = 5;
/// Its endpoints are balancers, which no node's failure makes hang: the driver's own default.
constexpr std::chrono::seconds keyspaces_patience{30};

constexpr std::string_view password_variable = "METERLINE_CASSANDRA_PASSWORD";
constexpr std::string_view user_variable = "METERLINE_CASSANDRA_USER";

constexpr std::string_view cassandra_form =
    "cassandra://HOST[:PORT][,HOST...]/KEYSPACE[?dc=NAME&user=NAME&tls=on&ca=FILE&...]";
constexpr std::string_view keyspaces_form = "keyspaces://REGION/KEYSPACE[?user=NAME&...]";

tl::unexpected<Error> wrong(std::string_view form, std::string_view what) {
  return fail(Errc::invalid_argument, fmt::format("--store: want {}: {}", form, what));
}

/// Undoes %41; empty when a percent sign is not followed by two hexadecimal digits.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const char* const end = text.data() + i + 3;
    const auto [stop, error] = std::from_chars(text.data() + i + 1, end, value, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

std::optional<int> parse_number(std::string_view text, int max) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < 1 || value > max) return std::nullopt;
  return value;
}

using Options = std::map<std::string, std::string, std::less<>>;

Result<Options> split_options(std::string_view form, std::string_view text) {
  Options options;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = pair.find('=');
    // The value may be a password that lacks its name: it is not shown.
    if (equals == std::string_view::npos) return wrong(form, "an option without `=`");
    const auto value = unescape(pair.substr(equals + 1));
    const std::string name(pair.substr(0, equals));
    if (!value || value->empty())
      return wrong(form, fmt::format("option {} has no proper value", excerpt_of(name)));
    if (!options.emplace(name, *value).second)
      return wrong(form, fmt::format("option {} twice", excerpt_of(name)));
  }
  return options;
}

/// Takes an option out; what is left at the end is unknown.
std::string take(Options& options, std::string_view name) {
  const auto found = options.find(name);
  if (found == options.end()) return {};
  std::string value = std::move(found->second);
  options.erase(found);
  return value;
}

Result<void> take_tls(std::string_view form, Options& options, CqlTls& tls) {
  const std::string on = take(options, "tls");
  tls.ca_file = take(options, "ca");
  if (const auto name = take(options, "server-name"); !name.empty()) tls.server_name = name;
  if (!on.empty() && on != "on" && on != "off") return wrong(form, "tls must be on or off");
  if (on == "on" || (on.empty() && !tls.ca_file.empty())) tls.on = true;
  if (on == "off" && (tls.on || !tls.ca_file.empty()))
    return wrong(form, "tls=off does not go with a certificate, and never with Keyspaces");
  return {};
}

Result<void> take_meters(std::string_view form, Options& options, std::int64_t& meters) {
  const auto text = take(options, "expected-meters");
  if (text.empty()) return {};
  const auto number = parse_number(text, static_cast<int>(expected_meters_max));
  if (!number)
    return wrong(form, fmt::format("expected-meters must be 1 to {}", expected_meters_max));
  meters = *number;
  return {};
}

Result<void> take_limits(std::string_view form, Options& options, CqlOptions& cql) {
  if (const auto text = take(options, "connections"); !text.empty()) {
    const auto connections = parse_number(text, connections_max);
    if (!connections)
      return wrong(form, fmt::format("connections must be 1 to {}", connections_max));
    cql.connections_per_node = *connections;
  }
  if (const auto text = take(options, "timeout"); !text.empty()) {
    const auto seconds = parse_number(text, timeout_seconds_max);
    if (!seconds)
      return wrong(form, fmt::format("timeout must be 1 to {} seconds", timeout_seconds_max));
    cql.retry.deadline = std::chrono::seconds(*seconds);
    cql.retry.try_timeout = std::min(cql.retry.try_timeout, cql.retry.deadline);
    cql.connect_timeout = std::min(cql.connect_timeout, cql.retry.deadline);
  }
  return {};
}

using Environment = std::function<std::string(const std::string&)>;

/// Options that both kinds of URL have.
Result<void> take_common(std::string_view form, Options& options, const Environment& environment,
                         CqlOptions& cql) {
  if (const auto user = take(options, "user"); !user.empty()) cql.user = user;
  if (cql.user.empty()) cql.user = environment(std::string(user_variable));
  if (cql.password.empty()) cql.password = environment(std::string(password_variable));
  if (!cql.user.empty() && cql.password.empty())
    return wrong(form, fmt::format("user {} needs a password, in {}", excerpt_of(cql.user),
                                   password_variable));
  if (cql.user.empty() && !cql.password.empty())
    return wrong(form, fmt::format("{} is set, but no user: add user=NAME", password_variable));
  METERLINE_CHECK(take_tls(form, options, cql.tls));
  METERLINE_CHECK(take_limits(form, options, cql));
  if (!options.empty())
    return wrong(form, fmt::format("there is no option {}", excerpt_of(options.begin()->first)));
  return {};
}

/// `host`, `host:port` or `[ipv6]:port`.
bool is_node(std::string_view text) {
  auto host = text;
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (!parse_number(text.substr(colon + 1), 65535)) return false;
    host = text.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return !host.empty() && host.size() <= 255 &&
         host.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             ".-_:") == std::string_view::npos;
}

struct Parts {
  std::string_view authority;
  std::string_view keyspace;
  Options options;
};

Result<Parts> split_url(std::string_view form, std::string_view rest) {
  Parts parts;
  const auto question = std::min(rest.find('?'), rest.size());
  const auto options = rest.substr(std::min(question + 1, rest.size()));
  rest = rest.substr(0, question);
  const auto slash = rest.rfind('/');
  if (slash == std::string_view::npos) return wrong(form, "no keyspace is named");
  parts.authority = rest.substr(0, slash);
  parts.keyspace = rest.substr(slash + 1);
  if (!is_keyspace_name(parts.keyspace))
    return wrong(form, fmt::format("a keyspace is 1 to 48 of `a-z 0-9 _`, a letter first, got "
                                   "\"{}\"",
                                   excerpt_of(parts.keyspace)));
  METERLINE_TRY(parts.options, split_options(form, options));
  return parts;
}

Result<CassandraOptions> parse_cluster(std::string_view rest, const Environment& environment) {
  METERLINE_TRY(auto parts, split_url(cassandra_form, rest));
  CassandraOptions options{.keyspace = std::string(parts.keyspace)};
  auto nodes = parts.authority;
  if (const auto at = nodes.rfind('@'); at != std::string_view::npos) {
    const auto login = nodes.substr(0, at);
    const auto colon = std::min(login.find(':'), login.size());
    const auto user = unescape(login.substr(0, colon));
    const auto password = unescape(login.substr(std::min(colon + 1, login.size())));
    if (!user || !password) return wrong(cassandra_form, "the login is not properly escaped");
    options.cql.user = *user;
    options.cql.password = *password;
    nodes.remove_prefix(at + 1);
  }
  for (;;) {
    const auto end = std::min(nodes.find(','), nodes.size());
    const auto node = nodes.substr(0, end);
    if (!is_node(node))
      return wrong(cassandra_form, fmt::format("\"{}\" is no HOST or HOST:PORT", excerpt_of(node)));
    options.cql.nodes.emplace_back(node);
    // Nodes that are found later have the port of the first, as a cluster has one port.
    const auto colon = node.rfind(':');
    if (options.cql.nodes.size() == 1 && colon != std::string_view::npos && !node.ends_with(']'))
      if (const auto port = parse_number(node.substr(colon + 1), 65535))
        options.cql.port = static_cast<std::uint16_t>(*port);
    if (end == nodes.size()) break;
    nodes.remove_prefix(end + 1);
  }
  options.cql.data_centre = take(parts.options, "dc");
  METERLINE_CHECK(take_meters(cassandra_form, parts.options, options.expected_meters));
  METERLINE_CHECK(take_common(cassandra_form, parts.options, environment, options.cql));
  return options;
}

bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

Result<CassandraOptions> parse_keyspaces(std::string_view rest, const Environment& environment) {
  METERLINE_TRY(auto parts, split_url(keyspaces_form, rest));
  if (!is_region(parts.authority))
    return wrong(keyspaces_form,
                 fmt::format("\"{}\" is no region, like eu-west-1", excerpt_of(parts.authority)));
  CassandraOptions options{.dialect = Dialect::keyspaces, .keyspace = std::string(parts.keyspace)};
  CqlOptions& cql = options.cql;
  const std::string suffix = parts.authority.starts_with("cn-") ? ".cn" : "";
  std::string endpoint = take(parts.options, "endpoint");
  if (endpoint.empty())
    endpoint = fmt::format("cassandra.{}.amazonaws.com{}", parts.authority, suffix);
  if (!is_node(endpoint) || endpoint.find(':') != std::string::npos)
    return wrong(keyspaces_form, "endpoint must be a host name");
  cql.port = keyspaces_port;
  cql.nodes = {endpoint};
  // Its nodes are known by address only; their certificates bear the endpoint's name.
  cql.tls = {.on = true, .server_name = endpoint};
  cql.connections_per_node = keyspaces_connections;
  cql.connect_timeout = keyspaces_patience;
  cql.keepalive_interval = keyspaces_patience;
  cql.keepalive_timeout = keyspaces_patience;
  METERLINE_CHECK(take_meters(keyspaces_form, parts.options, options.expected_meters));
  METERLINE_CHECK(take_common(keyspaces_form, parts.options, environment, cql));
  cql.writes_per_connection = keyspaces_writes;
  if (cql.user.empty()) cql.aws_region = parts.authority;
  return options;
}

}  // namespace

Result<CassandraOptions> parse_cassandra_url(std::string_view url, const Environment& environment) {
  if (url.size() > url_bytes_max)
    return fail(Errc::too_large,
                fmt::format("--store: a URL of more than {} bytes", url_bytes_max));
  if (url.starts_with(cassandra_scheme))
    return parse_cluster(url.substr(cassandra_scheme.size()), environment);
  if (url.starts_with(keyspaces_scheme))
    return parse_keyspaces(url.substr(keyspaces_scheme.size()), environment);
  return wrong(cassandra_form, fmt::format("or {}", keyspaces_form));
}

}  // namespace meterline::store::cassandra
