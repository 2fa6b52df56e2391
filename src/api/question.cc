#include "api/question.h"

#include <fmt/core.h>

#include "core/try.h"

namespace meterline::api {
namespace {

std::optional<std::string> parse_channel(std::string_view text) {
  if (text.empty() || text.size() > channel_name_chars_max || !is_meter_id_text(text))
    return std::nullopt;
  return std::string(text);
}

}  // namespace

Result<Filter> read_filter(const Parameters& parameters) {
  Filter filter;
  METERLINE_TRY(
      filter.channel,
      parameters.find_as("channel", "1-32 characters of A-Z a-z 0-9 _ - . :", parse_channel));
  METERLINE_TRY(filter.flow, parameters.find_as(
                                 "flow", "consumption, generation, reactive or other", parse_flow));
  METERLINE_TRY(filter.as_of, parameters.find_as("asOf", instant_wanted, Instant::parse));
  return filter;
}

Result<DateRange> read_dates(const Parameters& parameters) {
  METERLINE_TRY(const auto from, parameters.find_as("from", date_wanted, Date::parse));
  if (!from)
    return fail(Errc::invalid_argument,
                "from is missing: give the first day, like from=2019-01-01");
  METERLINE_TRY(const auto to, parameters.find_as("to", date_wanted, Date::parse));
  return DateRange{.from = *from, .to = to.value_or(*from)};
}

Result<MeterId> meter_of(const Call& call) {
  const auto meter = MeterId::parse(call.captured.front());
  if (!meter)
    return fail(Errc::not_found, fmt::format("no meter \"{}\": a meter id has {}",
                                             excerpt_of(call.captured.front()), meter_wanted));
  return *meter;
}

}  // namespace meterline::api
