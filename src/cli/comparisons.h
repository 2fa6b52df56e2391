#pragma once

#include <string>

#include "cli/parser.h"
#include "cli/questions.h"
#include "cli/session.h"

namespace meterline::cli {

struct CompareVerb {
  std::string meter;  ///< Empty: all meters together.
  QuestionOptions options;
  std::string against;       ///< Empty: a year before, where no days are given.
  std::string against_from;  ///< Or these days.
  std::string against_to;
};
/// `meterline compare [METER]`: what was used in two periods, beside each other.
int compare(const CompareVerb& verb, const Session& session);
void add_compare(CLI::App& app, CompareVerb& verb);

struct TimeOfUseVerb {
  std::string meter;
  std::string tariff;  ///< A file.
  QuestionOptions options;
};
/// `meterline time-of-use METER --tariff FILE`: what a meter used in each band of a tariff.
int time_of_use(const TimeOfUseVerb& verb, const Session& session);
void add_time_of_use(CLI::App& app, TimeOfUseVerb& verb);

/// `meterline base-load METER`: the load that stands through.
int base_load(const QueryVerb& verb, const Session& session);
void add_base_load(CLI::App& app, QueryVerb& verb);

struct LateVerb {
  std::string since;
  std::string by = "day";
  std::string group;  ///< Empty: of all meters.
  std::string channel;
  std::string flow;
  std::size_t limit = 100;  ///< Show at most so many meters.
};
/// `meterline late --since DAY`: which meters have been silent.
int late(const LateVerb& verb, const Session& session);
void add_late(CLI::App& app, LateVerb& verb);

}  // namespace meterline::cli
