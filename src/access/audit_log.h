#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "access/descriptor.h"
#include "access/digest.h"
#include "core/instant.h"
#include "core/result.h"

namespace meterline::access {

inline constexpr std::size_t audit_line_bytes_max = 16 << 10;

/// What somebody did, or was not let do.
struct AuditEvent {
  Instant at;
  std::string_view who;       ///< Empty: nobody knows.
  std::string_view method;    ///< `POST`; of a request that was refused, what it says.
  std::string_view route;     ///< A name of the API's own.
  std::string_view meter;     ///< That was asked for; kept as a hash. May be empty.
  std::string_view delivery;  ///< That was made or changed. May be empty.
  std::string_view group;     ///< Of meters, that was changed or shown. May be empty.
  int status = 0;             ///< Of the answer.
};

/// A file of JSON lines, one an event. Each line has the hash of the one before and of itself, so
/// that none can be changed, taken out or put in between without it being seen. Meters stand in it
/// as HMACs by a random key in a file beside it: whoever has the log alone cannot try them out.
///
/// Threads: every method may be called from many threads at once. One process has the file.
class AuditLog {
 public:
  /// Goes on behind the last line; a part of a line at the end, which a crash left, is cut off.
  /// Errors: `unavailable` where another process has it; `corrupt` where the last line is none.
  static Result<std::unique_ptr<AuditLog>> open(const std::filesystem::path& path);

  /// When it returns, the line is with the operating system.
  Result<void> add(const AuditEvent& event);

  /// As add(), for what nobody known did: of such, so many a second are written, and the next line
  /// says how many were not.
  Result<void> add_refusal(const AuditEvent& event);

 private:
  AuditLog() = default;
  Result<void> go_on();
  Result<void> write(const AuditEvent& event);

  std::mutex mutex_;
  std::filesystem::path path_;
  Descriptor file_;
  std::string salt_;
  std::int64_t number_ = 0;
  std::string last_hash_;
  std::int64_t refusal_second_ = 0;
  int refusals_ = 0;
  std::int64_t left_out_ = 0;  ///< Refusals since the last line.
};

/// What a meter is called in the log at `path`. Errors: `not_found` where it has no key for that.
Result<std::string> audit_meter_hash(const std::filesystem::path& path, std::string_view meter);

/// An audit log whose lines all follow from each other.
struct AuditSummary {
  std::int64_t lines = 0;
  std::string first_at;
  std::string last_at;
  std::string last_hash;    ///< To be kept elsewhere: it names all lines so far.
  bool has_wanted = false;  ///< The hash that was to be in it is.
};
struct AuditBreak {
  std::int64_t line = 0;
  std::string reason;
};
/// Reads the whole file. Errors: `not_found`, `unavailable`.
Result<std::variant<AuditSummary, AuditBreak>> check_audit_log(const std::filesystem::path& path,
                                                               std::string_view wanted_hash = "");

}  // namespace meterline::access
