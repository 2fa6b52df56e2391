#include "query/registers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <tuple>

#include "store/memory/memory_store.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"

namespace meterline::query {
namespace {

using testing::delivery_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::read_of;
using testing::second;

Delivery of_second(std::int64_t seconds, std::uint8_t number) {
  return delivery_of(seconds, number, {}).delivery;
}

MeterId meter_of(std::string_view text) { return *MeterId::parse(text); }

std::vector<std::string> lines_of(const Registers& answer) {
  std::vector<std::string> lines;
  for (const auto& [read, version, delivery] : answer.reads)
    lines.push_back(read.current.time.text() + ' ' + read.of.channel.name + ' ' +
                    read.current.value->text());
  return lines;
}

class RegistersTest : public ::testing::Test {
 protected:
  void load(std::int64_t seconds, std::uint8_t number, const std::vector<std::string>& lines) {
    std::vector<RegisterRead> reads;
    for (const auto& line : lines) reads.push_back(read_of(line));
    const auto loaded = testing::load_reads(*store_, of_second(seconds, number), reads);
    ASSERT_TRUE(loaded) << loaded.error().message;
  }

  std::vector<std::string> ask(const RegistersQuestion& question) const {
    const auto answer = registers(*store_, question);
    if (!answer) return {answer.error().message};
    return lines_of(*answer);
  }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
};

TEST_F(RegistersTest, TellsTheNewestVersionThatCounts) {
  load(1, 1, {"A 2019-10-01T00:00:00+10:00 100", "A 2019-07-01T00:00:00+10:00 50"});
  load(2, 2, {"A 2019-10-01T00:00:00+10:00 101"});
  EXPECT_THAT(ask({.meter = meter_of("A")}),
              ElementsAre("2019-07-01T00:00:00+10:00 11 50", "2019-10-01T00:00:00+10:00 11 101"));
  EXPECT_THAT(ask({.meter = meter_of("A"), .as_of = second(1)}),
              ElementsAre("2019-07-01T00:00:00+10:00 11 50", "2019-10-01T00:00:00+10:00 11 100"));
  ASSERT_TRUE(
      store_->add_event(of_second(2, 2).id, {.at = second(5), .who = "ann", .reason = "wrong"}));
  EXPECT_THAT(ask({.meter = meter_of("A")}),
              ElementsAre("2019-07-01T00:00:00+10:00 11 50", "2019-10-01T00:00:00+10:00 11 100"));
  EXPECT_THAT(ask({.meter = meter_of("A"), .as_of = second(4)}),
              ElementsAre("2019-07-01T00:00:00+10:00 11 50", "2019-10-01T00:00:00+10:00 11 101"));
}

TEST_F(RegistersTest, DaysAreThoseOfTheReadsOwnClock) {
  load(1, 1,
       {"A 2019-10-01T00:00:00+10:00 1", "A 2019-10-01T23:59:59-14:00 2",
        "A 2019-09-30T23:59:59+10:00 3", "A 2019-10-02T00:00:00Z 4"});
  const DateRange day{.from = *Date::parse("2019-10-01"), .to = *Date::parse("2019-10-01")};
  EXPECT_THAT(ask({.meter = meter_of("A"), .dates = day}),
              ElementsAre("2019-10-01T00:00:00+10:00 11 1", "2019-10-01T23:59:59-14:00 11 2"));
  const DateRange ever{.from = Date::min(), .to = Date::max()};
  EXPECT_EQ(ask({.meter = meter_of("A"), .dates = ever}).size(), 4U);
}

TEST_F(RegistersTest, ChannelsAreSelectedByNameAndFlow) {
  load(1, 1,
       {"A 2019-10-01T00:00:00Z 1 11/consumption/kWh", "A 2019-10-01T00:00:00Z 2 41/generation/kWh",
        "A 2019-10-01T00:00:00Z 3 41/consumption/kWh"});
  EXPECT_THAT(ask({.meter = meter_of("A"), .channel = "41"}),
              ElementsAre("2019-10-01T00:00:00Z 41 3", "2019-10-01T00:00:00Z 41 2"));
  EXPECT_THAT(ask({.meter = meter_of("A"), .flow = Flow::generation}),
              ElementsAre("2019-10-01T00:00:00Z 41 2"));
}

TEST_F(RegistersTest, SaysWhatIsUnknownAndWhatIsWrong) {
  load(1, 1, {"A 2019-10-01T00:00:00Z 1"});
  EXPECT_EQ(registers(*store_, {.meter = meter_of("B")}).error().code, Errc::not_found);
  EXPECT_EQ(registers(*store_, {.meter = meter_of("A0")}).error().message,
            "meter A0 is not known: no file loaded so far has anything of it");
  const DateRange wrong{.from = *Date::parse("2019-10-02"), .to = *Date::parse("2019-10-01")};
  EXPECT_EQ(registers(*store_, {.meter = meter_of("A"), .dates = wrong}).error().message,
            "`to` (2019-10-01) is before `from` (2019-10-02)");
  const DateRange none{.from = *Date::parse("2018-10-02"), .to = *Date::parse("2018-10-03")};
  EXPECT_THAT(ask({.meter = meter_of("A"), .dates = none}), IsEmpty());
  ASSERT_TRUE(
      store_->add_event(of_second(1, 1).id, {.at = second(5), .who = "ann", .reason = "wrong"}));
  EXPECT_THAT(ask({.meter = meter_of("A")}), IsEmpty());
}

TEST_F(RegistersTest, ReadsOfOneTimeComeOnOnePage) {
  load(1, 1,
       {"A 2019-10-01T00:00:00Z 1 11/consumption/kWh", "A 2019-10-01T00:00:00Z 2 12/other/kWh",
        "A 2019-11-01T00:00:00Z 3 11/consumption/kWh"});
  auto page = registers(*store_, {.meter = meter_of("A"), .limit = 1}).value();
  EXPECT_THAT(lines_of(page),
              ElementsAre("2019-10-01T00:00:00Z 11 1", "2019-10-01T00:00:00Z 12 2"));
  EXPECT_EQ(page.next, Instant::parse("2019-10-01T00:00:00Z"));
  page = registers(*store_, {.meter = meter_of("A"), .after = page.next, .limit = 1}).value();
  EXPECT_THAT(lines_of(page), ElementsAre("2019-11-01T00:00:00Z 11 3"));
  EXPECT_EQ(page.next, std::nullopt);
  EXPECT_THAT(ask({.meter = meter_of("A"), .after = Instant::end_of_time()}), IsEmpty());
}

TEST_F(RegistersTest, MoreRegistersAtOnceThanAreToldAreRefused) {
  std::vector<RegisterRead> reads(registers_at_once_max, read_of("A 2019-10-01T00:00:00Z 1"));
  for (std::size_t i = 0; i < reads.size(); ++i) reads[i].of.id = std::to_string(i);
  ASSERT_TRUE(testing::load_reads(*store_, of_second(1, 1), reads));
  EXPECT_EQ(ask({.meter = meter_of("A")}).size(), registers_at_once_max);
  load(2, 2, {"A 2019-10-01T00:00:00Z 1 12/other/kWh"});
  EXPECT_EQ(registers(*store_, {.meter = meter_of("A")}).error().code, Errc::too_large);
}

/// Whatever was loaded, pages of any size tell the newest version of each read, in order.
RC_GTEST_PROP(Registers, PagesTellTheNewestOfEach, ()) {
  using Place = std::tuple<Instant, MeterRegister>;
  const auto store = store::make_memory_store();
  std::map<Place, std::pair<Version, RegisterRead>> newest;
  const auto meter = meter_of("A");
  for (std::uint8_t number = 1; number <= 3; ++number) {
    const auto delivery = of_second(number % 2, number);
    const auto reads = testing::in_order(
        *rc::gen::resize(20, rc::gen::container<std::vector<RegisterRead>>(testing::any_read())));
    RC_ASSERT(testing::load_reads(*store, delivery, reads).has_value());
    for (const auto& read : reads) {
      if (read.meter != meter) continue;
      const auto version = read.version(delivery.version());
      const auto [known, is_new] =
          newest.try_emplace({read.current.time.at, read.of}, version, read);
      if (!is_new && known->second.first < version) known->second = {version, read};
    }
  }
  RC_PRE(!newest.empty());
  RegistersQuestion question{.meter = meter, .limit = *rc::gen::inRange<std::size_t>(1, 8)};
  std::vector<RegisterRead> told;
  do {
    const auto page = registers(*store, question).value();
    for (const auto& known : page.reads) told.push_back(known.read);
    question.after = page.next;
  } while (question.after);
  std::vector<RegisterRead> expected;
  for (const auto& [place, known] : newest) expected.push_back(known.second);
  RC_ASSERT(told == expected);
}

}  // namespace
}  // namespace meterline::query
