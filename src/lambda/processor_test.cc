#include "lambda/processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

namespace meterline::lambda {
namespace {

using events::MessageEnd;
using events::MessageResult;
using std::chrono::milliseconds;

std::string golden(const std::string& name) {
  std::ifstream file("tests/data/events/" + name + ".json");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

/// Notes what is sent to it; `failure` makes that fail.
class Letters : public aws::Queue {
 public:
  Letters(std::vector<std::string>& sent, const bool& failure) : sent_(sent), failure_(failure) {}
  Result<std::vector<aws::Message>> receive(const aws::ReceiveOptions&) override { return {}; }
  Result<void> change_visibility(const std::string&, std::chrono::seconds) override { return {}; }
  Result<void> remove(const std::string&) override { return {}; }
  Result<void> send(const std::string& body,
                    const std::map<std::string, std::string>& attributes) override {
    if (failure_) return fail(Errc::unavailable, "no");
    sent_.push_back(attributes.at("reason") + " | " + attributes.at("requestId") + " | " +
                    body.substr(0, 20));
    return {};
  }

 private:
  std::vector<std::string>& sent_;
  const bool& failure_;
};

/// Notes for how long messages are hidden; `failure` makes that fail.
class Source : public aws::Queue {
 public:
  Source(std::vector<std::string>& hidden, const bool& failure)
      : hidden_(hidden), failure_(failure) {}
  Result<std::vector<aws::Message>> receive(const aws::ReceiveOptions&) override { return {}; }
  Result<void> change_visibility(const std::string& receipt,
                                 std::chrono::seconds visibility) override {
    if (failure_) return fail(Errc::unavailable, "no");
    hidden_.push_back(receipt.substr(receipt.size() - 4) + " for " +
                      std::to_string(visibility.count()) + " s");
    return {};
  }
  Result<void> remove(const std::string&) override { return {}; }
  Result<void> send(const std::string&, const std::map<std::string, std::string>&) override {
    return {};
  }

 private:
  std::vector<std::string>& hidden_;
  const bool& failure_;
};

/// A processor whose loads end as they are told.
struct Setting {
  std::string log_text;
  telemetry::Log log{telemetry::LogFormat::text,
                     [this](std::string_view line) { log_text += line; }, [] { return Instant{}; }};
  std::vector<std::string> sent;
  bool letters_fail = false;
  events::DeadLetters dead_letters{
      std::make_unique<Letters>(sent, letters_fail), log, {.source = "the function"}};
  std::vector<std::string> hidden;
  bool hiding_fails = false;
  Source source{hidden, hiding_fails};
  std::vector<milliseconds> store_limits;
  std::vector<std::string> loaded;
  std::function<MessageResult(std::string_view, const std::atomic<bool>&)> load;
  Processor processor{
      {.dead_letters = dead_letters,
       .load =
           [this](auto id, auto message, const auto& stop) {
             loaded.push_back(std::string(id) + " | " + std::string(message.substr(0, 20)));
             return load(message, stop);
           },
       .log = log,
       .queue = &source,
       .limit_store = [this](milliseconds time) { store_limits.push_back(time); }},
      {.receives_max = 3}};

  /// The answer, or `type: message` of an error.
  std::string process(const std::string& payload, milliseconds time = milliseconds(60'000)) {
    const auto deadline = std::chrono::system_clock::now() + time;
    const auto answer =
        processor.process({.request_id = "r-1",
                           .deadline = {std::chrono::duration_cast<std::chrono::microseconds>(
                                            deadline.time_since_epoch())
                                            .count()},
                           .payload = payload});
    return answer ? *answer : answer.error().type + ": " + answer.error().message;
  }
};

constexpr const char* first_id = "059f36b4-87a3-44ab-83d2-661975950001";
constexpr const char* second_id = "059f36b4-87a3-44ab-83d2-661975950002";

std::string failures(const std::string& ids) { return R"({"batchItemFailures":[)" + ids + "]}"; }
std::string failure(const std::string& id) { return R"({"itemIdentifier":")" + id + R"("})"; }

MessageResult ends(MessageEnd end) {
  return {.end = end, .reason = end == MessageEnd::done ? "" : "why", .object = "s3://b/k"};
}

TEST(Processor, LoadsAnEventAsItCame) {
  Setting setting;
  setting.load = [](auto, const auto&) { return ends(MessageEnd::done); };
  EXPECT_EQ(setting.process(golden("s3_put")), "{}");
  EXPECT_EQ(setting.process(golden("event_bridge")), "{}");
  EXPECT_THAT(setting.loaded, testing::ElementsAre(R"(r-1 | {"Records":[{"eventV)",
                                                   R"(r-1 | {"version":"0","id":)"));
  EXPECT_THAT(setting.sent, testing::IsEmpty());
}

TEST(Processor, GivesADeadEventToTheDeadLettersAndSucceeds) {
  Setting setting;
  setting.load = [](auto, const auto&) { return ends(MessageEnd::dead); };
  EXPECT_EQ(setting.process(golden("s3_put")), "{}");
  EXPECT_THAT(setting.sent, testing::ElementsAre(R"(why | r-1 | {"Records":[{"eventV)"));
}

TEST(Processor, FailsAnEventThatTheDeadLettersDoNotTake) {
  Setting setting;
  setting.letters_fail = true;
  setting.load = [](auto, const auto&) { return ends(MessageEnd::dead); };
  EXPECT_EQ(setting.process(golden("s3_put")), "Meterline.DeadLetter: s3://b/k: why");
}

TEST(Processor, FailsAnEventThatMaySucceedLater) {
  Setting setting;
  setting.load = [](auto, const auto&) { return ends(MessageEnd::retry); };
  EXPECT_EQ(setting.process(golden("s3_put")), "Meterline.Retry: s3://b/k: why");
  EXPECT_THAT(setting.sent, testing::IsEmpty());
}

TEST(Processor, LoadsTheMessagesOfABatchInTheirOrder) {
  Setting setting;
  setting.load = [](auto, const auto&) { return ends(MessageEnd::done); };
  EXPECT_EQ(setting.process(golden("sqs_batch")), failures(""));
  EXPECT_EQ(setting.loaded.size(), 2U);
}

TEST(Processor, FailsOnlyTheMessagesOfABatchThatAreToComeAgain) {
  Setting setting;
  int loads = 0;
  setting.load = [&](auto, const auto&) {
    return ends(loads++ == 0 ? MessageEnd::retry : MessageEnd::done);
  };
  EXPECT_EQ(setting.process(golden("sqs_batch")), failures(failure(first_id)));
  EXPECT_NE(setting.log_text.find("tried again later"), std::string::npos);
  EXPECT_THAT(setting.hidden, testing::ElementsAre("SLy1 for 10 s"));
}

TEST(Processor, AMessageThatTheQueueDoesNotHideAnewFailsAllTheSame) {
  Setting setting;
  setting.hiding_fails = true;
  setting.load = [](auto, const auto&) { return ends(MessageEnd::retry); };
  EXPECT_EQ(setting.process(golden("sqs_batch")), failures(failure(first_id)));
  EXPECT_NE(setting.log_text.find("comes again when its time is over: no"), std::string::npos);
}

TEST(Processor, TheStoreIsToldOfTheTimeThatTheFunctionHas) {
  Setting setting;
  setting.load = [](auto, const auto&) { return ends(MessageEnd::done); };
  setting.process(golden("sqs_batch"), milliseconds(60'000));
  setting.process(golden("s3_put"), milliseconds(10'000));
  setting.process(golden("s3_put"), milliseconds(-1));
  ASSERT_EQ(setting.store_limits.size(), 3U);
  EXPECT_LE(setting.store_limits[0], milliseconds(55'000)) << "5 s are left to end well";
  EXPECT_LE(setting.store_limits[1], milliseconds(8000)) << "a fifth, where that is less";
  EXPECT_EQ(setting.store_limits[2], milliseconds(0));
}

TEST(Processor, GivesUpAMessageThatWasReceivedTooOften) {
  Setting setting;  // The second message of the batch is received for the third time.
  setting.load = [](auto, const auto&) { return ends(MessageEnd::retry); };
  EXPECT_EQ(setting.process(golden("sqs_batch")), failures(failure(first_id)));
  EXPECT_THAT(setting.sent, testing::ElementsAre(testing::StartsWith(
                                "given up after 3 tries: why | r-1 | {\"Records\":")));
}

TEST(Processor, FailsAMessageThatTheDeadLettersDoNotTake) {
  Setting setting;
  setting.letters_fail = true;
  setting.load = [](auto, const auto&) { return ends(MessageEnd::dead); };
  EXPECT_EQ(setting.process(golden("sqs_batch")),
            failures(failure(first_id) + ',' + failure(second_id)));
}

TEST(Processor, StopsBeforeItsTimeIsOver) {
  Setting setting;
  setting.load = [](auto, const std::atomic<bool>& stop) {
    stop.wait(false);
    return ends(MessageEnd::retry);
  };
  EXPECT_EQ(setting.process(golden("sqs_batch"), milliseconds(250)),
            failures(failure(first_id) + ',' + failure(second_id)));
  EXPECT_EQ(setting.loaded.size(), 1U);
  EXPECT_THAT(setting.hidden, testing::ElementsAre("SLy1 for 10 s", "SLy2 for 0 s"))
      << "what was not begun did not fail";
}

TEST(Processor, TakesABatchThatIsNoneForAnEvent) {
  Setting setting;
  setting.load = [](auto message, const auto&) {
    return events::parse_s3_event(message) ? ends(MessageEnd::done) : ends(MessageEnd::dead);
  };
  for (const char* payload : {"", "{}", "[", R"({"Records":[{"eventSource":"aws:sqs"}]})",
                              R"({"Records":[{"eventSource":"aws:kinesis","messageId":"1"}]})"})
    EXPECT_EQ(setting.process(payload), "{}") << payload;
  EXPECT_EQ(setting.sent.size(), 5U);
}

}  // namespace
}  // namespace meterline::lambda
