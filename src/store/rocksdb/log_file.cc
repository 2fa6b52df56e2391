#include "store/rocksdb/log_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>

#include "core/crc32c.h"
#include "core/try.h"
#include "store/rocksdb/store_folder.h"

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = 32768;
constexpr std::size_t header_bytes = 7;  ///< Checksum (4), size (2), kind (1).
enum Kind : std::uint8_t { whole = 1, first = 2, middle = 3, last = 4 };

/// A checksum that grows with what is added.
class Crc {
 public:
  explicit Crc(std::uint8_t kind) { add(static_cast<char>(kind)); }
  void add(char byte) { add({&byte, 1}); }
  Crc& add(std::string_view bytes) {
    crc_ = crc32c(bytes, crc_);
    return *this;
  }
  /// As it stands in a log.
  std::uint32_t masked() const { return ((crc_ >> 15) | (crc_ << 17)) + 0xA282EAD8U; }

 private:
  std::uint32_t crc_ = 0;
};

/// What stands before a piece, whether it is true or not.
struct Header {
  std::uint32_t crc;
  std::size_t size;
  std::uint8_t kind;
};

Header header_at(std::string_view log, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(log[at + i]));
  };
  return {.crc = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24,
          .size = byte(4) | byte(5) << 8,
          .kind = static_cast<std::uint8_t>(byte(6))};
}

struct Piece {
  Kind kind;
  std::string_view bytes;
  std::size_t end;
};

bool is_kind(char byte) {
  const auto kind = static_cast<std::uint8_t>(byte);
  return kind >= whole && kind <= last;
}

std::size_t block_end(std::size_t at) { return (at / block_bytes + 1) * block_bytes; }

/// The piece that begins here, if it is what was written.
std::optional<Piece> piece_at(std::string_view log, std::size_t at) {
  const auto end_max = std::min(block_end(at), log.size());
  if (at + header_bytes > end_max) return std::nullopt;
  const Header header = header_at(log, at);
  const auto begin = at + header_bytes;
  if (header.kind < whole || header.kind > last || header.size > end_max - begin)
    return std::nullopt;
  const auto bytes = log.substr(begin, header.size);
  if (Crc(header.kind).add(bytes).masked() != header.crc) return std::nullopt;
  return Piece{.kind = static_cast<Kind>(header.kind), .bytes = bytes, .end = begin + header.size};
}

/// Where the next record begins from here on; the end of the file where none does.
std::size_t next_record(std::string_view log, std::size_t at) {
  for (; at + header_bytes <= log.size(); ++at) {
    const auto kind = static_cast<std::uint8_t>(log[at + header_bytes - 1]);
    if ((kind == whole || kind == first) && piece_at(log, at)) return at;
  }
  return log.size();
}

/// Whether the file ends here because no more was written: within a piece whose size is true, as no
/// part of what is there has its checksum, and no other record follows.
bool is_torn(std::string_view log, std::size_t at) {
  const auto rest = log.substr(at);
  if (rest.size() < header_bytes || rest.find_first_not_of('\0') == std::string_view::npos)
    return true;
  const Header header = header_at(log, at);
  const auto begin = at + header_bytes;
  if (header.kind < whole || header.kind > last || begin + header.size > block_end(at) ||
      begin + header.size <= log.size())
    return false;
  Crc crc(header.kind);
  if (crc.masked() == header.crc) return false;
  for (const char byte : rest.substr(header_bytes)) {
    crc.add(byte);
    if (crc.masked() == header.crc) return false;
  }
  return next_record(log, at + 1) == log.size();
}

void append_piece(Kind kind, std::string_view bytes, std::string& log) {
  const std::uint32_t crc = Crc(kind).add(bytes).masked();
  for (int shift = 0; shift < 32; shift += 8) log += static_cast<char>(crc >> shift & 0xFF);
  log += static_cast<char>(bytes.size() & 0xFF);
  log += static_cast<char>(bytes.size() >> 8);
  log += static_cast<char>(kind);
  log += bytes;
}

/// Whether it holds a record; `remedy` says what to do where it is damaged.
Result<bool> check_log(const fs::path& file, std::string_view log, std::string_view remedy) {
  bool has_records = false;
  std::optional<LogDamage> found;
  read_log(log, {.record = [&](std::string_view) { has_records = true; },
                 .damage =
                     [&](const LogDamage& damage) {
                       if (!found) found = damage;
                     }});
  if (!found) return has_records;
  return fail(Errc::corrupt,
              fmt::format("{} is damaged at byte {} ({}), so that nothing behind it can be "
                          "trusted; {}",
                          file.string(), found->at, found->reason, remedy));
}

}  // namespace

void read_log(std::string_view log, const LogVisitor& visit) {
  std::string record;
  bool in_record = false;  // Of several pieces.
  std::size_t begin = 0;   // Of the record.
  for (std::size_t at = 0; at < log.size();) {
    if (block_end(at) - at < header_bytes) {
      at = block_end(at);
      continue;
    }
    if (!in_record) begin = at;
    const auto piece = piece_at(log, at);
    if (!piece) {
      if (is_torn(log, at)) return;
      const auto end = next_record(log, at + 1);
      visit.damage({.at = at,
                    .begin = begin,
                    .end = end,
                    .reason = "its checksum is not that of what is there"});
      in_record = false;
      at = end;
      continue;
    }
    const bool begins = piece->kind == whole || piece->kind == first;
    const bool ends = piece->kind == whole || piece->kind == last;
    const bool fits = begins != in_record;
    if (!fits)
      visit.damage({.at = at,
                    .begin = begin,
                    .end = begins ? at : piece->end,
                    .reason = "a part of a record is missing"});
    if (begins) {
      record.clear();
      begin = at;
    }
    record += piece->bytes;
    if (ends && (fits || begins)) visit.record(record);
    in_record = !ends && (fits || begins);
    at = piece->end;
  }
}

std::vector<std::string> read_damaged(std::string_view log, const LogDamage& damage) {
  std::vector<std::string> records;
  for (std::size_t at = damage.begin; at + header_bytes <= damage.end;) {
    const auto room_end = std::min<std::size_t>(block_end(at), damage.end);
    const auto begin = at + header_bytes;
    if (begin > room_end) {
      at = block_end(at);
      continue;
    }
    const Header header = header_at(log, at);
    auto end = begin + header.size;
    // A size that leads to no other piece is the damage.
    const auto kind_at = end + header_bytes - 1;
    if (end > room_end || (kind_at < room_end && !is_kind(log[kind_at]))) end = room_end;
    if (records.empty() || header.kind == whole || header.kind == first) records.emplace_back();
    records.back() += log.substr(begin, end - begin);
    at = end;
  }
  return records;
}

std::string write_log(std::span<const std::string> records) {
  std::string log;
  for (const std::string_view record : records) {
    std::size_t at = 0;
    bool begins = true;  // A piece at the end of a block may hold no byte.
    do {
      const auto left = block_end(log.size()) - log.size();
      if (left < header_bytes) {
        log.append(left, '\0');
        continue;
      }
      const auto part = record.substr(at, left - header_bytes);
      const bool ends = at + part.size() == record.size();
      append_piece(begins ? (ends ? whole : first) : (ends ? last : middle), part, log);
      begins = false;
      at += part.size();
      if (ends) break;
    } while (true);
  }
  return log;
}

Result<std::vector<fs::path>> log_files(const fs::path& database) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(database, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".log") files.push_back(at->path());
  if (error && error != std::errc::no_such_file_or_directory)
    return os_error("list", database, error.value());
  std::sort(files.begin(), files.end());
  return files;
}

Result<Manifest> read_manifest(const fs::path& database) {
  constexpr std::string_view remedy =
      "restore a backup (`meterline store restore`), or load the files again into a new store";
  const auto current = database / "CURRENT";
  METERLINE_TRY(const bool has_current, is_there(current));
  if (!has_current)
    return fail(Errc::corrupt,
                fmt::format("{} has no database any more; `meterline store repair` takes back what "
                            "a repair left that was interrupted, else {}",
                            database.string(), remedy));
  Manifest manifest;
  METERLINE_TRY(manifest.current, read_whole_file(current));
  manifest.name = manifest.current;
  const bool is_line = manifest.name.starts_with("MANIFEST-") && manifest.name.ends_with('\n');
  if (is_line) manifest.name.pop_back();
  METERLINE_TRY(const bool found, is_there(database / manifest.name));
  if (!is_line || !found)
    return fail(Errc::corrupt, fmt::format("{} is damaged, as it names no MANIFEST that is there; "
                                           "{}",
                                           current.string(), remedy));
  METERLINE_TRY(manifest.bytes, read_whole_file(database / manifest.name));
  METERLINE_CHECK(check_log(database / manifest.name, manifest.bytes, remedy));
  return manifest;
}

Result<bool> check_log_of(const fs::path& file, std::string_view bytes) {
  return check_log(file, bytes,
                   "`meterline store repair` tells what is lost and keeps the rest, unless the "
                   "store can be restored from a backup");
}

Result<bool> check_logs(const fs::path& database) {
  bool has_records = false;
  METERLINE_TRY(const auto logs, log_files(database));
  for (const auto& file : logs) {
    METERLINE_TRY(const auto log, read_whole_file(file));
    METERLINE_TRY(const bool has, check_log_of(file, log));
    has_records |= has;
  }
  return has_records;
}

}  // namespace meterline::store::rocksdb
