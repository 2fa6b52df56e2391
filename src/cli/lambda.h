#pragma once

#include <string>

#include "cli/event_parts.h"
#include "cli/guarding.h"
#include "cli/session.h"

namespace meterline::cli {

struct LambdaVerb {
  EventOptions events;
  std::string queue;            ///< That the processor's batches come from; may be empty.
  std::string uploads = "off";  ///< `on` or `off`
  GuardOptions guard;           ///< Of the API, as what is next.
  std::string tariffs;          ///< A folder; empty: none are known.
};

/// The programs of functions on AWS Lambda: they answer invocations until Lambda ends them. The
/// exit code: 1 could not begin, or lost Lambda; 2 wrong usage.
int lambda_processor(const LambdaVerb& verb, const Session& session);
int lambda_api(const LambdaVerb& verb, const Session& session);

}  // namespace meterline::cli
