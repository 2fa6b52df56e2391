#include "aws/parameters.h"

#include "aws/sdk.h"
#include "core/guarded.h"

namespace meterline::aws {

Result<std::string> read_parameter(Session& session, const std::string& name) {
  return guarded([&] { return std::string(session.sdk().read_parameter(str(name))); });
}

}  // namespace meterline::aws
