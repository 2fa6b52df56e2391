#pragma once

#include <string>

#include "aws/session.h"
#include "core/result.h"

namespace meterline::aws {

/// The value of a parameter of Systems Manager, decrypted. The value is a secret: no message
/// shows it.
Result<std::string> read_parameter(Session& session, const std::string& name);

}  // namespace meterline::aws
