#include "access/audit_log.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "access/small_file.h"
#include "core/json.h"
#include "core/json_writer.h"
#include "core/try.h"

namespace meterline::access {
namespace {

constexpr std::size_t salt_bytes = 32;
constexpr std::size_t digest_chars = 64;
constexpr std::size_t meter_hash_chars = 32;
constexpr int refusals_a_second_max = 10;
constexpr std::int64_t us_of_second = 1'000'000;
constexpr std::string_view hash_start = R"(,"hash":")";
constexpr std::string_view hash_end = R"("})";

std::string no_hash() { return std::string(digest_chars, '0'); }

tl::unexpected<Error> failed(const std::filesystem::path& path, std::string_view what) {
  const int error = errno;
  return fail(error == ENOENT ? Errc::not_found : Errc::unavailable,
              fmt::format("{}: cannot {}: {}", path.string(), what,
                          std::generic_category().message(error)));
}

std::filesystem::path salt_path(const std::filesystem::path& path) {
  return path.string() + ".salt";
}

std::string meter_hash(std::string_view salt, std::string_view meter) {
  return hex_of(hmac_sha256(salt, meter)).substr(0, meter_hash_chars);
}

/// A line without its hash, and that hash.
struct Line {
  std::string body;
  std::string hash;
  std::int64_t number = 0;
  std::string previous;
  std::string at;
};

std::string whole(const std::string& body, const std::string& hash) {
  std::string line = body;
  line.pop_back();
  return line.append(hash_start).append(hash).append(hash_end);
}

/// Errors: `corrupt` says what is wrong.
Result<Line> parse_line(std::string_view text) {
  const auto end = hash_start.size() + digest_chars + hash_end.size();
  if (text.size() > audit_line_bytes_max || text.size() < end || !text.ends_with(hash_end))
    return fail(Errc::corrupt, "it is no line of an audit log");
  const auto start = text.size() - end;
  if (text.substr(start, hash_start.size()) != hash_start)
    return fail(Errc::corrupt, "it has no hash");
  Line line{.body = std::string(text.substr(0, start)) + '}',
            .hash = std::string(text.substr(start + hash_start.size(), digest_chars))};
  if (hex_of(sha256(line.body)) != line.hash)
    return fail(Errc::corrupt, "it was changed: its hash is not that of what it says");
  METERLINE_TRY(const auto json, parse_json(line.body, audit_line_bytes_max));
  line.number = find_number(json, {"number"}).value_or(0);
  line.previous = std::string(find_text(json, {"previous"}).value_or(""));
  line.at = std::string(find_text(json, {"at"}).value_or(""));
  return line;
}

/// The last line that has a line end, and how many bytes there are up to that end.
struct Tail {
  std::string line;
  off_t bytes = 0;
};
Result<Tail> read_tail(int file, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(file, &status) != 0) return failed(path, "read it");
  const off_t from = std::max<off_t>(0, status.st_size - 2 * off_t{audit_line_bytes_max});
  std::string text(static_cast<std::size_t>(status.st_size - from), '\0');
  if (pread(file, text.data(), text.size(), from) != static_cast<ssize_t>(text.size()))
    return failed(path, "read it");
  const auto end = text.rfind('\n');
  if (end == std::string::npos) {
    if (from > 0)
      return fail(Errc::corrupt, fmt::format("{} has no line at its end", path.string()));
    return Tail();
  }
  const auto begin = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  const auto first = begin == std::string::npos ? 0 : begin + 1;
  return Tail{.line = text.substr(first, end - first), .bytes = from + static_cast<off_t>(end) + 1};
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::filesystem::path& path) {
  std::unique_ptr<AuditLog> log(new AuditLog);
  log->path_ = path;
  log->file_ =
      Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!log->file_) return failed(path, "write it");
  if (flock(log->file_.number(), LOCK_EX | LOCK_NB) != 0)
    return fail(
        Errc::unavailable,
        fmt::format("{}: another process writes this audit log: give each its own", path.string()));
  auto salt = read_small_file(salt_path(path), salt_bytes * 2);
  if (!salt && salt.error().code == Errc::not_found) {
    METERLINE_TRY(log->salt_, random_hex(salt_bytes));
    METERLINE_CHECK(replace_file(salt_path(path), log->salt_));
  } else {
    METERLINE_TRY(log->salt_, std::move(salt));
  }
  METERLINE_CHECK(log->go_on());
  return log;
}

Result<void> AuditLog::go_on() {
  METERLINE_TRY(const auto tail, read_tail(file_.number(), path_));
  last_hash_ = no_hash();
  if (tail.bytes > 0) {
    const auto last = parse_line(tail.line);
    if (!last)
      return fail(Errc::corrupt, fmt::format("{}: its last line: {}; `meterline audit check` tells "
                                             "more. Move it away to begin a new log",
                                             path_.string(), last.error().message));
    number_ = last->number;
    last_hash_ = last->hash;
  }
  if (ftruncate(file_.number(), tail.bytes) != 0) return failed(path_, "write it");
  return {};
}

Result<void> AuditLog::add(const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  return write(event);
}

Result<void> AuditLog::add_refusal(const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const std::int64_t second = event.at.micros / us_of_second;
  if (second != refusal_second_) refusals_ = 0;
  refusal_second_ = second;
  if (++refusals_ > refusals_a_second_max) {
    ++left_out_;
    return {};
  }
  return write(event);
}

/// A write that failed may have left a part of a line, which the next one ends: it is cut off.
Result<void> AuditLog::write(const AuditEvent& event) {
  JsonWriter json;
  json.begin_object().member("number", number_ + 1).member("at", std::string_view(event.at.text()));
  if (!event.who.empty()) json.member("who", event.who);
  json.member("method", event.method).member("route", event.route);
  if (!event.meter.empty()) json.member("meter", std::string_view(meter_hash(salt_, event.meter)));
  if (!event.delivery.empty()) json.member("delivery", event.delivery);
  if (!event.group.empty()) json.member("group", event.group);
  json.member("status", event.status);
  if (left_out_ > 0) json.member("refusalsLeftOut", left_out_);
  json.member("previous", std::string_view(last_hash_)).end_object();
  const std::string body = json.take();
  const std::string hash = hex_of(sha256(body));
  struct stat before {};
  if (fstat(file_.number(), &before) != 0) return failed(path_, "write it");
  if (auto written = file_.write_all(whole(body, hash) + '\n', path_); !written) {
    if (ftruncate(file_.number(), before.st_size) != 0) return failed(path_, "write it");
    return written;
  }
  ++number_;
  last_hash_ = hash;
  left_out_ = 0;
  return {};
}

Result<std::string> audit_meter_hash(const std::filesystem::path& path, std::string_view meter) {
  METERLINE_TRY(const auto salt, read_small_file(salt_path(path), salt_bytes * 2));
  return meter_hash(salt, meter);
}

Result<std::variant<AuditSummary, AuditBreak>> check_audit_log(const std::filesystem::path& path,
                                                               std::string_view wanted_hash) {
  using Checked = std::variant<AuditSummary, AuditBreak>;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return failed(path, "read it");
  AuditSummary summary{.last_hash = no_hash()};
  std::string text;
  while (std::getline(file, text)) {
    const auto broken = [&](std::string reason) {
      return Checked(AuditBreak{.line = summary.lines + 1, .reason = std::move(reason)});
    };
    if (file.eof()) return broken("it has no line end: it was broken off");
    const auto line = parse_line(text);
    if (!line) return broken(line.error().message);
    if (line->previous != summary.last_hash)
      return broken("it does not follow the line before: one was taken out, put in or moved");
    if (line->number != summary.lines + 1) return broken("its number does not follow");
    ++summary.lines;
    if (summary.lines == 1) summary.first_at = line->at;
    summary.last_at = line->at;
    summary.last_hash = line->hash;
    summary.has_wanted = summary.has_wanted || line->hash == wanted_hash;
  }
  if (file.bad()) return failed(path, "read it");
  return Checked(std::move(summary));
}

}  // namespace meterline::access
