#include "cli/question_options.h"

#include <CLI/CLI.hpp>

namespace meterline::cli {

void add_channels(CLI::App& verb, std::string& channel, std::string& flow) {
  verb.add_option("--channel", channel, "Only channels of this name");
  verb.add_option("--flow", flow, "Only this flow: consumption, generation, reactive or other");
}

void add_as_of(CLI::App& verb, std::string& as_of) {
  verb.add_option("--as-of", as_of,
                  "Answer with what had been received then: 2019-02-01T06:00:00Z or 2019-02-01");
}

void add_dates(CLI::App& verb, QuestionOptions& options) {
  verb.add_option("--from", options.from, "First day, yyyy-MM-dd")->required();
  verb.add_option("--to", options.to, "Last day, inclusive (default: --from)");
  add_channels(verb, options.channel, options.flow);
  add_as_of(verb, options.as_of);
}

void add_unit(CLI::App& verb, QuestionOptions& options) {
  verb.add_option("--unit", options.unit,
                  "Tell channels of its quantity in this unit: Wh, kWh, MWh, kvarh, ... (default: "
                  "the one that is kept)")
      ->envname("METERLINE_ANSWER_UNIT");  // METERLINE_UNIT is that of loads.
}

void add_resolution(CLI::App& verb, QuestionOptions& options, const char* resolutions) {
  verb.add_option("--resolution", options.resolution, resolutions)->capture_default_str();
  add_unit(verb, options);
}

CLI::Option* add_limit(CLI::App& verb, std::size_t& limit) {
  return verb.add_option("--limit", limit, "Show at most so many")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, list_limit_max));
}

}  // namespace meterline::cli
