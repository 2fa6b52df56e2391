#include "store/rocksdb/database.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/table.h>

#include <thread>

#include "store/rocksdb/month_merge.h"

namespace meterline::store {
namespace {

constexpr std::size_t families_count = 4;
constexpr std::size_t write_buffers_bytes = 64 << 20;
constexpr std::size_t block_bytes = 16 << 10;

/// The database's own log is left out: what matters comes back as a status, and when the disk is
/// full, a log that cannot be written ends the process (an assertion of the library).
class NoLog final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options base_options(std::size_t cache_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(cache_bytes);
  table.block_size = block_bytes;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;

  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.db_write_buffer_size = write_buffers_bytes;
  options.write_buffer_size = write_buffers_bytes / 2;
  options.max_background_jobs = static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
  options.compression = rocksdb::kNoCompression;  // Packed days leave nothing to gain.
  options.info_log = std::make_shared<NoLog>();
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& folder,
                                                 std::size_t cache_bytes) {
  std::unique_ptr<Database> opened(new Database());
  opened->options_.assign(families_count, base_options(cache_bytes));
  for (const auto family : {Family::days, Family::totals})
    opened->options_[static_cast<std::size_t>(family)].merge_operator = make_month_merge();

  const char* const names[families_count] = {"default", "days", "totals", "deliveries"};
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (std::size_t i = 0; i < families_count; ++i)
    families.emplace_back(names[i], opened->options_[i]);
  rocksdb::DB* db = nullptr;
  const auto status =
      rocksdb::DB::Open(opened->options_[0], folder.string(), families, &opened->handles_, &db);
  if (!status.ok()) return database_error("open the database in " + folder.string(), status);
  opened->db_.reset(db);
  return opened;
}

Database::~Database() {
  if (!db_) return;
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
}

tl::unexpected<Error> database_error(std::string_view doing, const rocksdb::Status& status) {
  if (status.IsNoSpace())
    return fail(Errc::unavailable,
                fmt::format("cannot {}: the disk is full; free some space and run it again "
                            "(what was acknowledged is safe)",
                            doing));
  const auto code = status.IsCorruption() ? Errc::corrupt : Errc::unavailable;
  return fail(code, fmt::format("cannot {}: {}", doing, status.ToString()));
}

}  // namespace meterline::store
