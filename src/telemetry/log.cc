#include "telemetry/log.h"

#include "core/text.h"

namespace meterline::telemetry {
namespace {

/// Cut between characters.
std::string clipped(std::string_view text) {
  if (text.size() <= log_text_bytes_max) return std::string(text);
  std::size_t end = log_text_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_text(out, clipped(text));
  return out + '"';
}

std::string text_of(const LogField& field) {
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  return quoted(std::get<std::string_view>(field.value));
}

bool is_empty(const LogField& field) {
  const auto* text = std::get_if<std::string_view>(&field.value);
  return text != nullptr && text->empty();
}

std::string head_of(LogFormat format, Instant at, LogLevel level, std::string_view message) {
  if (format == LogFormat::json)
    return R"({"time":")" + at.text() + R"(","level":")" + std::string(text_of(level)) +
           R"(","message":)" + quoted(message);
  std::string escaped;
  append_json_text(escaped, clipped(message));
  return at.text() + ' ' + std::string(text_of(level)) + ' ' + escaped;
}

}  // namespace

std::optional<LogFormat> parse_log_format(std::string_view text) {
  if (text == "json") return LogFormat::json;
  if (text == "text") return LogFormat::text;
  return std::nullopt;
}

std::string_view text_of(LogLevel level) {
  switch (level) {
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (const auto level : {LogLevel::info, LogLevel::warning, LogLevel::error})
    if (text == text_of(level)) return level;
  return std::nullopt;
}

Log::Log(LogFormat format, Sink sink, std::function<Instant()> now, LogLevel least)
    : format_(format), sink_(std::move(sink)), now_(std::move(now)), least_(least) {}

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!writes(level)) return;
  const bool is_json = format_ == LogFormat::json;
  std::string line = head_of(format_, now_(), level, message);
  for (const LogField& field : fields) {
    if (is_empty(field)) continue;
    const std::string value = text_of(field);
    if (line.size() + field.name.size() + value.size() > log_line_bytes_max) continue;
    line += is_json ? ",\"" : " ";
    line += field.name;
    line += is_json ? "\":" : "=";
    line += value;
  }
  if (is_json) line += '}';
  write_line(std::move(line));
}

void Log::write_line(std::string line) {
  line += '\n';
  const std::scoped_lock lock(mutex_);
  sink_(line);
}

}  // namespace meterline::telemetry
