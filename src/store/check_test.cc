#include "store/check.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "core/try.h"
#include "store/memory/memory_store.h"
#include "store/resolve.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"

namespace meterline::store {
namespace {

using testing::delivery_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TestDelivery;

/// With the report that a load of these days would have made.
TestDelivery reported(TestDelivery delivery) {
  ReadingCounts counts;
  for (const auto& day : delivery.days)
    for (const auto quality : day.qualities)
      ++(quality == Quality::missing ? counts.missing : counts.stored);
  counts.read = counts.stored + counts.missing;
  delivery.report.readings = counts;
  return delivery;
}

TestDelivery first() {
  return reported(delivery_of(1, 1,
                              {"A 2019-01-01 60 1 2 3 -x21", "A 2019-01-02 60 1x24",
                               "A 2019-01-02 B1/generation/Wh 30 2x48", "B 2019-01-01 30 0.5x48"}));
}
TestDelivery second() {
  return reported(delivery_of(2, 2, {"A 2019-01-01 60 - - 9 4.25e -x20", "B 2019-02-01 60 3x24"}));
}

std::unique_ptr<Store> loaded(const std::vector<TestDelivery>& deliveries) {
  auto store = make_memory_store();
  for (const auto& each : deliveries)
    if (!testing::load(*store, each)) throw std::runtime_error("the memory store cannot load");
  return store;
}

/// A store that answers otherwise than what was stored in it.
class Damaged final : public Store {
 public:
  Damaged() : store_(loaded({first(), second()})) {}

  /// Each may change an answer, or make it an error.
  std::function<Result<void>(const MeterId&, StoredDay, const DayVisitor&)> on_day;
  std::function<Result<void>(DayTotal, const TotalVisitor&)> on_total;
  std::function<void(MeterInfo&)> on_meter;
  std::function<void(std::vector<DeliveryRecord>&)> on_deliveries;
  std::function<void(std::optional<DeliveryRecord>&)> on_delivery;
  Result<void> meters_error;

  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override {
    return store_->write(deliveries);
  }
  Result<void> read_registers(const ReadsQuery& query, const ReadVisitor& visit) const override {
    return store_->read_registers(query, visit);
  }
  Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const override {
    return store_->read_days(query, [&](const StoredDay& day) {
      return on_day ? on_day(query.meter, day, visit) : visit(day);
    });
  }
  Result<void> read_months(const TotalsQuery& query, const MonthsVisitor& visit) const override {
    return store_->read_day_totals(query, [&](const DayTotal& total) {
      const auto pass = [&](const DayTotal& passed) { return visit.days(ResolvedDays(passed)); };
      return on_total ? on_total(total, pass) : pass(total);
    });
  }
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const override {
    if (!query.only) METERLINE_CHECK(meters_error);
    METERLINE_TRY(auto found, store_->meters(query));
    if (on_meter) std::for_each(found.begin(), found.end(), on_meter);
    return found;
  }
  Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) override {
    return store_->add_event(delivery, event);
  }
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const override {
    METERLINE_TRY(auto found, store_->deliveries(query));
    if (!query.id && on_deliveries) on_deliveries(found);
    if (!query.id || !on_delivery) return found;
    auto one = found.empty() ? std::nullopt : std::optional(found.front());
    on_delivery(one);
    return one ? std::vector{*one} : std::vector<DeliveryRecord>();
  }
  Result<void> amend(const Amendment& amendment) override { return store_->amend(amendment); }
  Result<Unit> remember_unit(Unit unit) override { return store_->remember_unit(unit); }
  Result<StoreStatus> status(StatusOf what) const override { return store_->status(what); }

 private:
  std::unique_ptr<Store> store_;
};

CheckReport check(const Store& store, const CheckOptions& options = {}) {
  auto report = check_store(store, options);
  if (!report) throw std::runtime_error(report.error().message);
  return *std::move(report);
}

std::vector<std::string> damage_of(const Store& store, const CheckOptions& options = {}) {
  std::vector<std::string> lines;
  for (const auto& damage : check(store, options).damage) {
    std::ostringstream out;
    out << damage;
    lines.push_back(out.str());
  }
  return lines;
}

const std::string id_one = "01000000000000000000000000000000";
const std::string id_two = "02000000000000000000000000000000";

TEST(StoreCheck, AHealthyStoreIsCounted) {
  const Damaged store;
  const auto report = check(store);
  EXPECT_THAT(report.damage, IsEmpty());
  EXPECT_EQ(report.damage_count, 0);
  EXPECT_EQ(report.meters, 2);
  EXPECT_EQ(report.days, 6);
  EXPECT_EQ(report.readings, 3 + 24 + 48 + 48 + 2 + 24);
  EXPECT_EQ(report.totals, 5);
  EXPECT_EQ(report.deliveries, 2);
  EXPECT_EQ(report.unfinished_days, 0);
}

/// What is withdrawn is still there, and is looked at.
TEST(StoreCheck, AWithdrawnDeliveryIsStillAccountedFor) {
  const auto only = reported(delivery_of(3, 3, {"C 2019-01-01 60 1x24", "A 2019-01-01 60 7x24"}));
  const auto short_of_a_day = [&] {
    auto claimed = only;
    claimed.report.rows.stored = 3;
    return claimed;
  }();
  for (const auto& delivery : {only, short_of_a_day}) {
    const auto store = loaded({first(), second(), delivery});
    ASSERT_TRUE(store->add_event(only.delivery.id, {.at = {9}, .who = "ann", .reason = "wrong"}));
    const auto report = check(*store);
    EXPECT_EQ(report.meters, 3);
    EXPECT_EQ(report.days, 8);
    EXPECT_EQ(report.totals, 5);
    EXPECT_EQ(report.damage_count, delivery.report.rows.stored == 3 ? 1 : 0);
  }
}

TEST(StoreCheck, ADayMayBeUnitedFromSeveralRows) {
  auto united = reported(delivery_of(5, 5, {"C 2019-01-01 60 1x24"}));
  united.report.rows = {.read = 2, .stored = 2};
  united.report.readings.repeated = 24;
  EXPECT_THAT(damage_of(*loaded({united})), IsEmpty());
  united.days.clear();
  united.report.readings = {.repeated = 24};
  EXPECT_THAT(damage_of(*loaded({united})), ElementsAre(HasSubstr("reported 2 rows")));
}

TEST(StoreCheck, RegisterReadsAreAccountedFor) {
  const auto store = loaded({first()});
  const auto delivery = delivery_of(5, 5, {}).delivery;
  const auto read = testing::read_of("C 2019-10-01T00:00:00Z 5");
  ASSERT_TRUE(testing::load_reads(*store, delivery, {read}));
  const auto report = check(*store);
  EXPECT_EQ(report.register_reads, 1);
  EXPECT_THAT(report.damage, IsEmpty());
  const auto writer = store->write(delivery).value();
  ASSERT_TRUE(writer->add(read, 0));
  DeliveryReport claimed{.rows = {.read = 2, .stored = 2}};
  claimed.register_reads = claimed.rows;
  ASSERT_TRUE(writer->commit(claimed));
  EXPECT_THAT(damage_of(*store),
              ElementsAre(HasSubstr("reported 2 register reads stored; found are 1")));
}

RC_GTEST_PROP(StoreCheck, FindsNothingInAHealthyStore, ()) {
  auto deliveries = *testing::any_deliveries();
  std::transform(deliveries.begin(), deliveries.end(), deliveries.begin(), reported);
  const auto store = loaded(deliveries);
  for (const auto& each : deliveries)
    if (*rc::gen::arbitrary<bool>())
      RC_ASSERT(store->add_event(each.delivery.id, {.at = {9}, .who = "ann", .reason = "wrong"})
                    .has_value());
  const auto lines = damage_of(*store);
  if (!lines.empty()) RC_FAIL(fmt::format("{}", fmt::join(lines, "\n")));
}

TEST(StoreCheck, NamesADayThatCannotBeUnpacked) {
  Damaged store;
  store.on_day = [](const MeterId& meter, StoredDay day, const DayVisitor& visit) {
    if (meter.text() == "B" && day.date.text() == "2019-02-01") day.packed = "\x02\x05";
    return visit(day);
  };
  EXPECT_THAT(damage_of(store),
              ElementsAre("day: meter B, 2019-02-01, consumption/consumption/kWh: of delivery " +
                              id_two + ": packed day: the body is cut off",
                          HasSubstr("meter: meter B: is known with"),
                          HasSubstr("day: meter B, 2019-02-01: packed day"),
                          HasSubstr("total: meter B, 2019-02-01, consumption/consumption/kWh: "
                                    "says 72 of 24/24 readings"),
                          HasSubstr("delivery: delivery " + id_two)));
}

TEST(StoreCheck, NamesAMeterWhoseDaysCannotBeRead) {
  Damaged store;
  store.on_day = [](const MeterId& meter, const StoredDay& day, const DayVisitor& visit) {
    return meter.text() == "B" ? Result<void>(fail(Errc::corrupt, "a bad block")) : visit(day);
  };
  const auto lines = damage_of(store);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.front(), "day: meter B: a bad block");
}

TEST(StoreCheck, NamesADayThatComesTwice) {
  Damaged store;
  store.on_day = [](const MeterId& meter, const StoredDay& day,
                    const DayVisitor& visit) -> Result<void> {
    METERLINE_CHECK(visit(day));
    return meter.text() == "B" && day.date.text() == "2019-01-01" ? visit(day) : Result<void>();
  };
  EXPECT_THAT(damage_of(store),
              ElementsAre("day: meter B, 2019-01-01, consumption/consumption/kWh: of delivery " +
                              id_one + ": comes in a wrong order, or twice",
                          "delivery: delivery " + id_one +
                              ": reported 4 rows with 123 readings and 21 missing ones stored; "
                              "found are 5, 171 and 21"));
}

TEST(StoreCheck, NamesADayOfAnotherVersionThanItsDelivery) {
  Damaged store;
  store.on_day = [](const MeterId& meter, StoredDay day, const DayVisitor& visit) {
    if (meter.text() == "B" && day.date.text() == "2019-02-01") day.version.tie = 9;
    return visit(day);
  };
  const auto lines = damage_of(store);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.front(),
            "day: meter B, 2019-02-01, consumption/consumption/kWh: of delivery " + id_two +
                ": has version 1970-01-01T00:00:02Z#9, wanted 1970-01-01T00:00:02Z#2");
}

TEST(StoreCheck, NamesADayThatIsLost) {
  Damaged store;
  store.on_day = [](const MeterId& meter, const StoredDay& day, const DayVisitor& visit) {
    const bool is_lost = meter.text() == "A" && day.channel.name == "B1";
    return is_lost ? Result<void>() : visit(day);
  };
  EXPECT_THAT(damage_of(store),
              ElementsAre("meter: meter A: is known with B1/generation/Wh 2019-01-02 to "
                          "2019-01-02, 30 minutes; consumption/consumption/kWh 2019-01-01 to "
                          "2019-01-02, 60 minutes; its days say consumption/consumption/kWh "
                          "2019-01-01 to 2019-01-02, 60 minutes",
                          "total: meter A, 2019-01-02, B1/generation/Wh: says 96 of 48/48 "
                          "readings, version 1970-01-01T00:00:01Z#1; but there is no such day",
                          "delivery: delivery " + id_one +
                              ": reported 4 rows with 123 readings and 21 missing ones stored; "
                              "found are 3, 75 and 21"));
}

TEST(StoreCheck, NamesWhatIsKnownWrongOfAMeter) {
  const std::vector<std::function<void(ChannelInfo&)>> changes = {
      [](ChannelInfo& info) { info.first = Date::min(); },
      [](ChannelInfo& info) { info.last = Date::max(); },
      [](ChannelInfo& info) { info.interval = *IntervalLength::from_minutes(5); },
      [](ChannelInfo& info) { info.channel.name = "other"; },
      [](ChannelInfo& info) { info.facts.emplace().serial = "other"; },
  };
  for (const auto& change : changes) {
    Damaged store;
    store.on_meter = [&](MeterInfo& info) {
      if (info.meter.text() == "A") change(info.channels.back());
    };
    EXPECT_THAT(damage_of(store), ElementsAre(HasSubstr("meter: meter A: is known with")));
  }
}

TEST(StoreCheck, LooksAgainAtAMeterThatGotADayMeanwhile) {
  Damaged store;
  int looks = 0;
  store.on_meter = [&](MeterInfo& info) {
    if (info.meter.text() == "A" && looks++ == 0) info.channels.pop_back();
  };
  EXPECT_THAT(damage_of(store), IsEmpty());
}

TEST(StoreCheck, NamesATotalThatIsWrong) {
  const std::vector<std::function<void(DayTotal&)>> changes = {
      [](DayTotal& total) { total.sum = Sum(7, 0); },
      [](DayTotal& total) { ++total.readings; },
      [](DayTotal& total) { ++total.expected; },
      [](DayTotal& total) { ++total.quality.estimated; },
      [](DayTotal& total) { ++total.version.tie; },
  };
  for (const auto& change : changes) {
    Damaged store;
    store.on_total = [&](DayTotal total, const TotalVisitor& visit) {
      if (total.meter.text() == "A" && total.date.text() == "2019-01-01") change(total);
      return visit(total);
    };
    EXPECT_THAT(
        damage_of(store),
        ElementsAre(::testing::AllOf(
            HasSubstr("total: meter A, 2019-01-01, consumption/consumption/kWh: says"),
            HasSubstr("its readings say 16.25 of 4/24 readings, version 1970-01-01T00:00:02Z#2"))));
  }
}

TEST(StoreCheck, NamesATotalThatIsLost) {
  Damaged store;
  store.on_total = [&](const DayTotal& total, const TotalVisitor& visit) {
    return total.meter.text() == "B" ? Result<void>() : visit(total);
  };
  EXPECT_THAT(
      damage_of(store),
      ElementsAre("total: meter B, 2019-01-01, consumption/consumption/kWh: there is none",
                  "total: meter B, 2019-02-01, consumption/consumption/kWh: there is none"));
}

TEST(StoreCheck, NamesATotalWithoutADay) {
  Damaged store;
  store.on_total = [&](DayTotal total, const TotalVisitor& visit) -> Result<void> {
    METERLINE_CHECK(visit(total));
    if (total.meter.text() != "B" || total.date.text() != "2019-01-01") return {};
    total.meter = *MeterId::parse("C");
    return visit(total);
  };
  EXPECT_THAT(
      damage_of(store),
      ElementsAre("total: meter C, 2019-01-01, consumption/consumption/kWh: says 24 of 48/48 "
                  "readings, version 1970-01-01T00:00:01Z#1; but there is no such day"));
}

TEST(StoreCheck, ComparesMetersInPartsWhereTheyAreMany) {
  Damaged store;
  store.on_total = [&](DayTotal total, const TotalVisitor& visit) {
    ++total.readings;
    return visit(total);
  };
  EXPECT_THAT(damage_of(store, {.meters_compared_max = 1}), ::testing::SizeIs(5));
  EXPECT_THAT(damage_of(store, {.dates_examined_max = 2}),
              ElementsAre(HasSubstr("meter A, 2019-01-01"), HasSubstr("meter B, 2019-01-01"),
                          HasSubstr("meter A, 2019-01-02"), HasSubstr("meter A, 2019-01-02"),
                          "total: 2019-02-01: the totals of this day are not those of its "
                          "readings"));
}

TEST(StoreCheck, NamesDatesWhoseTotalsCannotBeRead) {
  Damaged store;
  store.on_total = [&](const DayTotal& total, const TotalVisitor& visit) -> Result<void> {
    if (total.date.text() == "2019-01-02") return fail(Errc::corrupt, "a bad block");
    return visit(total);
  };
  EXPECT_THAT(damage_of(store), ElementsAre("total: 2019-01-02: a bad block"));
}

TEST(StoreCheck, NamesADeliveryThatDoesNotAddUp) {
  const std::vector<std::function<void(DeliveryReport&)>> changes = {
      [](DeliveryReport& report) { ++report.rows.stored; },
      [](DeliveryReport& report) { --report.readings.stored; },
      [](DeliveryReport& report) { ++report.readings.missing; },
      [](DeliveryReport& report) { --report.readings.missing; },
  };
  for (const auto& change : changes) {
    Damaged store;
    store.on_deliveries = [&](auto& records) { change(records.front().report); };
    store.on_delivery = [&](auto& record) {
      if (record->delivery.id == second().delivery.id) change(record->report);
    };
    EXPECT_THAT(damage_of(store), ElementsAre(HasSubstr("delivery: delivery " + id_two)));
  }
}

TEST(StoreCheck, ARejectedReadingIsMissingInItsDay) {
  auto delivery = second();
  --delivery.report.readings.missing;
  ++delivery.report.readings.rejected;
  EXPECT_THAT(damage_of(*loaded({first(), delivery})), IsEmpty());
}

TEST(StoreCheck, NamesADeliveryThatIsNotFoundByItsId) {
  Damaged store;
  store.on_delivery = [&](auto& record) {
    if (record->delivery.id == first().delivery.id) record.reset();
  };
  EXPECT_THAT(damage_of(store),
              ElementsAre("delivery: delivery " + id_one + ": is not found by its id"));
  store.on_delivery = [&](auto& record) {
    if (record->delivery.id == first().delivery.id) record->delivery.source = "other";
  };
  EXPECT_THAT(damage_of(store), ElementsAre("delivery: delivery " + id_one +
                                            ": is another one when it is asked for by its id"));
}

TEST(StoreCheck, DaysOfNoListedDeliveryAreNoDamage) {
  Damaged store;
  store.on_deliveries = [&](auto& records) {
    std::erase_if(records, [](const auto& r) { return r.delivery.id == second().delivery.id; });
  };
  const auto report = check(store);
  EXPECT_THAT(report.damage, IsEmpty());
  EXPECT_EQ(report.unfinished_deliveries, 1);
  EXPECT_EQ(report.unfinished_days, 2);
}

TEST(StoreCheck, TellsOfListsThatCannotBeRead) {
  Damaged store;
  store.meters_error = fail(Errc::corrupt, "a bad block");
  EXPECT_THAT(damage_of(store), ElementsAre("meter: all meters: a bad block"));
}

TEST(StoreCheck, TellsOfNoMoreDamageThanAskedForButCountsAll) {
  Damaged store;
  store.on_total = [&](DayTotal total, const TotalVisitor& visit) {
    ++total.readings;
    return visit(total);
  };
  const auto report = check(store, {.damage_max = 2});
  EXPECT_EQ(report.damage.size(), 2U);
  EXPECT_EQ(report.damage_count, 5);
}

TEST(StoreCheck, EndsWithErrorsThatAreNoDamageAndOnRequest) {
  Damaged store;
  store.meters_error = fail(Errc::unavailable, "no server");
  EXPECT_EQ(check_store(store).error().message, "no server");
  const std::atomic<bool> stop = true;
  EXPECT_EQ(check_store(*loaded({first()}), {}, {.stop = &stop}).error().code, Errc::cancelled);
}

}  // namespace
}  // namespace meterline::store
