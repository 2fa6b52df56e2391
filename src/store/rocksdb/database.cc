#include "store/rocksdb/database.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include "core/crc32c.h"
#include "core/try.h"
#include "store/rocksdb/beside.h"
#include "store/rocksdb/log_file.h"
#include "store/rocksdb/store_folder.h"
#include "store/rocksdb/united.h"

namespace meterline::store::rocksdb {
namespace {

using ::rocksdb::IODebugContext;
using ::rocksdb::IOOptions;
using ::rocksdb::IOStatus;

bool is_options(std::string_view path) {
  return path.substr(path.rfind('/') + 1).starts_with("OPTIONS-");
}

class UnsyncedFile final : public ::rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
};

class StoreDirectory final : public ::rocksdb::FSDirectoryWrapper {
 public:
  using FSDirectoryWrapper::FSDirectoryWrapper;
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const ::rocksdb::DirFsyncOptions& why) override {
    if (why.reason == ::rocksdb::DirFsyncOptions::kFileRenamed && is_options(why.renamed_new_name))
      return IOStatus::OK();
    return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, why);
  }
};

class StoreFiles final : public ::rocksdb::FileSystemWrapper {
 public:
  explicit StoreFiles(std::shared_ptr<const Failure> failure)
      : FileSystemWrapper(::rocksdb::FileSystem::Default()), failure_(std::move(failure)) {}

  const char* Name() const override { return "StoreFiles"; }

  IOStatus NewWritableFile(const std::string& path, const ::rocksdb::FileOptions& options,
                           std::unique_ptr<::rocksdb::FSWritableFile>* file,
                           IODebugContext* debug) override {
    auto made = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (made.ok() && is_options(path)) *file = std::make_unique<UnsyncedFile>(std::move(*file));
    return made;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<::rocksdb::FSDirectory>* directory,
                        IODebugContext* debug) override {
    auto made = FileSystemWrapper::NewDirectory(path, options, directory, debug);
    if (made.ok()) *directory = std::make_unique<StoreDirectory>(std::move(*directory));
    return made;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* debug) override {
    if (path.ends_with(".sst") && failure_->is_of_manifest()) return IOStatus::OK();
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }

 private:
  const std::shared_ptr<const Failure> failure_;
};

}  // namespace

std::unique_ptr<::rocksdb::Env> make_store_files(std::shared_ptr<const Failure> failure) {
  return ::rocksdb::NewCompositeEnv(std::make_shared<StoreFiles>(std::move(failure)));
}

namespace {

constexpr std::size_t families_count = 7;
constexpr std::array<const char*, families_count> family_names = {
    "default", "days", "totals", "deliveries", "meters", "recent", "registers"};
constexpr std::size_t write_buffers_bytes = 64 << 20;
/// Of `days`: four months of a meter. 16 KB save 0.2 % of the files and make a read take a sixth
/// longer. The others hold short values, of which one is looked for.
constexpr std::size_t days_block_bytes = 8 << 10;
constexpr std::size_t block_bytes = 4 << 10;
/// A key that a file does not have costs a look at the filter: one in a hundred more.
constexpr int filter_bits = 10;

/// The database's own log is left out: what matters comes back as a status, and when the disk is
/// full, a log that cannot be written ends the process (an assertion of the library).
class NoLog final : public ::rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

/// Learns of what fails in the background.
class FailureListener final : public ::rocksdb::EventListener {
 public:
  explicit FailureListener(std::shared_ptr<Failure> failure) : failure_(std::move(failure)) {}
  void OnBackgroundError(::rocksdb::BackgroundErrorReason reason,
                         ::rocksdb::Status* status) override {
    if (reason == ::rocksdb::BackgroundErrorReason::kManifestWrite ||
        reason == ::rocksdb::BackgroundErrorReason::kManifestWriteNoWAL)
      failure_->set_of_manifest();
    failure_->set(database_error("write into the store's folder", *status).value());
  }

 private:
  const std::shared_ptr<Failure> failure_;
};

std::shared_ptr<::rocksdb::TableFactory> make_tables(Family family,
                                                     std::shared_ptr<::rocksdb::Cache> cache) {
  ::rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  table.block_size = family == Family::days ? days_block_bytes : block_bytes;
  if (family != Family::deliveries && family != Family::recent && family != Family::registers)
    table.filter_policy.reset(::rocksdb::NewBloomFilterPolicy(filter_bits));
  table.format_version = 5;
  table.checksum = ::rocksdb::kXXH3;
  return std::shared_ptr<::rocksdb::TableFactory>(::rocksdb::NewBlockBasedTableFactory(table));
}

/// RocksDB's own checksum of a file, by the processor's instruction, which Debian's RocksDB does
/// without: a twelfth of a load.
class FileChecksum final : public ::rocksdb::FileChecksumGenerator {
 public:
  void Update(const char* data, std::size_t size) override { crc_ = crc32c({data, size}, crc_); }
  void Finalize() override {}
  std::string GetChecksum() const override {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(crc_ >> shift & 0xFF);
    return bytes;
  }
  const char* Name() const override { return "FileChecksumCrc32c"; }

 private:
  std::uint32_t crc_ = 0;
};

class FileChecksums final : public ::rocksdb::FileChecksumGenFactory {
 public:
  std::unique_ptr<::rocksdb::FileChecksumGenerator> CreateFileChecksumGenerator(
      const ::rocksdb::FileChecksumGenContext& context) override {
    const auto& wanted = context.requested_checksum_func_name;
    if (wanted.empty() || wanted == FileChecksum().Name()) return std::make_unique<FileChecksum>();
    return nullptr;
  }
  const char* Name() const override { return "FileChecksumGenCrc32cFactory"; }
};

bool writes(OpenAs as) { return as == OpenAs::made || as == OpenAs::there; }

::rocksdb::Options base_options(OpenAs as) {
  ::rocksdb::Options options;
  options.create_if_missing = as == OpenAs::made;
  // A store of an older program lacks families that came later.
  options.create_missing_column_families = writes(as);
  options.error_if_exists = as == OpenAs::made;
  // What check_logs() let pass.
  options.wal_recovery_mode = ::rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.atomic_flush = true;
  // The library's own resuming replays a part of what failed, and may end the process.
  options.max_bgerror_resume_count = 0;
  options.file_checksum_gen_factory = make_file_checksums();
  options.db_write_buffer_size = write_buffers_bytes;
  options.write_buffer_size = write_buffers_bytes / 2;
  options.max_background_jobs = static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
  options.compression = ::rocksdb::kNoCompression;  // Packed days leave nothing to gain.
  options.info_log = std::make_shared<NoLog>();
  return options;
}

/// Of a damaged table RocksDB may tell the MANIFEST's name: each is looked at.
tl::unexpected<Error> open_error(const std::filesystem::path& folder,
                                 const ::rocksdb::Options& options,
                                 const ::rocksdb::Status& status) {
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; status.IsCorruption() && !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    if (at->path().extension() != ".sst") continue;
    ::rocksdb::SstFileReader table(options);
    auto read = table.Open(at->path().string());
    if (read.ok()) read = table.VerifyChecksum();
    if (!read.IsCorruption()) continue;
    return fail(
        Errc::corrupt,
        fmt::format("{} is damaged ({}); restore a backup (`meterline store restore`), or load "
                    "the files again into a new store",
                    at->path().string(), read.ToString()));
  }
  return database_error("open the database in " + folder.string(), status);
}

/// The checksum of a whole file; empty where it is no longer there.
Result<std::optional<std::string>> checksum_of(const std::string& path) {
  constexpr std::size_t step_bytes = std::size_t{1} << 20;
  std::ifstream file(path, std::ios::binary);
  const auto error = errno;
  if (!file.is_open() && error == ENOENT) return std::optional<std::string>();
  if (!file.is_open()) return os_error("read", path, error);
  FileChecksum checksum;
  std::string bytes(step_bytes, '\0');
  while (file) {
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    checksum.Update(bytes.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return os_error("read", path, errno);
  checksum.Finalize();
  return std::optional(checksum.GetChecksum());
}

/// As DB::VerifyFileChecksums(), but that a table may be gone: the owner has written what it holds
/// into others since, and this process reads on in what it has open.
Result<void> verify_tables(::rocksdb::DB& db) {
  std::vector<::rocksdb::LiveFileMetaData> tables;
  db.GetLiveFilesMetaData(&tables);
  for (const auto& table : tables) {
    const auto path = table.db_path + table.name;
    METERLINE_TRY(const auto found, checksum_of(path));
    const bool is_known = table.file_checksum_func_name == FileChecksum().Name();
    if (found && is_known && *found != table.file_checksum)
      return database_error("read the store's files",
                            ::rocksdb::Status::Corruption(path + " is not as it was written"));
  }
  return {};
}

}  // namespace

std::shared_ptr<::rocksdb::FileChecksumGenFactory> make_file_checksums() {
  if (!has_crc32c_instruction()) return ::rocksdb::GetFileChecksumGenCrc32cFactory();
  return std::make_shared<FileChecksums>();
}

std::optional<std::uint32_t> noted_crc(const ::rocksdb::LiveFileMetaData& table) {
  std::uint32_t crc = 0;
  if (table.file_checksum_func_name != FileChecksum().Name() ||
      table.file_checksum.size() != sizeof crc)
    return std::nullopt;
  for (const char c : table.file_checksum) crc = crc << 8U | static_cast<unsigned char>(c);
  return crc;
}

Error Failure::error() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}

void Failure::set(const Error& error) {
  const std::scoped_lock lock(mutex_);
  if (is_set()) return;
  error_ = error;
  is_set_.store(true, std::memory_order_release);
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& folder,
                                                 std::size_t cache_bytes, OpenAs as) {
  if (as != OpenAs::beside) return open_once(folder, cache_bytes, as);
  return open_beside(folder, [&] { return open_once(folder, cache_bytes, as); });
}

Result<std::unique_ptr<Database>> Database::open_once(const std::filesystem::path& folder,
                                                      std::size_t cache_bytes, OpenAs as) {
  std::unique_ptr<Database> opened(new Database());
  opened->is_writable_ = writes(as);
  if (as == OpenAs::beside) {
    METERLINE_TRY(auto logs, read_logs(folder));  // Before the MANIFEST.
    opened->files_ = make_seen_files(std::move(logs));
  }
  if (as != OpenAs::made) METERLINE_CHECK(read_manifest(folder));
  if (as != OpenAs::beside) {
    METERLINE_TRY(opened->was_cut_off_, check_logs(folder));
  }
  METERLINE_CHECK(opened->open_families(folder, cache_bytes, as));
  return opened;
}

Result<std::unique_ptr<Database>> Database::open_seen(const std::filesystem::path& folder,
                                                      std::size_t cache_bytes, SeenFiles seen) {
  std::unique_ptr<Database> opened(new Database());
  opened->is_writable_ = false;
  opened->files_ = make_seen_files(std::move(seen));
  METERLINE_CHECK(opened->open_families(folder, cache_bytes, OpenAs::beside));
  return opened;
}

Result<void> Database::open_families(const std::filesystem::path& folder, std::size_t cache_bytes,
                                     OpenAs as) {
  options_.assign(families_count, base_options(as));
  for (auto& options : options_) options.env = files_.get();
  const auto options_of = [&](Family family) -> ::rocksdb::Options& {
    return options_[static_cast<std::size_t>(family)];
  };
  const auto cache = ::rocksdb::NewLRUCache(cache_bytes);
  for (const auto family : {Family::days, Family::totals, Family::deliveries, Family::meters,
                            Family::recent, Family::registers})
    options_of(family).table_factory = make_tables(family, cache);
  options_of(Family::days).merge_operator = make_days_merge();
  options_of(Family::totals).merge_operator = make_totals_merge();
  options_of(Family::meters).merge_operator = make_meters_merge();
  options_[0].listeners.push_back(std::make_shared<FailureListener>(failure_));

  std::vector<::rocksdb::ColumnFamilyDescriptor> families;
  families.reserve(families_count);
  for (std::size_t i = 0; i < families_count; ++i)
    families.emplace_back(family_names[i], options_[i]);
  ::rocksdb::DB* db = nullptr;
  const auto status =
      writes(as)
          ? ::rocksdb::DB::Open(options_[0], folder.string(), families, &handles_, &db)
          : ::rocksdb::DB::OpenForReadOnly(options_[0], folder.string(), families, &handles_, &db);
  if (!status.ok()) return open_error(folder, options_[0], status);
  db_.reset(db);
  for (std::size_t i = 0; i < families_count; ++i) assert(handles_[i]->GetID() == i);
  return {};
}

bool lacks_families(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  const auto status = ::rocksdb::DB::ListColumnFamilies({}, folder.string(), &names);
  return status.ok() && names.size() < families_count;
}

Database::~Database() {
  if (!db_) return;
  if (is_writable_ && !failure_->is_set()) static_cast<void>(flush());
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
}

Result<void> Database::done(std::string_view doing, const ::rocksdb::Status& status) {
  if (status.ok()) return {};
  auto error = database_error(doing, status);
  failure_->set(error.value());
  return error;
}

Result<void> Database::write(std::string_view doing, ::rocksdb::WriteBatch& batch, bool durable) {
  if (failure_->is_set()) return tl::unexpected(failure_->error());
  ::rocksdb::WriteOptions options;
  options.sync = durable;
  return done(doing, db().Write(options, &batch));
}

Result<void> Database::flush() {
  if (failure_->is_set()) return tl::unexpected(failure_->error());
  return done("write the store's tables", db().Flush({}, handles_));
}

Result<void> Database::take_in(const std::vector<::rocksdb::IngestExternalFileArg>& files) {
  if (failure_->is_set()) return tl::unexpected(failure_->error());
  return done("take files into the store", db().IngestExternalFiles(files));
}

Result<void> Database::verify_files() const {
  if (!is_writable_) return verify_tables(db());
  const auto status = db().VerifyFileChecksums({});
  if (!status.ok()) return database_error("read the store's files", status);
  return {};
}

tl::unexpected<Error> damaged_entry() {
  return fail(Errc::corrupt, "the store holds a damaged entry; restore it from the files");
}

Result<void> finished(const ::rocksdb::Iterator& iterator) {
  if (!iterator.status().ok()) return database_error("read the store", iterator.status());
  return {};
}

tl::unexpected<Error> database_error(std::string_view doing, const ::rocksdb::Status& status) {
  if (status.IsNoSpace())
    return fail(Errc::unavailable,
                fmt::format("cannot {}: the disk is full; free some space and run it again "
                            "(what was acknowledged is safe)",
                            doing));
  const auto code = status.IsCorruption() ? Errc::corrupt : Errc::unavailable;
  return fail(code, fmt::format("cannot {}: {}", doing, status.ToString()));
}

namespace {

constexpr std::uint64_t file_bytes_max = 64 << 20;

std::string next_name() {
  static std::atomic<std::uint64_t> count = 0;
  return fmt::format("{}.sst", count++);
}

Result<void> checked(const ::rocksdb::Status& status) {
  if (!status.ok()) return database_error("write into the store's folder", status);
  return {};
}

std::string checksum_name(const Database& database) {
  const auto& factory = database.options(Family::days).file_checksum_gen_factory;
  return factory->CreateFileChecksumGenerator({})->Name();
}

}  // namespace

SortedFiles::SortedFiles(const Database& database, Family family, std::filesystem::path folder)
    : database_(database), family_(family), folder_(std::move(folder)) {}

SortedFiles::~SortedFiles() {
  writer_.reset();
  std::error_code ignored;
  for (const auto& file : files_) std::filesystem::remove(file, ignored);
}

Result<::rocksdb::SstFileWriter*> SortedFiles::writer() {
  if (writer_ && writer_->FileSize() >= file_bytes_max) METERLINE_CHECK(finish_file());
  if (!writer_) {
    files_.push_back((folder_ / next_name()).string());
    const auto& options = database_.options(family_);
    constexpr bool forget_pages = false;  // Who has just loaded a file asks for it next.
    writer_ = std::make_unique<::rocksdb::SstFileWriter>(::rocksdb::EnvOptions(options), options,
                                                         database_.family(family_), forget_pages);
    METERLINE_CHECK(checked(writer_->Open(files_.back())));
  }
  return writer_.get();
}

Result<void> SortedFiles::merge(std::string_view key, std::string_view value) {
  METERLINE_TRY(auto* const out, writer());
  return checked(out->Merge(slice_of(key), slice_of(value)));
}

Result<void> SortedFiles::put(std::string_view key, std::string_view value) {
  METERLINE_TRY(auto* const out, writer());
  return checked(out->Put(slice_of(key), slice_of(value)));
}

Result<void> SortedFiles::remove(std::string_view key) {
  METERLINE_TRY(auto* const out, writer());
  return checked(out->Delete(slice_of(key)));
}

Result<void> SortedFiles::finish_file() {
  if (!writer_) return {};
  ::rocksdb::ExternalSstFileInfo info;
  auto finished = checked(writer_->Finish(&info));
  checksums_.push_back(info.file_checksum);
  writer_.reset();
  return finished;
}

Result<void> take_in(Database& database, std::initializer_list<SortedFiles*> sorted) {
  std::vector<::rocksdb::IngestExternalFileArg> arguments;
  for (auto* files : sorted) {
    METERLINE_CHECK(files->finish_file());
    if (files->files().empty()) continue;
    ::rocksdb::IngestExternalFileArg argument;
    argument.column_family = database.family(files->family());
    argument.external_files = files->files();
    argument.files_checksums = files->checksums();
    argument.files_checksum_func_names.assign(files->files().size(), checksum_name(database));
    argument.options.verify_file_checksum = false;  // Computed as they were written.
    argument.options.move_files = true;
    argument.options.write_global_seqno = false;
    arguments.push_back(argument);
  }
  return arguments.empty() ? Result<void>() : database.take_in(arguments);
}

}  // namespace meterline::store::rocksdb
