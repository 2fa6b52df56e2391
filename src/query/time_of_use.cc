#include "query/time_of_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/try.h"
#include "query/meter_days.h"

namespace meterline::query {
namespace {

constexpr std::string_view whole_name = "total";

/// The bands of one local day, minute by minute from its midnight on, whatever its clock shows.
class BandsOfDay {
 public:
  BandsOfDay(const Tariff& tariff, const MeterDay& day)
      : shown_(tariff.bands_of(day.date)),
        end_(static_cast<std::size_t>(day.zone.minutes_of(day.date))) {
    const auto minutes = static_cast<std::size_t>(day.slots * day.interval.minutes());
    constexpr int last = static_cast<int>(clock_minutes) - 1;
    is_plain_ = minutes == clock_minutes && end_ == clock_minutes &&
                day.zone.shown_minute(day.date, 0) == 0 &&
                day.zone.shown_minute(day.date, last) == last;
    if (is_plain_) return;
    elapsed_.reserve(minutes);
    for (std::size_t minute = 0; minute < minutes; ++minute) {
      const auto shown = day.zone.shown_minute(day.date, static_cast<int>(minute));
      elapsed_.push_back(shown_.at(static_cast<std::size_t>(shown)));
    }
  }

  std::uint8_t at(std::size_t minute) const {
    return is_plain_ ? shown_.at(minute) : elapsed_.at(minute);
  }
  /// Whether another band begins within an interval; the last one of a day may be cut off by it.
  bool changes_within(std::size_t begin, std::size_t end) const {
    if (begin < end_) end = std::min(end, end_);
    for (std::size_t minute = begin + 1; minute < end; ++minute)
      if (at(minute) != at(begin)) return true;
    return false;
  }

 private:
  DayBands shown_;
  std::size_t end_;  ///< Of the day, in minutes.
  bool is_plain_ = true;
  std::vector<std::uint8_t> elapsed_;  ///< Of a day whose clock changes.
};

/// One channel's part of the answer, made day by day.
class ChannelBands {
 public:
  explicit ChannelBands(const TimeOfUseQuestion& question) : question_(question) {
    answer_.bands.resize(question.tariff.bands().size());
  }

  Result<void> add(const MeterDay& day) {
    const BandsOfDay bands(question_.tariff, day);
    const auto length = static_cast<std::size_t>(day.interval.minutes());
    std::vector<BandTotal> of_day(answer_.bands.size());
    for (std::size_t slot = 0; slot < static_cast<std::size_t>(day.slots); ++slot) {
      const std::size_t begin = slot * length;
      auto& band = of_day.at(bands.at(begin));
      if (day.stored == nullptr) {
        band.total.add_missing(1);
        continue;
      }
      const auto total = total_of_slot(*day.stored, slot);
      METERLINE_CHECK(band.total.add(total));
      if (total.readings > 0 && bands.changes_within(begin, begin + length)) ++band.straddling;
    }
    METERLINE_CHECK(add_to(answer_.bands, of_day));
    if (const auto span = question_.resolution.span)
      METERLINE_CHECK(add_to(point_of(day.date, *span).bands, of_day));
    return {};
  }

  Result<ChannelTimeOfUse> finish(const Channel& channel) {
    answer_.channel = channel;
    for (const auto& band : answer_.bands) METERLINE_CHECK(answer_.total.add(band.total));
    const auto unit = told_unit(channel.unit, question_.unit);
    answer_.channel.unit = unit;
    METERLINE_CHECK(tell(answer_.total, channel.unit, unit));
    for (auto& band : answer_.bands) METERLINE_CHECK(tell(band.total, channel.unit, unit));
    for (auto& point : answer_.series)
      for (auto& band : point.bands) METERLINE_CHECK(tell(band.total, channel.unit, unit));
    return std::move(answer_);
  }

 private:
  static Result<void> add_to(std::vector<BandTotal>& bands, const std::vector<BandTotal>& more) {
    for (std::size_t i = 0; i < bands.size(); ++i) {
      METERLINE_CHECK(bands[i].total.add(more[i].total));
      bands[i].straddling += more[i].straddling;
    }
    return {};
  }

  /// Without a sum where readings do not add up.
  static Result<void> tell(Total& total, Unit kept, Unit told) {
    if (!adds_up(kept)) total.sum.reset();
    return convert(total.sum, kept, told);
  }

  TimeOfUsePoint& point_of(Date date, Resolution span) {
    const Date start = span_start(date, span, question_.dates.from);
    if (answer_.series.empty() || answer_.series.back().day != start)
      answer_.series.push_back(
          {.day = start, .bands = std::vector<BandTotal>(answer_.bands.size())});
    return answer_.series.back();
  }

  const TimeOfUseQuestion& question_;
  ChannelTimeOfUse answer_;
};

Result<void> check_size(const TimeOfUseQuestion& question, std::size_t channels) {
  if (!question.resolution.span) return {};
  const auto spans = static_cast<std::size_t>(spans_in(question.dates, *question.resolution.span));
  if (spans * question.tariff.bands().size() * channels <= band_totals_max) return {};
  return fail(Errc::too_large,
              fmt::format("the answer would have more than {} sums of bands: ask for a shorter "
                          "time or a coarser resolution",
                          band_totals_max));
}

}  // namespace

std::optional<BandResolution> BandResolution::parse(std::string_view text) {
  if (text == whole_name) return BandResolution{.span = std::nullopt};
  const auto span = parse_resolution(text);
  if (!span || *span < Resolution::day) return std::nullopt;
  return BandResolution{.span = span};
}

std::string_view BandResolution::text() const { return span ? text_of(*span) : whole_name; }

Result<TimeOfUse> time_of_use(const store::Store& store, const TimeOfUseQuestion& question,
                              StopFlag stop) {
  std::map<Channel, ChannelBands> bands;
  const auto add = [&](const MeterDay& day) -> Result<void> {
    METERLINE_CHECK(check_stop(stop));
    const auto [found, is_new] = bands.try_emplace(day.channel, question);
    if (is_new) METERLINE_CHECK(check_size(question, bands.size()));
    return found->second.add(day);
  };
  METERLINE_TRY(const auto channels, each_meter_day(store,
                                                    {.meter = question.meter,
                                                     .dates = question.dates,
                                                     .channel = question.channel,
                                                     .flow = question.flow,
                                                     .as_of = question.as_of},
                                                    add, stop));
  TimeOfUse out{.question = question, .channels = {}};
  out.channels.reserve(channels.size());
  for (const auto& channel : channels) {
    METERLINE_TRY(auto answer, bands.at(channel).finish(channel));
    out.channels.push_back(std::move(answer));
  }
  return out;
}

}  // namespace meterline::query
