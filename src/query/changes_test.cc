#include "query/changes.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::any_deliveries;
using meterline::testing::delivery_of;
using meterline::testing::delivery_of_days;
using meterline::testing::load;
using meterline::testing::must;
using meterline::testing::naive_days;
using meterline::testing::second;
using meterline::testing::TestDelivery;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

MeterId meter_of(std::string_view text) { return *MeterId::parse(text); }

/// `A 2019-01-01 1: 3 of 2/2 -> 4 of 2/2`
std::string line_of(const ChangedDay& day) {
  const auto shown = [](const std::optional<Total>& total) {
    return total ? fmt::format("{} of {}/{}", total->sum ? total->sum->text() : "-",
                               total->readings, total->expected)
                 : "nothing";
  };
  return fmt::format("{} {} {}: {} -> {}", day.meter.text(), day.date.text(), day.slots,
                     shown(day.before), shown(day.after));
}

std::vector<std::string> lines_of(const Changes& changes) {
  std::vector<std::string> lines;
  for (const auto& day : changes.days) lines.push_back(line_of(day));
  return lines;
}

std::unique_ptr<store::Store> store_of(const std::vector<TestDelivery>& deliveries) {
  auto store = store::make_memory_store();
  for (const auto& each : deliveries) must(load(*store, each));
  return store;
}

TEST(Changes, TellBothAnswers) {
  auto late = delivery_of(1, 3, {"A 2019-01-03 60 9 9", "B 2019-01-01 60 8 -"});
  late.delivery.received_at = second(30);  // Delivered before all others, received after them.
  const auto store = store_of({delivery_of(10, 1,
                                           {"A 2019-01-01 60 1 2", "A 2019-01-02 60 1 2",
                                            "A 2019-01-03 60 1 -", "A 2019-01-04 60 5 5"}),
                               delivery_of(20, 2,
                                           {"A 2019-01-01 60 1 3", "A 2019-01-02 60 2 1",
                                            "A 2019-01-04 30 5 5 - -", "C 2019-01-01 60 - -"}),
                               late});
  const auto since = [&](std::int64_t seconds) {
    return lines_of(must(changes(*store, {.since = second(seconds)})));
  };
  EXPECT_THAT(since(30), IsEmpty());
  EXPECT_THAT(since(20), ElementsAre("A 2019-01-03 1: 1 of 1/2 -> 10 of 2/2",
                                     "B 2019-01-01 1: nothing -> 8 of 1/2"));
  EXPECT_THAT(
      since(10),
      ElementsAre("A 2019-01-01 1: 3 of 2/2 -> 4 of 2/2", "A 2019-01-02 2: 3 of 2/2 -> 3 of 2/2",
                  "A 2019-01-03 1: 1 of 1/2 -> 10 of 2/2", "A 2019-01-04 2: 10 of 2/2 -> 10 of 2/4",
                  "B 2019-01-01 1: nothing -> 8 of 1/2"));
}

TEST(Changes, WhatSaysTheSameAgainIsNone) {
  const auto store = store_of(
      {delivery_of(1, 1, {"A 2019-01-01 60 1.0 2"}), delivery_of(2, 2, {"A 2019-01-01 60 1 2"})});
  EXPECT_THAT(must(changes(*store, {.since = second(1)})).days, IsEmpty());
  const auto estimated = store_of(
      {delivery_of(1, 1, {"A 2019-01-01 60 1e 2"}), delivery_of(2, 2, {"A 2019-01-01 60 1 2"})});
  EXPECT_THAT(lines_of(must(changes(*estimated, {.since = second(1)}))),
              ElementsAre("A 2019-01-01 1: 3 of 2/2 -> 3 of 2/2"));
}

TEST(Changes, AreFiltered) {
  const auto store =
      store_of({delivery_of(1, 1,
                            {"A 2019-01-01 60 1", "A 2019-02-01 60 2", "A 2019-03-01 60 3",
                             "A 2019-02-01 B1/generation/kWh 60 7", "B 2019-02-01 60 4"})});
  ChangesQuestion question{.since = second(0)};
  const auto asked = [&] { return lines_of(must(changes(*store, question))); };
  question.meter = meter_of("A");
  EXPECT_EQ(asked().size(), 4U);
  question.dates = {.from = *Date::parse("2019-01-02"), .to = *Date::parse("2019-02-28")};
  EXPECT_EQ(asked().size(), 2U);
  question.flow = Flow::generation;
  EXPECT_THAT(asked(), ElementsAre("A 2019-02-01 1: nothing -> 7 of 1/1"));
  question.channel = "B2";
  EXPECT_THAT(asked(), IsEmpty());
  question.meter = meter_of("nobody");
  EXPECT_THAT(asked(), IsEmpty());
  question.dates = {.from = *Date::parse("2019-02-02"), .to = *Date::parse("2019-02-01")};
  EXPECT_EQ(changes(*store, question).error().code, Errc::invalid_argument);
}

TEST(Changes, AreWhatWasWithdrawnAndBroughtBack) {
  const auto first = delivery_of(1, 1, {"A 2019-01-01 60 1", "A 2019-01-02 60 5"});
  const auto second_one = delivery_of(2, 2, {"A 2019-01-01 60 2", "B 2019-01-01 60 3"});
  const auto store = store_of({first, second_one});
  const auto add = [&](std::int64_t at, DeliveryEventKind kind) {
    must(store->add_event(second_one.delivery.id,
                          {.at = second(at), .kind = kind, .who = "who", .reason = ""}));
  };
  const auto since = [&](std::int64_t seconds) {
    return lines_of(must(changes(*store, {.since = second(seconds)})));
  };
  add(10, DeliveryEventKind::withdrawn);
  EXPECT_THAT(since(9), ElementsAre("A 2019-01-01 1: 2 of 1/1 -> 1 of 1/1",
                                    "B 2019-01-01 1: 3 of 1/1 -> nothing"));
  EXPECT_THAT(since(10), IsEmpty());
  add(20, DeliveryEventKind::restored);
  EXPECT_THAT(since(9), IsEmpty());
  EXPECT_THAT(since(10), ElementsAre("A 2019-01-01 1: 1 of 1/1 -> 2 of 1/1",
                                     "B 2019-01-01 1: nothing -> 3 of 1/1"));
}

/// A delivery of so many meters that its record does not name them; page by page.
TEST(Changes, OfManyMetersComeInPages) {
  std::vector<ReadingDay> days;
  for (std::size_t i = 0; i <= store::delivered_meters_max; ++i)
    days.push_back(meterline::testing::day_of(fmt::format("M{:04} 2019-01-01 60 1", i)));
  const auto store = store_of({delivery_of(1, 1, {"A 2019-01-01 60 1", "N 2019-01-01 60 1"}),
                               delivery_of_days(2, 2, days),
                               delivery_of(3, 3, {"N 2019-01-01 60 2", "O 2018-01-01 60 2"})});
  ChangesQuestion question{.since = second(1), .limit = 100};
  std::vector<std::string> meters;
  for (;;) {
    const auto page = must(changes(*store, question));
    EXPECT_LE(page.days.size(), question.limit);
    for (const auto& day : page.days) meters.push_back(day.meter.text());
    if (!page.next) break;
    ASSERT_EQ(*page.next, page.days.back().meter);
    question.after = *page.next;
  }
  ASSERT_EQ(meters.size(), days.size() + 2);
  for (std::size_t i = 0; i < days.size(); ++i) EXPECT_EQ(meters[i], days[i].meter.text());
  EXPECT_EQ(meters.back(), "O");
}

/// What differs in the naive answers of then and now, and nothing else.
RC_GTEST_PROP(Changes, AreTheDaysWhoseAnswersDiffer, ()) {
  auto deliveries = *any_deliveries();
  const auto since = second(*rc::gen::inRange<std::int64_t>(-1, 8));
  const auto store = store_of(deliveries);
  for (auto& each : deliveries) {
    const auto events = *rc::gen::inRange(-2, 3);
    for (int i = 0; i < events; ++i) {
      each.events.push_back(
          {.at = second(4 * i + *rc::gen::inRange<std::int64_t>(0, 4)),
           .kind = i % 2 == 0 ? DeliveryEventKind::withdrawn : DeliveryEventKind::restored,
           .who = "who",
           .reason = ""});
      must(store->add_event(each.delivery.id, each.events.back()));
    }
  }
  using Key = std::tuple<std::string, Date, Channel>;
  struct Answer {
    int minutes = 0;
    std::vector<std::string> slots;
    bool has_reading = false;
  };
  const auto answers = [&](Instant as_of) {
    std::map<Key, Answer> found;
    for (const auto& day : naive_days(deliveries, as_of)) {
      auto& answer = found[{day.meter.text(), day.date, day.channel}];
      answer.minutes = day.interval.minutes();
      for (std::size_t i = 0; i < day.slots.size(); ++i) {
        const auto& slot = day.slots[i];
        answer.has_reading = answer.has_reading || slot;
        answer.slots.push_back(slot ? Sum(slot->value.mantissa, slot->value.exponent).text() + ' ' +
                                          std::string(meterline::text_of(slot->quality))
                                    : "-");
        if (day.notes[i]) answer.slots.back() += ' ' + text_of(*day.notes[i]);
      }
    }
    return found;
  };
  const auto before = answers(since);
  const auto after = answers(Instant::end_of_time());
  // Days of other intervals have nothing to compare but readings.
  const auto differ = [](const Answer& a, const Answer& b) {
    const bool have_one_shape = a.minutes == b.minutes && a.slots.size() == b.slots.size();
    return have_one_shape ? a.slots != b.slots : a.has_reading || b.has_reading;
  };
  std::set<Key> wanted;
  for (const auto& [key, answer] : after)
    if (const auto was = before.find(key);
        was == before.end() ? answer.has_reading : differ(was->second, answer))
      wanted.insert(key);
  for (const auto& [key, answer] : before)  // What was withdrawn since.
    if (!after.contains(key) && answer.has_reading) wanted.insert(key);
  std::set<Key> told;
  for (const auto& day : must(changes(*store, {.since = since, .limit = 1000})).days)
    told.emplace(day.meter.text(), day.date, day.channel);
  RC_ASSERT(told == wanted);
}

}  // namespace
}  // namespace meterline::query
