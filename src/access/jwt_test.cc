#include "access/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <memory>

namespace meterline::access {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t now_s = 1'600'000'000;
constexpr Instant now{.micros = now_s * 1'000'000};
constexpr std::size_t coordinate_bytes = 32;

std::string base64url(std::string_view bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned kept = 0;
  int bits = 0;
  for (const char c : bytes) {
    kept = kept << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += alphabet[kept >> (bits - 6) & 63];
  }
  if (bits > 0) text += alphabet[kept << (6 - bits) & 63];
  return text;
}

std::string number(EVP_PKEY* key, const char* name, int bytes) {
  BIGNUM* value = nullptr;
  EVP_PKEY_get_bn_param(key, name, &value);
  std::string text(static_cast<std::size_t>(bytes > 0 ? bytes : BN_num_bytes(value)), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(text.size()));
  BN_free(value);
  return text;
}

/// One who signs tokens.
class Signer {
 public:
  explicit Signer(SignedBy algorithm, std::string id = "k1", unsigned bits = 2048)
      : algorithm_(algorithm), id_(std::move(id)), key_(make(algorithm, bits), EVP_PKEY_free) {}

  std::string jwk() const {
    const std::string start = R"({"kid":")" + id_ + R"(",)";
    EVP_PKEY* const key = key_.get();
    switch (algorithm_) {
      case SignedBy::rs256:
        return start + R"("kty":"RSA","n":")" + base64url(number(key, OSSL_PKEY_PARAM_RSA_N, 0)) +
               R"(","e":")" + base64url(number(key, OSSL_PKEY_PARAM_RSA_E, 0)) + R"("})";
      case SignedBy::es256:
        return start + R"("kty":"EC","crv":"P-256","x":")" +
               base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_X, coordinate_bytes)) + R"(","y":")" +
               base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_bytes)) + R"("})";
      case SignedBy::eddsa:
        break;
    }
    std::string raw(coordinate_bytes, '\0');
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size);
    return start + R"("kty":"OKP","crv":"Ed25519","x":")" + base64url(raw) + R"("})";
  }

  std::string header() const {
    const std::string names[] = {"RS256", "ES256", "EdDSA"};
    return R"({"alg":")" + names[static_cast<int>(algorithm_)] + R"(","kid":")" + id_ + R"("})";
  }

  std::string token(const std::string& claims) const { return token(header(), claims); }
  std::string token(const std::string& header, const std::string& claims) const {
    const std::string text = base64url(header) + '.' + base64url(claims);
    return text + '.' + base64url(sign(text));
  }

 private:
  static EVP_PKEY* make(SignedBy algorithm, unsigned bits) {
    if (algorithm == SignedBy::rs256) return EVP_RSA_gen(bits);
    if (algorithm == SignedBy::es256) return EVP_EC_gen("P-256");
    return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }

  std::string sign(const std::string& text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    std::string signature(1024, '\0');
    std::size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr,
                       algorithm_ == SignedBy::eddsa ? nullptr : EVP_sha256(), nullptr, key_.get());
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    signature.resize(size);
    return algorithm_ == SignedBy::es256 ? raw_of(signature) : signature;
  }

  static std::string raw_of(const std::string& der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
    std::string raw(2 * coordinate_bytes, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, coordinate_bytes);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + coordinate_bytes, coordinate_bytes);
    ECDSA_SIG_free(pair);
    return raw;
  }

  SignedBy algorithm_;
  std::string id_;
  std::shared_ptr<EVP_PKEY> key_;
};

std::string set_of(const std::vector<std::string>& keys) {
  std::string all;
  for (const auto& key : keys) all += (all.empty() ? "" : ",") + key;
  return R"({"keys":[)" + all + "]}";
}

const TokenRules rules{
    .issuer = "https://login", .audience = "meterline", .meters_claim = "meters"};

/// Claims that are taken, with another member in the place of one.
std::string claims(std::string_view name = "", const std::string& value = "") {
  std::vector<std::pair<std::string, std::string>> members = {{"iss", R"("https://login")"},
                                                              {"aud", R"("meterline")"},
                                                              {"sub", R"("ann")"},
                                                              {"exp", std::to_string(now_s + 300)},
                                                              {"scope", R"("read upload other")"},
                                                              {"meters", R"(["A*"])"}};
  std::string all;
  bool is_new = !name.empty();
  for (auto& [own, text] : members) {
    if (own == name) {
      text = value;
      is_new = false;
    }
    if (!text.empty()) all += (all.empty() ? "" : ",") + ("\"" + own + "\":" + text);
  }
  if (is_new) all += ",\"" + std::string(name) + "\":" + value;
  return "{" + all + "}";
}

class Token : public ::testing::Test {
 protected:
  Admission check(const std::string& token) const { return check_token(token, keys_, rules, now); }
  void refused(const std::string& token, const std::string& why) const {
    const auto admission = check(token);
    ASSERT_FALSE(admission) << token;
    EXPECT_THAT(admission.error().detail, HasSubstr(why)) << token;
  }

  // Once for all tests: to find a key of RSA takes long.
  inline static const Signer rsa_{SignedBy::rs256, "rsa"};
  inline static const Signer ec_{SignedBy::es256, "ec"};
  inline static const Signer ed_{SignedBy::eddsa, "ed"};
  inline static const std::vector<PublicKey> keys_ =
      parse_jwks(set_of({rsa_.jwk(), ec_.jwk(), ed_.jwk()})).value();
};

TEST_F(Token, IsTakenFromEachKindOfKey) {
  ASSERT_EQ(keys_.size(), 3);
  for (const auto* const signer : {&rsa_, &ec_, &ed_}) {
    const auto caller = check(signer->token(claims()));
    ASSERT_TRUE(caller) << signer->jwk() << caller.error().detail;
    EXPECT_EQ((*caller)->who, "jwt:ann");
    EXPECT_TRUE((*caller)->may(Scope::read));
    EXPECT_TRUE((*caller)->may(Scope::upload));
    EXPECT_FALSE((*caller)->may(Scope::admin));
    EXPECT_TRUE((*caller)->meters.admits("A1"));
    EXPECT_FALSE((*caller)->meters.admits("B1"));
  }
}

TEST_F(Token, IsRefusedWhereItsClaimsDoNotHold) {
  for (const auto& [name, value, why] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"iss", R"("https://other")", "issuer"},
           {"iss", "", "issuer"},
           {"aud", R"("other")", "audience"},
           {"aud", R"(["other"])", "audience"},
           {"aud", R"({"meterline":1})", "audience"},
           {"aud", "", "audience"},
           {"exp", "", "no exp"},
           {"exp", R"("never")", "no exp"},
           {"exp", "1e300", "no exp"},
           {"exp", std::to_string(now_s - 60), "expired"},
           {"exp", "0", "expired"},
           {"nbf", std::to_string(now_s + 61), "nbf"},
           {"nbf", R"("now")", "nbf"},
           {"sub", "", "sub"},
           {"sub", "1", "sub"},
           {"meters", R"(["a b"])", "meters"},
       })
    refused(rsa_.token(claims(name, value)), why);
}

TEST_F(Token, AllowsForClocksThatDiffer) {
  EXPECT_TRUE(check(ec_.token(claims("exp", std::to_string(now_s - 59)))));
  EXPECT_TRUE(check(ec_.token(claims("nbf", std::to_string(now_s + 59)))));
  EXPECT_TRUE(check(ec_.token(claims("exp", std::to_string(now_s + 10) + ".5"))));
  EXPECT_TRUE(check(ec_.token(claims("aud", R"(["x","meterline"])"))));
}

TEST_F(Token, SeesNothingWhereItSaysNothing) {
  const auto without_meters = check(ec_.token(claims("meters", ""))).value();
  EXPECT_FALSE(without_meters->meters.admits("A1"));
  const auto without_scope = check(ec_.token(claims("scope", ""))).value();
  EXPECT_FALSE(without_scope->may(Scope::read));
  const auto listed = check(ec_.token(claims("scope", R"(["meterline:read"])"))).value();
  EXPECT_TRUE(listed->may(Scope::read));
  EXPECT_FALSE(listed->may(Scope::upload));
}

TEST_F(Token, IsRefusedWhereItIsForged) {
  const auto good = rsa_.token(claims());
  const auto body = base64url(claims());
  const auto unsigned_token = [&](const std::string& header) {
    return base64url(header) + '.' + body + '.';
  };
  for (const std::string header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":""})", "{}",
                                   R"({"alg":"HS256","kid":"rsa"})", R"({"alg":["RS256"]})"})
    refused(unsigned_token(header), "want alg");
  refused(unsigned_token(rsa_.header()), "no key");

  // The public key as a secret: what a server that heeds `alg` alone would take.
  const std::string text = base64url(R"({"alg":"HS256","kid":"rsa"})") + '.' + body;
  const auto jwk = rsa_.jwk();
  std::string mac(32, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), jwk.data(), static_cast<int>(jwk.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(mac.data()), &size);
  refused(text + '.' + base64url(mac), "want alg");

  refused(rsa_.token(R"({"alg":"ES256","kid":"rsa"})", claims()), "no key");
  refused(rsa_.token(R"({"alg":"RS256","kid":"ec"})", claims()), "no key");
  refused(rsa_.token(R"({"alg":"RS256","kid":"../../etc/passwd"})", claims()), "no key");
  refused(rsa_.token(R"({"alg":"RS256","kid":1})", claims()), "kid");
  refused(rsa_.token(R"({"alg":"RS256","crit":["exp"]})", claims()), "not understood");
  refused(Signer(SignedBy::rs256, "rsa").token(claims()), "no key");
  const auto own_key = Signer(SignedBy::es256, "own");
  refused(own_key.token(R"({"alg":"ES256","jwk":)" + own_key.jwk() + "}", claims()), "no key");
  refused(own_key.token(R"({"alg":"ES256","jku":"https://evil/keys"})", claims()), "no key");
  const auto dot = good.rfind('.');
  refused(
      good.substr(0, good.find('.') + 1) + base64url(claims("sub", R"("bob")")) + good.substr(dot),
      "no key");
  refused(good.substr(0, dot + 1) + base64url(std::string(256, '\0')), "no key");
  refused(ec_.token(claims()).substr(0, ec_.token(claims()).rfind('.') + 1) +
              base64url(std::string(64, '\0')),
          "no key");
}

TEST_F(Token, IsRefusedWhereItIsNone) {
  const auto good = rsa_.token(claims());
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("a.b.c"), good + ".x",
        good.substr(0, good.rfind('.')), good + "=", " " + good, base64url("[]") + good})
    EXPECT_FALSE(check(token)) << token;
  refused(std::string(token_bytes_max + 1, 'a'), "too long");
}

TEST(PublicKeys, LeaveOutWhatSignsNoTokens) {
  const auto good = Signer(SignedBy::eddsa).jwk();
  const std::string secret = R"({"kty":"oct","k":"c2VjcmV0"})";
  const std::string other_curve = R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})";
  const std::string other_use = R"({"use":"enc",)" + Signer(SignedBy::es256).jwk().substr(1);
  const std::string other_algorithm =
      R"({"alg":"RS512",)" + Signer(SignedBy::rs256).jwk().substr(1);
  const auto short_key = Signer(SignedBy::rs256, "short", 1024).jwk();
  EXPECT_EQ(parse_jwks(set_of({secret, other_curve, other_use, other_algorithm, short_key, good}))
                .value()
                .size(),
            1);
}

TEST(PublicKeys, AreNoneWhereOneIsWrong) {
  for (const std::string key :
       {R"({"kty":"RSA","n":"AA"})", R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})",
        R"({"kty":"OKP","crv":"Ed25519","x":"AA"})"})
    EXPECT_EQ(parse_jwks(set_of({key})).error().code, Errc::corrupt) << key;
  // A point that is not on the curve.
  const std::string zeros(43, 'A');
  EXPECT_FALSE(parse_jwks(
      set_of({R"({"kty":"EC","crv":"P-256","x":")" + zeros + R"(","y":")" + zeros + R"("})"})));
  for (const std::string_view text : {"", "{}", "[]", R"({"keys":{}})"})
    EXPECT_FALSE(parse_jwks(text)) << text;
}

TEST(TokenKeeper, KeepsItsKeysWhileTheyCannotBeRead) {
  const Signer first(SignedBy::eddsa, "1");
  const Signer second(SignedBy::eddsa, "2");
  Result<std::string> set = set_of({first.jwk()});
  int faults = 0;
  const auto at = [](std::int64_t seconds) {
    return Instant{.micros = now.micros + seconds * 1'000'000};
  };
  const auto keeper = TokenKeeper::open({.rules = rules,
                                         .read = [&] { return set; },
                                         .on_fault = [&](std::string_view) { ++faults; }},
                                        now)
                          .value();
  const auto admits = [&](const Signer& signer, Instant when) {
    const auto exp = std::to_string(when.micros / 1'000'000 + 100);
    return keeper->admit("Bearer " + signer.token(claims("exp", exp)), when).has_value();
  };
  EXPECT_TRUE(admits(first, now));
  EXPECT_FALSE(admits(second, now));

  set = set_of({second.jwk()});
  keeper->refresh(at(29));
  EXPECT_FALSE(admits(second, now)) << "a refused token may ask for keys twice a minute at most";
  keeper->refresh(at(31));
  EXPECT_TRUE(admits(second, now));
  EXPECT_FALSE(admits(first, now));

  set = fail(Errc::unavailable, "no answer");
  keeper->refresh(at(400));
  keeper->refresh(at(800));
  EXPECT_EQ(faults, 1);
  EXPECT_TRUE(admits(second, at(800)));
  EXPECT_FALSE(admits(first, at(800)));
  keeper->refresh(at(jwks_age_s_max + 100));
  EXPECT_FALSE(admits(second, at(jwks_age_s_max + 100)));
  set = set_of({second.jwk()});
  keeper->refresh(at(jwks_age_s_max + 500));
  EXPECT_TRUE(admits(second, at(jwks_age_s_max + 500)));
}

}  // namespace
}  // namespace meterline::access
