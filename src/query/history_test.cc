#include "query/history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "store/memory/memory_store.h"
#include "testing/must.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;
using meterline::testing::second;
using meterline::testing::TestDelivery;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

MeterId meter_of(const char* text) { return *MeterId::parse(text); }

TestDelivery received(std::int64_t seconds, TestDelivery delivery) {
  delivery.delivery.received_at = second(seconds);
  return delivery;
}

/// `@stated/received /in/1.csv SUM of READINGS/EXPECTED [*] 0:-=1a 30:2a=3e(S 14)`, and the
/// version's notes behind it.
std::string line_of(const DayVersion& version) {
  const auto& total = version.total;
  std::string line = fmt::format(
      "@{}/{} {} {} of {}/{}{}", version.version.stated.micros / 1'000'000,
      version.version.received.micros / 1'000'000,
      version.record ? version.record->delivery.source : "?", total.sum ? total.sum->text() : "-",
      total.readings, total.expected, version.counts ? " *" : "");
  const auto shown = [](const std::optional<Decimal>& value, Quality quality, const Note* note) {
    return (value ? value->text() + std::string(meterline::text_of(quality).substr(0, 1)) : "-") +
           (note != nullptr ? fmt::format("({})", meterline::text_of(*note)) : "");
  };
  for (std::size_t i = 0; i < version.changes.size(); ++i) {
    const auto& change = version.changes[i];
    line +=
        fmt::format(" {}:{}={}", change.minute,
                    shown(change.before, change.quality_before, note_at(version.notes_before, i)),
                    shown(change.after, change.quality_after, note_at(version.notes_after, i)));
  }
  std::ostringstream notes;
  for (const auto& run : version.notes) notes << ' ' << run;
  return line + notes.str();
}

std::vector<std::string> lines_of(const ChannelHistory& channel) {
  std::vector<std::string> lines;
  for (const auto& version : channel.versions) lines.push_back(line_of(version));
  return lines;
}

TEST(History, TellsWhatEachDeliveryChanged) {
  const auto store = store::make_memory_store();
  for (const auto& each :
       {received(10, delivery_of(1, 1, {"A 2019-01-01 60 1 -"})),
        received(20, delivery_of(5, 2, {"A 2019-01-01 60 1 2e"})),
        received(30, delivery_of(3, 3, {"A 2019-01-01 60 7 7", "A 2019-01-02 60 1 1"})),
        received(40, delivery_of(40, 4, {"A 2019-01-01 60 1 2"}))})
    must(load(*store, each));
  const auto answer =
      must(history(*store, {.meter = meter_of("A"), .date = *Date::parse("2019-01-01")}));
  ASSERT_EQ(answer.channels.size(), 1U);
  EXPECT_THAT(lines_of(answer.channels[0]),
              ElementsAre("@40/40 /in/4.csv 3 of 2/2 * 60:2e=2a",
                          "@3/30 /in/3.csv 14 of 2/2",  // Received late, stated early.
                          "@5/20 /in/2.csv 3 of 2/2 60:-=2e", "@1/10 /in/1.csv 1 of 1/2 0:-=1a"));
}

TEST(History, TellsNotesAndWhatChangedInThem) {
  const auto store = store::make_memory_store();
  must(load(*store, delivery_of(1, 1, {"A 2019-01-01 60 1 2e - note:0-2:E/52//"})));
  must(load(*store, delivery_of(2, 2, {"A 2019-01-01 60 1 2e - note:1-2:E/52// note:2-3:N///"})));
  must(load(*store, delivery_of(3, 3, {"A 2019-01-01 60 - 2e 3s note:1-2:E/52// note:2-3:S///"})));
  const auto answer =
      must(history(*store, {.meter = meter_of("A"), .date = *Date::parse("2019-01-01")}));
  EXPECT_THAT(lines_of(answer.channels.at(0)),
              ElementsAre("@3/3 /in/3.csv 5 of 2/3 * 120:-(N)=3s(S) [1-2 E|52||] [2-3 S|||]",
                          "@2/2 /in/2.csv 3 of 2/3 * 0:1a(E 52)=1a 120:-=-(N) [1-2 E|52||] "
                          "[2-3 N|||]",
                          "@1/1 /in/1.csv 3 of 2/3 0:-=1a(E 52) 60:-=2e(E 52) [0-2 E|52||]"));
}

TEST(History, OfAnotherIntervalTellsAllSlots) {
  const auto store = store::make_memory_store();
  must(load(*store, delivery_of(1, 1, {"A 2019-01-01 60 1 2"})));
  must(load(*store, delivery_of(2, 2, {"A 2019-01-01 30 1 - 2 2"})));
  const auto answer =
      must(history(*store, {.meter = meter_of("A"), .date = *Date::parse("2019-01-01")}));
  EXPECT_THAT(lines_of(answer.channels.at(0)),
              ElementsAre("@2/2 /in/2.csv 5 of 3/4 * 0:-=1a 60:-=2a 90:-=2a",
                          "@1/1 /in/1.csv 3 of 2/2 0:-=1a 60:-=2a"));
}

DeliveryEvent event_at(std::int64_t seconds, DeliveryEventKind kind) {
  return {.at = second(seconds), .kind = kind, .who = "ann", .reason = "sent twice"};
}

TEST(History, TellsWhatWasWithdrawnAndWhatCountedThen) {
  const auto store = store::make_memory_store();
  const auto wrong = received(20, delivery_of(5, 2, {"A 2019-01-01 60 9 9"}));
  for (const auto& each : {received(10, delivery_of(1, 1, {"A 2019-01-01 60 1 1"})), wrong,
                           received(40, delivery_of(40, 3, {"A 2019-01-01 60 1 2"}))})
    must(load(*store, each));
  must(store->add_event(wrong.delivery.id, event_at(30, DeliveryEventKind::withdrawn)));
  const HistoryQuestion question{.meter = meter_of("A"), .date = *Date::parse("2019-01-01")};
  const auto answer = must(history(*store, question));
  const auto& versions = answer.channels.at(0).versions;
  EXPECT_THAT(lines_of(answer.channels.at(0)),
              ElementsAre("@40/40 /in/3.csv 3 of 2/2 * 60:1a=2a",  // What was there before it.
                          "@5/20 /in/2.csv 18 of 2/2 0:1a=9a 60:1a=9a",
                          "@1/10 /in/1.csv 2 of 2/2 0:-=1a 60:-=1a"));
  EXPECT_FALSE(versions.at(0).withdrawn);
  EXPECT_TRUE(versions.at(1).withdrawn);
  EXPECT_EQ(versions.at(1).record->events.size(), 1U);

  must(store->add_event(wrong.delivery.id, event_at(50, DeliveryEventKind::restored)));
  EXPECT_FALSE(must(history(*store, question)).channels.at(0).versions.at(1).withdrawn);
}

TEST(History, IsToldOfAMeterThatHasNothingElse) {
  const auto store = store::make_memory_store();
  const auto only = delivery_of(1, 1, {"A 2019-01-01 60 1"});
  must(load(*store, only));
  must(store->add_event(only.delivery.id, event_at(2, DeliveryEventKind::withdrawn)));
  const auto answer =
      must(history(*store, {.meter = meter_of("A"), .date = *Date::parse("2019-01-01")}));
  EXPECT_TRUE(answer.channels.at(0).versions.at(0).withdrawn);
  EXPECT_FALSE(answer.channels.at(0).versions.at(0).counts);
}

TEST(History, FiltersChannelsAndKnowsTheMeter) {
  const auto store = store::make_memory_store();
  must(load(*store,
            delivery_of(1, 1, {"A 2019-01-01 B1/generation/kWh 60 1", "A 2019-01-01 60 2"})));
  const auto asked = [&](const char* meter, const char* date, std::optional<Flow> flow) {
    return history(*store, {.meter = meter_of(meter), .date = *Date::parse(date), .flow = flow});
  };
  EXPECT_EQ(must(asked("A", "2019-01-01", {})).channels.size(), 2U);
  EXPECT_EQ(must(asked("A", "2019-01-01", Flow::generation)).channels.at(0).channel.name, "B1");
  EXPECT_THAT(must(asked("A", "2019-01-02", {})).channels, IsEmpty());
  EXPECT_EQ(asked("B", "2019-01-01", {}).error().code, Errc::not_found);
}

TEST(History, OfTooManyVersionsSaysSo) {
  const auto store = store::make_memory_store();
  auto delivery = delivery_of(1, 1, {"A 2019-01-01 60 1"});
  for (std::size_t i = 0; i <= history_versions_max; ++i) {
    delivery.delivery.id.bytes[1] = static_cast<std::uint8_t>(i);
    delivery.delivery.id.bytes[2] = static_cast<std::uint8_t>(i >> 8);
    must(load(*store, delivery));
  }
  const auto answer = history(*store, {.meter = meter_of("A"), .date = *Date::parse("2019-01-01")});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::too_large);
}

}  // namespace
}  // namespace meterline::query
