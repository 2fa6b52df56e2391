#include <fmt/core.h>

#include "api/problem.h"
#include "api/render.h"
#include "api/routes.h"
#include "core/try.h"

namespace meterline::api {
namespace {

constexpr std::string_view meter_wanted = "1-64 characters of A-Z a-z 0-9 _ - . :";
constexpr std::string_view date_wanted = "a date like 2019-01-31";
constexpr std::string_view as_of_wanted =
    "a date like 2019-01-31, or a time like 2019-01-31T06:00:00Z (write a + as %2B)";

/// What the questions for sums have in common.
struct Span {
  DateRange dates;
  query::Resolution resolution;
  std::optional<std::string> channel;
  std::optional<Flow> flow;
  std::optional<Instant> as_of;
};

std::optional<std::string> parse_channel(std::string_view text) {
  if (text.empty() || text.size() > channel_name_chars_max || !is_meter_id_text(text))
    return std::nullopt;
  return std::string(text);
}

std::optional<std::string> parse_prefix(std::string_view text) {
  if (text.size() > meter_id_chars_max || !is_meter_id_text(text)) return std::nullopt;
  return std::string(text);
}

Result<Span> read_span(const Parameters& parameters) {
  METERLINE_CHECK(parameters.allow_only({"from", "to", "resolution", "channel", "flow", "asOf"}));
  METERLINE_TRY(const auto from, parameters.find_as("from", date_wanted, Date::parse));
  if (!from)
    return fail(Errc::invalid_argument,
                "from is missing: give the first day, like from=2019-01-01");
  METERLINE_TRY(const auto to, parameters.find_as("to", date_wanted, Date::parse));
  METERLINE_TRY(const auto resolution,
                parameters.find_as("resolution", query::resolution_names, query::parse_resolution));
  METERLINE_TRY(
      auto channel,
      parameters.find_as("channel", "1-32 characters of A-Z a-z 0-9 _ - . :", parse_channel));
  METERLINE_TRY(
      const auto flow,
      parameters.find_as("flow", "consumption, generation, reactive or other", parse_flow));
  METERLINE_TRY(const auto as_of, parameters.find_as("asOf", as_of_wanted, Instant::parse));
  return Span{.dates = {.from = *from, .to = to.value_or(*from)},
              .resolution = resolution.value_or(query::Resolution::day),
              .channel = std::move(channel),
              .flow = flow,
              .as_of = as_of};
}

/// A meter id in the path; what cannot be one is a meter nobody knows.
Result<MeterId> meter_of(const Call& call) {
  const auto meter = MeterId::parse(call.captured.front());
  if (!meter)
    return fail(Errc::not_found, fmt::format("no meter \"{}\": a meter id has {}",
                                             excerpt_of(call.captured.front()), meter_wanted));
  return *meter;
}

template <class Answer>
Response rendered(const Answer& answer, Format format) {
  return format == Format::csv ? csv_response(to_csv(answer)) : json_response(to_json(answer));
}

}  // namespace

Result<Response> get_daily_sum(const Call& call) {
  METERLINE_TRY(const auto meter, call.parameters.find_as("meterId", meter_wanted, MeterId::parse));
  METERLINE_TRY(
      const auto date,
      call.parameters.find_as("date", "a day like 31-01-2019 (dd-MM-yyyy)", parse_day_first));
  if (!meter || !date)
    return fail(Errc::invalid_argument,
                fmt::format("{} is missing: give both, like /?meterId=EE00027&date=01-01-2019",
                            meter ? "date" : "meterId"));
  METERLINE_TRY(const auto sum, query::daily_sum(call.context.store, *meter, *date));
  METERLINE_TRY(const auto date_text, call.parameters.find("date"));
  Response response = json_response({});
  response.body = fmt::format(R"({{"meterId":"{}","date":"{}","sum":{}}})", meter->text(),
                              *date_text, sum.value_or(Sum()).text());  // Without a line end.
  return response;
}

Result<Response> get_consumption(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(const auto meter, meter_of(call));
  METERLINE_TRY(auto span, read_span(call.parameters));
  METERLINE_TRY(const auto answer,
                query::consumption(call.context.store, {.meter = meter,
                                                        .dates = span.dates,
                                                        .resolution = span.resolution,
                                                        .channel = std::move(span.channel),
                                                        .flow = span.flow,
                                                        .as_of = span.as_of}));
  return rendered(answer, *format);
}

Result<Response> get_portfolio(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(auto span, read_span(call.parameters));
  METERLINE_TRY(const auto answer,
                query::portfolio(call.context.store, {.dates = span.dates,
                                                      .resolution = span.resolution,
                                                      .channel = std::move(span.channel),
                                                      .flow = span.flow,
                                                      .as_of = span.as_of}));
  return rendered(answer, *format);
}

Result<Response> get_meters(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only({"prefix", "limit", "cursor"}));
  METERLINE_TRY(const auto prefix,
                call.parameters.find_as(
                    "prefix", "at most 64 characters of A-Z a-z 0-9 _ - . :", parse_prefix));
  METERLINE_TRY(const auto limit, page_limit(call.parameters));
  METERLINE_TRY(const auto cursor,
                call.parameters.find_as("cursor", "\"next\" of the page before", MeterId::parse));
  METERLINE_TRY(auto meters, call.context.store.meters({.prefix = prefix.value_or(""),
                                                        .after = cursor.value_or(MeterId()),
                                                        .limit = limit + 1}));
  const bool more = meters.size() > limit;
  if (more) meters.resize(limit);
  Response response = *format == Format::csv ? csv_response(meters_csv(meters))
                                             : json_response(meters_json(meters, more));
  if (more)
    response.headers["Link"] = fmt::format(
        "</v1/meters?prefix={}&limit={}&cursor={}>; rel=\"next\"",
        percent_encode(prefix.value_or("")), limit, percent_encode(meters.back().meter.text()));
  return response;
}

Result<Response> get_meter(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  METERLINE_TRY(const auto meter, meter_of(call));
  METERLINE_TRY(const auto info, call.context.store.meter(meter));
  if (!info)
    return fail(
        Errc::not_found,
        fmt::format("no meter \"{}\": /v1/meters lists those that are known", meter.text()));
  return json_response(to_json(*info));
}

}  // namespace meterline::api
