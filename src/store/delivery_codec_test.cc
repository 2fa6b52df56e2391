#include "store/delivery_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterline::store {
namespace {

DeliveryRecord example() {
  DeliveryRecord record;
  record.delivery = {.id = *DeliveryId::parse("00112233445566778899aabbccddeeff"),
                     .source = "/data/a.csv",
                     .content = {1, 2, 3},
                     .bytes = 77,
                     .delivered_at = {-5},
                     .received_at = {6},
                     .unit = Unit::kWh,
                     .reader = 3};
  record.report = {
      .state = DeliveryState::refused,
      .reason = "why",
      .format = "wide-csv",
      .rows = {.read = 3, .stored = 1, .repeated = 1, .rejected = 1},
      .readings = {.read = 144, .stored = 40, .missing = 8, .repeated = 48, .rejected = 48},
      .finding_counts = {1, 2, 3},
      .findings = {{.line = 4, .column = 2, .text = "t", .excerpt = "e"}}};
  const DateRange dates{.from = *Date::parse("2019-01-01"), .to = *Date::parse("2019-01-31")};
  record.days = {.dates = dates,
                 .meters = 2,
                 .meter_ids = {*MeterId::parse("EE00027"), *MeterId::parse("EE00035")}};
  return record;
}

TEST(DeliveryCodec, ReadsBackWhatWasWritten) {
  const auto record = example();
  const auto back = decode_delivery(encode_delivery(record.delivery, record.report, record.days));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, record);
}

TEST(DeliveryCodec, ReadsBackWhatAFileWasRecognisedBy) {
  auto record = example();
  record.report.recognised_by = "line 1 is a header";
  EXPECT_EQ(decode_delivery(encode_delivery(record.delivery, record.report, record.days)), record);
}

TEST(DeliveryCodec, ReadsBackHowManyRegisterReadsThereWere) {
  auto record = example();
  record.report.register_reads = {.read = 4, .stored = 2, .repeated = 1, .rejected = 1};
  const auto bytes = encode_delivery(record.delivery, record.report, record.days);
  EXPECT_EQ(decode_delivery(bytes).value(), record);
  EXPECT_EQ(bytes.size(),
            encode_delivery(example().delivery, example().report, example().days).size() + 4);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_delivery(std::string_view(bytes).substr(0, size))) << size;
}

TEST(DeliveryCodec, ReadsBackEvents) {
  auto record = example();
  record.events = {{.at = {-7}, .kind = DeliveryEventKind::withdrawn, .who = "ann", .reason = "no"},
                   {.at = {9}, .kind = DeliveryEventKind::restored, .who = "bob", .reason = ""}};
  const auto bytes = encode_delivery(record.delivery, record.report, record.days, record.events);
  EXPECT_EQ(decode_delivery(bytes).value(), record);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_delivery(std::string_view(bytes).substr(0, size))) << size;

  std::swap(record.events[0], record.events[1]);
  EXPECT_FALSE(
      decode_delivery(encode_delivery(record.delivery, record.report, record.days, record.events)))
      << "out of order";
  record.events = {{.at = {9}, .who = "", .reason = "nobody"}};
  EXPECT_FALSE(
      decode_delivery(encode_delivery(record.delivery, record.report, record.days, record.events)));
}

TEST(DeliveryCodec, ReadsBackHowAFileWasRead) {
  auto record = example();
  record.delivery.zone = "Europe/Tallinn";
  record.delivery.feed = Feed{.name = "supplier", .hash = {9, 8, 7}};
  record.delivery.reader = 4'000'000'000;
  const auto bytes = encode_delivery(record.delivery, record.report, record.days);
  EXPECT_EQ(decode_delivery(bytes).value(), record);
}

DeliveryRecord object_example() {
  auto record = example();
  record.delivery.object_version =
      "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo";
  record.delivery.content_tag = "\"d41d8cd98f00b204e9800998ecf8427e\"";
  return record;
}

TEST(DeliveryCodec, ReadsBackTheVersionOfAnObject) {
  const auto record = object_example();
  auto only_tagged = record;
  only_tagged.delivery.object_version.clear();
  for (const auto& written : {record, only_tagged}) {
    const auto bytes = encode_delivery(written.delivery, written.report, written.days);
    EXPECT_EQ(decode_delivery(bytes).value(), written);
  }
}

/// example() as this format was first written: it is read for good.
constexpr std::string_view first_written =
    "0300112233445566778899aabbccddeeff0b2f646174612f612e63737601020300000000"
    "000000000000000000000000000000000000000000000000009a01090c02000006000001"
    "0377687908776964652d63737606020202a0025010606016020406000000000000000002"
    "08040001740165"
    "04d297028e9802040007454530303032370a02333500";
/// As it is written now: without the counts of codes that it has none of.
constexpr std::string_view written =
    "0300112233445566778899aabbccddeeff0b2f646174612f612e63737601020300000000"
    "000000000000000000000000000000000000000000000000009a01090c02000006000001"
    "0377687908776964652d63737606020202a00250106060060204060208040001740165"
    "04d297028e9802040007454530303032370a02333500";

std::string bytes_of(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

TEST(DeliveryCodec, ReadsWhatStoresHold) {
  const auto record = example();
  const auto bytes = encode_delivery(record.delivery, record.report, record.days);
  EXPECT_EQ(hex(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), written);
  for (const auto digits : {written, first_written})
    EXPECT_EQ(decode_delivery(bytes_of(digits)).value(), record);
  for (const char older : {'\1', '\2'}) EXPECT_FALSE(decode_delivery(older + bytes.substr(1)));
}

/// A newer program counts and tells of what this one has no name for.
TEST(DeliveryCodec, LeavesOutCodesThatItDoesNotKnow) {
  auto record = example();
  record.report.finding_counts.back() = 7;
  auto bytes = encode_delivery(record.delivery, record.report, record.days);
  const std::string counts(1, static_cast<char>(2 * finding_codes_count));
  const auto at = bytes.rfind(counts + "\2\4\6");
  ASSERT_NE(at, std::string::npos);
  bytes[at]++;
  bytes[at]++;
  bytes.insert(at + 1 + finding_codes_count, "\x0A");
  EXPECT_EQ(decode_delivery(bytes).value(), record);

  const auto finding = bytes.rfind(std::string_view("\0\1t\1e", 5));
  ASSERT_NE(finding, std::string::npos);
  bytes[finding] = '\xC8';  // Its code.
  record.report.findings.clear();
  EXPECT_EQ(decode_delivery(bytes).value(), record);
}

TEST(DeliveryCodec, ANewerFormatIsToldFromDamage) {
  const auto record = example();
  auto bytes = encode_delivery(record.delivery, record.report, record.days);
  bytes[0] = '\4';
  EXPECT_THAT(decode_delivery(bytes).error().message,
              ::testing::HasSubstr("format 4, written by a newer meterline"));
  bytes[0] = '\0';
  EXPECT_THAT(decode_delivery(bytes).error().message, ::testing::HasSubstr("damaged"));
}

TEST(DeliveryCodec, EveryCutOffRecordIsRefused) {
  for (const auto& record : {example(), object_example()}) {
    const auto bytes = encode_delivery(record.delivery, record.report, record.days);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(decode_delivery(std::string_view(bytes).substr(0, size))) << size;
    EXPECT_FALSE(decode_delivery(bytes + 'x'));
  }
}

}  // namespace
}  // namespace meterline::store
