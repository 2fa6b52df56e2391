#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/channel.h"
#include "core/meter_id.h"
#include "core/result.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/recent.h"
#include "store/rocksdb/united.h"

namespace meterline::store::rocksdb {

/// The channels that a meter has, in one value: a set, so merging in any order and repetition gives
/// the same bytes. docs/store.md has the layout. The first byte is the format number.
inline constexpr unsigned char meter_channels_format = 1;

/// Appends a value of these channels, ascending, each once.
void write_meter_channels(std::span<const Channel> channels, std::string& out);

/// Overwrites `channels`, ascending. Errors: `corrupt`; never reads past the end.
Result<void> read_meter_channels(std::string_view value, std::vector<Channel>& channels);

/// Overwrites `merged` with all that the values hold.
Result<void> merge_meter_channels(std::span<const std::string_view> values, std::string& merged);

/// What this process knows of the list of meters in family `meters`.
///
/// Threads: every method may be called from many threads at once.
class KnownMeters {
 public:
  static constexpr std::size_t entries_max = 100'000;
  /// Of a store with more channels than that, not all need be known.
  static constexpr std::size_t channels_max = 8;

  /// Whether it is known that the list has this entry (a meter's key and a channel's bytes), so
  /// that daily loads need not list it again. What is not known is listed once more, which changes
  /// nothing.
  bool has(std::string_view entry) const;
  /// After some were taken off the list.
  void forget_entries();
  /// Entries that are durable now. No more than entries_max are kept.
  void add(std::vector<std::string> entries);

  using Channels = std::shared_ptr<const std::vector<Channel>>;
  /// All channels that any meter has, ascending; or channels_max of them or more.
  Channels channels() const;
  /// Channels that are durable now.
  void add_channels(std::span<const Channel> channels);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  mutable std::shared_mutex mutex_;
  std::unordered_set<std::string, Hash, std::equal_to<>> entries_;
  Channels channels_ = std::make_shared<const std::vector<Channel>>();
};

/// What one writer adds to the list of meters and their channels, on its way into the database.
class MeterList {
 public:
  MeterList(const Database& database, KnownMeters& known, const std::filesystem::path& incoming)
      : known_(known), files_(database, Family::meters, incoming) {}

  /// Meters ascending; a channel of a meter any number of times.
  Result<void> add(const MeterId& meter, const Channel& channel);
  /// Behind the last add().
  Result<void> finish();
  /// Whether there was too much for a batch; then everything is in files().
  bool uses_files() const { return uses_files_; }
  const EntryBuffer& entries() const { return entries_; }
  SortedFiles& files() { return files_; }
  Result<void> move_to_files();
  /// After all of it is durable.
  void committed();

 private:
  Result<void> flush_meter();
  void note_channels();
  Result<void> emit(std::string_view key, std::span<const Channel> channels);

  KnownMeters& known_;
  MeterId meter_;  ///< Whose channels are pending; empty before the first.
  std::vector<Channel> channels_;
  EntryBuffer entries_;
  std::vector<std::string> new_;  ///< For known_, once they are durable.
  std::vector<Channel> new_channels_;
  bool uses_files_ = false;
  SortedFiles files_;
};

/// Lists all meters and channels that have days and are not listed: a delivery lists only what is
/// new, and the one that listed them may be lost. Reads all keys of `days`.
Result<void> list_meters_of_days(Database& database, const RecentMonths& recent);

}  // namespace meterline::store::rocksdb
