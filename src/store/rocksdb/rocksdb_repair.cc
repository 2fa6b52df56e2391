#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "core/try.h"
#include "store/delivery_codec.h"
#include "store/rocksdb/log_file.h"
#include "store/rocksdb/opened_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/rocksdb/store_folder.h"

// A repair makes a second database beside the damaged one: table files are linked, as RocksDB never
// changes them, and logs are written anew with the writes that are whole. That one is opened, rid
// of what has no record, and takes the place of the first, which is kept.

namespace meterline::store::rocksdb {
namespace {

namespace fs = std::filesystem;

/// What a damaged write says of deliveries, up to where it makes no sense any more.
class LostWrite final : public ::rocksdb::WriteBatch::Handler {
 public:
  explicit LostWrite(const std::string& bytes) {
    // An error only says that the bytes are damaged.
    ::rocksdb::WriteBatch(bytes).Iterate(this).PermitUncheckedError();
  }

  ::rocksdb::Status PutCF(std::uint32_t family, const ::rocksdb::Slice& key,
                          const ::rocksdb::Slice& value) override {
    if (family != static_cast<std::uint32_t>(Family::deliveries)) return {};
    const auto name = view_of(key);
    if (name.starts_with('n')) note_number(name.substr(1));
    if (name.starts_with('d')) note_record(name.substr(1), view_of(value));
    return {};
  }
  ::rocksdb::Status MergeCF(std::uint32_t, const ::rocksdb::Slice&,
                            const ::rocksdb::Slice&) override {
    return {};
  }
  ::rocksdb::Status DeleteCF(std::uint32_t, const ::rocksdb::Slice&) override { return {}; }

  std::vector<LostDelivery> take_deliveries() { return std::move(deliveries_); }
  /// Greater than any delivery's number in it; 0 where there is none.
  std::uint32_t next_number() const { return next_number_; }

 private:
  void note_number(std::string_view bytes) {
    const auto number = read_number(bytes);
    if (number && *number < delivery_numbers_max)
      next_number_ = std::max(next_number_, *number + 1);
  }
  void note_record(std::string_view id, std::string_view value) {
    LostDelivery lost;
    if (id.size() != lost.id.bytes.size()) return;
    std::copy(id.begin(), id.end(), lost.id.bytes.begin());
    if (auto record = decode_delivery(value)) {
      lost.source = std::move(record->delivery.source);
      lost.delivered_at = record->delivery.delivered_at;
    }
    deliveries_.push_back(std::move(lost));
  }

  std::vector<LostDelivery> deliveries_;
  std::uint32_t next_number_ = 0;
};

class Repair {
 public:
  explicit Repair(StoreFolder folder)
      : folder_(std::move(folder)), copy_(folder_.incoming() / "repaired") {}

  Result<RepairReport> run(const RocksdbOptions& options, RepairMode mode);

 private:
  Result<void> take_back();
  Result<void> copy_database();
  Result<void> copy_file(const fs::path& file);
  Result<void> copy_log(const fs::path& file);
  Result<void> open_copy(const RocksdbOptions& options);
  Result<void> put_in_place();
  fs::path damaged(int n) const { return folder_.path() / fmt::format("damaged-{}", n); }

  const StoreFolder folder_;
  const fs::path copy_;
  RepairReport report_;
  std::uint32_t next_number_ = 0;
};

Result<RepairReport> Repair::run(const RocksdbOptions& options, RepairMode mode) {
  METERLINE_CHECK(take_back());
  METERLINE_CHECK(read_manifest(folder_.database()));
  METERLINE_CHECK(make_folder(copy_));
  METERLINE_CHECK(copy_database());
  METERLINE_CHECK(open_copy(options));
  if (mode == RepairMode::apply && report_.finds_damage()) METERLINE_CHECK(put_in_place());
  METERLINE_CHECK(clear_away(copy_));
  return std::move(report_);
}

/// A repair that was ended between its two renames left no database.
Result<void> Repair::take_back() {
  METERLINE_TRY(const bool has_database, is_there(folder_.database()));
  if (has_database) return {};
  int last = 0;
  for (;;) {
    METERLINE_TRY(const bool found, is_there(damaged(last + 1)));
    if (!found) break;
    ++last;
  }
  if (last == 0)
    return fail(Errc::corrupt, fmt::format("{} has no database any more; restore a backup "
                                           "(`meterline store restore`), or load the files again "
                                           "into a new store",
                                           folder_.path().string()));
  return move_name(damaged(last), folder_.database());
}

Result<void> Repair::copy_database() {
  std::error_code error;
  for (fs::directory_iterator at(folder_.database(), error), end; !error && at != end;
       at.increment(error))
    METERLINE_CHECK(copy_file(at->path()));
  if (error) return os_error("list", folder_.database(), error.value());
  return {};
}

Result<void> Repair::copy_file(const fs::path& file) {
  if (file.extension() == ".log") return copy_log(file);
  const auto to = copy_ / file.filename();
  if (file.extension() == ".sst") {
    std::error_code error;
    fs::create_hard_link(file, to, error);
    if (error) return os_error("link", file, error.value());
    return {};
  }
  if (file.filename() == "LOCK") return {};
  METERLINE_TRY(const auto bytes, read_whole_file(file));
  return write_durably(to, bytes);
}

Result<void> Repair::copy_log(const fs::path& file) {
  METERLINE_TRY(const auto log, read_whole_file(file));
  std::vector<std::string> whole;
  const auto lose = [&](const LogDamage& damage) {
    LostBytes lost{.file = file,
                   .from = damage.begin,
                   .to = damage.end,
                   .reason = std::string(damage.reason),
                   .deliveries = {}};
    for (const auto& bytes : read_damaged(log, damage)) {
      LostWrite write(bytes);
      next_number_ = std::max(next_number_, write.next_number());
      for (auto& delivery : write.take_deliveries()) lost.deliveries.push_back(std::move(delivery));
    }
    report_.lost.push_back(std::move(lost));
  };
  read_log(log, {.record = [&](std::string_view record) { whole.emplace_back(record); },
                 .damage = lose});
  report_.writes_kept += static_cast<std::int64_t>(whole.size());
  return write_durably(copy_ / file.filename(), write_log(whole));
}

/// Brings it into order; what was thought lost and had come into a table before is not lost.
Result<void> Repair::open_copy(const RocksdbOptions& options) {
  METERLINE_TRY(
      const auto opened,
      open_once(
          {.database = copy_, .incoming = folder_.incoming()}, options,
          {.as = OpenAs::there, .purpose = OpenPurpose::repair, .first_number = next_number_}));
  report_.dropped = opened->dropped();
  for (auto& lost : report_.lost) {
    std::vector<LostDelivery> absent;
    for (auto& delivery : lost.deliveries) {
      METERLINE_TRY(const auto found, opened->delivery(delivery.id));
      if (!found) absent.push_back(std::move(delivery));
    }
    lost.deliveries = std::move(absent);
  }
  return {};
}

Result<void> Repair::put_in_place() {
  int number = 1;
  for (;; ++number) {
    METERLINE_TRY(const bool found, is_there(damaged(number)));
    if (!found) break;
  }
  METERLINE_CHECK(move_name(folder_.database(), damaged(number)));
  METERLINE_CHECK(move_name(copy_, folder_.database()));
  METERLINE_CHECK(sync_folder(folder_.path()));
  report_.damaged = damaged(number);
  return {};
}

}  // namespace

Result<RepairReport> repair_rocksdb_store(const RocksdbOptions& options, RepairMode mode) {
  METERLINE_TRY(auto folder, StoreFolder::open(options.folder, false, options.owner));
  return Repair(std::move(folder)).run(options, mode);
}

}  // namespace meterline::store::rocksdb
