#include "store/rocksdb/meters.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "core/try.h"
#include "store/rocksdb/keys.h"

namespace meterline::store::rocksdb {
namespace {

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a list of channels is damaged"); }

}  // namespace

void write_meter_channels(std::span<const Channel> channels, std::string& out) {
  out += static_cast<char>(meter_channels_format);
  for (const auto& channel : channels) {
    const std::size_t size_at = out.size();
    out += '\0';
    put_channel(channel, out);
    out[size_at] = static_cast<char>(out.size() - size_at - 1);
  }
}

Result<void> read_meter_channels(std::string_view value, std::vector<Channel>& channels) {
  channels.clear();
  if (value.empty()) return damaged();
  if (static_cast<unsigned char>(value[0]) != meter_channels_format)
    return fail(Errc::corrupt, "a list of channels is in a format this program does not know");
  value.remove_prefix(1);
  while (!value.empty()) {
    const std::size_t size = static_cast<unsigned char>(value[0]);
    if (size >= value.size()) return damaged();
    auto channel = channel_of_bytes(value.substr(1, size));
    if (!channel || (!channels.empty() && *channel <= channels.back())) return damaged();
    channels.push_back(*std::move(channel));
    value.remove_prefix(1 + size);
  }
  return {};
}

Result<void> merge_meter_channels(std::span<const std::string_view> values, std::string& merged) {
  std::vector<Channel> all;
  std::vector<Channel> some;
  for (const auto value : values) {
    METERLINE_CHECK(read_meter_channels(value, some));
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  merged.clear();
  write_meter_channels(all, merged);
  return {};
}

bool KnownMeters::has(std::string_view entry) const {
  const std::shared_lock lock(mutex_);
  return entries_.contains(entry);
}

void KnownMeters::forget_entries() {
  const std::unique_lock lock(mutex_);
  entries_.clear();
}

void KnownMeters::add(std::vector<std::string> entries) {
  const std::unique_lock lock(mutex_);
  for (auto& entry : entries) {
    if (entries_.size() >= entries_max) return;
    entries_.insert(std::move(entry));
  }
}

KnownMeters::Channels KnownMeters::channels() const {
  const std::shared_lock lock(mutex_);
  return channels_;
}

void KnownMeters::add_channels(std::span<const Channel> channels) {
  const std::unique_lock lock(mutex_);
  std::vector<Channel> all = *channels_;
  all.insert(all.end(), channels.begin(), channels.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  channels_ = std::make_shared<const std::vector<Channel>>(std::move(all));
}

namespace {

constexpr std::size_t batch_bytes_max = 1 << 20;

}  // namespace

Result<void> MeterList::add(const MeterId& meter, const Channel& channel) {
  if (meter != meter_) {
    METERLINE_CHECK(flush_meter());
    meter_ = meter;
  }
  if (std::find(channels_.begin(), channels_.end(), channel) == channels_.end())
    channels_.push_back(channel);
  return {};
}

Result<void> MeterList::finish() {
  METERLINE_CHECK(flush_meter());
  return new_channels_.empty() ? Result<void>() : emit(all_meters_key, new_channels_);
}

/// The list of all channels is of use only while it is short.
void MeterList::note_channels() {
  const auto known = known_.channels();
  for (const auto& channel : channels_) {
    if (known->size() + new_channels_.size() >= KnownMeters::channels_max) return;
    if (std::binary_search(known->begin(), known->end(), channel)) continue;
    const auto at = std::lower_bound(new_channels_.begin(), new_channels_.end(), channel);
    if (at == new_channels_.end() || *at != channel) new_channels_.insert(at, channel);
  }
}

Result<void> MeterList::flush_meter() {
  std::erase_if(channels_, [&](const Channel& channel) {
    std::string entry = meters_key(meter_);
    put_channel(channel, entry);
    if (known_.has(entry)) return true;
    if (new_.size() < KnownMeters::entries_max) new_.push_back(std::move(entry));
    return false;
  });
  if (channels_.empty()) return {};
  std::sort(channels_.begin(), channels_.end());
  note_channels();
  auto emitted = emit(meters_key(meter_), channels_);
  channels_.clear();
  return emitted;
}

Result<void> MeterList::emit(std::string_view key, std::span<const Channel> channels) {
  std::string value;
  write_meter_channels(channels, value);
  if (uses_files_) return files_.merge(key, value);
  entries_.add(key, value);
  return entries_.bytes() < batch_bytes_max ? Result<void>() : move_to_files();
}

Result<void> MeterList::move_to_files() {
  uses_files_ = true;
  METERLINE_CHECK(entries_.each(
      [&](std::string_view key, std::string_view value) { return files_.merge(key, value); }));
  entries_.clear();
  return {};
}

void MeterList::committed() {
  known_.add(std::move(new_));
  if (!new_channels_.empty()) known_.add_channels(new_channels_);
}

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
  ::rocksdb::WriteBatch batch;
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
  const std::unique_ptr<::rocksdb::Iterator> days(
      database.db().NewIterator({}, database.family(Family::days)));
  for (days->SeekToFirst(); days->Valid(); days->Next())
    METERLINE_CHECK(relisting.note(view_of(days->key())));
  if (!days->status().ok()) return database_error("read the store", days->status());
  EntryBuffer found;
  recent.of_all_meters(Family::days, all_months, found);
  for (std::size_t i = 0; i < found.size(); ++i) METERLINE_CHECK(relisting.note(found.key(i)));
  return relisting.finish();
}

}  // namespace meterline::store::rocksdb
