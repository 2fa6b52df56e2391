#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

namespace meterline::cli {

/// A line on the terminal that tells how far a long load is; nothing where standard error is no
/// terminal.
///
/// Threads: all methods may be called from any thread.
class Progress {
 public:
  struct Work {
    std::int64_t files = 0;
    std::optional<std::uint64_t> bytes;  ///< Empty when it cannot be known.
  };
  explicit Progress(Work work);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  std::atomic<std::uint64_t>& bytes_read() { return bytes_read_; }
  std::atomic<std::int64_t>& files_read() { return files_read_; }
  /// Prints to standard error without disturbing the line.
  void print(const std::string& text);

 private:
  void run(const std::stop_token& stop);
  void draw();

  const Work work_;
  const bool is_shown_;
  std::atomic<std::uint64_t> bytes_read_ = 0;
  std::atomic<std::int64_t> files_read_ = 0;
  std::mutex mutex_;  ///< Of the terminal's line.
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace meterline::cli
