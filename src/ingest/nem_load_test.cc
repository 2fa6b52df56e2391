// Files of NEM12 and NEM13, which name their own units, on their way into a store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ingest/compare.h"
#include "ingest/ingest.h"
#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"

namespace meterline::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::must;

source::Incoming incoming(const std::string& text) {
  const auto kept = std::make_shared<const std::string>(text);
  return {.source = "a.csv",
          .delivered_at = testing::second(1),
          .bytes = text.size(),
          .open = [kept]() -> Result<std::unique_ptr<source::ByteSource>> {
            return source::make_memory_source(*kept);
          }};
}

std::string nem12() {
  std::string text = "100,NEM12,202501271200,MDP1,RET1\n200,NMI1,E1,1,E1,N1,M,KWH,30,\n";
  text += "300,20250126";
  for (int slot = 0; slot < 48; ++slot) text += ",1.5";
  return text + ",A,,,20250127101112,\n900\n";
}

TEST(NemLoad, AFileThatNamesItsUnitsNeedsNoOther) {
  const auto store = store::make_memory_store();
  const auto record = load(incoming(nem12()), *store, {.unit = {}, .threads = 1});
  EXPECT_EQ(record.report.state, DeliveryState::stored) << record.report.reason;
  EXPECT_EQ(record.delivery.unit, Unit::unknown);
  EXPECT_EQ(store->default_unit().value(), std::nullopt) << "nobody named one for other files";
  EXPECT_EQ(store->meter(*MeterId::parse("NMI1")).value()->channels.at(0).channel.unit, Unit::kWh);
}

TEST(NemLoad, WhatIsSaidOfAChannelIsKeptBesideIt) {
  const auto store = store::make_memory_store();
  const auto facts = [&] {
    return store->meter(*MeterId::parse("NMI1")).value()->channels.at(0).facts;
  };
  auto text = nem12();
  load(incoming(text), *store, {.unit = {}, .threads = 1});
  EXPECT_EQ(facts(), (ChannelFacts{.serial = "M", .register_id = "1"}));
  text.replace(text.find(",M,KWH"), 6, ",M2,MWH");
  text.replace(text.find("20250127101112"), 14, "20250127101113");
  load(incoming(text), *store, {.unit = {}, .threads = 1});
  EXPECT_EQ(facts(), (ChannelFacts{.serial = "M2", .register_id = "1", .sent = Unit::MWh}));
}

std::string nem13(const std::string& records) {
  return "100,NEM13,202501271200,MDP1,RET1\n" + records + "900\n";
}

/// The same bytes, read strictly and then not.
TEST(NemLoad, ReadStrictlyAFileIsAsTheStandardHasItOrNothingOfItIsStored) {
  const auto text = nem12();
  const auto without_end = text.substr(0, text.rfind("900"));
  const auto store = store::make_memory_store();
  const IngestOptions strictly{.unit = {}, .is_strict = true, .threads = 1};
  const auto refused = load(incoming(without_end), *store, strictly);
  EXPECT_EQ(refused.report.state, DeliveryState::refused);
  EXPECT_THAT(refused.report.reason, HasSubstr("1 of its findings"));
  EXPECT_EQ(refused.report.findings.back().code, FindingCode::end_missing);
  EXPECT_EQ(store->meter(*MeterId::parse("NMI1")).value(), std::nullopt);
  EXPECT_TRUE(must(store->deliveries({})).empty()) << "it may be read otherwise";

  EXPECT_EQ(load(incoming(without_end), *store, {.unit = {}, .threads = 1}).report.state,
            DeliveryState::stored);
  EXPECT_EQ(load(incoming(text), *store, strictly).report.state, DeliveryState::stored);
}

TEST(NemLoad, AMessageAroundAFileIsReadButNotStrictly) {
  const auto text = "<ase:aseXML xmlns:ase=\"urn:aseXML:r38\">\n<CSVIntervalData>" + nem12() +
                    "</CSVIntervalData></ase:aseXML>";
  const auto store = store::make_memory_store();
  const auto refused =
      load(incoming(text), *store, {.unit = {}, .is_strict = true, .threads = 1}).report;
  EXPECT_EQ(refused.state, DeliveryState::refused);
  EXPECT_EQ(refused.findings.at(0).code, FindingCode::not_standard);
  auto whole = text;
  whole.erase(whole.find("</ase:aseXML>"));
  const auto cut = load(incoming(whole), *store, {.unit = {}, .is_strict = true, .threads = 1});
  EXPECT_THAT(cut.report.reason, HasSubstr("2 of its findings"));
  EXPECT_EQ(cut.report.findings.back().code, FindingCode::broken_off);
  const auto read = load(incoming(text), *store, {.unit = {}, .threads = 2}).report;
  EXPECT_EQ(read.state, DeliveryState::stored) << read.reason;
  EXPECT_EQ(read.format, "asexml");
  EXPECT_EQ(must(store->meter(*MeterId::parse("NMI1")))->channels.at(0).channel.unit, Unit::kWh);
}

TEST(NemLoad, AReportTellsWhatShowsTheFormat) {
  const auto store = store::make_memory_store();
  const auto report = [&](const std::string& text) {
    return load(incoming(text), *store, {.unit = {}, .threads = 1}).report;
  };
  const auto text = nem12();
  EXPECT_EQ(report(text).recognised_by, "line 1 is its header record, 100,NEM12");
  EXPECT_EQ(report("\n" + text.substr(text.find("200,"))).recognised_by,
            "line 2 is a record of NEM12, without header");
  EXPECT_EQ(report(nem13("250,NMI1\n")).recognised_by, "line 1 is its header record, 100,NEM13");
}

/// Of a register that showed `value`, by a record made at `stated`.
std::string record_of(const std::string& value, const std::string& stated,
                      const std::string& nmi = "NMI1") {
  return "250," + nmi + ",11,1,11,11,M1,E,100,19691001000000,A,,," + value +
         ",19700101000000,A,,,50.5,MWH,," + stated + ",\n";
}

TEST(NemLoad, RegisterReadsAreKeptAsTheyStand) {
  const auto store = store::make_memory_store();
  const auto record = load(incoming(nem13(record_of("150.5", "19700101100000") + "250,NMI1\n")),
                           *store, {.unit = {}, .threads = 1});
  EXPECT_EQ(record.report.state, DeliveryState::stored) << record.report.reason;
  const RowCounts counts{.read = 2, .stored = 1, .repeated = 0, .rejected = 1};
  EXPECT_EQ(record.report.rows, counts);
  EXPECT_EQ(record.report.register_reads, counts);
  EXPECT_EQ(record.report.readings, ReadingCounts());
  EXPECT_EQ(record.report.findings.at(0).line, 3);
  const auto known = store->meter(*MeterId::parse("NMI1")).value();
  EXPECT_TRUE(known->has_reads);
  EXPECT_TRUE(known->channels.empty());
  EXPECT_THAT(testing::reads_of(*store, *MeterId::parse("NMI1")),
              ElementsAre(::testing::StartsWith(
                  "NMI1 11/consumption/MWh|1|M1 1970-01-01T00:00:00+10:00 150.5 actual "
                  "after 1969-10-01T00:00:00+10:00 100 actual counted 50.5 "
                  "stated 1970-01-01T00:00:00Z @1970-01-01T00:00:00Z/1970-01-01T00:00:01Z")));
}

TEST(NemLoad, ATimeStatedInTheFutureCountsAsTheReceipt) {
  const auto store = store::make_memory_store();
  const auto record = load(incoming(nem13(record_of("150.5", "21000101000000"))), *store,
                           {.unit = {}, .threads = 1});
  EXPECT_EQ(record.report.finding_counts.at(static_cast<int>(FindingCode::stated_in_future)), 1);
  EXPECT_THAT(testing::reads_of(*store, *MeterId::parse("NMI1")),
              ElementsAre(HasSubstr("stated 1970-01-01T00:00:01Z")));
}

/// In as little memory as there may be, on several threads: the same report, and the same reads.
TEST(NemLoad, ManyRegisterReadsOutOfOrderAreStoredAlike) {
  std::string records;
  for (int i = 0; i < 20'000; ++i)
    records +=
        record_of(std::to_string(i), "19700101100000", "NMI" + std::to_string(i * 7919 % 5'000));
  const auto file = incoming(nem13(records));
  const auto plain = store::make_memory_store();
  const auto spilled = store::make_memory_store();
  const auto expected = load(file, *plain, {.unit = {}, .threads = 1});
  const auto record = load(file, *spilled, {.unit = {}, .threads = 3, .sort_bytes_max = 100'000});
  EXPECT_EQ(record.report, expected.report);
  EXPECT_EQ(record.report.register_reads.stored, 5'000);
  EXPECT_EQ(record.report.register_reads.repeated, 15'000);
  for (const auto* nmi : {"NMI0", "NMI17", "NMI4999"})
    EXPECT_EQ(testing::reads_of(*spilled, *MeterId::parse(nmi)),
              testing::reads_of(*plain, *MeterId::parse(nmi)));
}

TEST(NemLoad, AComparisonTellsOfRegisterReads) {
  const auto store = store::make_memory_store();
  load(
      incoming(nem13(record_of("1", "19700101100000", "A") + record_of("1", "19700101100000", "B") +
                     record_of("1", "19700101100000", "C"))),
      *store, {.unit = {}, .threads = 1});
  auto file = incoming(
      nem13(record_of("1", "19700101095900", "A") + record_of("2", "19700101095900", "B") +
            record_of("2", "19700101100001", "C") + record_of("1", "19700101100000", "D")));
  file.source = "b.csv";
  compare_all({file}, *store, {.unit = {}, .threads = 1}, {},
              [](const store::DeliveryRecord& record, const Comparison& comparison) {
                EXPECT_EQ(record.report.state, DeliveryState::stored);
                EXPECT_EQ(comparison.days, Comparison::Days());
                EXPECT_EQ(
                    comparison.register_reads,
                    (Comparison::Days{.added = 1, .replacing = 1, .not_counting = 1, .equal = 1}));
                EXPECT_TRUE(comparison.sums.empty());
              });
  EXPECT_EQ(testing::reads_of(*store, *MeterId::parse("C")).size(), 1U) << "nothing is stored";
}

}  // namespace
}  // namespace meterline::ingest
