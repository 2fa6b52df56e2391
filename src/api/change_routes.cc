#include <fmt/core.h>

#include "api/question.h"
#include "core/try.h"

namespace meterline::api {
namespace {

/// The parameters of a question that say the same on its next page.
std::string parameters_of(const query::ChangesQuestion& question) {
  std::string text = "since=" + percent_encode(question.since.text());
  if (question.meter) text += "&meter=" + percent_encode(question.meter->text());
  if (question.dates)
    text += fmt::format("&from={}&to={}", question.dates->from.text(), question.dates->to.text());
  if (question.channel) text += "&channel=" + percent_encode(*question.channel);
  if (question.flow) text += fmt::format("&flow={}", text_of(*question.flow));
  return text;
}

}  // namespace

Result<Response> get_changes(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only(
      {"since", "meter", "group", "from", "to", "channel", "flow", "limit", "cursor"}));
  METERLINE_TRY(const auto since, call.parameters.find_as("since", instant_wanted, Instant::parse));
  if (!since)
    return fail(Errc::invalid_argument, fmt::format("since is missing: want {}", instant_wanted));
  METERLINE_TRY(const auto meter, call.parameters.find_as("meter", meter_wanted, MeterId::parse));
  METERLINE_TRY(const auto dates, read_dates_if_given(call.parameters));
  METERLINE_TRY(auto filter, read_filter(call.parameters));
  METERLINE_TRY(const auto limit, page_limit(call.parameters));
  METERLINE_TRY(const auto cursor,
                call.parameters.find_as("cursor", "\"next\" of the page before", MeterId::parse));
  METERLINE_TRY(const auto answer, query::changes(call.context.store,
                                                  {.since = *since,
                                                   .meter = meter,
                                                   .dates = dates,
                                                   .channel = std::move(filter.channel),
                                                   .flow = filter.flow,
                                                   .after = cursor.value_or(MeterId()),
                                                   .limit = limit},
                                                  call.request.stop));
  Response response = rendered(answer, *format);
  if (answer.next)
    response.headers["Link"] = fmt::format("</v1/changes?{}{}&limit={}&cursor={}>; rel=\"next\"",
                                           parameters_of(answer.question), group_parameter(call),
                                           limit, percent_encode(answer.next->text()));
  return response;
}

}  // namespace meterline::api
