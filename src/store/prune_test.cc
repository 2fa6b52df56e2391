#include "store/prune.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "store/check.h"
#include "store/contract_test.h"
#include "testing/must.h"

namespace meterline::store {
namespace {

using meterline::testing::answers_of;
using meterline::testing::any_deliveries;
using meterline::testing::delivery_of;
using meterline::testing::must;
using meterline::testing::second;

class Prune : public StoreContract {
 protected:
  static PruneReport pruned(Store& store, PruneRequest request, PruneMode mode = PruneMode::prune) {
    request.now = second(1000);
    PruneReport report;
    must(prune(store, request, mode, {}, report));
    return report;
  }

  /// But for deliveries: reports of these tests count rows, and no readings.
  static std::vector<std::string> damage_of(const Store& store) {
    std::vector<std::string> lines;
    for (const auto& damage : must(check_store(store)).damage)
      if (damage.kind != DamageKind::delivery) lines.push_back(damage.where + ": " + damage.text);
    return lines;
  }
};

/// Versions of a day, the newest first, as their delivery seconds.
std::vector<std::int64_t> versions_of(const Store& store, const char* meter, const char* date) {
  std::vector<std::int64_t> found;
  must(store.read_days({.meter = meter_of(meter), .dates = {date_of(date), date_of(date)}},
                       [&](const StoredDay& day) -> Result<void> {
                         found.push_back(day.version.stated.micros / 1'000'000);
                         return {};
                       }));
  return found;
}

/// The same deliveries without what stands before the date; without those that have nothing else.
Deliveries without_before(const Deliveries& deliveries, Date before) {
  auto left = deliveries;
  for (auto& each : left)
    std::erase_if(each.days, [&](const ReadingDay& day) { return day.date < before; });
  return left;
}

/// Answers but for the lines of deliveries, whose reports stay as they were.
std::string of_days(const std::string& answers) {
  std::string kept;
  for (std::size_t at = 0; at < answers.size();) {
    const auto end = std::min(answers.find('\n', at), answers.size());
    const auto line = answers.substr(at, end - at);
    if (!line.starts_with("delivery")) kept += line + '\n';
    at = end + 1;
  }
  return kept;
}

TEST_P(Prune, LeavesWhatIsNotBeforeTheDateAsItWas) {
  expect_holds(GetParam(), [this] {
    const auto deliveries = *any_deliveries();
    const Date before = *Date::from_days(date_of("2018-12-30").days() + *rc::gen::inRange(0, 40));
    auto store = open();
    expect_loaded(*store, deliveries);
    pruned(*store, {.before = before});
    auto wanted = open();
    expect_loaded(*wanted, without_before(deliveries, before));
    for (int at = 0; at < 9; ++at)
      RC_ASSERT(of_days(answers_of(*store, second(at))) ==
                of_days(answers_of(*wanted, second(at))));
    RC_ASSERT(damage_of(*store).empty());
    if (GetParam().kept == Kept::outside) {
      store.reopen();
      RC_ASSERT(of_days(answers_of(*store)) == of_days(answers_of(*wanted)));
    }
    expect_loaded(*store, deliveries);
    RC_ASSERT(answers_of(*store) == [&] {
      auto whole = open();
      expect_loaded(*whole, deliveries);
      return answers_of(*whole);
    }());
  });
}

TEST_P(Prune, KeepsVersionsThatAnswersNeed) {
  auto store = open();
  expect_loaded(*store, {delivery_of(1, 1, {"A 2019-01-01 60 1 2 3", "A 2019-01-02 60 1 2 3"}),
                         delivery_of(2, 2, {"A 2019-01-01 60 - 5 -", "A 2019-01-02 60 4 5 6"}),
                         delivery_of(3, 3, {"A 2019-01-01 60 7 8 -", "A 2019-01-02 60 7 8 9"}),
                         delivery_of(4, 4, {"A 2019-01-01 60 - - -", "A 2019-01-02 60 7 8 9"})});
  const auto told = pruned(*store, {.versions = 2}, PruneMode::dry_run);
  EXPECT_EQ(told.days, 3);
  EXPECT_EQ(versions_of(*store, "A", "2019-01-02"), (std::vector<std::int64_t>{4, 3, 2, 1}));
  EXPECT_EQ(pruned(*store, {.versions = 2}), told);
  EXPECT_EQ(versions_of(*store, "A", "2019-01-01"), (std::vector<std::int64_t>{4, 3, 1}))
      << "the first one alone has the third reading";
  EXPECT_EQ(versions_of(*store, "A", "2019-01-02"), (std::vector<std::int64_t>{4, 3}));
  EXPECT_EQ(pruned(*store, {.versions = 2}).days, 0);
  EXPECT_EQ(damage_of(*store), std::vector<std::string>());
  EXPECT_EQ(pruned(*store, {.versions = 1}).days, 1);
  EXPECT_EQ(versions_of(*store, "A", "2019-01-01"), (std::vector<std::int64_t>{4, 3, 1}));
}

TEST_P(Prune, NeitherTakesNorTrustsWhatWasWithdrawnOnce) {
  auto store = open();
  expect_loaded(*store,
                {delivery_of(1, 1, {"A 2019-01-01 60 1"}), delivery_of(2, 2, {"A 2019-01-01 60 2"}),
                 delivery_of(3, 3, {"A 2019-01-01 60 3"})});
  const auto third = delivery_of(3, 3, {}).delivery.id;
  must(store->add_event(third, {.at = second(5), .who = "w", .reason = "r"}));
  EXPECT_EQ(pruned(*store, {.versions = 1}).days, 1);
  EXPECT_EQ(versions_of(*store, "A", "2019-01-01"), (std::vector<std::int64_t>{3, 2}));
}

TEST_P(Prune, TakesRegisterReadsBeforeTheDateOnTheirClock) {
  auto store = open();
  const auto read_at = [](std::int64_t seconds) {
    RegisterRead read;
    read.meter = meter_of("A");
    read.of = {.channel = {}, .id = "1", .serial = ""};
    read.current = {.time = {.at = Instant{seconds * 1'000'000}, .offset_minutes = 600},
                    .value = Decimal{.mantissa = 1, .exponent = 0}};
    return read;
  };
  // 2018-12-31 and 2019-01-01 in +10:00, each some minutes from midnight.
  const std::int64_t midnight = 1'546'264'800;
  auto delivery = delivery_of(1, 1, {});
  delivery.report.rows = delivery.report.register_reads = {.read = 2, .stored = 2};
  const auto writer = must(store->write(delivery.delivery));
  must(writer->add(read_at(midnight - 60), 0));
  must(writer->add(read_at(midnight), 0));
  must(writer->commit(delivery.report));
  EXPECT_EQ(pruned(*store, {.before = date_of("2019-01-01")}).reads, 1);
  EXPECT_TRUE(must(store->meter(meter_of("A")))->has_reads);
  EXPECT_EQ(damage_of(*store), std::vector<std::string>());
  const auto report = pruned(*store, {.before = date_of("2019-01-02")});
  EXPECT_EQ(report.reads, 1);
  EXPECT_EQ(report.meters_emptied, 1);
  EXPECT_FALSE(must(store->meter(meter_of("A"))));
  EXPECT_EQ(damage_of(*store), std::vector<std::string>());
}

TEST_P(Prune, GoesOnWhereItWasStopped) {
  auto store = open();
  expect_loaded(*store, {delivery_of(1, 1,
                                     {"A 2019-01-01 60 1", "B 2019-01-01 60 1", "B 2019-01-03 60 2",
                                      "C 2019-01-01 60 1"})});
  PruneReport report;
  EXPECT_EQ(
      prune(*store, {.before = {}, .now = second(9)}, PruneMode::prune, {}, report).error().code,
      Errc::invalid_argument);
  const std::atomic<bool> stop = true;
  const PruneRequest request{.before = date_of("2019-01-02"), .now = second(9)};
  EXPECT_EQ(prune(*store, request, PruneMode::prune, {.stop = &stop}, report).error().code,
            Errc::cancelled);
  auto rest = request;
  rest.after = meter_of("A");
  report = {};
  must(prune(*store, rest, PruneMode::prune, {}, report));
  EXPECT_EQ(report.meters, 2);
  EXPECT_EQ(report.days, 2);
  EXPECT_EQ(report.last, meter_of("C"));
  EXPECT_EQ(pruned(*store, {.before = date_of("2019-01-02")}).days, 1);
  EXPECT_EQ(must(store->meters({})).size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(All, Prune, ::testing::ValuesIn(backends()), name_of);

}  // namespace
}  // namespace meterline::store
