#include "aws/session.h"

#include "aws/sdk.h"
#include "core/guarded.h"
#include "core/try.h"

namespace meterline::aws {

Result<std::shared_ptr<Session>> open_session(const std::string& region) {
  METERLINE_TRY(auto made, guarded([&] { return sdk::open_session(str(region)); }));
  return std::make_shared<Session>(std::move(made));
}

}  // namespace meterline::aws
