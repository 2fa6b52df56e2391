#include "store/rocksdb/meter_relisting.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/try.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/known_meters.h"
#include "store/rocksdb/meter_channels.h"

namespace meterline::store {
namespace {

class Relisting {
 public:
  explicit Relisting(Database& database) : database_(database) {}

  Result<void> note(std::string_view days_key);
  /// Lists what was noted.
  Result<void> finish();

 private:
  Result<void> read_listed(std::string_view meter);

  Database& database_;
  std::string meter_;                                  ///< The one noted last.
  std::vector<Channel> listed_;                        ///< Of meter_.
  std::set<Channel> all_;                              ///< Of all meters, or as many as are listed.
  std::map<std::string, std::set<Channel>> unlisted_;  ///< By meter.
};

Result<void> Relisting::read_listed(std::string_view meter) {
  meter_ = meter;
  listed_.clear();
  std::string value;
  const auto status =
      database_.db().Get({}, database_.family(Family::meters), slice_of(meter), &value);
  if (status.IsNotFound()) return {};
  if (!status.ok()) return database_error("read the list of meters", status);
  return read_meter_channels(value, listed_);
}

Result<void> Relisting::note(std::string_view days_key) {
  const auto key = parse_days_key(days_key);
  if (!key) return fail(Errc::corrupt, "the store holds a damaged key of days");
  if (key->meter != meter_) METERLINE_CHECK(read_listed(key->meter));
  if (!std::binary_search(listed_.begin(), listed_.end(), key->channel))
    unlisted_[meter_].insert(key->channel);
  if (all_.size() < KnownMeters::channels_max) all_.insert(key->channel);
  return {};
}

Result<void> Relisting::finish() {
  if (all_.empty()) return {};
  unlisted_[std::string(all_meters_key)] = all_;
  rocksdb::WriteBatch batch;
  for (const auto& [key, channels] : unlisted_) {
    std::string value;
    write_meter_channels(std::vector<Channel>(channels.begin(), channels.end()), value);
    const auto status = batch.Merge(database_.family(Family::meters), key, value);
    if (!status.ok()) return database_error("list meters", status);
  }
  return database_.write("list meters", batch, true);
}

}  // namespace

Result<void> list_meters_of_days(Database& database, const RecentMonths& recent) {
  Relisting relisting(database);
  const std::unique_ptr<rocksdb::Iterator> days(
      database.db().NewIterator({}, database.family(Family::days)));
  for (days->SeekToFirst(); days->Valid(); days->Next())
    METERLINE_CHECK(relisting.note(view_of(days->key())));
  if (!days->status().ok()) return database_error("read the store", days->status());
  EntryBuffer found;
  recent.of_all_meters(Family::days, all_months, found);
  for (std::size_t i = 0; i < found.size(); ++i) METERLINE_CHECK(relisting.note(found.key(i)));
  return relisting.finish();
}

}  // namespace meterline::store
