#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace meterline::cli {

/// A line on the terminal that is drawn again and again; nothing where standard error is no
/// terminal.
///
/// Threads: all methods may be called from any thread.
class StatusLine {
 public:
  /// `text` is asked from another thread.
  explicit StatusLine(std::function<std::string()> text);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Prints to standard error without disturbing the line.
  void print(const std::string& text);

 private:
  void run(const std::stop_token& stop);

  const std::function<std::string()> text_;
  const bool is_shown_;
  std::mutex mutex_;  ///< Of the terminal's line.
  std::condition_variable_any wake_;
  std::jthread thread_;
};

/// Tells how far a long load is.
///
/// Threads: all methods may be called from any thread.
class Progress {
 public:
  struct Work {
    std::int64_t files = 0;              ///< 0 when it cannot be known.
    std::optional<std::uint64_t> bytes;  ///< Empty when it cannot be known.
  };
  explicit Progress(Work work) : work_(work), line_([this] { return text(); }) {}

  std::atomic<std::uint64_t>& bytes_read() { return bytes_read_; }
  std::atomic<std::int64_t>& files_read() { return files_read_; }
  /// Prints to standard error without disturbing the line.
  void print(const std::string& text) { line_.print(text); }

 private:
  std::string text() const;

  const Work work_;
  std::atomic<std::uint64_t> bytes_read_ = 0;
  std::atomic<std::int64_t> files_read_ = 0;
  StatusLine line_;
};

/// Tells how far the reading of a whole store is.
class StoreProgress {
 public:
  StoreProgress() : line_([this] { return text(); }) {}

  std::atomic<std::int64_t>& meters() { return meters_; }
  std::atomic<std::int64_t>& days() { return days_; }

 private:
  std::string text() const;

  std::atomic<std::int64_t> meters_ = 0;
  std::atomic<std::int64_t> days_ = 0;
  StatusLine line_;
};

}  // namespace meterline::cli
