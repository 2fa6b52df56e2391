#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/result.h"

namespace meterline::app {

using Environment = std::function<std::string(const std::string& name)>;  ///< Empty: not set.
using ParameterReader = std::function<Result<std::string>(const std::string& name)>;

/// METERLINE_CASSANDRA_USER and METERLINE_CASSANDRA_PASSWORD by their names. One that is not set
/// is the value of the parameter of Systems Manager that the variable of the same name with
/// _PARAMETER behind it names; without that it is left out.
/// Errors: those of `read`, with the variable and never a value.
Result<std::map<std::string, std::string>> read_login(const Environment& environment,
                                                      const ParameterReader& read);

}  // namespace meterline::app
