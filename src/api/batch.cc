#include "api/batch.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "api/render.h"
#include "core/try.h"

namespace meterline::api {
namespace {

std::string unknown_json(const MeterId& meter) {
  return fmt::format(R"({{"meter":"{}","problem":"no such meter"}})", meter.text());
}

std::string answer_json(const query::Consumption& answer) { return to_json(answer); }

std::string rows_of(const query::Consumption& answer) {
  const auto lines = to_csv(answer);
  return lines.substr(lines.find('\n') + 1);
}

}  // namespace

BatchForm batch_json() {
  return {.begin = R"({"answers":[)",
          .between = ",",
          .end = "]}\n",
          .answer = answer_json,
          .unknown = unknown_json};
}

BatchForm batch_json_lines() {
  return {
      .begin = "", .between = "\n", .end = "\n", .answer = answer_json, .unknown = unknown_json};
}

BatchForm batch_csv(const query::ConsumptionQuestion& question) {
  auto header = to_csv(query::Consumption{.question = question, .channels = {}});
  const auto commas = static_cast<std::size_t>(std::count(header.begin(), header.end(), ','));
  return {.begin = std::move(header),
          .between = "",
          .end = "",
          .answer = rows_of,
          .unknown = [commas](const MeterId& meter) {
            return meter.text() + std::string(commas, ',') + '\n';
          }};
}

Batch::Batch(const store::Store& store, query::ConsumptionQuestion question,
             std::vector<MeterId> meters, BatchForm form)
    : store_(store),
      question_(std::move(question)),
      meters_(std::move(meters)),
      form_(std::move(form)),
      text_(form_.begin) {}

Result<void> Batch::answer_up_to(std::size_t bytes, StopFlag stop) {
  while (!is_done() && text_.size() < bytes) {
    METERLINE_CHECK(check_stop(stop));
    question_.meter = meters_[next_];
    const auto answer = query::consumption(store_, question_);
    if (!answer && answer.error().code != Errc::not_found) return tl::unexpected(answer.error());
    if (next_ > 0) text_ += form_.between;
    text_ += answer ? form_.answer(*answer) : form_.unknown(question_.meter);
    if (!answer) ++unknown_;
    ++next_;
    if (is_done()) text_ += form_.end;
  }
  return {};
}

std::string Batch::take() { return std::exchange(text_, {}); }

}  // namespace meterline::api
