// Many meters are asked about in one request: their ids come in its body.

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "api/batch.h"
#include "api/question.h"
#include "api/routes.h"
#include "core/json.h"
#include "core/stop.h"
#include "core/try.h"

namespace meterline::api {
namespace {

constexpr std::size_t meters_max = 10'000;
/// Above what so many of the longest ids take.
constexpr std::size_t body_bytes_max = 1 << 20;
/// What is shorter is sent as a whole, and errors have a status; the rest is sent while it is made.
constexpr std::size_t bytes_at_once_max = 1 << 20;

tl::unexpected<Error> bad_body(std::string_view why) {
  return fail(
      Errc::invalid_argument,
      fmt::format(R"(the body: want JSON like {{"meters":["EE00027","EE00028"]}}, with 1 to )"
                  "{} ids: {}",
                  meters_max, why));
}

Result<std::vector<MeterId>> parse_meters(std::string_view body) {
  const auto value = parse_json(body, body_bytes_max);
  if (!value) return bad_body(value.error().message);
  const auto* const object = value->if_object();
  if (object == nullptr) return bad_body("it is no object");
  const auto* const list = object->if_contains("meters");
  const auto* const ids = list == nullptr ? nullptr : list->if_array();
  if (ids == nullptr || object->size() > 1) return bad_body("want `meters`, a list, and no more");
  if (ids->empty() || ids->size() > meters_max)
    return bad_body(fmt::format("there are {}", ids->size()));
  std::vector<MeterId> meters;
  meters.reserve(ids->size());
  for (const auto& id : *ids) {
    const auto* const text = id.if_string();
    auto meter = text == nullptr ? std::nullopt : MeterId::parse({text->data(), text->size()});
    if (!meter)
      return bad_body(
          fmt::format("`meters[{}]` is no id, which has {}", meters.size(), meter_wanted));
    meters.push_back(*std::move(meter));
  }
  return meters;
}

query::ConsumptionQuestion question_of(Span span) {
  return {.meter = {},
          .dates = span.dates,
          .resolution = span.resolution,
          .channel = std::move(span.filter.channel),
          .flow = span.filter.flow,
          .as_of = span.filter.as_of,
          .unit = span.unit};
}

/// What was begun, then the rest while it is made.
Result<void> send(std::string_view begun, Batch& batch, StopFlag stop, const BodySink& sink) {
  METERLINE_CHECK(sink(begun));
  while (!batch.is_done()) {
    METERLINE_CHECK(batch.answer_up_to(1, stop));
    METERLINE_CHECK(sink(batch.take()));
  }
  return {};
}

}  // namespace

Result<Response> post_batch(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(auto span, read_span(call.parameters));
  if (call.request.body_bytes > body_bytes_max)
    return bad_body(fmt::format("it has {} bytes, at most {} are taken", call.request.body_bytes,
                                body_bytes_max));
  if (call.request.body_is_to_come) return Response{.status = 100};
  METERLINE_TRY(const auto body, read_body(call.request));
  METERLINE_TRY(auto meters, parse_meters(body));
  auto question = question_of(std::move(span));
  auto form = *format == Format::csv ? batch_csv(question) : batch_json();
  const auto batch = std::make_shared<Batch>(call.context.store, std::move(question),
                                             std::move(meters), std::move(form));
  const StopFlag stop = call.request.stop;
  METERLINE_CHECK(batch->answer_up_to(bytes_at_once_max, stop));
  Response response = *format == Format::csv ? csv_response({}) : json_response({});
  response.body = batch->take();
  if (batch->is_done()) return response;
  response.stream = [batch, stop, visible = call.visible, begun = std::exchange(response.body, {})](
                        const BodySink& sink) { return send(begun, *batch, stop, sink); };
  return response;
}

}  // namespace meterline::api
