#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

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

}  // namespace

Progress::Progress(Work work) : work_(work), is_shown_(isatty(STDERR_FILENO) == 1) {
  if (is_shown_) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Progress::~Progress() {
  if (!is_shown_) return;
  thread_.request_stop();
  wake_.notify_all();
  thread_.join();
  tell(clear_line);
}

void Progress::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    draw();
    wake_.wait_for(lock, stop, redraw_interval, [] { return false; });
  }
}

void Progress::draw() {
  constexpr std::uint64_t mega = 1'000'000;
  const std::uint64_t read = bytes_read_;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - process_start);
  const auto millis = static_cast<std::uint64_t>(std::max<std::int64_t>(1, elapsed.count()));
  const std::uint64_t per_second = read * 1000 / millis;
  std::string line =
      fmt::format("{} of {} files  {} MB  {} MB/s", grouped(files_read_), grouped(work_.files),
                  grouped(static_cast<std::int64_t>(read / mega)), per_second / mega);
  if (work_.bytes) {
    const std::uint64_t left = *work_.bytes > read ? *work_.bytes - read : 0;
    line = bar(read, *work_.bytes) + ' ' + line;
    if (per_second > 0) line += fmt::format("  {} s left", left / per_second);
  }
  tell(clear_line + line);
}

void Progress::print(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  tell((is_shown_ ? clear_line : "") + text);
}

}  // namespace meterline::cli
