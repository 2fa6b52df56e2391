#include "store/rocksdb/beside.h"

#include <rocksdb/file_system.h>

#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/try.h"
#include "store/rocksdb/log_file.h"
#include "store/rocksdb/store_folder.h"

namespace meterline::store::rocksdb {
namespace {

using ::rocksdb::IODebugContext;
using ::rocksdb::IOOptions;
using ::rocksdb::IOStatus;

bool is_log(std::string_view path) { return path.ends_with(".log"); }

std::string name_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

/// Bytes that outlive it, read as a file.
class SeenFile final : public ::rocksdb::FSSequentialFile {
 public:
  explicit SeenFile(std::string_view left) : left_(left) {}

  IOStatus Read(std::size_t count, const IOOptions&, ::rocksdb::Slice* result, char* scratch,
                IODebugContext*) override {
    const auto taken = left_.substr(0, count);
    std::memcpy(scratch, taken.data(), taken.size());
    *result = ::rocksdb::Slice(scratch, taken.size());
    left_.remove_prefix(taken.size());
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t count) override {
    left_.remove_prefix(std::min<std::uint64_t>(count, left_.size()));
    return IOStatus::OK();
  }

 private:
  std::string_view left_;
};

class FilesAsSeen final : public ::rocksdb::FileSystemWrapper {
 public:
  explicit FilesAsSeen(SeenFiles seen)
      : FileSystemWrapper(::rocksdb::FileSystem::Default()), seen_(std::move(seen)) {}

  const char* Name() const override { return "FilesAsSeen"; }

  IOStatus NewSequentialFile(const std::string& path, const ::rocksdb::FileOptions& options,
                             std::unique_ptr<::rocksdb::FSSequentialFile>* file,
                             IODebugContext* debug) override {
    const auto seen = seen_.find(name_of(path));
    if (seen == seen_.end() && is_log(path)) return IOStatus::PathNotFound(path);
    if (seen == seen_.end())
      return FileSystemWrapper::NewSequentialFile(path, options, file, debug);
    *file = std::make_unique<SeenFile>(seen->second);
    return IOStatus::OK();
  }
  IOStatus GetChildren(const std::string& folder, const IOOptions& options,
                       std::vector<std::string>* names, IODebugContext* debug) override {
    auto listed = FileSystemWrapper::GetChildren(folder, options, names, debug);
    std::erase_if(*names, [](const std::string& name) { return is_log(name); });
    for (const auto& [name, bytes] : seen_)
      if (is_log(name)) names->push_back(name);
    return listed;
  }

 private:
  const SeenFiles seen_;
};

}  // namespace

Result<SeenFiles> read_logs(const std::filesystem::path& database) {
  SeenFiles logs;
  // Ascending: where there is a later one, the owner writes no more into those before.
  METERLINE_TRY(const auto files, log_files(database));
  for (const auto& file : files) {
    auto bytes = read_whole_file(file);
    std::error_code error;
    if (!bytes && !std::filesystem::exists(file, error) && !error) continue;
    METERLINE_TRY(auto read, std::move(bytes));
    METERLINE_CHECK(check_log_of(file, read));
    logs.emplace(file.filename().string(), std::move(read));
  }
  return logs;
}

Result<SeenFiles> read_logs_and_manifest(const std::filesystem::path& database) {
  METERLINE_TRY(auto seen, read_logs(database));
  METERLINE_TRY(auto manifest, read_manifest(database));
  seen.emplace("CURRENT", std::move(manifest.current));
  seen.emplace(std::move(manifest.name), std::move(manifest.bytes));
  return seen;
}

std::unique_ptr<::rocksdb::Env> make_seen_files(SeenFiles seen) {
  return ::rocksdb::NewCompositeEnv(std::make_shared<FilesAsSeen>(std::move(seen)));
}

Result<FilesMark> files_mark(const std::filesystem::path& database) {
  FilesMark mark;
  METERLINE_TRY(mark.current, read_whole_file(database / "CURRENT"));
  const auto manifest = database / mark.current.substr(0, mark.current.find('\n'));
  std::error_code error;
  mark.bytes = std::filesystem::file_size(manifest, error);
  if (error) return os_error("look at", manifest, error.value());
  return mark;
}

}  // namespace meterline::store::rocksdb
