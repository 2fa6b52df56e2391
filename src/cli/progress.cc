#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "cli/session.h"
#include "cli/table.h"

namespace meterline::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds redraw_interval{200};
constexpr std::size_t bar_chars = 24;
constexpr const char* clear_line = "\r\x1b[K";

const Clock::time_point process_start = Clock::now();

std::string bar(std::uint64_t done, std::uint64_t all) {
  const std::size_t filled = all == 0 ? bar_chars : std::min(bar_chars, bar_chars * done / all);
  return '[' + std::string(filled, '#') + std::string(bar_chars - filled, '.') + ']';
}

std::uint64_t per_second(std::uint64_t count) {
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - process_start);
  return count * 1000 / static_cast<std::uint64_t>(std::max<std::int64_t>(1, elapsed.count()));
}

}  // namespace

StatusLine::StatusLine(std::function<std::string()> text)
    : text_(std::move(text)), is_shown_(isatty(STDERR_FILENO) == 1) {
  if (is_shown_) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

StatusLine::~StatusLine() {
  if (!is_shown_) return;
  thread_.request_stop();
  wake_.notify_all();
  thread_.join();
  tell(clear_line);
}

void StatusLine::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    tell(clear_line + text_());
    wake_.wait_for(lock, stop, redraw_interval, [] { return false; });
  }
}

void StatusLine::print(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  tell((is_shown_ ? clear_line : "") + text);
}

std::string Progress::text() const {
  constexpr std::uint64_t mega = 1'000'000;
  const std::uint64_t read = bytes_read_;
  const std::uint64_t speed = per_second(read);
  const std::string of_all = work_.files > 0 ? " of " + grouped(work_.files) : "";
  std::string line = fmt::format("{}{} files  {} MB  {} MB/s", grouped(files_read_), of_all,
                                 grouped(static_cast<std::int64_t>(read / mega)), speed / mega);
  if (!work_.bytes) return line;
  const std::uint64_t left = *work_.bytes > read ? *work_.bytes - read : 0;
  line = bar(read, *work_.bytes) + ' ' + line;
  if (speed > 0) line += fmt::format("  {} s left", left / speed);
  return line;
}

std::string StoreProgress::text() const {
  const std::int64_t days = days_;
  const auto speed = per_second(static_cast<std::uint64_t>(days));
  return fmt::format("{} meters  {} days  {} days/s", grouped(meters_), grouped(days),
                     grouped(static_cast<std::int64_t>(speed)));
}

}  // namespace meterline::cli
