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

Result<Span> span_of(const Parameters& parameters, query::Resolution by_default) {
  METERLINE_TRY(const auto dates, read_dates(parameters));
  METERLINE_TRY(const auto resolution,
                parameters.find_as("resolution", query::resolution_names, query::parse_resolution));
  METERLINE_TRY(const auto unit, parameters.find_as("unit", units_wanted, parse_unit));
  METERLINE_TRY(auto filter, read_filter(parameters));
  return Span{.dates = dates,
              .resolution = resolution.value_or(by_default),
              .unit = unit,
              .filter = std::move(filter)};
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

Result<std::optional<DateRange>> read_dates_if_given(const Parameters& parameters) {
  METERLINE_TRY(const auto from, parameters.find("from"));
  METERLINE_TRY(const auto to, parameters.find("to"));
  if (!from && !to) return std::optional<DateRange>();
  METERLINE_TRY(const auto dates, read_dates(parameters));
  return std::optional(dates);
}

Result<Span> read_span(const Parameters& parameters, query::Resolution by_default) {
  METERLINE_CHECK(
      parameters.allow_only({"from", "to", "resolution", "unit", "channel", "flow", "asOf"}));
  return span_of(parameters, by_default);
}

Result<Span> read_group_span(const Parameters& parameters) {
  METERLINE_CHECK(parameters.allow_only(
      {"from", "to", "group", "resolution", "unit", "channel", "flow", "asOf"}));
  return span_of(parameters, query::Resolution::day);
}

std::string group_parameter(const Call& call) {
  const auto group = call.parameters.find("group");
  return group && *group ? "&group=" + percent_encode(**group) : std::string();
}

Result<std::string> read_body(const Request& request) {
  if (!request.body || request.body_bytes == 0) return std::string();
  METERLINE_TRY(const auto bytes, request.body());
  std::string body(request.body_bytes, '\0');
  std::size_t filled = 0;
  while (filled < body.size()) {
    METERLINE_TRY(const auto count, bytes->read({body.data() + filled, body.size() - filled}));
    if (count == 0) break;
    filled += count;
  }
  body.resize(filled);
  return body;
}

Result<MeterId> meter_of(const Call& call) {
  const auto meter = MeterId::parse(call.captured.front());
  if (!meter)
    return fail(Errc::not_found, fmt::format("no meter \"{}\": a meter id has {}",
                                             excerpt_of(call.captured.front()), meter_wanted));
  return *meter;
}

}  // namespace meterline::api
