#pragma once

#include <atomic>

namespace meterline::cli {

/// While it lives, the first Ctrl-C (or SIGTERM) sets a flag instead of ending the process; the
/// second one ends it. One at a time.
class StopRequest {
 public:
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  static const std::atomic<bool>& flag();
};

}  // namespace meterline::cli
