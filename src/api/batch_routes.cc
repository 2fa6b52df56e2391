// Many meters are asked about in one request: their ids come in its body.

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
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
constexpr std::size_t answer_bytes_max = 32 << 20;

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

/// Answers one behind the other, as JSON or CSV.
class BatchAnswer {
 public:
  explicit BatchAnswer(Format format) : format_(format) {
    if (!is_csv()) text_ = R"({"answers":[)";
  }

  void add(const query::Consumption& answer) {
    if (!is_csv()) return add_json(to_json(answer));
    const auto lines = to_csv(answer);
    const auto rows_at = lines.find('\n') + 1;
    if (text_.empty()) text_ = lines.substr(0, rows_at);
    text_.append(lines, rows_at);
  }
  /// A line with the meter alone, as CSV.
  void add_unknown(const MeterId& meter, std::string_view header) {
    if (!is_csv())
      return add_json(fmt::format(R"({{"meter":"{}","problem":"no such meter"}})", meter.text()));
    if (text_.empty()) text_ = header;
    const auto commas = std::count(header.begin(), header.end(), ',');
    text_ += meter.text() + std::string(static_cast<std::size_t>(commas), ',') + '\n';
  }
  std::size_t bytes() const { return text_.size(); }
  Response take() {
    if (is_csv()) return csv_response(std::move(text_));
    return json_response(std::move(text_) + "]}");
  }

 private:
  bool is_csv() const { return format_ == Format::csv; }
  void add_json(std::string_view answer) {
    if (text_.back() != '[') text_ += ',';
    text_ += answer;
  }

  const Format format_;
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
  query::ConsumptionQuestion question{.meter = {},
                                      .dates = span.dates,
                                      .resolution = span.resolution,
                                      .channel = std::move(span.filter.channel),
                                      .flow = span.filter.flow,
                                      .as_of = span.filter.as_of,
                                      .unit = span.unit};
  const auto header = to_csv(query::Consumption{.question = question, .channels = {}});
  BatchAnswer answers(*format);
  for (auto& meter : meters) {
    METERLINE_CHECK(check_stop(call.request.stop));
    question.meter = std::move(meter);
    const auto answer = query::consumption(call.context.store, question);
    if (answer)
      answers.add(*answer);
    else if (answer.error().code == Errc::not_found)
      answers.add_unknown(question.meter, header);
    else
      return tl::unexpected(answer.error());
    if (answers.bytes() > answer_bytes_max)
      return fail(Errc::too_large,
                  fmt::format("the answer has more than {} MiB: ask for fewer meters, a shorter "
                              "time or a coarser resolution",
                              answer_bytes_max >> 20));
  }
  return answers.take();
}

}  // namespace meterline::api
