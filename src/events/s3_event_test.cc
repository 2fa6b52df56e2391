#include "events/s3_event.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace meterline::events {
namespace {

std::string golden(const std::string& name) {
  std::ifstream file("tests/data/events/" + name + ".json");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

/// The event as lines, or the message that refuses it.
std::string told(const std::string& json) {
  const auto event = parse_s3_event(json);
  if (!event) return "refused: " + event.error().message;
  std::string text;
  for (const auto& [name, bytes, etag] : event->created)
    text += "load " + name.bucket + " | " + name.key + " | " + name.version_id + " | " +
            (bytes ? std::to_string(*bytes) : "") + " | " + etag + '\n';
  for (const auto& ignored : event->ignored) text += "ignore " + ignored + '\n';
  return text;
}

constexpr const char* put_is_told =
    "load meters-incoming | 2019/E\u00e9 50%+.csv | 096fKKXTRTtl3on89fVO.nfljtsv6qko | 1024 | "
    "\"d41d8cd98f00b204e9800998ecf8427e\"\n";

TEST(S3Event, ReadsANotificationAndDecodesItsKeyOnce) {
  EXPECT_EQ(told(golden("s3_put")), put_is_told);
}

TEST(S3Event, ReadsWhatSnsCarries) {
  EXPECT_EQ(told(golden("sns_to_queue")), put_is_told);
  EXPECT_EQ(told(golden("sns_to_function")), put_is_told);
}

TEST(S3Event, IgnoresWhatIsNothingToLoadAndRepeats) {
  EXPECT_EQ(told(golden("s3_multipart_and_removed")),
            "load meters-incoming | big.csv.zst |  | 73400320 | "
            "\"9b2cf535f27731c974343645a3985328-9\"\n"
            "ignore ObjectRemoved:DeleteMarkerCreated of s3://meters-incoming/old file.csv\n"
            "ignore s3://meters-incoming/2020/ names a folder\n"
            "ignore s3://meters-incoming/nothing.csv is empty\n");
}

TEST(S3Event, ReadsAnEventOfEventBridgeWithItsKeyAsItStands) {
  EXPECT_EQ(told(golden("event_bridge")),
            "load meters-incoming | a b+c%2B\u00e9.csv | IYV3p45BT0ac8hjHg1houSdS1a.Mro8e | 5 | "
            "\"b1946ac92492d2347c6235b4d2611184\"\n");
  EXPECT_EQ(told(golden("event_bridge_deleted")),
            "ignore Object Deleted of s3://meters-incoming/a b.csv\n");
}

TEST(S3Event, IgnoresTheTestEvent) {
  EXPECT_EQ(told(golden("test_event")), "ignore s3:TestEvent of bucket meters-incoming\n");
}

std::string record(const std::string& bucket, const std::string& key,
                   const std::string& source = "aws:s3") {
  return R"({"eventSource":")" + source +
         R"(","eventName":"s3:ObjectCreated:Put","s3":{"bucket":)" + R"({"name":")" + bucket +
         R"("},"object":{"key":")" + key + R"("}}})";
}

std::string notification(const std::string& records) { return R"({"Records":[)" + records + "]}"; }

TEST(S3Event, ReadsTheNotificationsOfOtherStores) {
  EXPECT_EQ(told(notification(record("meters", "a.csv", "minio:s3"))),
            "load meters | a.csv |  |  | \n");
}

constexpr const char* wanted =
    "refused: wanted a notification of S3 (\"Records\" with \"eventSource\": \"aws:s3\"), an event "
    "of EventBridge (\"source\": \"aws.s3\"), or one of them in a message of SNS";

TEST(S3Event, RefusesWhatIsNone) {
  for (const char* text :
       {"{}", "[]", "1", "null", R"({"Records":[]})", R"({"Records":{}})", R"({"Records":[1]})",
        R"({"Records":[{"eventSource":"aws:sqs","eventName":"x"}]})",
        R"({"Type":"Notification","Message":"{}"})", R"({"Type":"Notification"})",
        R"({"source":"aws.ec2","detail-type":"x"})"})
    EXPECT_EQ(told(text), wanted) << text;
  for (const char* text : {"", "{", "{}x", "\"", "{\"a\":\"\xff\"}", "nul"})
    EXPECT_TRUE(told(text).starts_with("refused: wanted JSON: ")) << text << told(text);
  EXPECT_TRUE(told(R"({"Type":"Notification","Message":"hello"})").starts_with("refused: wanted"));
}

TEST(S3Event, ReadsOneEnvelopeOnly) {
  EXPECT_EQ(told(R"({"Type":"Notification","Message":"{\"Type\":\"Notification\",)"
                 R"(\"Message\":\"{}\"}"})"),
            wanted);
}

TEST(S3Event, RefusesNamesThatAreNone) {
  for (const char* key : {"%", "a%4", "a%zz", "%%20", ""})
    EXPECT_TRUE(told(notification(record("meters", key))).starts_with("refused: wanted a key"))
        << key;
  EXPECT_TRUE(told(notification(record("meters", "%ff"))).find("UTF-8") != std::string::npos);
  EXPECT_TRUE(told(notification(record("meters", std::string(1025, 'a'))))
                  .starts_with("refused: wanted a key of 1 to 1024 bytes"));
  EXPECT_TRUE(told(notification(record("meters", std::string(1024, 'a')))).starts_with("load"));
  for (const char* bucket : {"", "ab", "a/b", "..\\u0000.", "a b c"})
    EXPECT_TRUE(told(notification(record(bucket, "a"))).starts_with("refused: wanted the name"))
        << bucket;
}

TEST(S3Event, BoundsItsInput) {
  EXPECT_TRUE(told(std::string(event_bytes_max + 1, ' ')).starts_with("refused: wanted at most"));
  EXPECT_TRUE(told(std::string(1000, '[')).starts_with("refused: wanted JSON"));
  std::string records = record("meters", "a");
  for (std::size_t i = 1; i < event_objects_max; ++i) records += ',' + record("meters", "a");
  EXPECT_EQ(told(notification(records)), "load meters | a |  |  | \n");
  EXPECT_TRUE(told(notification(records + ',' + record("meters", "a")))
                  .starts_with("refused: wanted at most 1000 records, there are 1001"));
}

/// As S3 writes keys into notifications.
std::string encode_form(const std::string& key) {
  static constexpr const char* digits = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : key) {
    if (std::isalnum(c) != 0 ||
        std::string_view("-_.*/").find(static_cast<char>(c)) != std::string_view::npos)
      out += static_cast<char>(c);
    else if (c == ' ')
      out += '+';
    else
      out += {'%', digits[c >> 4], digits[c & 15]};
  }
  return out;
}

RC_GTEST_PROP(S3Event, KeysSurviveTheirWay, ()) {
  const auto pieces = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>(" ", "+", "%", "%2B", "\u00e9", "\n", "\u65e5", "/", "..", "a",
                                    "Z9", "\"", "\\", "&=?#", "\x7f", "\U0001F600")));
  std::string key;
  for (const auto& piece : pieces) key += piece;
  key += "x";  // Not a folder.
  RC_PRE(key.size() <= 1024U);
  const auto event = parse_s3_event(notification(record("meters", encode_form(key))));
  RC_ASSERT(event.has_value());
  RC_ASSERT(event->created.size() == 1U);
  RC_ASSERT(event->created.front().name.key == key);
}

}  // namespace
}  // namespace meterline::events
