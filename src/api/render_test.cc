#include "api/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterline::api {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Date day(std::string_view text) { return *Date::parse(text); }

query::Total total(std::optional<Sum> sum, std::int64_t readings) {
  query::Total total{
      .sum = sum, .readings = readings, .expected = 48, .quality = {}, .version = {}};
  total.quality.actual = readings;
  total.quality.missing = 48 - readings;
  if (sum)
    total.version = Version{.stated = *Instant::parse("2019-02-01T06:00:00Z"),
                            .received = *Instant::parse("2019-02-02T07:00:00Z"),
                            .tie = 7};
  return total;
}

query::Consumption consumption() {
  const Channel channel{.name = "E1", .flow = Flow::generation, .unit = Unit::kWh};
  return {
      .question = {.meter = *MeterId::parse("M1"),
                   .dates = {.from = day("2019-01-01"), .to = day("2019-01-02")},
                   .resolution = query::Resolution::day,
                   .channel = std::nullopt,
                   .flow = std::nullopt,
                   .as_of = std::nullopt},
      .channels = {
          {.channel = channel,
           .total = total(Sum(15, -1), 47),
           .series = {{.day = day("2019-01-01"), .minute = 0, .total = total(Sum(15, -1), 47)},
                      {.day = day("2019-01-02"), .minute = 0, .total = total(std::nullopt, 0)}}}}};
}

TEST(Render, ConsumptionAsJson) {
  EXPECT_EQ(
      to_json(consumption()),
      R"({"meter":"M1","from":"2019-01-01","to":"2019-01-02","resolution":"day","asOf":null,)"
      R"("channels":[{"channel":"E1","flow":"generation","unit":"kWh",)"
      R"("sum":1.5,"readings":47,"expected":48,)"
      R"("quality":{"actual":47,"substituted":0,"estimated":0,"missing":1},)"
      R"("version":{"stated":"2019-02-01T06:00:00Z","received":"2019-02-02T07:00:00Z"},"series":[)"
      R"({"start":"2019-01-01","sum":1.5,"readings":47,"expected":48,)"
      R"("quality":{"actual":47,"substituted":0,"estimated":0,"missing":1},)"
      R"("version":{"stated":"2019-02-01T06:00:00Z","received":"2019-02-02T07:00:00Z"}},)"
      R"({"start":"2019-01-02","sum":null,"readings":0,"expected":48,)"
      R"("quality":{"actual":0,"substituted":0,"estimated":0,"missing":48},"version":null}]}]})");
}

TEST(Render, ConsumptionAsCsv) {
  EXPECT_EQ(to_csv(consumption()),
            "meter,channel,flow,unit,start,sum,"
            "readings,expected,actual,substituted,estimated,missing,stated,received\n"
            "M1,E1,generation,kWh,2019-01-01,1.5,47,48,47,0,0,1,2019-02-01T06:00:00Z,2019-02-02T07:"
            "00:00Z\n"
            "M1,E1,generation,kWh,2019-01-02,,0,48,0,0,0,48,,\n");
}

TEST(Render, Top) {
  query::Top top;
  top.question.dates = consumption().question.dates;
  auto& channel = top.channels.emplace_back();
  channel.channel = consumption().channels.front().channel;
  channel.meters = 9;
  channel.listed.push_back(
      {.meter = *MeterId::parse("M1"), .sum = Sum(15, -1), .readings = 47, .days = 0});
  EXPECT_EQ(to_json(top),
            R"({"from":"2019-01-01","to":"2019-01-02","order":"highest","asOf":null,)"
            R"("channels":[{"channel":"E1","flow":"generation","unit":"kWh","meters":9,)"
            R"("top":[{"meter":"M1","sum":1.5,"readings":47,"days":0}]}]})");
  EXPECT_EQ(to_csv(top),
            "channel,flow,unit,meter,sum,readings,days\nE1,generation,kWh,M1,1.5,47,0\n");
}

TEST(Render, Profile) {
  const query::Point peak{.day = day("2019-01-02"), .minute = 90, .total = total(Sum(4, 0), 1)};
  query::Profile profile{.question = consumption().question, .channels = {}};
  profile.question.resolution = query::Resolution::interval;
  profile.channels.push_back(
      {.channel = consumption().channels.front().channel,
       .all = {.count = 3, .average = Sum(25, -1)},
       .peak = peak,
       .lowest = std::nullopt,
       .load_factor = Sum(625, -3),
       .points = {{.minute = 90, .weekday = {.count = 3, .average = Sum(25, -1)}, .weekend = {}}}});
  EXPECT_EQ(to_json(profile),
            R"({"meter":"M1","from":"2019-01-01","to":"2019-01-02","resolution":"interval",)"
            R"("asOf":null,"channels":[{"channel":"E1","flow":"generation","unit":"kWh",)"
            R"("average":2.5,"count":3,"peak":{"start":"2019-01-02T01:30:00","sum":4},)"
            R"("lowest":null,"loadFactor":0.625,"profile":[{"start":"01:30",)"
            R"("weekday":{"average":2.5,"count":3},"weekend":{"average":null,"count":0}}]}]})");
  EXPECT_EQ(
      to_csv(profile),
      "meter,channel,flow,unit,start,weekdayAverage,weekdayCount,weekendAverage,weekendCount\n"
      "M1,E1,generation,kWh,01:30,2.5,3,,0\n");
}

query::Consumption noted_intervals() {
  auto answer = consumption();
  answer.question.resolution = query::Resolution::interval;
  auto& channel = answer.channels[0];
  channel.series = {{.day = day("2019-01-01"), .minute = 0, .total = total(Sum(15, -1), 1)},
                    {.day = day("2019-01-01"), .minute = 30, .total = total(std::nullopt, 0)}};
  channel.notes = {{.first = 1, .end = 2, .note = {"N", "", "79", "a \"fuse\", say"}}};
  return answer;
}

TEST(Render, AnIntervalHasItsNoteAsJson) {
  const auto json = to_json(noted_intervals());
  EXPECT_THAT(json, HasSubstr(R"("received":"2019-02-02T07:00:00Z"}},{"start")"));
  EXPECT_THAT(json, HasSubstr(R"("version":null,"note":{"flag":"N","method":null,)"
                              R"("reasonCode":"79","reasonText":"a \"fuse\", say"}}]}]})"));
}

TEST(Render, SeriesOfIntervalsHaveColumnsForNotes) {
  const std::string header =
      "meter,channel,flow,unit,start,sum,readings,expected,actual,substituted,estimated,missing,"
      "stated,received,flag,method,reasonCode,reasonText\n"
      "M1,E1,generation,kWh,2019-01-01T00:00:00,1.5,1,48,1,0,0,47,2019-02-01T06:00:00Z,"
      "2019-02-02T07:00:00Z,,,,\n";
  auto answer = noted_intervals();
  EXPECT_EQ(to_csv(answer), header +
                                "M1,E1,generation,kWh,2019-01-01T00:30:00,,0,48,0,0,0,48,,,"
                                "N,,79,\"a \"\"fuse\"\", say\"\n");
  answer.channels[0].notes.clear();
  EXPECT_EQ(to_csv(answer),
            header + "M1,E1,generation,kWh,2019-01-01T00:30:00,,0,48,0,0,0,48,,,,,,\n");
}

query::History noted_history() {
  query::DayVersion version;
  version.version = *total(Sum(1, 0), 1).version;
  version.delivery.bytes.fill(0xAB);
  version.zone = TimeZone::of_offset(600);
  version.total = total(Sum(15, -1), 1);
  version.notes = {{.first = 2, .end = 4, .note = {"S", "14", "32", "fuse"}}};
  version.changes = {{.minute = 60,
                      .before = Decimal{.mantissa = 2, .exponent = 0},
                      .after = Decimal{.mantissa = 2, .exponent = 0},
                      .quality_before = Quality::actual,
                      .quality_after = Quality::substituted},
                     {.minute = 90}};
  version.notes_before = {{.first = 1, .end = 2, .note = {"N", "", "", ""}}};
  version.notes_after = {{.first = 0, .end = 1, .note = {"S", "14", "32", "fuse"}}};
  return {.question = {.meter = *MeterId::parse("M1"), .date = day("2019-01-01")},
          .channels = {{.channel = {}, .versions = {version}}}};
}

TEST(Render, HistoryHasNotesAsJsonAndCsv) {
  EXPECT_EQ(
      to_json(noted_history()),
      R"({"meter":"M1","date":"2019-01-01","channels":[{"channel":"consumption",)"
      R"("flow":"consumption","unit":null,"versions":[{"version":{)"
      R"("stated":"2019-02-01T06:00:00Z","received":"2019-02-02T07:00:00Z"},"origin":"source",)"
      R"("delivery":{"id":"abababababababababababababababab","source":null,"state":null},)"
      R"("counts":false,"intervalMinutes":30,"zone":"+10:00","sum":1.5,"readings":1,"expected":48,)"
      R"("quality":{"actual":1,"substituted":0,"estimated":0,"missing":47},)"
      R"("notes":[{"start":"2019-01-01T01:00:00+10:00","intervals":2,"flag":"S","method":"14",)"
      R"("reasonCode":"32","reasonText":"fuse"}],)"
      R"("changes":[{"start":"2019-01-01T01:00:00+10:00","before":2,"after":2,)"
      R"("qualityBefore":"actual","qualityAfter":"substituted",)"
      R"("noteAfter":{"flag":"S","method":"14","reasonCode":"32","reasonText":"fuse"}},)"
      R"({"start":"2019-01-01T01:30:00+10:00","before":null,"after":null,)"
      R"("qualityBefore":"missing","qualityAfter":"missing",)"
      R"("noteBefore":{"flag":"N","method":null,"reasonCode":null,"reasonText":null}}]}]}]})");
  EXPECT_EQ(to_csv(noted_history()),
            "meter,channel,flow,unit,date,origin,delivery,source,state,counts,"
            "changes,notes,intervalMinutes,sum,readings,expected,actual,substituted,estimated,"
            "missing,stated,received\n"
            "M1,consumption,consumption,,2019-01-01,source,abababababababababababababababab,,,"
            "false,2,1,30,1.5,1,48,1,0,0,47,2019-02-01T06:00:00Z,2019-02-02T07:00:00Z\n");
}

TEST(Render, AStartBelowADayIsALocalTime) {
  const query::Point point{.day = day("2019-01-31"), .minute = 23 * 60 + 5, .total = {}};
  EXPECT_EQ(start_text(point, query::Resolution::interval), "2019-01-31T23:05:00");
  EXPECT_EQ(start_text(point, query::Resolution::hour), "2019-01-31T23:05:00");
  EXPECT_EQ(start_text(point, query::Resolution::day), "2019-01-31");
  EXPECT_EQ(start_text(point, query::Resolution::year), "2019-01-31");
}

query::Portfolio portfolio() {
  const query::PortfolioTotal two{
      .total = total(Sum(5, 0), 48), .meters = 2, .meters_incomplete = 1, .average = Sum(25, -1)};
  return {.question = {.dates = {.from = day("2019-01-01"), .to = day("2019-01-01")},
                       .resolution = query::Resolution::month,
                       .channel = std::nullopt,
                       .flow = std::nullopt,
                       .as_of = Instant::parse("2019-03-01T00:00:00Z")},
          .channels = {
              {.channel = {}, .total = two, .series = {{.day = day("2019-01-01"), .total = two}}}}};
}

TEST(Render, PortfolioAsJson) {
  const std::string basis =
      R"("sum":5,"average":2.5,"meters":2,"metersIncomplete":1,"readings":48,"expected":48,)"
      R"("quality":{"actual":48,"substituted":0,"estimated":0,"missing":0},)"
      R"("version":{"stated":"2019-02-01T06:00:00Z","received":"2019-02-02T07:00:00Z"})";
  EXPECT_EQ(to_json(portfolio()), R"({"from":"2019-01-01","to":"2019-01-01","resolution":"month",)"
                                  R"("asOf":"2019-03-01T00:00:00Z","channels":[)"
                                  R"({"channel":"consumption","flow":"consumption","unit":null,)" +
                                      basis + R"(,"series":[{"start":"2019-01-01",)" + basis +
                                      "}]}]}");
}

TEST(Render, PortfolioAsCsv) {
  EXPECT_EQ(to_csv(portfolio()),
            "channel,flow,unit,start,sum,average,meters,metersIncomplete,"
            "readings,expected,actual,substituted,estimated,missing,stated,received\n"
            "consumption,consumption,,2019-01-01,5,2.5,2,1,48,48,48,0,0,0,2019-02-01T06:00:00Z,"
            "2019-02-02T07:00:00Z\n");
}

query::Gaps all_gaps() {
  const Channel generation{.name = "B1", .flow = Flow::generation, .unit = Unit::kWh};
  return {.question = {.dates = {.from = day("2019-01-01"), .to = day("2019-01-31")},
                       .channel = std::nullopt,
                       .flow = std::nullopt,
                       .as_of = Instant::parse("2019-03-01T00:00:00Z"),
                       .absent = query::Absent::left_out,
                       .after = {}},
          .total = {.meters = 3, .meters_with_gaps = 2, .days = 93, .stored = 90, .complete = 89},
          .meters = {{.meter = *MeterId::parse("M1"),
                      .channels = {{.channel = generation,
                                    .stored = 30,
                                    .complete = 29,
                                    .first_gap = day("2019-01-07")},
                                   {.channel = {}, .first_gap = day("2019-01-01")}}}},
          .more = true};
}

TEST(Render, GapsOfAllMetersAsJsonAndCsv) {
  EXPECT_EQ(to_json(all_gaps()),
            R"({"from":"2019-01-01","to":"2019-01-31","asOf":"2019-03-01T00:00:00Z",)"
            R"("absent":false,)"
            R"("total":{"meters":3,"metersWithGaps":2,"days":93,"stored":90,"complete":89},)"
            R"("meters":[{"meter":"M1","channels":[)"
            R"({"channel":"B1","flow":"generation","unit":"kWh","days":31,"stored":30,)"
            R"("complete":29,"firstGap":"2019-01-07"},)"
            R"({"channel":"consumption","flow":"consumption","unit":null,"days":31,"stored":0,)"
            R"("complete":0,"firstGap":"2019-01-01"}]}],"next":"M1"})");
  EXPECT_EQ(to_csv(all_gaps()),
            "meter,channel,flow,unit,days,stored,complete,firstGap\n"
            "M1,B1,generation,kWh,31,30,29,2019-01-07\n"
            "M1,consumption,consumption,,31,0,0,2019-01-01\n");
}

TEST(Render, GapsOfAMeterAsJsonAndCsv) {
  const query::Gap missing{.dates = {.from = day("2019-01-02"), .to = day("2019-01-04")},
                           .expected = std::nullopt};
  const query::Gap incomplete{
      .dates = {.from = day("2019-01-05"), .to = day("2019-01-05")}, .readings = 0, .expected = 46};
  const query::MeterGaps gaps{
      .question = {.meter = *MeterId::parse("M1"),
                   .dates = {.from = day("2019-01-01"), .to = day("2019-01-05")}},
      .channels = {{.channel = {}, .stored = 2, .complete = 1, .gaps = {missing, incomplete}}}};
  EXPECT_EQ(to_json(gaps),
            R"({"meter":"M1","from":"2019-01-01","to":"2019-01-05","asOf":null,"channels":[)"
            R"({"channel":"consumption","flow":"consumption","unit":null,"days":5,"stored":2,)"
            R"("complete":1,"gaps":[{"kind":"missing","from":"2019-01-02","to":"2019-01-04",)"
            R"("days":3,"readings":0,"expected":null},{"kind":"incomplete","from":"2019-01-05",)"
            R"("to":"2019-01-05","days":1,"readings":0,"expected":46}]}]})");
  EXPECT_EQ(to_csv(gaps),
            "meter,channel,flow,unit,kind,from,to,days,readings,expected\n"
            "M1,consumption,consumption,,missing,2019-01-02,2019-01-04,3,0,\n"
            "M1,consumption,consumption,,incomplete,2019-01-05,2019-01-05,1,0,46\n");
}

store::DeliveryRecord record() {
  store::DeliveryRecord record;
  record.delivery.id.bytes.fill(0xAB);
  record.delivery.source = "upload:a \"b\", c";
  record.delivery.content.fill(0x01);
  record.delivery.bytes = 1234;
  record.delivery.delivered_at = *Instant::parse("2019-02-01T06:00:00Z");
  record.delivery.received_at = *Instant::parse("2019-02-02T07:00:00Z");
  record.delivery.unit = Unit::kWh;
  record.delivery.reader = 1;
  record.report.format = "wide-csv";
  record.report.rows = {.read = 3, .stored = 1, .repeated = 1, .rejected = 1};
  record.report.readings = {
      .read = 144, .stored = 47, .missing = 1, .repeated = 48, .rejected = 48};
  record.report.finding_counts.at(static_cast<std::size_t>(FindingCode::bad_date)) = 1;
  record.report.findings = {{.line = 3,
                             .column = 2,
                             .code = FindingCode::bad_date,
                             .text = "want yyyy-MM-dd",
                             .excerpt = "1/2/2019"}};
  return record;
}

constexpr std::string_view record_start =
    R"({"id":"abababababababababababababababab","source":"upload:a \"b\", c",)"
    R"("state":"stored","reason":null,"format":"wide-csv","deliveredAt":"2019-02-01T06:00:00Z",)"
    R"("receivedAt":"2019-02-02T07:00:00Z",)"
    R"("bytes":1234,)"
    R"("sha256":"0101010101010101010101010101010101010101010101010101010101010101",)"
    R"("unit":"kWh","reader":1,"rows":{"read":3,"stored":1,"repeated":1,"rejected":1},)"
    R"("readings":{"read":144,"stored":47,"missing":1,"repeated":48,"rejected":48},)"
    R"("findingCounts":{"bad_date":1})";
constexpr std::string_view findings =
    R"("findings":[{"line":3,"column":2,"code":"bad_date","severity":"loss",)"
    R"("text":"want yyyy-MM-dd",)"
    R"("excerpt":"1/2/2019"}])";

TEST(Render, DeliveryAsJson) {
  const std::string start(record_start);
  EXPECT_EQ(to_json(record()), start + "," + std::string(findings) + "}");
  EXPECT_EQ(deliveries_json({record()}, true),
            R"({"deliveries":[)" + start + R"(}],"next":"abababababababababababababababab"})");
  EXPECT_EQ(deliveries_json({}, false), R"({"deliveries":[],"next":null})");
  EXPECT_EQ(findings_json(record()),
            R"({"id":"abababababababababababababababab","findingCounts":{"bad_date":1},)" +
                std::string(findings) + "}");
}

TEST(Render, DeliveryAsCsv) {
  EXPECT_EQ(deliveries_csv({record()}),
            "id,source,state,reason,format,deliveredAt,receivedAt,bytes,sha256,unit,"
            "rowsRead,rowsStored,rowsRepeated,rowsRejected,"
            "readingsRead,readingsStored,readingsMissing,readingsRepeated,readingsRejected,"
            "objectVersion,reader,zone,feed,withdrawnAt,withdrawnBy,withdrawnReason,"
            "registerReadsRead,registerReadsStored,registerReadsRepeated,registerReadsRejected\n"
            "abababababababababababababababab,\"upload:a \"\"b\"\", c\",stored,,wide-csv,"
            "2019-02-01T06:00:00Z,2019-02-02T07:00:00Z,1234,"
            "0101010101010101010101010101010101010101010101010101010101010101,kWh,"
            "3,1,1,1,144,47,1,48,48,,1,,,,,,0,0,0,0\n");
  EXPECT_EQ(findings_csv(record()),
            "line,column,code,text,excerpt\n3,2,bad_date,want yyyy-MM-dd,1/2/2019\n");
}

TEST(Render, ADeliveryOfRegisterReadsCountsThem) {
  EXPECT_THAT(to_json(record()), Not(HasSubstr("registerReads")));
  auto read = record();
  read.report.register_reads = {.read = 5, .stored = 2, .repeated = 2, .rejected = 1};
  EXPECT_THAT(to_json(read), HasSubstr(R"("rejected":48},"registerReads":{"read":5,"stored":2,)"
                                       R"("repeated":2,"rejected":1},"findingCounts":)"));
  EXPECT_THAT(deliveries_csv({read}), HasSubstr(",5,2,2,1\n"));
}

TEST(Render, AnObjectSaysItsVersion) {
  auto object = record();
  EXPECT_THAT(to_json(object), Not(HasSubstr("objectVersion")));
  object.delivery.object_version = "L4kqtJ";
  EXPECT_THAT(to_json(object), HasSubstr(R"("reader":1,"objectVersion":"L4kqtJ","rows":)"));
  EXPECT_THAT(deliveries_csv({object}), HasSubstr(",48,48,L4kqtJ,1,,,,,,0,0,0,0\n"));
}

TEST(Render, AWithdrawnDeliverySaysWhenByWhomAndWhy) {
  auto withdrawn = record();
  const DeliveryEvent event{
      .at = *Instant::parse("2019-03-01T00:00:00Z"), .who = "ann", .reason = "not \"ours\", sorry"};
  withdrawn.events = {event};
  const std::string events =
      R"("events":[{"kind":"withdrawn","at":"2019-03-01T00:00:00Z","who":"ann",)"
      R"("reason":"not \"ours\", sorry"}],"rows":)";
  EXPECT_THAT(to_json(withdrawn), HasSubstr(R"("state":"withdrawn","reason":null)"));
  EXPECT_THAT(to_json(withdrawn), HasSubstr(R"("reader":1,)" + events));
  EXPECT_THAT(deliveries_csv({withdrawn}), HasSubstr(",withdrawn,,wide-csv,2019-02-01T06:00:00Z"));
  EXPECT_THAT(
      deliveries_csv({withdrawn}),
      HasSubstr(",48,48,,1,,,2019-03-01T00:00:00Z,ann,\"not \"\"ours\"\", sorry\",0,0,0,0\n"));
  const auto answer = withdrawal_json({.record = withdrawn, .changed = true});
  EXPECT_THAT(answer, ::testing::StartsWith(R"({"changed":true,"delivery":{"id":"abab)"));
  EXPECT_THAT(answer, Not(HasSubstr(R"("findings":)")));

  withdrawn.report.state = DeliveryState::skipped;
  EXPECT_EQ(shown_state(withdrawn), "skipped") << "of a file that was sent again";
  withdrawn.report.state = DeliveryState::stored;
  withdrawn.events.push_back(
      {.at = {event.at.micros + 1}, .kind = DeliveryEventKind::restored, .who = "bob"});
  EXPECT_EQ(shown_state(withdrawn), "stored");
  EXPECT_THAT(deliveries_csv({withdrawn}), HasSubstr(",48,48,,1,,,,,,0,0,0,0\n"));
  EXPECT_THAT(to_json(withdrawn), HasSubstr(R"({"kind":"restored",)"));
}

TEST(Render, ADeliverySaysInWhatZoneAndByWhatFeedItWasRead) {
  auto read = record();
  read.delivery.zone = "Europe/Tallinn";
  read.delivery.feed = Feed{.name = "supplier"};
  EXPECT_THAT(to_json(read), HasSubstr(R"("reader":1,"zone":"Europe/Tallinn",)"
                                       R"("feed":{"name":"supplier","sha256":"0000)"));
  EXPECT_THAT(deliveries_csv({read}), HasSubstr(",48,48,,1,Europe/Tallinn,supplier,,,,0,0,0,0\n"));
}

TEST(Render, IngestReportAsJson) {
  const ingest::IngestTotals totals{.deliveries = 2,
                                    .stored = 1,
                                    .skipped = 1,
                                    .refused = 0,
                                    .failed = 0,
                                    .rows = record().report.rows,
                                    .readings = record().report.readings};
  const std::string counts =
      R"("rows":{"read":3,"stored":1,"repeated":1,"rejected":1},)"
      R"("readings":{"read":144,"stored":47,"missing":1,"repeated":48,"rejected":48}})";
  const std::string total =
      R"("total":{"deliveries":2,"stored":1,"skipped":1,"refused":0,"failed":0,)" + counts + '}';
  const std::vector records = {record()};
  EXPECT_EQ(ingest_json({.records = records, .archives = {}, .totals = totals}),
            R"({"deliveries":[)" + to_json(record()) + "]," + total);
  const ingest::ArchiveReport archive{
      .source = "a", .restored = 3, .skipped = 2, .rows = totals.rows, .readings = totals.readings};
  const std::vector archives = {archive};
  EXPECT_EQ(ingest_json({.records = records, .archives = archives, .totals = totals}),
            R"({"deliveries":[)" + to_json(record()) +
                R"(],"archives":[{"source":"a","state":"stored","reason":null,)"
                R"("restored":3,"skipped":2,)" +
                counts + "]," + total);
}

TEST(Render, IngestReportTellsOfASweepAndOfAnEstimate) {
  IngestAnswer answer{.records = {}, .archives = {}, .totals = {}};
  EXPECT_THAT(ingest_json(answer), Not(AnyOf(HasSubstr("sweep"), HasSubstr("estimate"))));
  answer.sweep = ingest::SweepCounts{.objects = 7, .known = 4, .loaded = 3};
  EXPECT_THAT(ingest_json(answer), HasSubstr(R"("sweep":{"objects":7,"known":4,"loaded":3},)"));
  answer.estimate = store::StoreEstimate{};
  EXPECT_THAT(
      ingest_json(answer),
      HasSubstr(R"("estimate":{"readingDays":0,"registerReads":0,"meters":0,"from":null,"to":null,)"
                R"("packedBytes":0,"embeddedBytes":0,"keyspaces":null},)"));
  answer.estimate =
      store::StoreEstimate{.reading_days = 9,
                           .meters = 2,
                           .dates = DateRange{.from = day("2019-01-01"), .to = day("2019-01-05")},
                           .packed_bytes = 90,
                           .embedded_bytes = 120,
                           .servers = store::WriteCost{.rows = 14, .units = 15}};
  EXPECT_THAT(
      ingest_json(answer),
      HasSubstr(
          R"("estimate":{"readingDays":9,"registerReads":0,"meters":2,)"
          R"("from":"2019-01-01","to":"2019-01-05",)"
          R"("packedBytes":90,"embeddedBytes":120,"keyspaces":{"rows":14,"writeUnits":15}},)"));
}

TEST(Render, MetersAsJsonAndCsv) {
  const store::MeterInfo meter{
      .meter = *MeterId::parse("M1"),
      .channels = {
          {.channel = {}, .interval = {}, .first = day("2019-01-01"), .last = day("2019-12-31")}}};
  const std::string one =
      R"({"meter":"M1","channels":[{"channel":"consumption","flow":"consumption","unit":null,)"
      R"("interval":30,"first":"2019-01-01","last":"2019-12-31","zone":null}]})";
  EXPECT_EQ(to_json(meter), one);
  EXPECT_EQ(meters_json({meter}, false), R"({"meters":[)" + one + R"(],"next":null})");
  EXPECT_EQ(meters_json({meter}, true), R"({"meters":[)" + one + R"(],"next":"M1"})");
  EXPECT_EQ(
      meters_csv({meter}),
      "meter,channel,flow,unit,interval,first,last,zone,registerReads,serial,register,unitSent\n"
      "M1,consumption,consumption,,30,2019-01-01,2019-12-31,,false,,,\n");
}

TEST(Render, FactsOfAChannelStandBesideIt) {
  const store::ChannelInfo channel{
      .channel = {},
      .interval = {},
      .first = day("2019-01-01"),
      .last = day("2019-12-31"),
      .facts = ChannelFacts{.serial = "D7", .register_id = "", .sent = Unit::MWh}};
  const store::MeterInfo meter{.meter = *MeterId::parse("M1"), .channels = {channel}};
  EXPECT_THAT(to_json(meter),
              HasSubstr(R"("zone":null,"serial":"D7","register":null,"unitSent":"MWh"}])"));
  EXPECT_THAT(meters_csv({meter}), EndsWith("2019-12-31,,false,D7,,MWh\n"));
  auto history = noted_history();
  history.channels[0].versions[0].facts = channel.facts;
  EXPECT_THAT(to_json(history), HasSubstr(R"("zone":"+10:00","serial":"D7","register":null,)"));
}

TEST(Render, MetersWithRegisterReadsSaySo) {
  store::MeterInfo meter{.meter = *MeterId::parse("M1"), .channels = {}, .has_reads = true};
  EXPECT_EQ(to_json(meter), R"({"meter":"M1","channels":[],"registerReads":true})");
  const std::string header =
      "meter,channel,flow,unit,interval,first,last,zone,registerReads,serial,register,unitSent\n";
  EXPECT_EQ(meters_csv({meter}), header + "M1,,,,,,,,true,,,\n");
  meter.channels.push_back(
      {.channel = {}, .interval = {}, .first = day("2019-01-01"), .last = day("2019-12-31")});
  EXPECT_EQ(meters_csv({meter}),
            header + "M1,consumption,consumption,,30,2019-01-01,2019-12-31,,true,,,\n");
}

TEST(Render, RegisterReadsAsCsv) {
  query::KnownRead known;
  known.version = {.stated = *Instant::parse("2019-02-01T06:00:00Z"),
                   .received = *Instant::parse("2019-02-02T07:00:00Z")};
  known.delivery.bytes.fill(0xAB);
  known.read.meter = *MeterId::parse("M1");
  known.read.of = {.channel = {.name = "11", .flow = Flow::generation, .unit = Unit::kWh},
                   .id = "1",
                   .serial = "a,b"};
  known.read.current = {
      .time = {.at = *Instant::parse("2019-10-01T00:00:00+10:00"), .offset_minutes = 600},
      .value = Decimal{.mantissa = 345, .exponent = -1},
      .quality = Quality::estimated,
      .note = {"E", "62", "", "no \"access\""}};
  const std::string header =
      "meter,channel,flow,unit,register,serial,time,value,quality,flag,method,reasonCode,"
      "reasonText,previousTime,previousValue,previousQuality,previousFlag,previousMethod,"
      "previousReasonCode,previousReasonText,counted,nextRead,stated,received,delivery\n";
  const std::string state =
      "M1,11,generation,kWh,1,\"a,b\",2019-10-01T00:00:00+10:00,34.5,estimated,E,62,,"
      "\"no \"\"access\"\"\",";
  const std::string tail =
      "2019-02-01T06:00:00Z,2019-02-02T07:00:00Z,abababababababababababababababab\n";
  query::Registers answer{
      .question = {.meter = known.read.meter}, .reads = {known}, .next = std::nullopt};
  EXPECT_EQ(to_csv(answer), header + state + ",,,,,,,,," + tail);
  auto& read = answer.reads[0].read;
  read.previous = {.time = {.at = *Instant::parse("2019-07-01T00:00:00Z")}, .value = std::nullopt};
  read.counted = Decimal{.mantissa = 7};
  read.next_read = day("2020-01-01");
  EXPECT_EQ(to_csv(answer),
            header + state + "2019-07-01T00:00:00Z,,actual,,,,,7,2020-01-01," + tail);
}

}  // namespace
}  // namespace meterline::api
