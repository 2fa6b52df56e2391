#include <fmt/core.h>

#include "api/question.h"
#include "core/try.h"

namespace meterline::api {
namespace {

constexpr std::string_view late_since_wanted =
    "a day like 2019-01-31, and with by=receipt a time like 2019-01-31T06:00:00Z, too (write a + "
    "as %2B)";

/// `againstFrom` to `againstTo`, or what `against` says of the dates.
Result<DateRange> read_against(const Parameters& parameters, const DateRange& dates) {
  METERLINE_TRY(const auto against,
                parameters.find_as("against", query::against_names, query::parse_against));
  METERLINE_TRY(const auto from, parameters.find_as("againstFrom", date_wanted, Date::parse));
  METERLINE_TRY(const auto to, parameters.find_as("againstTo", date_wanted, Date::parse));
  if (against && (from || to))
    return fail(Errc::invalid_argument,
                "against says which days to compare with: give either it, or againstFrom and "
                "againstTo, not both");
  if (to && !from)
    return fail(Errc::invalid_argument,
                "againstFrom is missing: give the first day, like againstFrom=2018-01-01");
  if (from) return DateRange{.from = *from, .to = to.value_or(*from)};
  return query::range_against(dates, against.value_or(query::Against::year_before));
}

/// Of a meter, or of all that there are or that are in a group.
Result<Response> answer_compare(const Call& call, Format format, std::optional<MeterId> meter) {
  METERLINE_TRY(const auto dates, read_dates(call.parameters));
  METERLINE_TRY(const auto against, read_against(call.parameters, dates));
  METERLINE_TRY(const auto unit, call.parameters.find_as("unit", units_wanted, parse_unit));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto answer, query::compare(call.context.store,
                                                  {.meter = std::move(meter),
                                                   .dates = dates,
                                                   .against = against,
                                                   .channel = std::move(filter.channel),
                                                   .flow = filter.flow,
                                                   .as_of = filter.as_of,
                                                   .unit = unit},
                                                  call.request.stop));
  return rendered(answer, format);
}

/// The names of tariffs, as far as an error tells them.
std::string names_of(const query::Tariffs& tariffs) {
  constexpr std::size_t told_max = 20;
  std::string names;
  std::size_t told = 0;
  for (const auto& [name, tariff] : tariffs) {
    if (told++ == told_max) return names + ", ...";
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

/// The tariff that `tariff` names.
Result<const query::Tariff*> read_tariff(const Call& call) {
  METERLINE_TRY(const auto name, call.parameters.find("tariff"));
  const auto* const tariffs = call.context.tariffs;
  if (tariffs == nullptr || tariffs->empty())
    return fail(Errc::invalid_argument,
                "tariff: this server knows none; it is started with --tariffs FOLDER");
  const auto wanted = "one of " + names_of(*tariffs);
  if (!name) return fail(Errc::invalid_argument, fmt::format("tariff is missing: want {}", wanted));
  const auto found = tariffs->find(*name);
  if (found == tariffs->end()) return bad_parameter("tariff", wanted, *name);
  return &found->second;
}

Result<std::variant<Date, Instant>> read_since(const Parameters& parameters, query::LateBy by) {
  METERLINE_TRY(const auto text, parameters.find("since"));
  if (!text)
    return fail(Errc::invalid_argument,
                fmt::format("since is missing: want {}", late_since_wanted));
  if (by == query::LateBy::day) {
    if (const auto date = Date::parse(*text)) return std::variant<Date, Instant>(*date);
  } else if (const auto at = Instant::parse(*text)) {
    return std::variant<Date, Instant>(*at);
  }
  return bad_parameter("since", late_since_wanted, *text);
}

/// The parameters of a question that say the same on its next page.
std::string parameters_of(const query::LateQuestion& question) {
  const bool is_by_day = question.by() == query::LateBy::day;
  std::string text =
      fmt::format("since={}&by={}",
                  percent_encode(is_by_day ? std::get<Date>(question.since).text()
                                           : std::get<Instant>(question.since).text()),
                  query::text_of(question.by()));
  if (question.channel) text += "&channel=" + percent_encode(*question.channel);
  if (question.flow) text += fmt::format("&flow={}", text_of(*question.flow));
  return text;
}

}  // namespace

Result<Response> get_compare(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only({"from", "to", "group", "against", "againstFrom",
                                              "againstTo", "unit", "channel", "flow", "asOf"}));
  return answer_compare(call, *format, std::nullopt);
}

Result<Response> get_meter_compare(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(auto meter, meter_of(call));
  METERLINE_CHECK(call.parameters.allow_only(
      {"from", "to", "against", "againstFrom", "againstTo", "unit", "channel", "flow", "asOf"}));
  return answer_compare(call, *format, std::move(meter));
}

Result<Response> get_time_of_use(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(const auto meter, meter_of(call));
  METERLINE_CHECK(call.parameters.allow_only(
      {"from", "to", "tariff", "resolution", "unit", "channel", "flow", "asOf"}));
  METERLINE_TRY(const auto dates, read_dates(call.parameters));
  METERLINE_TRY(const auto* const tariff, read_tariff(call));
  METERLINE_TRY(const auto resolution,
                call.parameters.find_as("resolution", query::band_resolution_names,
                                        query::BandResolution::parse));
  METERLINE_TRY(const auto unit, call.parameters.find_as("unit", units_wanted, parse_unit));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto answer,
                query::time_of_use(call.context.store,
                                   {.meter = meter,
                                    .dates = dates,
                                    .tariff = *tariff,
                                    .resolution = resolution.value_or(query::BandResolution()),
                                    .channel = std::move(filter.channel),
                                    .flow = filter.flow,
                                    .as_of = filter.as_of,
                                    .unit = unit},
                                   call.request.stop));
  return rendered(answer, *format);
}

Result<Response> get_base_load(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(const auto meter, meter_of(call));
  METERLINE_CHECK(call.parameters.allow_only({"from", "to", "channel", "flow", "asOf"}));
  METERLINE_TRY(const auto dates, read_dates(call.parameters));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto answer, query::base_load(call.context.store,
                                                    {.meter = meter,
                                                     .dates = dates,
                                                     .channel = std::move(filter.channel),
                                                     .flow = filter.flow,
                                                     .as_of = filter.as_of},
                                                    call.request.stop));
  return rendered(answer, *format);
}

Result<Response> get_late(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(
      call.parameters.allow_only({"since", "by", "group", "channel", "flow", "limit", "cursor"}));
  METERLINE_TRY(const auto by,
                call.parameters.find_as("by", "day or receipt", query::parse_late_by));
  METERLINE_TRY(const auto since, read_since(call.parameters, by.value_or(query::LateBy::day)));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto limit, page_limit(call.parameters));
  METERLINE_TRY(const auto cursor,
                call.parameters.find_as("cursor", "\"next\" of the page before", MeterId::parse));
  METERLINE_TRY(const auto answer, query::late(call.context.store,
                                               {.since = since,
                                                .channel = std::move(filter.channel),
                                                .flow = filter.flow,
                                                .after = cursor.value_or(MeterId()),
                                                .limit = limit},
                                               call.request.stop));
  Response response = rendered(answer, *format);
  if (answer.next)
    response.headers["Link"] = fmt::format("</v1/late?{}{}&limit={}&cursor={}>; rel=\"next\"",
                                           parameters_of(answer.question), group_parameter(call),
                                           limit, percent_encode(answer.next->text()));
  return response;
}

}  // namespace meterline::api
