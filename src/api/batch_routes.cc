// Many meters are asked about in one request: their ids come in its body.

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "api/question.h"
#include "api/render.h"
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

/// Answers one behind the other, as JSON or CSV, as long as there are meters left.
class Batch {
 public:
  Batch(const Call& call, Format format, Span span, std::vector<MeterId> meters)
      : store_(call.context.store),
        visible_(call.visible),
        stop_(call.request.stop),
        format_(format),
        question_{.meter = {},
                  .dates = span.dates,
                  .resolution = span.resolution,
                  .channel = std::move(span.filter.channel),
                  .flow = span.filter.flow,
                  .as_of = span.filter.as_of,
                  .unit = span.unit},
        header_(to_csv(query::Consumption{.question = question_, .channels = {}})),
        meters_(std::move(meters)),
        text_(is_csv() ? header_ : R"({"answers":[)") {}

  bool is_done() const { return next_ == meters_.size(); }

  /// Answers until there are `bytes` of text or no meters left.
  Result<void> answer_up_to(std::size_t bytes) {
    while (!is_done() && text_.size() < bytes) {
      METERLINE_CHECK(check_stop(stop_));
      question_.meter = meters_[next_];
      const auto answer = query::consumption(store_, question_);
      if (!answer && answer.error().code != Errc::not_found) return tl::unexpected(answer.error());
      if (answer)
        add(*answer);
      else
        add_unknown();
      ++next_;
    }
    if (is_done() && !is_csv()) text_ += "]}\n";
    return {};
  }
  std::string take() { return std::exchange(text_, {}); }
  Result<void> send_rest(std::string_view begun, const BodySink& sink) {
    METERLINE_CHECK(sink(begun));
    while (!is_done()) {
      METERLINE_CHECK(answer_up_to(1));
      METERLINE_CHECK(sink(take()));
    }
    return {};
  }

 private:
  bool is_csv() const { return format_ == Format::csv; }
  void add(const query::Consumption& answer) {
    if (!is_csv()) return add_json(to_json(answer));
    const auto lines = to_csv(answer);
    text_.append(lines, lines.find('\n') + 1);
  }
  /// A line with the meter alone, as CSV.
  void add_unknown() {
    const auto& meter = question_.meter.text();
    if (!is_csv())
      return add_json(fmt::format(R"({{"meter":"{}","problem":"no such meter"}})", meter));
    const auto commas = std::count(header_.begin(), header_.end(), ',');
    text_ += meter + std::string(static_cast<std::size_t>(commas), ',') + '\n';
  }
  void add_json(std::string_view answer) {
    if (next_ > 0) text_ += ',';
    text_ += answer;
  }

  const store::Store& store_;
  const std::shared_ptr<const store::VisibleStore> visible_;
  const StopFlag stop_;
  const Format format_;
  query::ConsumptionQuestion question_;
  const std::string header_;
  const std::vector<MeterId> meters_;
  std::size_t next_ = 0;
  std::string text_;
};

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
  const auto batch = std::make_shared<Batch>(call, *format, std::move(span), std::move(meters));
  METERLINE_CHECK(batch->answer_up_to(bytes_at_once_max));
  Response response = *format == Format::csv ? csv_response({}) : json_response({});
  response.body = batch->take();
  if (batch->is_done()) return response;
  response.stream = [batch, begun = std::exchange(response.body, {})](const BodySink& sink) {
    return batch->send_rest(begun, sink);
  };
  return response;
}

}  // namespace meterline::api
