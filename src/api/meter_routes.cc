#include <fmt/core.h>

#include "api/problem.h"
#include "api/question.h"
#include "api/render.h"
#include "api/routes.h"
#include "core/try.h"

namespace meterline::api {
namespace {

std::optional<std::string> parse_prefix(std::string_view text) {
  if (text.size() > meter_id_chars_max || !is_meter_id_text(text)) return std::nullopt;
  return std::string(text);
}

/// The parameters of a question that say the same on its next page, each with a `&` behind it.
std::string parameters_of(const query::RegistersQuestion& question) {
  std::string text;
  if (question.dates)
    text += fmt::format("from={}&to={}&", question.dates->from.text(), question.dates->to.text());
  if (question.channel) text += fmt::format("channel={}&", percent_encode(*question.channel));
  if (question.flow) text += fmt::format("flow={}&", text_of(*question.flow));
  if (question.as_of) text += fmt::format("asOf={}&", percent_encode(question.as_of->text()));
  return text;
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
                                                        .channel = std::move(span.filter.channel),
                                                        .flow = span.filter.flow,
                                                        .as_of = span.filter.as_of,
                                                        .unit = span.unit}));
  return rendered(answer, *format);
}

Result<Response> get_profile(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(const auto meter, meter_of(call));
  METERLINE_TRY(auto span, read_span(call.parameters, query::Resolution::hour));
  METERLINE_TRY(const auto answer,
                query::profile(call.context.store, {.meter = meter,
                                                    .dates = span.dates,
                                                    .resolution = span.resolution,
                                                    .channel = std::move(span.filter.channel),
                                                    .flow = span.filter.flow,
                                                    .as_of = span.filter.as_of,
                                                    .unit = span.unit}));
  return rendered(answer, *format);
}

Result<Response> get_history(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(const auto meter, meter_of(call));
  METERLINE_CHECK(call.parameters.allow_only({"date", "channel", "flow"}));
  METERLINE_TRY(const auto date, call.parameters.find_as("date", date_wanted, Date::parse));
  if (!date)
    return fail(Errc::invalid_argument, fmt::format("date is missing: want {}", date_wanted));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto answer,
                query::history(call.context.store, {.meter = meter,
                                                    .date = *date,
                                                    .channel = std::move(filter.channel),
                                                    .flow = filter.flow}));
  return rendered(answer, *format);
}

Result<Response> get_registers(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(const auto meter, meter_of(call));
  METERLINE_CHECK(
      call.parameters.allow_only({"from", "to", "channel", "flow", "asOf", "limit", "cursor"}));
  METERLINE_TRY(const auto dates, read_dates_if_given(call.parameters));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto limit, page_limit(call.parameters));
  METERLINE_TRY(const auto cursor,
                call.parameters.find_as("cursor", "\"next\" of the page before", Instant::parse));
  METERLINE_TRY(const auto answer,
                query::registers(call.context.store, {.meter = meter,
                                                      .dates = dates,
                                                      .channel = std::move(filter.channel),
                                                      .flow = filter.flow,
                                                      .as_of = filter.as_of,
                                                      .after = cursor,
                                                      .limit = limit}));
  Response response = rendered(answer, *format);
  if (answer.next)
    response.headers["Link"] = fmt::format(
        "</v1/meters/{}/registers?{}limit={}&cursor={}>; "
        "rel=\"next\"",
        percent_encode(meter.text()), parameters_of(answer.question), limit,
        percent_encode(answer.next->text()));
  return response;
}

Result<Response> get_portfolio(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(auto span, read_group_span(call.parameters));
  METERLINE_TRY(const auto answer, query::portfolio(call.context.store,
                                                    {.dates = span.dates,
                                                     .resolution = span.resolution,
                                                     .channel = std::move(span.filter.channel),
                                                     .flow = span.filter.flow,
                                                     .as_of = span.filter.as_of,
                                                     .unit = span.unit},
                                                    call.request.stop));
  return rendered(answer, *format);
}

Result<Response> get_top(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only(
      {"from", "to", "group", "order", "unit", "channel", "flow", "asOf", "limit"}));
  METERLINE_TRY(const auto dates, read_dates(call.parameters));
  METERLINE_TRY(const auto order,
                call.parameters.find_as("order", "highest or lowest", query::parse_top_order));
  METERLINE_TRY(const auto unit, call.parameters.find_as("unit", units_wanted, parse_unit));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto limit, page_limit(call.parameters, query::TopQuestion().limit));
  METERLINE_TRY(const auto answer, query::top(call.context.store,
                                              {.dates = dates,
                                               .order = order.value_or(query::TopOrder::highest),
                                               .channel = std::move(filter.channel),
                                               .flow = filter.flow,
                                               .as_of = filter.as_of,
                                               .unit = unit,
                                               .limit = limit},
                                              call.request.stop));
  return rendered(answer, *format);
}

Result<Response> get_meters(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only({"prefix", "group", "limit", "cursor"}));
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
    response.headers["Link"] =
        fmt::format("</v1/meters?prefix={}{}&limit={}&cursor={}>; rel=\"next\"",
                    percent_encode(prefix.value_or("")), group_parameter(call), limit,
                    percent_encode(meters.back().meter.text()));
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
