#include "ingest/ingest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "core/try.h"
#include "formats/recognise.h"
#include "ingest/content_hash.h"
#include "store/memory/memory_store.h"
#include "store/packed_day.h"
#include "testing/naive_wide_csv.h"
#include "testing/store_days.h"
#include "testing/wide_csv_texts.h"

namespace meterline::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

source::Incoming incoming(const std::string& text, const std::string& name = "file.csv",
                          std::int64_t second = 1) {
  return {.source = name,
          .delivered_at = testing::second(second),
          .bytes = text.size(),
          .open = [text]() -> Result<std::unique_ptr<source::ByteSource>> {
            class Owning final : public source::ByteSource {
             public:
              explicit Owning(std::string content)
                  : content_(std::move(content)), bytes_(source::make_memory_source(content_)) {}
              Result<std::size_t> read(std::span<char> into) override { return bytes_->read(into); }

             private:
              std::string content_;
              std::unique_ptr<source::ByteSource> bytes_;
            };
            return std::make_unique<Owning>(text);
          }};
}

const IngestOptions one_thread = {.unit = Unit::kWh, .threads = 1};

/// What the store should hold and the report should count, found by the naive parser: rows that
/// say the same meter and day are united, or none of them stays where their labels differ.
class Oracle final : public formats::DaySink {
 public:
  void on_day(const ReadingDay& day, int rejected_readings, const formats::Row& row) override {
    ReadingCounts counts{.read = row.slots, .rejected = rejected_readings};
    for (const auto quality : day.qualities)
      ++(quality == Quality::missing ? counts.missing : counts.stored);
    counts.missing -= rejected_readings;
    ++rows.read;
    readings.read += row.slots;
    days_[{day.meter, day.date}].push_back(
        {.day = day, .counts = counts, .labels = {row.labels.begin(), row.labels.end()}});
  }
  void on_read(const RegisterRead&, const formats::Row&) override { ADD_FAILURE() << "a read"; }
  void on_rejected_row(const formats::Row& row) override {
    ++rows.read;
    ++rows.rejected;
    readings.read += row.slots;
    readings.rejected += row.slots;
  }
  void on_finding(Finding finding) override {
    ++finding_counts.at(static_cast<std::size_t>(finding.code));
  }

  void finish() {
    for (const auto& [key, said] : days_) {
      const auto& last = said.back();
      const auto earlier = std::ssize(said) - 1;
      const auto slots = last.counts.read;
      const bool is_ambiguous = std::any_of(
          said.begin(), said.end(), [&](const Said& other) { return other.labels != last.labels; });
      if (is_ambiguous) {
        rows.rejected += earlier + 1;
        readings.rejected += (earlier + 1) * slots;
        count(FindingCode::ambiguous_row, earlier + 1);
        continue;
      }
      add_united(said);
    }
  }
  std::vector<ReadingDay> days() const { return kept_; }

  RowCounts rows;
  ReadingCounts readings;
  FindingCounts finding_counts{};
  bool has_unlike_rows = false;  ///< It does not know what becomes of those: UnitedDay's test does.

 private:
  struct Said {
    ReadingDay day;
    ReadingCounts counts;
    std::vector<std::uint64_t> labels;
  };
  /// Each slot has the last row's reading that has one.
  void add_united(const std::vector<Said>& said) {
    auto united = said.back().day;
    united.exponent = 0;
    for (const auto& row : said) united.exponent = std::min(united.exponent, row.day.exponent);
    has_unlike_rows |= !are_alike(said, united.exponent);
    std::vector<std::size_t> owners(united.mantissas.size(), said.size());
    std::set<std::size_t> stored;
    std::int64_t empty = 0;
    for (std::size_t slot = 0; slot < owners.size(); ++slot) {
      for (std::size_t row = 0; row < said.size(); ++row)
        if (said[row].day.qualities[slot] != Quality::missing) owners[slot] = row;
      united.mantissas[slot] = 0;
      united.qualities[slot] = Quality::missing;
      if (owners[slot] == said.size()) {
        ++empty;
        continue;
      }
      stored.insert(owners[slot]);
      united.mantissas[slot] = scaled(said[owners[slot]].day, slot, united.exponent);
      united.qualities[slot] = Quality::actual;
    }
    const auto kept = std::max<std::int64_t>(std::ssize(stored), 1);
    rows.stored += kept;
    rows.repeated += std::ssize(said) - kept;
    count(FindingCode::repeated, std::ssize(said) - kept);
    std::int64_t rejected = 0;
    for (std::size_t row = 0; row < said.size(); ++row) {
      rejected = std::max(rejected, said[row].counts.rejected);
      bool is_replaced = false;
      for (std::size_t slot = 0; slot < owners.size(); ++slot)
        is_replaced |= said[row].day.qualities[slot] != Quality::missing && owners[slot] != row &&
                       is_contradicted(said, row, slot, united.exponent);
      count(FindingCode::reading_replaced, is_replaced && stored.contains(row) ? 1 : 0);
    }
    rejected = std::min(rejected, empty);
    const auto slots = std::ssize(owners);
    readings.stored += slots - empty;
    readings.rejected += rejected;
    readings.missing += empty - rejected;
    readings.repeated += slots * (std::ssize(said) - 1);
    kept_.push_back(std::move(united));
  }
  static std::int64_t scaled(const ReadingDay& day, std::size_t slot, int exponent) {
    auto mantissa = day.mantissas[slot];
    for (int from = day.exponent; from > exponent; --from)
      if (__builtin_mul_overflow(mantissa, 10, &mantissa)) return mantissa;
    return mantissa;
  }
  /// Whether all readings of the rows fit beside each other.
  static bool are_alike(const std::vector<Said>& said, int exponent) {
    for (const auto& row : said)
      for (auto mantissa : row.day.mantissas)
        for (int from = row.day.exponent; from > exponent; --from)
          if (__builtin_mul_overflow(mantissa, 10, &mantissa)) return false;
    return true;
  }
  /// Whether the next row that has the slot has another reading there.
  static bool is_contradicted(const std::vector<Said>& said, std::size_t row, std::size_t slot,
                              int exponent) {
    for (std::size_t next = row + 1; next < said.size(); ++next)
      if (said[next].day.qualities[slot] != Quality::missing)
        return scaled(said[next].day, slot, exponent) != scaled(said[row].day, slot, exponent);
    return false;
  }
  void count(FindingCode code, std::int64_t more) {
    finding_counts.at(static_cast<std::size_t>(code)) += more;
  }

  std::map<std::pair<MeterId, Date>, std::vector<Said>> days_;
  std::vector<ReadingDay> kept_;
};

void check_against_oracle(const std::string& text, const IngestOptions& options) {
  Oracle oracle;
  const auto parsed = testing::parse_naive_wide_csv(text, Unit::kWh, oracle);
  oracle.finish();
  if (oracle.has_unlike_rows) return;

  const auto store = store::make_memory_store();
  const auto record = load(incoming(text), *store, options);
  if (!parsed) {
    RC_ASSERT(record.report.state == DeliveryState::refused);
    RC_ASSERT(record.report.rows == RowCounts());
    return;
  }
  const bool is_all_rejected = oracle.rows.read > 0 && oracle.rows.stored == 0;
  RC_ASSERT(record.report.state ==
            (is_all_rejected ? DeliveryState::refused : DeliveryState::stored));
  RC_ASSERT(record.report.reason.empty() != is_all_rejected);
  RC_ASSERT(record.report.rows == oracle.rows);
  RC_ASSERT(record.report.readings == oracle.readings);
  RC_ASSERT(record.report.finding_counts == oracle.finding_counts);

  const auto plain = store::make_memory_store();
  auto delivery = testing::delivery_of_days(1, 1, oracle.days());
  delivery.delivery.content = record.delivery.content;
  delivery.delivery.delivered_at = record.delivery.delivered_at;
  RC_ASSERT(testing::load(*plain, delivery).has_value());
  RC_ASSERT(testing::totals_of(*store) == testing::totals_of(*plain));
}

RC_GTEST_PROP(Ingest, StoresAndCountsWhatTheNaiveParserSays, ()) {
  const auto text = *rc::gen::oneOf(testing::wide_csv_text(), testing::mutated_wide_csv_text());
  auto options = one_thread;
  options.threads = *rc::gen::inRange(1, 4);
  options.sort_bytes_max = *rc::gen::element<std::size_t>(1, 2000, 1 << 20);
  check_against_oracle(text, options);
}

std::string many_rows() {
  std::string text = "Meter,Date,0:00,12:00,13:00\n";
  for (int i = 0; i < 60'000; ++i)
    text += "M" + std::to_string(i * 7919 % 20'000) + ",2019-01-0" + std::to_string(1 + i % 3) +
            "," + std::to_string(i) + ",x," + std::to_string(i % 7) + "\n";
  return text;
}

TEST(Ingest, ALargeFileIsTheSameOnManyThreadsAndThroughRuns) {
  const auto text = many_rows();
  std::vector<std::string> totals;
  std::vector<DeliveryReport> reports;
  for (const auto& [threads, bytes] : {std::pair(1, 48 << 20), std::pair(4, 1 << 20)}) {
    const auto store = store::make_memory_store();
    auto options = one_thread;
    options.threads = threads;
    options.sort_bytes_max = static_cast<std::size_t>(bytes);
    reports.push_back(load(incoming(text), *store, options).report);
    totals.push_back(testing::totals_of(*store));
  }
  EXPECT_EQ(totals[0], totals[1]);
  EXPECT_EQ(reports[0], reports[1]);
  EXPECT_EQ(reports[0].rows.read, 60'000);
  EXPECT_EQ(reports[0].findings.size(), 1000U);
  EXPECT_EQ(reports[0].findings.back().line, 1001);
  EXPECT_EQ(reports[0].finding_counts.at(static_cast<std::size_t>(FindingCode::bad_value)), 60'000);
}

TEST(Ingest, RowsOfOneDayAreUnitedAndWhatIsReplacedIsTold) {
  const auto store = store::make_memory_store();
  const auto record = load(incoming("Meter,Date,0:00,1:00\n"
                                    "A,2019-01-01,1,1\n"
                                    "B,2019-01-01,5,5\n"
                                    "A,2019-01-01,2,\n"),
                           *store, one_thread);
  EXPECT_EQ(record.report.rows, (RowCounts{.read = 3, .stored = 3}));
  EXPECT_EQ(record.report.readings,
            (ReadingCounts{.read = 72, .stored = 4, .missing = 44, .repeated = 24}));
  EXPECT_THAT(record.report.findings,
              ElementsAre(Finding{.line = 2,
                                  .code = FindingCode::reading_replaced,
                                  .text = "line 4 has the same meter and day, and another reading "
                                          "in 1 of the slots that this row has, which is kept; the "
                                          "row's other readings are, too",
                                  .excerpt = "A,2019-01-01"}));
  EXPECT_THAT(testing::totals_of(*store), HasSubstr("A 2019-01-01 consumption/consumption/kWh 3 "));
}

TEST(Ingest, ARowThatIsReplacedAsAWholeIsRepeated) {
  const auto store = store::make_memory_store();
  const auto record = load(incoming("Meter,Date,0:00,1:00\n"
                                    "A,2019-01-01,1,1\n"
                                    "A,2019-01-01,2,2\n"),
                           *store, one_thread);
  EXPECT_EQ(record.report.rows, (RowCounts{.read = 2, .stored = 1, .repeated = 1}));
  EXPECT_EQ(record.report.readings,
            (ReadingCounts{.read = 48, .stored = 2, .missing = 22, .repeated = 24}));
  EXPECT_THAT(record.report.findings,
              ElementsAre(Finding{.line = 2,
                                  .code = FindingCode::repeated,
                                  .text = "line 3 has the same meter and day and is kept",
                                  .excerpt = "A,2019-01-01"}));
}

const std::string registers =
    "Meter,Measurement Type,Date,0:00,1:00,Total\n"
    "A,AI,2019-01-01,1,1,2\n"
    "A,AI,2019-01-02,1,1,2\n"
    "A,AI,2019-01-01,3,,3\n"
    "A,RE,2019-01-01,5,5,10\n"
    "A,AI,2019-01-01,1,1,2\n";

TEST(Ingest, RowsThatDifferInAColumnThatIsNotReadAreAllRejected) {
  for (const std::size_t sort_bytes : {std::size_t{1}, std::size_t{1} << 20}) {
    const auto store = store::make_memory_store();
    std::vector<std::string> rejected;
    const IngestHooks hooks{.on_rejected = [&](const RejectedRow& row) {
      rejected.push_back(std::string(row.source) + ' ' + std::to_string(row.line) + ' ' +
                         std::string(row.reasons));
    }};
    auto options = one_thread;
    options.sort_bytes_max = sort_bytes;
    const auto record = load(incoming(registers), *store, options, hooks);
    EXPECT_EQ(record.report.state, DeliveryState::stored);
    EXPECT_EQ(record.report.rows, (RowCounts{.read = 5, .stored = 1, .rejected = 4}));
    EXPECT_EQ(record.report.readings,
              (ReadingCounts{.read = 120, .stored = 2, .missing = 22, .rejected = 96}));
    ASSERT_EQ(record.report.findings.size(), 5U);
    EXPECT_EQ(
        record.report.findings[1],
        (Finding{.line = 2,
                 .code = FindingCode::ambiguous_row,
                 .text = "rows of one meter and day are different things: lines 4 and 5 differ "
                         "in column `Measurement Type`, which is not read, so none of them is "
                         "stored",
                 .excerpt = "A,2019-01-01"}));
    ASSERT_EQ(rejected.size(), 4U);
    EXPECT_THAT(rejected[0], HasSubstr("file.csv 2 ambiguous_row: rows of one meter and day"));
    EXPECT_THAT(testing::totals_of(*store), ::testing::Not(HasSubstr("2019-01-01")));
  }
}

/// A corrected row has another total, another flag, and perhaps another note.
TEST(Ingest, RowsThatDifferInValuesAreCorrections) {
  const auto store = store::make_memory_store();
  const auto record =
      load(incoming("Meter,Measurement Type,Date,0:00,1:00,Total,Status,Note,Read at\n"
                    "A,AI,2019-01-01,1,1,2,E,first,2019-01-02 06:00\n"
                    "A,AI,2019-01-01,2,1,3,A,corrected,2019-01-09 06:00\n"),
           *store, one_thread);
  EXPECT_EQ(record.report.rows, (RowCounts{.read = 2, .stored = 1, .repeated = 1}));
  EXPECT_THAT(testing::totals_of(*store), HasSubstr("A 2019-01-01 consumption/consumption/kWh 3 "));
}

TEST(Ingest, AFileOfAmbiguousRowsOnlyIsRefused) {
  const auto store = store::make_memory_store();
  const auto record = load(incoming("Meter,Register,Date,0:00,1:00\n"
                                    "A,1,2019-01-01,1,1\n"
                                    "A,2,2019-01-01,2,2\n"),
                           *store, one_thread);
  EXPECT_EQ(record.report.state, DeliveryState::refused);
  EXPECT_THAT(record.report.reason, HasSubstr("(2 read: ambiguous_row 2)"));
  EXPECT_TRUE(store->meters({})->empty());
}

/// One by one they are told of up to a number, so that memory does not grow with them.
TEST(Ingest, CountsHoweverManyRowsOfOneDayThereAre) {
  std::string text = "Meter,Register,Date,0:00,1:00\n";
  for (int i = 0; i < 12'000; ++i) text += "A,1,2019-01-01,1,1\n";
  for (const bool is_ambiguous : {false, true}) {
    const auto store = store::make_memory_store();
    const auto record =
        load(incoming(is_ambiguous ? text + "A,2,2019-01-01,1,1\n" : text), *store, one_thread);
    EXPECT_EQ(record.report.rows,
              is_ambiguous ? (RowCounts{.read = 12'001, .rejected = 12'001})
                           : (RowCounts{.read = 12'000, .stored = 1, .repeated = 11'999}));
    const auto code = is_ambiguous ? FindingCode::ambiguous_row : FindingCode::repeated;
    EXPECT_EQ(record.report.finding_counts.at(static_cast<std::size_t>(code)),
              is_ambiguous ? 12'001 : 11'999);
  }
}

TEST(Ingest, AFileThatIsStoredIsSkippedUntilItChanges) {
  const auto store = store::make_memory_store();
  const std::string text = "Meter,Date,0:00,1:00\nA,2019-01-01,1,1\n";
  const auto first = load(incoming(text, "a", 1), *store, one_thread);
  EXPECT_EQ(first.report.state, DeliveryState::stored);
  const auto again = load(incoming(text, "a", 2), *store, one_thread);
  EXPECT_EQ(again.report.state, DeliveryState::skipped);
  EXPECT_EQ(again.delivery, first.delivery);
  auto piped = incoming(text, "a", 3);
  piped.bytes.reset();
  EXPECT_EQ(load(piped, *store, one_thread).report.state, DeliveryState::skipped);

  EXPECT_EQ(load(incoming(text, "b", 1), *store, one_thread).report.state, DeliveryState::stored);
  EXPECT_EQ(load(incoming(text + "\n", "a", 1), *store, one_thread).report.state,
            DeliveryState::stored);
  auto other_unit = one_thread;
  other_unit.unit = Unit::Wh;
  EXPECT_EQ(load(incoming(text, "a", 1), *store, other_unit).report.state, DeliveryState::stored);
}

/// Good, bad, and good again from one source: the last one counts.
TEST(Ingest, AFileThatIsPutRightAgainIsADeliveryAgain) {
  const std::string good = "Meter,Date,0:00,1:00\nA,2019-01-01,1,1\n";
  const std::string bad = "Meter,Date,0:00,1:00\nA,2019-01-01,9,9\n";
  for (const bool is_piped : {false, true}) {
    const auto store = store::make_memory_store();
    const auto state = [&](const std::string& text, std::int64_t second) {
      auto file = incoming(text, "a", second);
      if (is_piped) file.bytes.reset();
      return load(file, *store, one_thread).report.state;
    };
    EXPECT_EQ(state(good, 1), DeliveryState::stored);
    EXPECT_EQ(state(bad, 2), DeliveryState::stored);
    EXPECT_EQ(state(good, 3), DeliveryState::stored);
    EXPECT_THAT(testing::totals_of(*store), HasSubstr("kWh 2 of 2/24 a2 s0 e0 @3"));
    EXPECT_EQ(state(good, 4), DeliveryState::skipped) << "it is the latest";
    EXPECT_EQ(state(bad, 2), DeliveryState::skipped) << "it is there, and older";
    EXPECT_EQ(store->deliveries({}).value().size(), 3U);
  }
}

void expect_added(store::Store& store, const DeliveryId& id, std::int64_t second,
                  DeliveryEventKind kind) {
  ASSERT_TRUE(store.add_event(
      id, {.at = testing::second(second), .kind = kind, .who = "ann", .reason = "wrong meters"}));
}

TEST(Ingest, AWithdrawnFileThatIsSentAgainStaysWithdrawnAndSaysSo) {
  const std::string good = "Meter,Date,0:00,1:00\nA,2019-01-01,1,1\n";
  const std::string bad = "Meter,Date,0:00,1:00\nA,2019-01-01,9,9\n";
  for (const bool is_piped : {false, true}) {
    const auto store = store::make_memory_store();
    const auto sent = [&](const std::string& text, std::int64_t second,
                          const IngestOptions& options = one_thread) {
      auto file = incoming(text, "a", second);
      if (is_piped) file.bytes.reset();
      return load(file, *store, options);
    };
    sent(good, 1);
    const auto wrong = sent(bad, 2).delivery.id;
    expect_added(*store, wrong, 5, DeliveryEventKind::withdrawn);
    EXPECT_EQ(sent(good, 3).report.state, DeliveryState::skipped) << "it is what counts";
    for (const std::int64_t second : {2, 3, 9}) {
      const auto again = sent(bad, second);
      EXPECT_EQ(again.report.state, DeliveryState::skipped);
      EXPECT_EQ(again.delivery.id, wrong);
      EXPECT_EQ(again.report.reason,
                "withdrawn 1970-01-01T00:00:05Z by ann: wrong meters; `meterline withdraw " +
                    wrong.text() + " --undo`, or DELETE /v1/deliveries/" + wrong.text() +
                    "/withdraw, brings it back");
    }
    EXPECT_EQ(load(source::redated(incoming(bad, "a", 2), testing::second(20)), *store, one_thread)
                  .report.state,
              DeliveryState::skipped);
    EXPECT_THAT(testing::totals_of(*store), HasSubstr("kWh 2 of 2/24 a2 s0 e0 @1"));

    auto other_unit = one_thread;
    other_unit.unit = Unit::Wh;
    EXPECT_EQ(sent(bad, 2, other_unit).report.state, DeliveryState::stored)
        << "what was wrong may be how it was read";
    expect_added(*store, wrong, 6, DeliveryEventKind::restored);
    EXPECT_EQ(sent(bad, 2).report.reason, "");
    EXPECT_THAT(testing::totals_of(*store), HasSubstr("kWh 18 of 2/24 a2 s0 e0 @2"));
  }
}

TEST(Ingest, AFileThatIsDatedAnewIsADeliveryAgain) {
  const auto store = store::make_memory_store();
  const std::string text = "Meter,Date,0:00,1:00\nA,2019-01-01,1,1\n";
  EXPECT_EQ(load(incoming(text, "a", 1), *store, one_thread).report.state, DeliveryState::stored);
  const auto redated = source::redated(incoming(text, "a", 1), testing::second(5));
  EXPECT_EQ(load(redated, *store, one_thread).report.state, DeliveryState::stored);
  EXPECT_EQ(load(redated, *store, one_thread).report.state, DeliveryState::skipped);
  EXPECT_THAT(testing::totals_of(*store), HasSubstr("@5"));
}

// --- The unit -------------------------------------------------------------------------------

const IngestOptions no_unit = {.threads = 1};
const std::string a_day = "Meter,Date,0:00,1:00\nA,2019-01-01,1,1\n";

std::int64_t count_of(const store::DeliveryRecord& record, FindingCode code) {
  return record.report.finding_counts.at(static_cast<std::size_t>(code));
}

TEST(Ingest, AFileWithoutAUnitIsRefusedAndNotKept) {
  const auto store = store::make_memory_store();
  const auto record = load(incoming(a_day), *store, no_unit);
  EXPECT_EQ(record.report.state, DeliveryState::refused);
  EXPECT_THAT(record.report.reason, HasSubstr("say what its readings are in with --unit kWh"));
  EXPECT_EQ(record.report.format, "wide-csv");
  EXPECT_EQ(record.delivery.bytes, a_day.size());
  EXPECT_EQ(record.delivery.received_at, testing::second(1));
  EXPECT_TRUE(store->deliveries({})->empty());
  EXPECT_EQ(store->default_unit().value(), std::nullopt);
  const auto other = load(incoming("Date,0:00\n"), *store, no_unit).report.reason;
  EXPECT_THAT(other, HasSubstr("no column `Meter`")) << "what is wrong with the file comes first";
}

TEST(Ingest, TheFirstUnitThatAFileIsStoredWithIsTheStores) {
  for (const auto unit : {Unit::kWh, Unit::unknown}) {
    const auto store = store::make_memory_store();
    const IngestOptions named = {.unit = unit, .threads = 1};
    load(incoming("nonsense", "bad"), *store, named);
    load(incoming("Meter,Date,0:00,1:00\nA,2019-13-01,1,1\n", "worse"), *store, named);
    EXPECT_EQ(store->default_unit().value(), std::nullopt) << "nothing is stored with it";
    EXPECT_EQ(load(incoming(a_day, "a"), *store, named).report.state, DeliveryState::stored);
    EXPECT_EQ(store->default_unit().value(), unit);

    const auto later = load(incoming(a_day, "b"), *store, no_unit);
    EXPECT_EQ(later.report.state, DeliveryState::stored);
    EXPECT_EQ(later.delivery.unit, unit);
    EXPECT_EQ(count_of(later, FindingCode::unit_differs), 0);
    EXPECT_EQ(load(incoming(a_day, "a"), *store, no_unit).report.state, DeliveryState::skipped);
    EXPECT_EQ(store->meter(*MeterId::parse("A")).value()->channels.size(), 1U);
  }
}

TEST(Ingest, AnotherUnitThanTheStoresIsToldOf) {
  const auto store = store::make_memory_store();
  EXPECT_EQ(count_of(load(incoming(a_day, "a"), *store, one_thread), FindingCode::unit_differs), 0);
  EXPECT_EQ(count_of(load(incoming(a_day, "c"), *store, {.unit = Unit::MWh, .threads = 1}),
                     FindingCode::unit_differs),
            0)
      << "of the same quantity";
  const auto other = load(incoming(a_day, "b"), *store, {.unit = Unit::kvarh, .threads = 1});
  EXPECT_EQ(other.report.state, DeliveryState::stored);
  EXPECT_EQ(count_of(other, FindingCode::unit_differs), 1);
  EXPECT_THAT(other.report.findings.at(0).text,
              HasSubstr("loaded as kvarh, while the store's unit is kWh"));
  EXPECT_EQ(store->delivery(other.delivery.id).value().value().report, other.report)
      << "it is kept with the delivery";
  EXPECT_EQ(store->default_unit().value(), Unit::kWh);
}

/// The same readings in kWh, in Wh and in MWh are the same channel and the same answers.
RC_GTEST_PROP(Ingest, KeepsUnitsOfOneQuantityInOne, ()) {
  const auto digits = *rc::gen::container<std::vector<int>>(24, rc::gen::inRange(0, 1'000'000));
  const auto answers = [&](int exponent, Unit unit) {
    std::string text = "Meter,Date";
    for (int hour = 0; hour < 24; ++hour) text += fmt::format(",{}:00", hour);
    text += "\nA,2019-01-01";
    for (const int value : digits)
      text += "," + Decimal{value, static_cast<std::int8_t>(exponent)}.text();
    const auto store = store::make_memory_store();
    const auto record = load(incoming(text + "\n", "a"), *store, {.unit = unit, .threads = 1});
    RC_ASSERT(record.delivery.unit == unit);
    RC_ASSERT(record.report.readings.stored == 24);
    const auto day = testing::totals_of(*store);
    return day.substr(0, day.find('@'));  // The version has the file's hash.
  };
  RC_ASSERT(answers(0, Unit::Wh) == answers(-3, Unit::kWh));
  RC_ASSERT(answers(-6, Unit::MWh) == answers(-3, Unit::kWh));
}

TEST(Ingest, AReadingThatDoesNotFitTheUnitItIsKeptInIsRejectedAlone) {
  const auto store = store::make_memory_store();
  const std::string text =
      "Meter,Date,0:00,1:00\nA,2019-01-01,123456789012345678,2\nA,2019-01-02,3,4\n";
  const auto record = load(incoming(text, "a"), *store, {.unit = Unit::MWh, .threads = 1});
  EXPECT_EQ(record.report.readings,
            (ReadingCounts{.read = 48, .stored = 3, .missing = 44, .repeated = 0, .rejected = 1}));
  ASSERT_EQ(record.report.findings.size(), 1U);
  EXPECT_EQ(record.report.findings.front().line, 2);
  EXPECT_EQ(record.report.findings.front().code, FindingCode::value_too_large);
  EXPECT_THAT(record.report.findings.front().text,
              HasSubstr("123456789012345678 MWh has more digits than fit into a number of kWh"));
  EXPECT_THAT(testing::totals_of(*store), HasSubstr("kWh 2000 of 1/24"));
}

TEST(LoadAll, EndsAtAFileWithoutAUnit) {
  const auto store = store::make_memory_store();
  std::vector<source::Incoming> all(300, incoming(a_day));
  for (auto& file : all) file.bytes = std::uint64_t{1} << 40;  // Each is a group of its own.
  std::int64_t told = 0;
  const auto totals =
      load_all(all, *store, no_unit, {}, [&](const store::DeliveryRecord&) { ++told; });
  EXPECT_EQ(totals.without_unit, 1);
  EXPECT_EQ(totals.refused, 1);
  EXPECT_EQ(told, 1);
  for (auto& file : all) file.bytes = a_day.size();
  EXPECT_EQ(load_all(all, *store, no_unit, {}, [](const auto&) {}).deliveries, 1);
}

// --- Times ----------------------------------------------------------------------------------

TEST(Ingest, ADeliveryFromTheFutureIsToldOf) {
  const auto store = store::make_memory_store();
  auto options = one_thread;
  options.now = [] { return testing::second(1000); };
  const auto near = load(incoming(a_day, "near", 1060), *store, options);
  EXPECT_EQ(count_of(near, FindingCode::delivery_in_future), 0) << "clocks differ";
  const auto far = load(incoming(a_day, "far", 1061), *store, options);
  EXPECT_EQ(count_of(far, FindingCode::delivery_in_future), 1);
  EXPECT_EQ(far.report.findings.at(0).excerpt, testing::second(1061).text());
  for (const auto& record : {near, far})
    EXPECT_EQ(record.delivery.delivered_at, testing::second(1000));
}

TEST(Ingest, ADeliveryOlderThanTheLatestOfItsSourceIsToldOf) {
  const auto store = store::make_memory_store();
  const auto file = [](int value, std::int64_t second) {
    return incoming("Meter,Date,0:00,1:00\nA,2019-01-01,1," + std::to_string(value) + "\n", "a",
                    second);
  };
  const auto latest = load(file(1, 5), *store, one_thread);
  const auto older = load(file(2, 4), *store, one_thread);
  EXPECT_EQ(older.report.state, DeliveryState::stored);
  EXPECT_EQ(count_of(older, FindingCode::older_delivery), 1);
  EXPECT_EQ(older.report.findings.at(0).excerpt, latest.delivery.id.text());
  for (const std::int64_t second : {5, 6})
    EXPECT_EQ(count_of(load(file(3, second), *store, one_thread), FindingCode::older_delivery), 0);
  EXPECT_EQ(
      count_of(load(incoming(a_day, "b", 1), *store, one_thread), FindingCode::older_delivery), 0);
}

// --- Readers --------------------------------------------------------------------------------

/// The store as a program left it whose reader was an older one.
std::unique_ptr<store::Store> left_by_older_reader(const source::Incoming& file) {
  const auto now = store::make_memory_store();
  auto record = load(file, *now, one_thread);
  --record.delivery.reader;
  record.delivery.id.bytes[0] ^= 1;
  auto store = store::make_memory_store();
  const auto writer = store->write(record.delivery).value();
  EXPECT_TRUE(writer->commit(record.report));
  return store;
}

TEST(Ingest, ANewerReaderReadsAgainWhatWasNotStoredWhole) {
  for (const bool is_whole : {true, false}) {
    const auto text = is_whole ? a_day : a_day + "A,2019-01-02,1,x\n";
    for (const bool is_piped : {false, true}) {
      auto file = incoming(text, "a", 1);
      if (is_piped) file.bytes.reset();
      const auto store = left_by_older_reader(file);
      const auto again = load(file, *store, one_thread);
      EXPECT_EQ(again.report.state, is_whole ? DeliveryState::skipped : DeliveryState::stored);
      EXPECT_EQ(again.delivery.reader, is_whole ? 0U : 1U);
      EXPECT_EQ(load(file, *store, one_thread).report.state, DeliveryState::skipped);
      EXPECT_EQ(store->deliveries({})->size(), is_whole ? 1U : 2U);
    }
  }
}

TEST(Ingest, ADeliveryKnowsItsReader) {
  const auto store = store::make_memory_store();
  EXPECT_EQ(load(incoming(a_day), *store, one_thread).delivery.reader,
            formats::reader_number("wide-csv"));
  EXPECT_EQ(load(incoming("<html>"), *store, one_thread).delivery.reader,
            formats::recognise_reader);
}

TEST(DeliveryId, IsOfAllThatSaysHowAFileWasRead) {
  const Delivery one{.source = "a", .unit = Unit::kWh, .reader = 1};
  std::set<DeliveryId> ids = {delivery_id(one)};
  const auto is_new = [&](auto change) {
    auto other = one;
    change(other);
    return ids.insert(delivery_id(other)).second;
  };
  EXPECT_TRUE(is_new([](auto& d) { d.source = "b"; }));
  EXPECT_TRUE(is_new([](auto& d) { d.content[0] = 1; }));
  EXPECT_TRUE(is_new([](auto& d) { d.delivered_at.micros = 1; }));
  EXPECT_TRUE(is_new([](auto& d) { d.unit = Unit::Wh; }));
  EXPECT_TRUE(is_new([](auto& d) { d.zone = "UTC"; }));
  EXPECT_TRUE(is_new([](auto& d) { d.feed = Feed{.name = "f"}; }));
  EXPECT_TRUE(is_new([](auto& d) { d.feed = Feed{.name = "f", .hash = {1}}; }));
  EXPECT_TRUE(is_new([](auto& d) { d.reader = 2; }));
  EXPECT_FALSE(is_new([](auto& d) { d.received_at.micros = 1; }));
}

TEST(Ingest, ADeliveryIsReceivedByTheClockAndNotDeliveredLater) {
  const auto store = store::make_memory_store();
  auto options = one_thread;
  options.now = [] { return testing::second(10); };
  const std::string text = "Meter,Date,0:00,1:00\nA,2019-01-01,1,1\n";
  const auto early = load(incoming(text, "early", 9), *store, options).delivery;
  EXPECT_EQ(early.delivered_at, testing::second(9));
  EXPECT_EQ(early.received_at, testing::second(10));
  const auto ahead = load(incoming(text, "ahead", 11), *store, options).delivery;
  EXPECT_EQ(ahead.delivered_at, testing::second(10));
  EXPECT_EQ(ahead.received_at, testing::second(10));
}

TEST(Ingest, ARefusedFileIsRememberedWithItsReasonAndTriedAgain) {
  const auto store = store::make_memory_store();
  for (int i = 0; i < 2; ++i) {
    const auto record = load(incoming("Date,0:00\n"), *store, one_thread);
    EXPECT_EQ(record.report.state, DeliveryState::refused);
    EXPECT_THAT(record.report.reason, HasSubstr("no column `Meter`"));
    EXPECT_EQ(record.delivery.bytes, 10U);
  }
  const auto all = store->deliveries({});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().report.state, DeliveryState::refused);
}

TEST(Ingest, ARefusedHeaderIsToldWithWhatWasSeen) {
  const auto store = store::make_memory_store();
  const auto reason = [&](const std::string& text) {
    return load(incoming(text), *store, one_thread).report.reason;
  };
  EXPECT_THAT(reason("\n\nsep=;\nMeter;Date;0:00;1:00\n"),
              HasSubstr("line 3 was taken for the header, with 1 column by `,`; line 4, with 4 "
                        "columns by `;`, looks more like it"));
  EXPECT_THAT(reason("MPAN,Date,0:30,1:00\n"),
              ::testing::AllOf(HasSubstr("nearest to `Meter` `MPAN`"),
                               HasSubstr("; `meterline feed draft FILE` begins a feed")));
  const auto foreign = load(incoming("<html>\n"), *store, one_thread);
  EXPECT_THAT(foreign.report.reason, ::testing::StartsWith("this is an HTML page"));
}

TEST(Ingest, AFileOfWhichNoRowCouldBeStoredIsRefused) {
  const auto store = store::make_memory_store();
  const std::string text = "Meter,Date,0:00,1:00\nA,01/02/2019,1,1\nA,02/02/2019,1,1\nTotal,,1,1\n";
  for (int i = 0; i < 2; ++i) {  // It is tried again, as a newer reader may take it.
    const auto record = load(incoming(text), *store, one_thread);
    EXPECT_EQ(record.report.state, DeliveryState::refused);
    EXPECT_EQ(record.report.reason,
              "none of its rows could be stored (3 read: bad_date 2, summary_row 1); the first, "
              "line 2: column `Date`: want a day as yyyy-MM-dd from 1900-01-01 to 2199-12-31: "
              "01/02/2019");
    EXPECT_EQ(record.report.rows, (RowCounts{.read = 3, .rejected = 3}));
    EXPECT_EQ(record.report.findings.size(), 3U);
  }
  EXPECT_EQ(store->deliveries({})->size(), 1U);
  EXPECT_TRUE(store->meters({})->empty());

  const auto one_good = load(incoming(text + "A,2019-02-03,,\n"), *store, one_thread);
  EXPECT_EQ(one_good.report.state, DeliveryState::stored);
  const auto no_rows = load(incoming("Meter,Date,0:00,1:00\n"), *store, one_thread);
  EXPECT_EQ(no_rows.report.state, DeliveryState::stored);
}

TEST(Ingest, RejectedRowsAreHandedOnWithTheirReasons) {
  const auto store = store::make_memory_store();
  std::vector<std::string> rejected;
  const IngestHooks hooks{.on_rejected = [&](const RejectedRow& row) {
    rejected.push_back(std::string(row.source) + ' ' + std::to_string(row.line) + ' ' +
                       std::string(row.reasons) + " | " + std::string(row.text));
  }};
  load(incoming("Meter,Date,0:00,1:00\n"
                "A,2019-01-01,1,1\n"
                "A,01/02/2019,1,1\n"
                "A,2019-01-03,x,1\n"),
       *store, one_thread, hooks);
  ASSERT_EQ(rejected.size(), 2U);
  EXPECT_THAT(rejected[0], HasSubstr("file.csv 3 bad_date: "));
  EXPECT_THAT(rejected[0], HasSubstr(" | A,01/02/2019,1,1"));
  EXPECT_THAT(rejected[1], HasSubstr("file.csv 4 bad_value: "));
}

TEST(Ingest, WhatIsToldOfAGoodRowIsNoReasonOfTheNext) {
  const auto store = store::make_memory_store();
  std::vector<std::string> reasons;
  const IngestHooks hooks{
      .on_rejected = [&](const RejectedRow& row) { reasons.emplace_back(row.reasons); }};
  load(incoming("Meter,Date,0:00,1:00\n"
                "A,2019-01-01,0.30000000000000004,120.5\n"
                "A,2019-01-02,x,1\n"),
       *store, one_thread, hooks);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_THAT(reasons[0], ::testing::StartsWith("bad_value: "));
}

TEST(Ingest, AStopLeavesNothingHalfDone) {
  const auto store = store::make_memory_store();
  const std::atomic<bool> stop = true;
  const auto record = load(incoming("Meter,Date,0:00,1:00\nA,2019-01-01,1,1\n"), *store, one_thread,
                           {.stop = &stop});
  EXPECT_EQ(record.report.state, DeliveryState::failed);
  EXPECT_TRUE(store->meters({})->empty());
  int done = 0;
  const auto totals = load_all({incoming("a"), incoming("b")}, *store, one_thread, {.stop = &stop},
                               [&](const store::DeliveryRecord&) { ++done; });
  EXPECT_EQ(done, 0);
  EXPECT_EQ(totals.deliveries, 0);
}

TEST(Ingest, AnErrorOfTheSourceFailsTheDeliveryAndIsNotKept) {
  const auto store = store::make_memory_store();
  const source::Incoming broken{.source = "gone",
                                .open = []() -> Result<std::unique_ptr<source::ByteSource>> {
                                  return fail(Errc::unavailable, "cannot read gone");
                                }};
  const auto record = load(broken, *store, one_thread);
  EXPECT_EQ(record.report.state, DeliveryState::failed);
  EXPECT_EQ(record.report.reason, "cannot read gone");
  EXPECT_TRUE(store->deliveries({})->empty());
}

TEST(LoadAll, ReportsInOrderAndAddsUp) {
  const auto store = store::make_memory_store();
  std::vector<source::Incoming> all;
  for (int i = 0; i < 40; ++i)
    all.push_back(incoming(i == 7 ? "nonsense"
                                  : "Meter,Date,0:00,1:00\nA,2019-01-01,1," + std::to_string(i) +
                                        "\nA,2019-13-01,1,1\n",
                           "file " + std::to_string(i), i));
  auto options = one_thread;
  options.threads = 4;
  std::vector<std::string> sources;
  std::atomic<std::uint64_t> bytes = 0;
  const auto totals =
      load_all(all, *store, options, {.bytes_read = &bytes},
               [&](const store::DeliveryRecord& r) { sources.push_back(r.delivery.source); });
  ASSERT_EQ(sources.size(), 40U);
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(sources[static_cast<std::size_t>(i)], "file " + std::to_string(i));
  EXPECT_EQ(totals.deliveries, 40);
  EXPECT_EQ(totals.stored, 39);
  EXPECT_EQ(totals.refused, 1);
  EXPECT_EQ(totals.rows, (RowCounts{.read = 78, .stored = 39, .rejected = 39}));
  std::uint64_t expected_bytes = 0;
  for (const auto& delivery : all) expected_bytes += *delivery.bytes;
  EXPECT_EQ(bytes, expected_bytes);
  EXPECT_THAT(testing::totals_of(*store), HasSubstr(" 40 of 2/24"));
}

}  // namespace
}  // namespace meterline::ingest
