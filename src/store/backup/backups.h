#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/instant.h"
#include "core/result.h"
#include "core/stop.h"
#include "store/backup/place.h"

/// Copies of a store's files, many of them in one place: what did not change between two backups is
/// there once. A place has
///
///     backups.txt                          what it is, and of which store
///     tables/NUMBER-BYTES-CRC.sst          files that never change, of all backups that have them
///     20261130T020000Z/                    a backup, named by when it began
///         backup.txt                       written last: what has none is no backup
///         CURRENT, MANIFEST-000005, ...    its other files
///
/// Threads: one at a time for a place.
namespace meterline::store::backup {

inline constexpr std::size_t backups_max = 10'000;   ///< In one place.
inline constexpr std::size_t files_max = 1'000'000;  ///< Of one backup.

/// A file of a store, as it is taken.
struct SourceFile {
  FileFacts facts;
  bool is_table = false;       ///< Never changes.
  std::filesystem::path path;  ///< Empty: `text` is all of it.
  std::string text;
};

/// All files that a store is made of at one moment.
struct StoreFiles {
  std::string store;  ///< Tells stores apart: `A-Z a-z 0-9 -`.
  int format = 0;     ///< Of the store's folder.
  std::vector<SourceFile> files;
  std::shared_ptr<const void> held;  ///< Keeps them readable.
};

struct BackupFile {
  FileFacts facts;
  bool is_table = false;
  bool operator==(const BackupFile&) const = default;
};

struct Backup {
  std::string id;
  Instant made_at;
  std::string store;
  int format = 0;
  std::vector<BackupFile> files;

  std::uint64_t bytes() const;
};

/// What `backup.txt` says. Errors: `corrupt` with the line.
std::string text_of(const Backup& backup);
Result<Backup> parse_backup(std::string_view text);

/// How far it is, and whether it is to end: `cancelled` then.
struct Work {
  StopFlag stop = nullptr;
  std::atomic<std::int64_t>* files = nullptr;   ///< Done.
  std::atomic<std::uint64_t>* bytes = nullptr;  ///< Of these.
};

struct MakeOptions {
  Instant now;
  std::size_t keep = 0;  ///< Backups that stay, this one with them; 0: all.
};
struct Made {
  Backup backup;
  std::int64_t files_copied = 0;
  std::uint64_t bytes_copied = 0;
  std::vector<std::string> forgotten;  ///< Ids.
};
/// Adds a backup of these files, and removes what is left of any that was not finished. Errors:
/// `refused` where the place holds something else, or backups of another store; `corrupt` where
/// a file is not what it should be; those of the place. Then no backup is less than it was.
Result<Made> make_backup(Place& place, const StoreFiles& store, const MakeOptions& options,
                         const Work& work = {});

/// What a place says it has.
struct Listed {
  std::string id;
  Result<Backup> backup;  ///< An error where its `backup.txt` cannot be read.
};
/// Ascending by time. Errors: `not_found` where there is no place, or none with backups.
Result<std::vector<Listed>> list_backups(Place& place);

/// When the newest one was made, by the names in the place. Errors: as above.
Result<Instant> time_of_newest(Place& place);

/// The backup of this id; the newest one where `id` is empty. Errors: `not_found`, `corrupt`.
Result<Backup> find_backup(Place& place, const std::string& id);

enum class CheckDepth : std::uint8_t {
  names,  ///< Whether all files are there, with their sizes.
  bytes,  ///< And hold what they held.
};
struct Damage {
  std::string file;  ///< In the place.
  std::string reason;
  std::vector<std::string> backups;  ///< That need it.
};
struct Checked {
  std::int64_t backups = 0;
  std::int64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<Damage> damage;
};
/// Of one backup, or of all where `id` is empty. Errors: `not_found`; those of the place.
Result<Checked> check_backups(Place& place, const std::string& id, CheckDepth depth,
                              const Work& work = {});

/// Copies the files of a backup into a folder that is there, durably but for the names. Errors:
/// `corrupt` where a file is not what it was.
Result<void> copy_out(Place& place, const Backup& backup, const std::filesystem::path& folder,
                      const Work& work = {});

}  // namespace meterline::store::backup
