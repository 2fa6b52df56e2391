// The same questions asked of every kind of store: the same bytes. Runs beside a real node of
// Apache Cassandra; see tests/with_cassandra.py.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "api/api.h"
#include "ingest/ingest.h"
#include "source/byte_source.h"
#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/cassandra_keyspace.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::api {
namespace {

constexpr int meters = 20;
constexpr int files = 6;
constexpr int questions = 2000;

/// Numbers that are the same on every run and machine.
class Dice {
 public:
  /// 0 to below `sides`.
  int roll(int sides) { return static_cast<int>(engine_() % static_cast<unsigned>(sides)); }

 private:
  std::mt19937 engine_{20190101};
};

Date date_of(int day) { return *Date::from_days(Date::parse("2018-12-01")->days() + day); }
std::string meter_of(int number) { return fmt::format("METER{:03}", number); }

/// A file of some meters, of two months that overlap with those of its neighbours, with holes in
/// days and among them.
std::string file_text(int number, Dice& dice) {
  const int minutes = dice.roll(4) == 0 ? 60 : 30;
  std::string text = "Meter,Date";
  for (int minute = 0; minute < 24 * 60; minute += minutes)
    text += fmt::format(",{}:{:02}", minute / 60, minute % 60);
  text += '\n';
  for (int meter = number % 3; meter < meters; meter += 1 + dice.roll(3))
    for (int day = 30 * number; day < 30 * number + 60; day += 1 + dice.roll(2)) {
      text += fmt::format("{},{}", meter_of(meter), date_of(day).text());
      const bool has_holes = dice.roll(8) == 0;
      for (int minute = 0; minute < 24 * 60; minute += minutes)
        text += has_holes && dice.roll(3) == 0
                    ? ","
                    : fmt::format(",{}.{:03}", dice.roll(9), dice.roll(1000));
      text += '\n';
    }
  return text;
}

/// Register reads of some meters, of times and registers that overlap with those of its neighbours.
std::vector<RegisterRead> reads_of(int number, Dice& dice) {
  std::vector<RegisterRead> reads;
  const char* const channels[] = {"11/consumption/kWh", "11/generation/kWh", "41/consumption/kWh"};
  for (int meter = number % 2; meter < meters + 3; meter += 1 + dice.roll(3))
    for (int day = 30 * number; day < 30 * number + 90; day += 1 + dice.roll(20)) {
      auto read = meterline::testing::read_of(
          fmt::format("{} {}T00:00:00+10:00 {}.{} {}", meter_of(meter), date_of(day).text(),
                      dice.roll(1000), dice.roll(10), channels[dice.roll(3)]));
      if (dice.roll(2) == 0)
        read.stated = *Instant::parse(fmt::format("2020-01-{:02}T05:00:00Z", 1 + dice.roll(9)));
      if (dice.roll(2) == 0) {
        read.previous = read.current;
        read.previous->note.flag = "E";
        read.counted = Decimal{.mantissa = dice.roll(100)};
      }
      reads.push_back(std::move(read));
    }
  return meterline::testing::in_order(std::move(reads));
}

std::string any_target(Dice& dice) {
  const int first = dice.roll(240);
  const int days = dice.roll(3) == 0 ? 1 : dice.roll(16) == 0 ? 300 : dice.roll(20);
  const auto dates =
      fmt::format("from={}&to={}", date_of(first).text(), date_of(first + days).text());
  const auto as_of =
      dice.roll(3) == 0 ? fmt::format("&asOf=2020-01-{:02}", 1 + dice.roll(28)) : std::string();
  const char* const resolutions[] = {"day", "week", "month", "quarter", "year", "hour", "interval"};
  const char* const againsts[] = {"year-before", "52-weeks-before", "period-before"};
  const auto meter = meter_of(dice.roll(meters + 5));
  switch (dice.roll(30)) {
    case 0:
      return fmt::format("/v1/portfolio?{}&resolution={}{}", dates, resolutions[dice.roll(5)],
                         as_of);
    case 1:
      return fmt::format("/v1/meters?limit={}&prefix=METER0{}", 1 + dice.roll(20), dice.roll(4));
    case 2:
      return "/v1/meters/" + meter;
    case 3:
      return fmt::format("/?meterId={}&date={:02}-{:02}-2019", meter, 1 + dice.roll(28),
                         1 + dice.roll(12));
    case 4:
      return fmt::format("/v1/deliveries?limit={}", 1 + dice.roll(15));
    case 5:
      return fmt::format("/v1/gaps?{}{}&limit={}&absent={}", dates, as_of, 1 + dice.roll(20),
                         dice.roll(2) == 0);
    case 6:
      return fmt::format("/v1/meters/{}/gaps?{}{}", meter, dates, as_of);
    case 7:
      return fmt::format("/v1/meters/{}/history?date=2019-{:02}-{:02}", meter, 1 + dice.roll(12),
                         1 + dice.roll(28));
    case 8:
      return fmt::format("/v1/changes?since=2020-01-{:02}&limit={}", 1 + dice.roll(28),
                         1 + dice.roll(1000));
    case 9:
      return fmt::format("/v1/changes?since=2020-01-{:02}&meter={}&{}", 1 + dice.roll(28), meter,
                         dates);
    case 10:
      return fmt::format("/v1/meters/{}/registers?limit={}{}", meter, 1 + dice.roll(9), as_of);
    case 11:
      return fmt::format("/v1/meters/{}/registers?{}{}&flow=consumption", meter, dates, as_of);
    case 12:
      return fmt::format("/v1/meters/{}/profile?{}{}&unit=MWh", meter, dates, as_of);
    case 13:
      return fmt::format("/v1/top?{}{}&limit={}&order={}", dates, as_of, 1 + dice.roll(30),
                         dice.roll(2) == 0 ? "highest" : "lowest");
    case 14:
      return fmt::format("/v1/meters/{}/compare?{}&against={}{}", meter, dates,
                         againsts[dice.roll(3)], as_of);
    case 15:
      return fmt::format("/v1/compare?{}&against={}{}", dates, againsts[dice.roll(3)], as_of);
    case 16:
      return fmt::format("/v1/meters/{}/time-of-use?{}&tariff=nights&resolution={}{}", meter, dates,
                         resolutions[dice.roll(5)], as_of);
    case 17:
      return fmt::format("/v1/meters/{}/base-load?{}{}", meter, dates, as_of);
    case 18:
      return fmt::format("/v1/late?since={}&limit={}", date_of(first).text(), 1 + dice.roll(20));
    case 19:
      return fmt::format("/v1/late?since=2020-01-{:02}&by=receipt&limit={}", 1 + dice.roll(28),
                         1 + dice.roll(20));
    default:
      return fmt::format("/v1/meters/{}/consumption?{}&resolution={}{}", meter, dates,
                         resolutions[dice.roll(7)], as_of);
  }
}

class EveryStore : public ::testing::Test {
 protected:
  EveryStore() {
    stores_.push_back(store::make_memory_store());
    stores_.push_back(*store::open_rocksdb_store({.folder = folder_.path() / "store"}));
    stores_.push_back(*meterline::testing::open_cassandra_of(folder_.path()));
  }

  void load(int number, const std::string& text) {
    for (const auto& store : stores_) {
      const auto record = ingest::load(
          {.source = fmt::format("/in/{}.csv", number),
           .delivered_at = *Instant::parse(fmt::format("2020-01-{:02}T06:00:00Z", 2 * number + 1)),
           .bytes = text.size(),
           .open = [&] { return source::make_memory_source(text); }},
          *store, {.unit = Unit::kWh, .threads = 1});
      ASSERT_EQ(record.report.state, DeliveryState::stored) << record.report.reason;
    }
  }

  void load_reads(int number, const std::vector<RegisterRead>& reads) {
    auto delivery = meterline::testing::delivery_of(1, static_cast<std::uint8_t>(number), {});
    delivery.delivery.received_at = delivery.delivery.delivered_at =
        *Instant::parse(fmt::format("2020-01-{:02}T07:00:00Z", 2 * number + 1));
    for (const auto& store : stores_) {
      const auto loaded = meterline::testing::load_reads(*store, delivery.delivery, reads);
      ASSERT_TRUE(loaded) << loaded.error().message;
      if (number != 1) continue;
      ASSERT_TRUE(store->add_event(
          delivery.delivery.id,
          {.at = *Instant::parse("2020-01-15T00:00:00Z"), .who = "ann", .reason = "wrong"}));
    }
  }

  std::string ask(store::Store& store, const std::string& target) const {
    const auto response = handle({.method = "GET", .target = target, .headers = {}, .body = {}},
                                 {.store = store,
                                  .ingest = {},
                                  .now = [] { return Instant{}; },
                                  .on_upload = {},
                                  .tariffs = &tariffs_});
    return fmt::format("{} {}", response.status, response.body);
  }

  query::Tariffs tariffs_ = {
      {"nights", query::Tariff::parse("otherwise = 'day'\n[[rule]]\nband = 'night'\n"
                                      "times = '22:45-06:00'\ndays = ['weekday', 'sat']",
                                      "nights")
                     .value()}};
  meterline::testing::TempFolder folder_;
  std::vector<std::unique_ptr<store::Store>> stores_;
};

TEST_F(EveryStore, GivesTheSameAnswers) {
  Dice dice;
  for (int number = 0; number < files; ++number) load(number, file_text(number, dice));
  for (int number = 0; number < files; ++number) load_reads(number, reads_of(number, dice));
  int answered = 0;
  for (int i = 0; i < questions; ++i) {
    const std::string target = any_target(dice);
    const std::string expected = ask(*stores_[0], target);
    if (expected.starts_with("200")) ++answered;
    ASSERT_EQ(ask(*stores_[1], target), expected) << target << " of RocksDB";
    ASSERT_EQ(ask(*stores_[2], target), expected) << target << " of Cassandra";
  }
  EXPECT_GT(answered, questions * 3 / 4);
}

}  // namespace
}  // namespace meterline::api
