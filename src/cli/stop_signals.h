#pragma once

#include <array>
#include <chrono>
#include <csignal>

namespace meterline::cli {

/// Takes SIGINT and SIGTERM while it lives, each once: a second one of a kind ends the process.
/// One at a time.
///
/// Threads: stop() may be called from any thread.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Until a signal comes.
  void wait() const;

  /// As long as that, or until another signal comes.
  void wait_for(std::chrono::milliseconds time) const;

  /// As if a signal had come.
  void stop() const;

 private:
  static constexpr std::array signals = {SIGINT, SIGTERM};
  int event_;
  std::array<struct sigaction, signals.size()> before_{};
};

}  // namespace meterline::cli
