#include "store/rocksdb/rocksdb_backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "core/crc32c.h"
#include "core/try.h"
#include "store/durable_files.h"
#include "store/rocksdb/beside.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/store_folder.h"

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;

/// Descriptors of tables: what they name is readable after its owner removed it.
class HeldTables {
 public:
  HeldTables() = default;
  ~HeldTables() {
    for (const int fd : fds_) ::close(fd);
  }
  HeldTables(const HeldTables&) = delete;
  HeldTables& operator=(const HeldTables&) = delete;

  /// By which path a table can be read from now on.
  Result<fs::path> hold(const fs::path& table) {
    const int fd = ::open(table.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return os_error("read", table, errno);
    fds_.push_back(fd);
    return fs::path(fmt::format("/proc/self/fd/{}", fd));
  }

 private:
  std::vector<int> fds_;
};

backup::SourceFile small_file(std::string name, std::string text) {
  backup::SourceFile file;
  file.facts = {.name = std::move(name), .bytes = text.size(), .crc32c = crc32c(text)};
  file.text = std::move(text);
  return file;
}

Result<std::uint32_t> crc_of(const ::rocksdb::LiveFileMetaData& table, const fs::path& path) {
  if (const auto noted = noted_crc(table)) return *noted;
  std::uint32_t crc = 0;
  METERLINE_CHECK(read_pieces(path, [&](std::string_view piece) -> Result<void> {
    crc = crc32c(piece, crc);
    return {};
  }));
  return crc;
}

Result<std::vector<backup::SourceFile>> hold_tables(const Database& database, HeldTables& held) {
  std::vector<::rocksdb::LiveFileMetaData> tables;
  database.db().GetLiveFilesMetaData(&tables);
  std::vector<backup::SourceFile> files;
  files.reserve(tables.size());
  for (const auto& table : tables) {
    METERLINE_TRY(auto path, held.hold(table.db_path + table.name));
    METERLINE_TRY(const auto crc, crc_of(table, path));
    files.push_back({.facts = {.name = table.name.substr(table.name.rfind('/') + 1),
                               .bytes = table.size,
                               .crc32c = crc},
                     .is_table = true,
                     .path = std::move(path),
                     .text = ""});
  }
  return files;
}

/// The MANIFEST is as it was read, and names the tables.
Result<backup::StoreFiles> hold_once(const fs::path& folder) {
  METERLINE_TRY(auto seen, read_logs_and_manifest(folder));
  METERLINE_TRY(auto identity, read_whole_file(folder / "IDENTITY"));
  METERLINE_TRY(const auto database, Database::open_seen(folder, cache_bytes_min, seen));
  const auto held = std::make_shared<HeldTables>();
  backup::StoreFiles files;
  METERLINE_TRY(files.files, hold_tables(*database, *held));
  files.store = identity.substr(0, identity.find('\n'));
  files.format = store_format;
  files.held = held;
  files.files.push_back(small_file("IDENTITY", std::move(identity)));
  for (auto& [name, bytes] : seen) files.files.push_back(small_file(name, std::move(bytes)));
  return files;
}

/// A table may be gone that the MANIFEST named when it was read.
Result<backup::StoreFiles> hold_files(const fs::path& database) {
  return open_beside(database, [&] { return hold_once(database); });
}

}  // namespace

Opening<backup::StoreFiles> hold_store_files(const RocksdbOptions& options) {
  METERLINE_TRY(const auto database, StoreFolder::database_to_read(options.folder));
  auto files = hold_files(database);
  if (!files && lacks_families(database)) {
    METERLINE_CHECK(open_rocksdb_store(options));  // Which makes them.
    files = hold_files(database);
  }
  if (!files) return tl::unexpected(OpenError(std::move(files).error()));
  return *std::move(files);
}

Result<void> restore_rocksdb_store(const RocksdbOptions& options, backup::Place& place,
                                   const backup::Backup& backup, const backup::Work& work) {
  if (backup.format != store_format)
    return fail(Errc::refused,
                fmt::format("backup {} is of a store of format {}; this meterline writes format "
                            "{}: restore it with the one that made it",
                            backup.id, backup.format, store_format));
  METERLINE_TRY(auto folder, StoreFolder::open(options.folder, true, options.owner));
  if (!folder.is_new())
    return fail(Errc::refused,
                fmt::format("there is a store in {}; name an empty or new folder with --store "
                            "rocksdb:DIR",
                            options.folder.string()));
  METERLINE_CHECK(make_folder(folder.database()));
  METERLINE_CHECK(backup::copy_out(place, backup, folder.database(), work));
  METERLINE_CHECK(Database::open(folder.database(), options.cache_bytes, OpenAs::read_only));
  METERLINE_CHECK(folder.finish());
  return {};
}

}  // namespace meterline::store::rocksdb
