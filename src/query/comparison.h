#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/stop.h"
#include "query/meter_spans.h"
#include "query/portfolio.h"
#include "query/total.h"
#include "store/store.h"

namespace meterline::query {

/// A period that is compared with, told by the one that it is compared to.
enum class Against : std::uint8_t {
  year_before,      ///< The same dates; 28 February for the 29th where there is none.
  weeks_52_before,  ///< 364 days before: the same weekdays.
  period_before,    ///< As many days, up to the day before.
};

std::optional<Against> parse_against(std::string_view text);
std::string_view text_of(Against against);
inline constexpr std::string_view against_names = "year-before, 52-weeks-before or period-before";

/// Whole months, from the first day of one to the last day of one, are compared with whole months
/// by year_before and period_before: as many, and a year before.
/// Errors: `invalid_argument` where that is before the first Date, or `to` is before `from`.
Result<DateRange> range_against(const DateRange& dates, Against against);

struct CompareQuestion {
  std::optional<MeterId> meter;  ///< Empty: all meters together.
  DateRange dates;
  DateRange against;  ///< What they are compared with.
  std::optional<std::string> channel;
  std::optional<Flow> flow;
  std::optional<Instant> as_of;
  std::optional<Unit> unit = {};  ///< Tell channels of its quantity in it, see told_unit().
};

struct ComparedChannel {
  Channel channel;
  PortfolioTotal total;           ///< Of the dates; of one meter without its counts of meters.
  PortfolioTotal against;         ///< Of what they are compared with, likewise.
  std::optional<Sum> difference;  ///< total - against; empty where one of them has no sum.
  /// difference / |against| * 100, rounded half to even to six decimals; empty where that is 0.
  std::optional<Sum> percent;
};

struct Comparison {
  CompareQuestion question;
  std::vector<ComparedChannel> channels;  ///< Ascending by channel.
};

/// What a meter, or all of them, used in two periods, beside each other. What is missing is not
/// made up for: each total says how many readings of how many it rests on. A channel that only one
/// of the periods has is there, with nothing expected in the other.
/// Errors: those of consumption() and portfolio().
Result<Comparison> compare(const store::Store& store, const CompareQuestion& question,
                           StopFlag stop = nullptr, std::size_t held_bytes = held_bytes_max);

}  // namespace meterline::query
