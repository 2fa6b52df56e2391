#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "telemetry/embedded_metrics.h"
#include "telemetry/log.h"

namespace meterline::telemetry {
namespace {

/// A log at a fixed time, and what it wrote.
struct Written {
  explicit Written(LogFormat format, LogLevel least = LogLevel::info)
      : log(
            format, [this](std::string_view line) { text += line; },
            [] { return *Instant::parse("2026-02-03T04:05:06Z"); }, least) {}

  std::string text;
  Log log;
};

TEST(Log, WritesAnEventAsOneLineOfJson) {
  Written written(LogFormat::json);
  written.log.info("delivery stored", {{"requestId", "8f5c"}, {"rows", 12}, {"reason", ""}});
  EXPECT_EQ(written.text,
            R"({"time":"2026-02-03T04:05:06Z","level":"info","message":"delivery stored",)"
            R"("requestId":"8f5c","rows":12})"
            "\n");
}

TEST(Log, WritesAnEventAsOneLineOfText) {
  Written written(LogFormat::text);
  written.log.error("no queue", {{"queue", "http://127.0.0.1/q"}, {"tries", -1}});
  EXPECT_EQ(written.text,
            "2026-02-03T04:05:06Z error no queue queue=\"http://127.0.0.1/q\" tries=-1\n");
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  Written written(LogFormat::text, LogLevel::warning);
  EXPECT_FALSE(written.log.writes(LogLevel::info));
  EXPECT_TRUE(written.log.writes(LogLevel::warning));
  written.log.info("one");
  written.log.warning("two");
  written.log.error("three");
  written.log.write_line("metrics");
  EXPECT_EQ(written.text,
            "2026-02-03T04:05:06Z warning two\n2026-02-03T04:05:06Z error three\nmetrics\n");
}

TEST(Log, LevelsHaveNames) {
  for (const auto level : {LogLevel::info, LogLevel::warning, LogLevel::error})
    EXPECT_EQ(parse_log_level(text_of(level)), level);
  EXPECT_EQ(parse_log_level("debug"), std::nullopt);
}

TEST(Log, NoValueBeginsALineOrLeavesItsQuotes) {
  for (const auto format : {LogFormat::json, LogFormat::text}) {
    Written written(format);
    written.log.warning("a\nb", {{"object", "s3://b/\r\n\"}\x1b[2J\\ \xff \xc3\xa9"}});
    EXPECT_EQ(written.text.find('\n'), written.text.size() - 1);
    EXPECT_EQ(written.text.find('\x1b'), std::string::npos);
    EXPECT_NE(written.text.find("b/\\u000d\\n\\\"}\\u001b[2J\\\\ \xef\xbf\xbd \xc3\xa9\""),
              std::string::npos)
        << written.text;
  }
}

TEST(Log, BoundsATextAndALine) {
  Written written(LogFormat::json);
  const std::string key = std::string(log_text_bytes_max - 1, 'a') + "\xc3\xa9";
  written.log.info("long", {{"object", key}});
  EXPECT_NE(written.text.find(std::string(10, 'a') + "...\""), std::string::npos);
  EXPECT_LT(written.text.size(), log_text_bytes_max + 200);

  written.text.clear();
  const std::string controls(log_text_bytes_max, '\x01');
  written.log.info("long", {{"first", controls}, {"second", controls}, {"last", 1}});
  EXPECT_EQ(written.text.find("second"), std::string::npos);
  EXPECT_NE(written.text.find(R"("last":1})"), std::string::npos);
  EXPECT_LE(written.text.size(), log_line_bytes_max + 3);
}

TEST(Log, LinesOfManyThreadsStayWhole) {
  Written written(LogFormat::text);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int line = 0; line < 100; ++line) written.log.info("same");
      });
  }
  std::string expected;
  for (int i = 0; i < 400; ++i) expected += "2026-02-03T04:05:06Z info same\n";
  EXPECT_EQ(written.text, expected);
}

DeliveryReport some_report() {
  DeliveryReport report;
  report.rows = {.read = 10, .stored = 7, .repeated = 1, .rejected = 2};
  report.readings = {.read = 480, .stored = 330, .missing = 6, .repeated = 48, .rejected = 96};
  report.finding_counts[0] = 2;
  report.finding_counts[2] = 3;
  return report;
}

TEST(EmbeddedMetrics, TellOfADelivery) {
  Written written(LogFormat::json);
  EmbeddedMetrics metrics(written.log, "meters-processor");
  metrics.delivery(some_report(), std::chrono::milliseconds(1234));
  EXPECT_EQ(
      written.text,
      R"({"_aws":{"Timestamp":1770091506000,"CloudWatchMetrics":[{"Namespace":"meterline",)"
      R"("Dimensions":[["Service"]],"Metrics":[{"Name":"DeliveriesStored","Unit":"Count"},)"
      R"({"Name":"DeliveryDuration","Unit":"Microseconds"},{"Name":"RowsRead","Unit":"Count"},)"
      R"({"Name":"RowsStored","Unit":"Count"},{"Name":"RowsRepeated","Unit":"Count"},)"
      R"({"Name":"RowsRejected","Unit":"Count"},{"Name":"ReadingsStored","Unit":"Count"},)"
      R"({"Name":"ReadingsMissing","Unit":"Count"},{"Name":"ReadingsRejected","Unit":"Count"},)"
      R"({"Name":"Findings","Unit":"Count"}]}]},"Service":"meters-processor",)"
      R"("DeliveriesStored":1,"DeliveryDuration":1234000,"RowsRead":10,"RowsStored":7,)"
      R"("RowsRepeated":1,"RowsRejected":2,"ReadingsStored":330,"ReadingsMissing":6,)"
      R"("ReadingsRejected":96,"Findings":5})"
      "\n");
}

TEST(EmbeddedMetrics, CountTheRowsOfASkippedDeliveryNoSecondTime) {
  Written written(LogFormat::json);
  EmbeddedMetrics metrics(written.log, "w");
  auto report = some_report();
  report.state = DeliveryState::skipped;
  metrics.delivery(report, std::chrono::microseconds(5));
  EXPECT_NE(written.text.find(R"("DeliveriesSkipped":1,"DeliveryDuration":5})"), std::string::npos);
  EXPECT_EQ(written.text.find("Rows"), std::string::npos);
}

TEST(EmbeddedMetrics, TellOfARequest) {
  Written written(LogFormat::json);
  EmbeddedMetrics metrics(written.log, "api");
  metrics.request("consumption", 503, std::chrono::microseconds(700));
  EXPECT_NE(written.text.find(R"("Service":"api","Requests":1,"RequestErrors":1,)"
                              R"("RequestDuration":700,"route":"consumption","status":503})"),
            std::string::npos);
}

TEST(EmbeddedMetrics, AreNotWrittenToALogThatIsText) {
  Written written(LogFormat::text);
  EmbeddedMetrics metrics(written.log, "api");
  metrics.request("consumption", 200, std::chrono::microseconds(700));
  metrics.delivery({}, std::chrono::microseconds(700));
  metrics.dead_letter();
  EXPECT_EQ(written.text, "");
}

}  // namespace
}  // namespace meterline::telemetry
