#include "store/cassandra/claims.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <tuple>

namespace meterline::store::cassandra {
namespace {

struct Said {
  std::string meter;
  Channel channel;
  Date date;
  VersionKey key;
  std::int64_t mantissa = 0;
};

TotalEntry entry_of(const Said& said) {
  return {.meter = said.meter,
          .channel = said.channel,
          .kind = TotalEntry::Kind::partial,
          .grid = {.slots = 48},
          .mantissa = said.mantissa,
          .quality = {.actual = 40, .missing = 8}};
}

std::vector<Said> any_said(std::size_t count, int meters) {
  std::vector<Said> all;
  for (std::size_t i = 0; i < count; ++i) {
    Said said{.meter = "M" + std::to_string(*rc::gen::inRange(0, meters)),
              .date = *Date::from_days(*rc::gen::inRange(17'000, 17'003)),
              .mantissa = static_cast<std::int64_t>(i)};
    if (*rc::gen::inRange(0, 4) == 0) said.channel.name = "E1";
    said.key.version.stated.micros = *rc::gen::inRange(0, 4);
    said.key.delivery.bytes[0] = static_cast<std::uint8_t>(i);
    all.push_back(std::move(said));
  }
  return all;
}

using Day = std::tuple<std::string, Channel, std::int32_t>;
/// The newest and whether it is of one version; by what is plainest.
using Newest = std::map<Day, std::pair<std::int64_t, bool>>;

Newest plainly(const std::vector<Said>& all) {
  std::map<Day, std::vector<const Said*>> by_day;
  for (const auto& said : all)
    by_day[{said.meter, said.channel, said.date.days()}].push_back(&said);
  Newest newest;
  for (const auto& [day, of_day] : by_day) {
    const Said* first = of_day[0];
    bool is_of_one = true;
    for (const Said* each : of_day) {
      is_of_one = is_of_one && each->key.version == of_day[0]->key.version;
      if (std::tie(first->key.version, first->key.delivery) <
          std::tie(each->key.version, each->key.delivery))
        first = each;
    }
    newest[day] = {first->mantissa, is_of_one};
  }
  return newest;
}

/// In passes, as totals are read; how many there were.
int read_in_passes(const std::vector<Said>& all, std::size_t held_max, Newest& newest) {
  Claims claims(held_max);
  int passes = 0;
  for (SpanOfPass span;; ++passes) {
    claims.begin(span);
    for (const auto& said : all) claims.add(entry_of(said), said.date, said.key);
    for (const auto& claim : claims.all()) {
      const bool is_new = newest
                              .emplace(Day(claims.meter(claim), claims.channel(claim), claim.date),
                                       std::pair(claim.mantissa, claim.is_of_one_version))
                              .second;
      EXPECT_TRUE(is_new) << claims.meter(claim) << " is told twice";
    }
    if (!claims.is_shortened()) return passes + 1;
    span.after = claims.span().to;
  }
}

RC_GTEST_PROP(Claims, InAnyNumberOfPassesAreTheNewestOfEachDay, ()) {
  const auto all = any_said(*rc::gen::inRange<std::size_t>(1, 200), *rc::gen::inRange(1, 40));
  const auto held_max = *rc::gen::inRange<std::size_t>(8, 100);
  Newest newest;
  read_in_passes(all, held_max, newest);
  RC_ASSERT(newest == plainly(all));
}

Said said_of(int meter, int version) {
  Said said{.meter = "M" + std::to_string(100'000 + meter), .date = *Date::from_days(17'000)};
  said.key.version.stated.micros = version;
  return said;
}

/// What is held does not grow with versions, and with meters only up to the limit.
TEST(Claims, AreAsManyAsTheLimitWhateverComes) {
  constexpr int meters = 5000;
  constexpr std::size_t held_max = 1000;
  Claims flat(meters);
  Claims cut(held_max);
  for (int version = 0; version < 6; ++version) {
    for (int i = 0; i < meters; ++i) {
      const auto said = said_of(i * 7 % meters, version);
      flat.add(entry_of(said), said.date, said.key);
      cut.add(entry_of(said), said.date, said.key);
      ASSERT_LE(cut.all().size(), held_max);
    }
    EXPECT_EQ(flat.all().size(), static_cast<std::size_t>(meters));
  }
  EXPECT_FALSE(flat.is_shortened());
  EXPECT_TRUE(cut.is_shortened());
  EXPECT_GE(cut.all().size(), held_max / 2) << "passes are as few as may be";
}

/// There is no smaller part of it that a pass could take.
TEST(Claims, OfOneMeterAreHeldHoweverManyThereAre) {
  Claims claims(8);
  for (int day = 0; day < 100; ++day) {
    Said said = said_of(0, 1);
    said.date = *Date::from_days(17'000 + day);
    claims.add(entry_of(said), said.date, said.key);
    const Said other = said_of(1, 1);
    claims.add(entry_of(other), other.date, other.key);
  }
  EXPECT_EQ(claims.all().size(), 100U);
  EXPECT_EQ(claims.span().to, "M100000");
}

TEST(Claims, TakeClaimsOfOthers) {
  Claims month(8);
  Claims day(8);
  Said first = said_of(1, 1);
  first.channel.name = "E1";
  first.mantissa = 5;
  month.add(entry_of(said_of(0, 1)), first.date, first.key);
  month.add(entry_of(first), first.date, first.key);
  day.begin({.after = "M100000", .to = {}});
  for (const auto& claim : month.all()) day.add(month, claim);
  ASSERT_EQ(day.all().size(), 1U);
  EXPECT_EQ(day.channel(day.all()[0]).name, "E1");
  EXPECT_EQ(day.all()[0].mantissa, 5);
}

}  // namespace
}  // namespace meterline::store::cassandra
