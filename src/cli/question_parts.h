#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>

#include "cli/questions.h"
#include "cli/session.h"
#include "core/finding.h"
#include "core/try.h"
#include "query/total.h"

namespace meterline::cli {

// What the verbs that ask have in common. Options that are not given are empty.

Result<std::optional<Flow>> flow_option(const std::string& text);
Result<std::optional<Unit>> answer_unit_option(const std::string& text);
Result<MeterId> meter_argument(const std::string& text);
/// Of a question about one meter. `invalid_argument` where a group is given as well.
Result<void> check_one_meter(const std::string& group);

template <class Question>
concept HasResolution = requires(Question question) { question.resolution; };

/// The options as values; `Question` is one of the questions' structs.
template <class Question>
Result<Question> question_of(const QuestionOptions& options) {
  Question question;
  METERLINE_TRY(question.dates, range_options(options.from, options.to));
  if constexpr (HasResolution<Question>) {
    const auto resolution = query::parse_resolution(options.resolution);
    if (!resolution)
      return fail(Errc::invalid_argument,
                  fmt::format("--resolution: want {}, got \"{}\"", query::resolution_names,
                              excerpt_of(options.resolution)));
    question.resolution = *resolution;
    METERLINE_TRY(question.unit, answer_unit_option(options.unit));
  }
  if (!options.channel.empty()) question.channel = options.channel;
  METERLINE_TRY(question.flow, flow_option(options.flow));
  if (!options.as_of.empty()) {
    METERLINE_TRY(question.as_of, instant_option("--as-of", options.as_of));
  }
  return question;
}

// Cells and titles of tables.

std::string text_of(const std::optional<Sum>& sum);  ///< `-` for none.
std::string title_of(const Channel& channel);        ///< `B1 (generation), kWh`
std::string readings_of(const query::Total& total);  ///< `47/48`

}  // namespace meterline::cli
