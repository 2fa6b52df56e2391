#pragma once

#include <string>

#include "cli/serve.h"
#include "cli/session.h"

namespace meterline::cli {

/// What the demo does after its answers.
enum class DemoEnd { serve, stop };

struct DemoVerb {
  std::string folder = "meterline-demo";
  DemoEnd end = DemoEnd::serve;
  ServeOptions serve;
};

/// `meterline demo`: makes a year of example meters, loads them, asks a few questions, serves.
int demo(const DemoVerb& verb, const Session& session);

}  // namespace meterline::cli
