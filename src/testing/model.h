#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/decimal.h"
#include "query/base_load.h"
#include "query/changes.h"
#include "query/comparison.h"
#include "query/consumption.h"
#include "query/gaps.h"
#include "query/history.h"
#include "query/late.h"
#include "query/portfolio.h"
#include "query/time_of_use.h"
#include "store/store.h"
#include "testing/store_days.h"

namespace meterline::testing {

/// What every store must answer to every question, read out of a list of deliveries as plainly as
/// can be: each answer is made slot by slot from all that was said (naive_days). Where a store and
/// the model differ, one of the two is wrong.
///
/// An unknown meter is an empty answer here; the other errors are in the questions' own tests.
/// Answers that come in pages are whole.
class Model {
 public:
  /// With their events; each id once.
  explicit Model(std::vector<TestDelivery> deliveries) : deliveries_(std::move(deliveries)) {}

  std::vector<store::MeterInfo> meters() const;
  std::optional<query::Consumption> consumption(const query::ConsumptionQuestion& asked) const;
  std::optional<Sum> daily_sum(const MeterId& meter, Date date) const;
  query::Portfolio portfolio(const query::PortfolioQuestion& asked) const;
  query::Gaps gaps(const query::GapsQuestion& asked) const;
  std::optional<query::MeterGaps> meter_gaps(const query::MeterGapsQuestion& asked) const;
  std::optional<query::History> history(const query::HistoryQuestion& asked) const;
  query::Changes changes(const query::ChangesQuestion& asked) const;
  std::optional<query::Comparison> compare(const query::CompareQuestion& asked) const;
  std::optional<query::TimeOfUse> time_of_use(const query::TimeOfUseQuestion& asked) const;
  std::optional<query::BaseLoad> base_load(const query::MeterDaysQuestion& asked) const;
  query::Late late(const query::LateQuestion& asked) const;

 private:
  using Days = std::map<Date, const NaiveDay*>;

  /// All that counts as of a time.
  const std::vector<NaiveDay>& known(Instant as_of) const;
  bool is_known_now(const MeterId& meter) const;
  /// Days of the time asked for; without any for channels that only other days of now are of.
  std::map<std::pair<MeterId, Channel>, Days> channels(std::optional<Instant> as_of,
                                                       const DateRange& dates) const;
  /// Stored or not.
  NaiveDay day_of(const MeterId& meter, const Channel& channel, const Days& days, Date date) const;
  NaiveDay absent_day(const MeterId& meter, const Channel& channel, const Days& days,
                      Date date) const;

  std::vector<TestDelivery> deliveries_;
  mutable std::map<Instant, std::vector<NaiveDay>> known_;
};

}  // namespace meterline::testing
