#include "store/rocksdb/database.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <thread>

#include "store/rocksdb/month_merge.h"

namespace meterline::store {
namespace {

constexpr std::size_t families_count = 7;
constexpr std::size_t write_buffers_bytes = 64 << 20;
/// Of `days`: four months of a meter. 16 KB save 0.2 % of the files and make a read take a sixth
/// longer. The others hold short values, of which one is looked for.
constexpr std::size_t days_block_bytes = 8 << 10;
constexpr std::size_t block_bytes = 4 << 10;
/// A key that a file does not have costs a look at the filter: one in a hundred more.
constexpr int filter_bits = 10;

/// The database's own log is left out: what matters comes back as a status, and when the disk is
/// full, a log that cannot be written ends the process (an assertion of the library).
class NoLog final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

std::shared_ptr<rocksdb::TableFactory> make_tables(Family family,
                                                   std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  table.block_size = family == Family::days ? days_block_bytes : block_bytes;
  if (family != Family::deliveries && family != Family::recent && family != Family::registers)
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(filter_bits));
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

rocksdb::Options base_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.db_write_buffer_size = write_buffers_bytes;
  options.write_buffer_size = write_buffers_bytes / 2;
  options.max_background_jobs = static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
  options.compression = rocksdb::kNoCompression;  // Packed days leave nothing to gain.
  options.info_log = std::make_shared<NoLog>();
  return options;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& folder,
                                                 std::size_t cache_bytes) {
  std::unique_ptr<Database> opened(new Database());
  opened->options_.assign(families_count, base_options());
  const auto options_of = [&](Family family) -> rocksdb::Options& {
    return opened->options_[static_cast<std::size_t>(family)];
  };
  const auto cache = rocksdb::NewLRUCache(cache_bytes);
  for (const auto family : {Family::days, Family::totals, Family::deliveries, Family::meters,
                            Family::recent, Family::registers})
    options_of(family).table_factory = make_tables(family, cache);
  options_of(Family::days).merge_operator = make_days_merge();
  options_of(Family::totals).merge_operator = make_totals_merge();
  options_of(Family::meters).merge_operator = make_meters_merge();

  const char* const names[families_count] = {"default", "days",   "totals",   "deliveries",
                                             "meters",  "recent", "registers"};
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
