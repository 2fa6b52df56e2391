#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/caller.h"
#include "access/key_file.h"
#include "access/key_ring.h"
#include "access/published.h"

namespace meterline::access {

/// Where keys come from.
struct KeySource {
  std::function<Result<std::vector<KeyRecord>>()> read;
  /// A short text that changes where the keys may have; asked for often. Empty: always read.
  std::function<std::string()> mark;
  /// Where the times of the last use are written; empty: nowhere.
  std::filesystem::path uses;
  /// Told once of each thing that goes wrong later.
  std::function<void(std::string_view)> on_fault;
};

/// The keys of a file, which may change at any time.
KeySource source_of_file(const std::filesystem::path& path);

/// Lets in whom the keys belong to, and follows them where they change. Keys that cannot be read
/// any more stay as they were: nobody else gets in.
///
/// Threads: admit() on any, refresh() on one.
class KeyKeeper {
 public:
  /// Errors: those of reading the keys.
  static Result<std::unique_ptr<KeyKeeper>> open(KeySource source);

  Admission admit(std::string_view authorization, Instant now) const;

  /// Reads keys that changed, and writes when they were used, at most once a minute.
  void refresh(Instant now);

 private:
  explicit KeyKeeper(KeySource source) : source_(std::move(source)) {}
  void note_fault(std::string message);
  void gather_uses();
  void write_uses(Instant now);

  const KeySource source_;
  Published<KeyRing> ring_{std::make_shared<const KeyRing>(std::vector<KeyRecord>())};
  std::string mark_;
  std::string fault_;  ///< Told already.
  std::map<std::string, Instant> uses_;
  std::map<std::string, Instant> written_;
  Instant written_at_;
};

/// When keys were used last, from the file that servers write beside that of the keys; none where
/// there is no such file.
std::map<std::string, Instant> read_uses(const std::filesystem::path& path);

}  // namespace meterline::access
