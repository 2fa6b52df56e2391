#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/meter_id.h"
#include "core/result.h"
#include "core/stop.h"
#include "query/consumption.h"
#include "store/store.h"

namespace meterline::api {

/// How answers about many meters are put together to a text.
struct BatchForm {
  std::string begin;
  std::string between;
  std::string end;
  std::function<std::string(const query::Consumption& answer)> answer;
  std::function<std::string(const MeterId& meter)> unknown;  ///< Of one that nobody knows.
};

/// `{"answers":[ANSWER,{"meter":"XX","problem":"no such meter"}]}` and a line end.
BatchForm batch_json();
/// The same answers without what is around them, a line each.
BatchForm batch_json_lines();
/// The rows of all behind one header; of a meter that nobody knows, a row with nothing but its id.
BatchForm batch_csv(const query::ConsumptionQuestion& question);

/// The same question about many meters, answered one behind the other, in the order that they are
/// given in, each as it is when its turn comes. Memory is that of one answer, and of the text that
/// is not taken yet. The store must outlive it.
///
/// Threads: one at a time.
class Batch {
 public:
  /// The question's meter does not count.
  Batch(const store::Store& store, query::ConsumptionQuestion question, std::vector<MeterId> meters,
        BatchForm form);

  bool is_done() const { return next_ == meters_.size(); }
  std::size_t unknown() const { return unknown_; }  ///< Meters so far that nobody knows.

  /// Answers until there are `bytes` of text or no meters left. Errors: those of the question but
  /// `not_found`; `cancelled`.
  Result<void> answer_up_to(std::size_t bytes, StopFlag stop = nullptr);
  /// The text that came since the last time.
  std::string take();

 private:
  const store::Store& store_;
  query::ConsumptionQuestion question_;
  const std::vector<MeterId> meters_;
  const BatchForm form_;
  std::size_t next_ = 0;
  std::size_t unknown_ = 0;
  std::string text_;
};

}  // namespace meterline::api
