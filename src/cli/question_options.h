#pragma once

#include <cstddef>
#include <string>

#include "cli/parser.h"
#include "cli/questions.h"

namespace meterline::cli {

// Options that verbs share, as CLI11 takes them; what they fill must outlive the parser.

inline constexpr std::size_t list_limit_max = 1'000'000;

void add_channels(CLI::App& verb, std::string& channel, std::string& flow);
void add_as_of(CLI::App& verb, std::string& as_of);
/// `--from` and `--to`, and the two above.
void add_dates(CLI::App& verb, QuestionOptions& options);
void add_unit(CLI::App& verb, QuestionOptions& options);
/// And the unit.
void add_resolution(CLI::App& verb, QuestionOptions& options, const char* resolutions);
CLI::Option* add_limit(CLI::App& verb, std::size_t& limit);

}  // namespace meterline::cli
