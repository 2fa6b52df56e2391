#include "access/jwt.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <optional>

#include "access/digest.h"
#include "core/json.h"
#include "core/text.h"
#include "core/try.h"

namespace meterline::access {
namespace {

constexpr std::int64_t us_of_second = 1'000'000;
constexpr std::int64_t refresh_s = 300;
constexpr std::int64_t refresh_early_s = 30;
constexpr std::size_t subject_bytes_max = 80;
constexpr std::size_t subject_hash_chars = 32;
constexpr double seconds_max = 1e11;

/// He is told nothing that would help to forge the next one, but what an honest one needs.
tl::unexpected<Denial> refused(std::string_view why) {
  return tl::unexpected(Denial{.detail = fmt::format("this token is not taken: {}", why)});
}

/// The three parts of a token (RFC 7515, 3.1).
struct Parts {
  std::string_view signed_text;  ///< The first two.
  boost::json::value header;
  boost::json::value claims;
  std::string signature;
};

std::optional<boost::json::value> decoded(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text) return std::nullopt;
  auto json = parse_json(*text, token_bytes_max);
  if (!json || !json->is_object()) return std::nullopt;
  return *std::move(json);
}

std::optional<Parts> parts_of(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  auto header = decoded(token.substr(0, first));
  auto claims = decoded(token.substr(first + 1, second - first - 1));
  auto signature = from_base64url(token.substr(second + 1));
  if (!header || !claims || !signature) return std::nullopt;
  return Parts{.signed_text = token.substr(0, second),
               .header = *std::move(header),
               .claims = *std::move(claims),
               .signature = *std::move(signature)};
}

/// A NumericDate (RFC 7519, 2) in seconds; empty where it is none.
std::optional<double> seconds_of(const boost::json::value& claims, std::string_view name) {
  const auto* const value = find_member(claims, {name});
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto seconds = value->to_number<double>();
  if (!std::isfinite(seconds) || std::abs(seconds) > seconds_max) return std::nullopt;
  return seconds;
}

/// The words of a claim: a text with blanks between, or a list of texts. Empty where it is neither.
std::optional<std::vector<std::string>> words_of(const boost::json::value& claims,
                                                 std::string_view name) {
  const auto* const value = find_member(claims, {name});
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> words;
  if (const auto* const text = value->if_string()) {
    std::string_view rest(text->data(), text->size());
    while (!rest.empty()) {
      const auto word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      if (!word.empty()) words.emplace_back(word);
    }
    return words;
  }
  const auto* const list = value->if_array();
  if (list == nullptr) return std::nullopt;
  words.reserve(list->size());
  for (const auto& each : *list) {
    const auto* const text = each.if_string();
    if (text == nullptr) return std::nullopt;
    words.emplace_back(text->data(), text->size());
  }
  return words;
}

bool is_for(const boost::json::value& claims, std::string_view audience) {
  const auto* const value = find_member(claims, {"aud"});
  if (value == nullptr) return false;
  const auto is_that = [&](const boost::json::value& each) {
    const auto* const text = each.if_string();
    return text != nullptr && std::string_view(text->data(), text->size()) == audience;
  };
  const auto* const list = value->if_array();
  return list == nullptr ? is_that(*value) : std::any_of(list->begin(), list->end(), is_that);
}

Scopes scopes_of(const boost::json::value& claims, std::string_view claim) {
  constexpr std::string_view own = "meterline:";
  Scopes scopes;
  for (std::string_view word : words_of(claims, claim).value_or(std::vector<std::string>())) {
    if (word.starts_with(own)) word.remove_prefix(own.size());
    if (const auto scope = parse_scope(word)) scopes.add(*scope);
  }
  return scopes;
}

/// As it stands where that is short and fit for a log, else by its hash.
std::string name_of(std::string_view subject) {
  if (subject.size() <= subject_bytes_max && is_clean_text(subject))
    return fmt::format("jwt:{}", subject);
  return "jwt:sha256:" + hex_of(sha256(subject)).substr(0, subject_hash_chars);
}

/// Empty where the claims hold now and here; else what does not.
std::string_view fault_of(const boost::json::value& claims, const TokenRules& rules, Instant now) {
  const auto leeway = static_cast<double>(token_leeway_s);
  const auto now_s = static_cast<double>(now.micros) / static_cast<double>(us_of_second);
  if (find_text(claims, {"iss"}) != std::string_view(rules.issuer))
    return "it is of another issuer";
  if (!is_for(claims, rules.audience)) return "it is for another audience";
  const auto expires = seconds_of(claims, "exp");
  if (!expires) return "it has no exp: it would never end";
  if (now_s >= *expires + leeway) return "it has expired";
  const bool has_begin = find_member(claims, {"nbf"}) != nullptr;
  const auto begins = seconds_of(claims, "nbf");
  if (has_begin && (!begins || now_s < *begins - leeway)) return "its time has not come (nbf)";
  if (find_text(claims, {"sub"}).value_or("").empty()) return "it has no sub: whose is it?";
  return {};
}

Admission caller_of(const boost::json::value& claims, const TokenRules& rules) {
  Caller caller{.who = name_of(find_text(claims, {"sub"}).value_or("")),
                .scopes = scopes_of(claims, rules.scope_claim),
                .meters = MeterFilter::all()};
  if (!rules.meters_claim.empty()) {
    const auto patterns = words_of(claims, rules.meters_claim);
    if (!caller.see(patterns.value_or(std::vector<std::string>())))
      return refused("what it says of its meters names none");
  }
  return std::make_shared<const Caller>(std::move(caller));
}

/// Whether the header says more than `alg`, `kid` and `typ` that must be understood (RFC 7515,
/// 4.1.11).
bool has_conditions(const boost::json::value& header) {
  return find_member(header, {"crit"}) != nullptr || find_member(header, {"b64"}) != nullptr ||
         find_member(header, {"zip"}) != nullptr;
}

bool may_have_signed(const PublicKey& key, SignedBy algorithm,
                     const std::optional<std::string_view>& id) {
  return key.algorithm == algorithm && (!id || key.id == *id);
}

}  // namespace

Admission check_token(std::string_view token, const std::vector<PublicKey>& keys,
                      const TokenRules& rules, Instant now) {
  if (token.size() > token_bytes_max) return refused("it is too long");
  const auto parts = parts_of(token);
  if (!parts) return refused("it is no JWT");
  const auto algorithm = parse_algorithm(find_text(parts->header, {"alg"}).value_or(""));
  if (!algorithm) return refused("want alg RS256, ES256 or EdDSA");
  if (has_conditions(parts->header)) return refused("its header has what is not understood");
  const auto* const id_member = find_member(parts->header, {"kid"});
  const auto id = find_text(parts->header, {"kid"});
  if (id_member != nullptr && !id) return refused("its kid is no text");
  const bool is_signed = std::any_of(keys.begin(), keys.end(), [&](const PublicKey& key) {
    return may_have_signed(key, *algorithm, id) &&
           is_signature(key, parts->signed_text, parts->signature);
  });
  if (!is_signed) return refused("no key that is known has signed it");
  if (const auto fault = fault_of(parts->claims, rules, now); !fault.empty()) return refused(fault);
  return caller_of(parts->claims, rules);
}

Result<std::unique_ptr<TokenKeeper>> TokenKeeper::open(Options options, Instant now) {
  std::unique_ptr<TokenKeeper> keeper(new TokenKeeper(std::move(options)));
  METERLINE_CHECK(keeper->read(now));
  return keeper;
}

Result<void> TokenKeeper::read(Instant now) {
  tried_at_ = now;
  METERLINE_TRY(const auto text, options_.read());
  METERLINE_TRY(auto keys, parse_jwks(text));
  keys_.replace(std::make_shared<const std::vector<PublicKey>>(std::move(keys)));
  read_at_ = now;
  fault_.clear();
  return {};
}

Admission TokenKeeper::admit(std::string_view authorization, Instant now) const {
  const auto token = bearer_token(authorization);
  if (!token) return tl::unexpected(token.error());
  auto admission = check_token(*token, *keys_.get(), options_.rules, now);
  if (!admission && !is_missed_.load(std::memory_order_relaxed)) is_missed_ = true;
  return admission;
}

void TokenKeeper::refresh(Instant now) {
  const auto age_s = (now.micros - tried_at_.micros) / us_of_second;
  if (age_s < (is_missed_ ? refresh_early_s : refresh_s)) return;
  is_missed_ = false;
  const auto done = read(now);
  if (done) return;
  if ((now.micros - read_at_.micros) / us_of_second > jwks_age_s_max)
    keys_.replace(std::make_shared<const std::vector<PublicKey>>());
  if (done.error().message == fault_) return;
  fault_ = done.error().message;
  if (options_.on_fault)
    options_.on_fault(fmt::format("the public keys stay as they were: {}", fault_));
}

}  // namespace meterline::access
