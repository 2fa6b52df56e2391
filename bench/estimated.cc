// What estimated readings cost questions over all meters: two stores of the same days, of which one
// has an estimated reading on every tenth day of each meter, asked the same in turns.
//   estimated FOLDER [METERS] [DAYS]     FOLDER: to be made; 10,000 meters and 365 days
// Prints CPU microseconds of each, the least of all rounds, and their ratio.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "query/gaps.h"
#include "query/portfolio.h"
#include "store/packed_day.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"

namespace {

using namespace meterline;
using testing::must;

constexpr int rounds = 7;
constexpr int slots = 48;
constexpr int estimated_every = 10;

struct Options {
  std::filesystem::path folder;
  int meters = 10'000;
  int days = 365;

  Date first() const { return *Date::parse("2019-01-01"); }
  DateRange dates() const { return {first(), *Date::from_days(first().days() + days - 1)}; }
};

using Stores = std::array<std::unique_ptr<store::Store>, 2>;  ///< All actual, some estimated.

std::unique_ptr<store::Store> open(const Options& options, std::size_t number) {
  return must(store::open_rocksdb_store({.folder = options.folder / std::to_string(number)}));
}

/// The same readings for the same meters and days, in kWh with three decimals.
void load(const Options& options, bool has_estimates, store::Store& store) {
  Delivery delivery{.source = "estimated", .delivered_at = {1}, .received_at = {1}};
  const auto writer = must(store.write(delivery));
  std::mt19937 random(1);
  ReadingDay day{.channel = {.unit = Unit::kWh}, .exponent = -3};
  day.mantissas.resize(slots);
  for (int meter = 0; meter < options.meters; ++meter) {
    char name[16];
    std::snprintf(name, sizeof name, "EE%05d", meter);
    day.meter = *MeterId::parse(name);
    for (int i = 0; i < options.days; ++i) {
      day.date = *Date::from_days(options.first().days() + i);
      for (auto& mantissa : day.mantissas) mantissa = 100 + random() % 400;
      day.qualities.assign(slots, Quality::actual);
      const auto estimated = random() % slots;
      if (has_estimates && (meter + i) % estimated_every == 0)
        day.qualities[estimated] = Quality::estimated;
      std::string packed;
      store::pack_day(day, packed);
      must(writer->add({.meter = day.meter,
                        .channel = day.channel,
                        .date = day.date,
                        .packed = packed,
                        .plain_total = store::plain_total(day)}));
    }
  }
  must(writer->commit({.format = "estimated"}));
}

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

using Ask = std::function<std::int64_t(const store::Store&)>;  ///< Readings of the answer.

/// Prints a line; `prepare` comes before each question and is not counted.
void measure(
    const char* name, const Options& options, Stores& stores, const Ask& ask,
    const std::function<void(std::size_t)>& prepare = [](std::size_t) {}) {
  std::array<double, 2> least{};
  least.fill(std::numeric_limits<double>::max());
  const auto readings = std::int64_t{options.meters} * options.days * slots;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t which = 0; which < stores.size(); ++which) {
      prepare(which);
      const double begin = cpu_us();
      const auto found = ask(*stores[which]);
      least[which] = std::min(least[which], cpu_us() - begin);
      if (found != readings) throw std::runtime_error("an answer lacks readings");
    }
  std::printf("%-46s %11.0f %11.0f %6.2f\n", name, least[0], least[1], least[1] / least[0]);
}

std::int64_t readings_of(const query::Portfolio& answer) {
  return answer.channels.at(0).total.total.readings;
}

void run(const Options& options) {
  Stores stores;
  for (std::size_t which = 0; which < stores.size(); ++which) {
    stores[which] = open(options, which);
    load(options, which == 1, *stores[which]);
  }
  const auto portfolio = [&](query::Resolution resolution, std::optional<Instant> as_of) {
    return [&options, resolution, as_of](const store::Store& store) {
      return readings_of(must(query::portfolio(
          store, {.dates = options.dates(), .resolution = resolution, .as_of = as_of})));
    };
  };
  const auto reopen = [&](std::size_t which) {
    stores[which].reset();
    stores[which] = open(options, which);
  };
  std::printf("%d meters, %d days: CPU us             all actual  a tenth     ratio\n",
              options.meters, options.days);
  using enum query::Resolution;
  measure("portfolio by month, the first time", options, stores, portfolio(month, {}), reopen);
  measure("portfolio by month, again", options, stores, portfolio(month, {}));
  measure("portfolio by day, again", options, stores, portfolio(day, {}));
  measure("portfolio by month, as of a time", options, stores, portfolio(month, Instant{2}));
  measure(
      "gaps of all meters, the first time", options, stores,
      [&](const store::Store& store) {
        const auto answer = must(query::gaps(store, {.dates = options.dates()}));
        return answer.total.complete * slots;
      },
      reopen);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::cerr << "usage: estimated FOLDER [METERS] [DAYS]\n";
    return 2;
  }
  Options options{.folder = argv[1]};
  if (argc > 2) options.meters = std::atoi(argv[2]);
  if (argc > 3) options.days = std::atoi(argv[3]);
  try {
    run(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "estimated: " << error.what() << '\n';
    return 1;
  }
}
