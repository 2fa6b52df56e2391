#include "store/rocksdb/sorted_files.h"

#include <fmt/format.h>

#include <atomic>
#include <system_error>

#include "core/try.h"

namespace meterline::store {
namespace {

constexpr std::uint64_t file_bytes_max = 64 << 20;

std::string next_name() {
  static std::atomic<std::uint64_t> count = 0;
  return fmt::format("{}.sst", count++);
}

Result<void> checked(const rocksdb::Status& status) {
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

Result<rocksdb::SstFileWriter*> SortedFiles::writer() {
  if (writer_ && writer_->FileSize() >= file_bytes_max) METERLINE_CHECK(finish_file());
  if (!writer_) {
    files_.push_back((folder_ / next_name()).string());
    const auto& options = database_.options(family_);
    constexpr bool forget_pages = false;  // Who has just loaded a file asks for it next.
    writer_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(options), options,
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
  rocksdb::ExternalSstFileInfo info;
  auto finished = checked(writer_->Finish(&info));
  checksums_.push_back(info.file_checksum);
  writer_.reset();
  return finished;
}

Result<void> take_in(Database& database, std::initializer_list<SortedFiles*> sorted) {
  std::vector<rocksdb::IngestExternalFileArg> arguments;
  for (auto* files : sorted) {
    METERLINE_CHECK(files->finish_file());
    if (files->files().empty()) continue;
    rocksdb::IngestExternalFileArg argument;
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

}  // namespace meterline::store
