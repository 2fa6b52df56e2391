#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/instant.h"

namespace meterline::telemetry {

enum class LogFormat {
  json,  ///< `{"time":"...Z","level":"info","message":"...","requestId":"...","rows":5}`
  text,  ///< `...Z info message requestId="..." rows=5`
};
std::optional<LogFormat> parse_log_format(std::string_view text);

enum class LogLevel { info, warning, error };
std::string_view text_of(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view text);

/// What an event is about beside its message. Names are lowerCamelCase; empty texts are left out.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;
};

/// A text of more is cut, and ends in `...`.
inline constexpr std::size_t log_text_bytes_max = 4096;
/// Of a line; fields that have no room are left out.
inline constexpr std::size_t log_line_bytes_max = 32 << 10;

/// Writes one line for each event of a level. No value can begin a line of its own.
///
/// Threads: may be used from many threads at once.
class Log {
 public:
  /// Takes a whole line with its end; called by one thread at a time.
  using Sink = std::function<void(std::string_view line)>;

  /// Events below the level `least` are left out.
  Log(LogFormat format, Sink sink, std::function<Instant()> now, LogLevel least = LogLevel::info);

  LogFormat format() const { return format_; }
  /// Whether events of that level are written: what makes a costly field asks first.
  bool writes(LogLevel level) const { return level >= least_; }
  Instant now() const { return now_(); }

  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, message, fields);
  }

  /// Writes a line as it stands, whatever the level; it has no end yet.
  void write_line(std::string line);

 private:
  const LogFormat format_;
  const Sink sink_;
  const std::function<Instant()> now_;
  const LogLevel least_;
  std::mutex mutex_;
};

}  // namespace meterline::telemetry
