#include <fmt/core.h>

#include "api/question.h"
#include "core/try.h"

namespace meterline::api {
namespace {

std::optional<query::Absent> parse_absent(std::string_view text) {
  if (text == "true") return query::Absent::listed;
  if (text == "false") return query::Absent::left_out;
  return std::nullopt;
}

/// `date`, or `from` and `to`.
Result<DateRange> read_days(const Parameters& parameters) {
  METERLINE_TRY(const auto date, parameters.find_as("date", date_wanted, Date::parse));
  if (!date) return read_dates(parameters);
  METERLINE_TRY(const auto from, parameters.find("from"));
  METERLINE_TRY(const auto to, parameters.find("to"));
  if (from || to)
    return fail(Errc::invalid_argument,
                "date is one day: give either date, or from and to, not both");
  return DateRange{.from = *date, .to = *date};
}

/// The parameters of a question that say the same on its next page.
std::string parameters_of(const query::GapsQuestion& question) {
  std::string text =
      fmt::format("from={}&to={}", question.dates.from.text(), question.dates.to.text());
  if (question.channel) text += "&channel=" + percent_encode(*question.channel);
  if (question.flow) text += fmt::format("&flow={}", text_of(*question.flow));
  if (question.as_of) text += "&asOf=" + percent_encode(question.as_of->text());
  if (question.absent == query::Absent::left_out) text += "&absent=false";
  return text;
}

}  // namespace

Result<Response> get_gaps(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only(
      {"date", "from", "to", "group", "channel", "flow", "asOf", "absent", "limit", "cursor"}));
  METERLINE_TRY(const auto dates, read_days(call.parameters));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto absent,
                call.parameters.find_as("absent", "true or false", parse_absent));
  METERLINE_TRY(const auto limit, page_limit(call.parameters));
  METERLINE_TRY(const auto cursor,
                call.parameters.find_as("cursor", "\"next\" of the page before", MeterId::parse));
  METERLINE_TRY(const auto answer, query::gaps(call.context.store,
                                               {.dates = dates,
                                                .channel = std::move(filter.channel),
                                                .flow = filter.flow,
                                                .as_of = filter.as_of,
                                                .absent = absent.value_or(query::Absent::listed),
                                                .after = cursor.value_or(MeterId()),
                                                .limit = limit},
                                               call.request.stop));
  Response response = rendered(answer, *format);
  if (answer.more)
    response.headers["Link"] = fmt::format(
        "</v1/gaps?{}{}&limit={}&cursor={}>; rel=\"next\"", parameters_of(answer.question),
        group_parameter(call), limit, percent_encode(answer.meters.back().meter.text()));
  return response;
}

Result<Response> get_meter_gaps(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(const auto meter, meter_of(call));
  METERLINE_CHECK(call.parameters.allow_only({"date", "from", "to", "channel", "flow", "asOf"}));
  METERLINE_TRY(const auto dates, read_days(call.parameters));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto answer,
                query::meter_gaps(call.context.store, {.meter = meter,
                                                       .dates = dates,
                                                       .channel = std::move(filter.channel),
                                                       .flow = filter.flow,
                                                       .as_of = filter.as_of}));
  return rendered(answer, *format);
}

}  // namespace meterline::api
