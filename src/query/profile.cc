#include "query/profile.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/try.h"

namespace meterline::query {
namespace {

constexpr std::size_t day_minutes = 24 * 60;

bool is_weekend(Date date) {
  return date.days() - span_start(date, Resolution::week, Date::min()).days() >= 5;
}

struct Gathered {
  Sum sum;
  std::int64_t count = 0;

  Result<void> add(const Sum& more) {
    ++count;
    return sum.add(more);
  }
  Result<TimeOfDayMean> mean() const {
    TimeOfDayMean out{.count = count, .average = {}};
    if (count > 0) METERLINE_CHECK(set(out.average, average_of(sum, count)));
    return out;
  }

 private:
  static Result<void> set(std::optional<Sum>& into, Result<Sum> value) {
    if (!value) return tl::unexpected(std::move(value).error());
    into = *value;
    return {};
  }
};

/// Whether a is the larger one.
bool is_above(const Point& a, const Point& b) {
  Sum difference = *a.total.sum;
  const auto taken = difference.add(Sum(-b.total.sum->mantissa(), b.total.sum->exponent()));
  return taken && difference.mantissa() > 0;
}

Result<void> check_length(const ChannelConsumption& channel) {
  int length = 0;
  for (std::size_t i = 1; i < channel.series.size(); ++i) {
    const auto& point = channel.series[i];
    if (point.day != channel.series[i - 1].day) continue;
    const int own = point.minute - channel.series[i - 1].minute;
    if (length == 0) length = own;
    if (own != length)
      return fail(Errc::invalid_argument,
                  fmt::format("channel {} has intervals of {} and {} minutes in that time: ask by "
                              "hour, or for a time in which they are of one length",
                              channel.channel.name, length, own));
  }
  return {};
}

Result<ChannelProfile> profile_of(const ChannelConsumption& channel) {
  ChannelProfile out{.channel = channel.channel, .all = {}, .points = {}};
  Gathered all;
  std::array<std::pair<Gathered, Gathered>, day_minutes> of_minute;
  for (const auto& point : channel.series) {
    if (!point.total.sum || point.total.readings < point.total.expected) continue;
    const auto& sum = *point.total.sum;
    METERLINE_CHECK(all.add(sum));
    const auto minute = point.zone.shown_minute(point.day, point.minute);
    auto& [weekday, weekend] = of_minute.at(static_cast<std::size_t>(minute));
    METERLINE_CHECK((is_weekend(point.day) ? weekend : weekday).add(sum));
    if (!out.peak || is_above(point, *out.peak)) out.peak = point;
    if (!out.lowest || is_above(*out.lowest, point)) out.lowest = point;
  }
  for (std::size_t minute = 0; minute < day_minutes; ++minute) {
    const auto& [weekday, weekend] = of_minute.at(minute);
    if (weekday.count + weekend.count == 0) continue;
    auto& point = out.points.emplace_back();
    point.minute = static_cast<int>(minute);
    METERLINE_TRY(point.weekday, weekday.mean());
    METERLINE_TRY(point.weekend, weekend.mean());
  }
  METERLINE_TRY(out.all, all.mean());
  if (out.peak && out.peak->total.sum->mantissa() > 0) {
    METERLINE_TRY(out.load_factor, ratio_of(all.sum, *out.peak->total.sum, all.count));
  }
  return out;
}

}  // namespace

Result<Profile> profile(const store::Store& store, const ConsumptionQuestion& question) {
  if (question.resolution >= Resolution::day)
    return fail(Errc::invalid_argument, fmt::format("a profile is of hours or intervals, not of {}",
                                                    text_of(question.resolution)));
  METERLINE_TRY(const auto consumed, consumption(store, question));
  Profile out{.question = question, .channels = {}};
  for (const auto& channel : consumed.channels) {
    if (question.resolution == Resolution::interval) METERLINE_CHECK(check_length(channel));
    METERLINE_TRY(auto of_channel, profile_of(channel));
    out.channels.push_back(std::move(of_channel));
  }
  return out;
}

}  // namespace meterline::query
