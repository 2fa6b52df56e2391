#include "store/rocksdb/store_files.h"

#include <rocksdb/file_system.h>

#include <string>
#include <string_view>
#include <utility>

#include "store/rocksdb/database.h"

namespace meterline::store {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

bool is_options(std::string_view path) {
  return path.substr(path.rfind('/') + 1).starts_with("OPTIONS-");
}

class UnsyncedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
};

class StoreDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  using FSDirectoryWrapper::FSDirectoryWrapper;
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& why) override {
    if (why.reason == rocksdb::DirFsyncOptions::kFileRenamed && is_options(why.renamed_new_name))
      return IOStatus::OK();
    return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, why);
  }
};

class StoreFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit StoreFiles(std::shared_ptr<const Failure> failure)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), failure_(std::move(failure)) {}

  const char* Name() const override { return "StoreFiles"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                           IODebugContext* debug) override {
    auto made = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (made.ok() && is_options(path)) *file = std::make_unique<UnsyncedFile>(std::move(*file));
    return made;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory,
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

std::unique_ptr<rocksdb::Env> make_store_files(std::shared_ptr<const Failure> failure) {
  return rocksdb::NewCompositeEnv(std::make_shared<StoreFiles>(std::move(failure)));
}

}  // namespace meterline::store
