#include "api/remembered_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/try.h"
#include "source/byte_source.h"
#include "store/memory/memory_store.h"

namespace meterline::api {
namespace {

using ::testing::HasSubstr;

ContentHash hash_of(std::uint8_t text) {
  ContentHash hash{};
  hash[0] = text;
  return hash;
}

constexpr Instant start{.micros = 1'550'000'000'000'000};

Response answer_of(std::string body) {
  Response answer{.status = 201};
  answer.body = std::move(body);
  return answer;
}

void carry_out(RememberedAnswers& all, const std::string& key, const Response& answer,
               Instant now = start) {
  const auto begun = all.begin(key, hash_of(1), now);
  ASSERT_TRUE(begun.turn) << key;
  begun.turn->keep(answer);
}

TEST(RememberedAnswers, TheSameRequestGetsTheSameAnswer) {
  RememberedAnswers all;
  Response answer = answer_of("stored");
  answer.headers["Location"] = "/v1/deliveries/1";
  carry_out(all, "k", answer);
  const auto again = all.begin("k", hash_of(1), start);
  EXPECT_FALSE(again.turn);
  EXPECT_EQ(again.answer.status, 201);
  EXPECT_EQ(again.answer.body, "stored");
  EXPECT_EQ(again.answer.headers, answer.headers);
  EXPECT_TRUE(all.begin("other", hash_of(1), start).turn);
}

TEST(RememberedAnswers, AnotherRequestWithTheKeyIsRefused) {
  RememberedAnswers all;
  carry_out(all, "k", answer_of("stored"));
  const auto other = all.begin("k", hash_of(2), start);
  EXPECT_FALSE(other.turn);
  EXPECT_EQ(other.answer.status, 422);
  EXPECT_THAT(other.answer.body, HasSubstr("/problems#idempotency-key-reused"));
}

TEST(RememberedAnswers, OneRequestOfAKeyAtATime) {
  RememberedAnswers all;
  const auto first = all.begin("k", hash_of(1), start);
  ASSERT_TRUE(first.turn);
  const auto second = all.begin("k", hash_of(1), start);
  EXPECT_FALSE(second.turn);
  EXPECT_EQ(second.answer.status, 409);
  EXPECT_EQ(second.answer.headers.at("Retry-After"), "1");
  first.turn->keep(answer_of("stored"));
  EXPECT_EQ(all.begin("k", hash_of(1), start).answer.status, 201);
}

TEST(RememberedAnswers, WhatWasNotKeptIsCarriedOutAgain) {
  RememberedAnswers all;
  EXPECT_TRUE(all.begin("k", hash_of(1), start).turn);  // Its turn ends at once.
  EXPECT_TRUE(all.begin("k", hash_of(2), start).turn);
  const auto large = all.begin("k", hash_of(1), start);
  large.turn->keep(answer_of(std::string(RememberedAnswers::answer_bytes_max + 1, 'x')));
  EXPECT_EQ(all.begin("k", hash_of(1), start).answer.status, 409) << "its turn has not ended";
}

TEST(RememberedAnswers, AreForgottenAfterADay) {
  RememberedAnswers all;
  carry_out(all, "k", answer_of("stored"));
  const Instant before{start.micros + RememberedAnswers::kept_micros - 1};
  EXPECT_FALSE(all.begin("k", hash_of(1), before).turn);
  EXPECT_TRUE(all.begin("k", hash_of(1), Instant{before.micros + 1}).turn);
}

TEST(RememberedAnswers, TheOldestAreForgottenFirstWhereThereAreTooMany) {
  RememberedAnswers all;
  for (std::size_t i = 0; i <= RememberedAnswers::answers_max; ++i)
    carry_out(all, std::to_string(i), answer_of("stored"));
  EXPECT_FALSE(all.begin("1", hash_of(1), start).turn);
  EXPECT_TRUE(all.begin("0", hash_of(1), start).turn);
}

TEST(RememberedAnswers, TheOldestAreForgottenFirstWhereTheyAreTooLarge) {
  RememberedAnswers all;
  const std::string body(RememberedAnswers::answer_bytes_max, 'x');
  for (std::size_t i = 0; i <= RememberedAnswers::bytes_max / body.size(); ++i)
    carry_out(all, std::to_string(i), answer_of(body));
  EXPECT_FALSE(all.begin("2", hash_of(1), start).turn);
  EXPECT_TRUE(all.begin("0", hash_of(1), start).turn);
}

class IdempotentUploads : public ::testing::Test {
 protected:
  IdempotentUploads() {
    rows_ = "Meter,Date";
    for (int hour = 0; hour < 24; ++hour) rows_ += "," + std::to_string(hour) + ":00";
    rows_ += "\nUP,2019-01-01";
    for (int hour = 0; hour < 24; ++hour) rows_ += ",1";
    rows_ += '\n';
  }

  Request upload(const std::string& who = "") {
    Request request{.method = "POST",
                    .target = std::string("/v1/deliveries?unit=kWh"),
                    .headers = {{"idempotency-key", "k"}, {"authorization", who}},
                    .body_bytes = rows_.size()};
    request.body = [this]() -> Result<std::unique_ptr<source::ByteSource>> {
      ++opened_;
      if (on_open_) METERLINE_CHECK(on_open_());
      return source::make_memory_source(rows_);
    };
    return request;
  }

  Response send(const std::string& who = "") { return handle(upload(who), context_); }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
  RememberedAnswers answers_;
  int loads_ = 0;
  int opened_ = 0;
  std::function<Result<void>()> on_open_;
  std::string rows_;
  Context context_{.store = *store_,
                   .ingest = {},
                   .now = [] { return start; },
                   .on_upload = [this](const DeliveryReport&) { ++loads_; },
                   .uploaded = &answers_};
};

TEST_F(IdempotentUploads, AreLoadedOnce) {
  const Response first = send();
  EXPECT_EQ(first.status, 201) << first.body;
  const Response again = send();
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers, first.headers);
  EXPECT_EQ(loads_, 1);
  rows_ += "UP2,2019-01-01\n";
  EXPECT_EQ(send().status, 422);
  EXPECT_EQ(loads_, 1);
}

TEST_F(IdempotentUploads, AreRefusedWhileTheFirstIsLoaded) {
  Response meanwhile;
  on_open_ = [&]() -> Result<void> {
    if (opened_ != 2) return {};  // Opened first to be hashed, and then to be loaded.
    meanwhile = send();
    return {};
  };
  EXPECT_EQ(send().status, 201);
  EXPECT_EQ(meanwhile.status, 409) << meanwhile.body;
  EXPECT_EQ(loads_, 1);
}

TEST_F(IdempotentUploads, ThatFailedAreTriedAgain) {
  on_open_ = [&]() -> Result<void> {
    if (opened_ == 2) return fail(Errc::unavailable, "the disk is away");
    return {};
  };
  EXPECT_EQ(send().status, 503);
  EXPECT_EQ(send().status, 201);
}

TEST_F(IdempotentUploads, OfOthersHaveKeysOfTheirOwn) {
  const Door door{.admit = [](std::string_view authorization, Instant) -> access::Admission {
    access::Scopes scopes;
    scopes.add(access::Scope::upload);
    return std::make_shared<const access::Caller>(access::Caller{
        .who = std::string(authorization), .scopes = scopes, .meters = MeterFilter::all()});
  }};
  context_.door = &door;
  EXPECT_EQ(send("ann").status, 201);
  EXPECT_EQ(send("bob").status, 200) << "skipped: the bytes are known";
  EXPECT_EQ(send("ann").status, 201);
}

TEST(IdempotencyKey, IsAStringInQuotesOrWithout) {
  EXPECT_EQ(parse_idempotency_key(R"("8e03978e-40d5")"), "8e03978e-40d5");
  EXPECT_EQ(parse_idempotency_key("8e03978e-40d5"), "8e03978e-40d5");
  EXPECT_EQ(parse_idempotency_key(std::string(255, 'k')), std::string(255, 'k'));
  for (const auto& refused :
       {std::string(), std::string(R"("")"), std::string(R"(")"), std::string("a b"),
        std::string(R"("a)"), std::string(R"("a", "b")"), std::string("a,b"), std::string("a\\b"),
        std::string("caf\xc3\xa9"), std::string(256, 'k')})
    EXPECT_FALSE(parse_idempotency_key(refused)) << refused;
}

}  // namespace
}  // namespace meterline::api
