#include "cli/stop_request.h"

#include <csignal>
#include <initializer_list>

namespace meterline::cli {
namespace {

/// A signal handler can reach nothing but a global.
std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_stop_request(int) { stop_requested = true; }

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // Without SA_RESTART: a read from a quiet pipe must end.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(signal, &action, nullptr);
}

}  // namespace

StopRequest::StopRequest() {
  stop_requested = false;
  for (const int signal : {SIGINT, SIGTERM}) handle(signal, on_stop_request);
}

StopRequest::~StopRequest() {
  for (const int signal : {SIGINT, SIGTERM}) handle(signal, SIG_DFL);
}

const std::atomic<bool>& StopRequest::flag() { return stop_requested; }

}  // namespace meterline::cli
