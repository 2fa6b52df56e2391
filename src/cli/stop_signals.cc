#include "cli/stop_signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "cli/exit_code.h"

namespace meterline::cli {
namespace {

/// Written to by the signal handler: a handler can reach nothing but a global.
volatile std::sig_atomic_t stop_event = -1;

void tell_event(int event) {
  const std::uint64_t one = 1;
  if (write(event, &one, sizeof one) != sizeof one) _exit(exit_failed);
}

extern "C" void on_stop_signal(int) {
  const int saved_errno = errno;
  tell_event(stop_event);
  errno = saved_errno;
}

}  // namespace

StopSignals::StopSignals() : event_(eventfd(0, EFD_CLOEXEC)) {
  stop_event = event_;
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (std::size_t i = 0; i < signals.size(); ++i)
    sigaction(signals.at(i), &action, &before_.at(i));
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < signals.size(); ++i)
    sigaction(signals.at(i), &before_.at(i), nullptr);
  stop_event = -1;
  close(event_);
}

void StopSignals::wait() const {
  std::uint64_t count = 0;
  while (read(event_, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

void StopSignals::wait_for(std::chrono::milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  pollfd event{.fd = event_, .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const int ready = poll(&event, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) return;
  }
}

void StopSignals::stop() const { tell_event(event_); }

}  // namespace meterline::cli
