#include "ingest/group_load.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "core/try.h"
#include "ingest/day_feed.h"
#include "ingest/erasure.h"
#include "ingest/file_load.h"
#include "ingest/read_feed.h"

namespace meterline::ingest {
namespace {

/// Of register reads in memory: there are few, but for files that hold nothing else.
constexpr std::size_t reads_bytes_max = 8 << 20;

class GroupLoad {
 public:
  GroupLoad(store::Store& store, const IngestOptions& options, const IngestHooks& hooks,
            GroupResources resources)
      : store_(store),
        options_(options),
        hooks_(hooks),
        readers_(resources.readers),
        sorter_({.bytes_max = options.sort_bytes_max,
                 .folder = options.spool_folder,
                 .temporary = options.temporary},
                resources.memory),
        reads_({.bytes_max = std::min(options.sort_bytes_max, reads_bytes_max),
                .folder = options.spool_folder,
                .temporary = options.temporary},
               reads_memory_) {}

  std::vector<FileResult> run(std::span<const source::Incoming> files);

 private:
  bool is_stopped() const { return hooks_.stop != nullptr && *hooks_.stop; }
  Result<void> read_settings();
  Result<void> settle_unit();
  FileLoad& begin(const source::Incoming& file);
  void read_all(std::span<const source::Incoming> files);
  void read_none(std::span<const source::Incoming> files);
  store::DeliveryRecord kept(store::DeliveryRecord record) const;
  Result<void> store_all();

  store::Store& store_;
  std::optional<Unit> store_unit_;
  ErasedMeters erased_;    ///< Their rows are left out.
  IngestOptions options_;  ///< With the store's unit where the load has none.
  const IngestHooks& hooks_;
  std::counting_semaphore<>& readers_;
  ChannelTable channels_;
  RowSorter sorter_;
  RowMemory reads_memory_;
  RowSorter reads_;  ///< Of registers.
  std::deque<FileLoad> loads_;
  std::vector<Progress> progress_;  ///< Of each of loads_.
};

/// A load that names no unit takes the store's.
Result<void> GroupLoad::read_settings() {
  METERLINE_TRY(auto settings, store_.settings());
  store_unit_ = settings.unit;
  erased_ = ErasedMeters(std::move(settings.erased));
  if (!options_.unit) options_.unit = store_unit_;
  return {};
}

/// A store that has no unit remembers that of the first file that is stored; where it has another,
/// the reports say so. Files that name their own units are read without one.
Result<void> GroupLoad::settle_unit() {
  if (!options_.unit) return {};
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    if (progress_[i] != Progress::read || loads_[i].content().rows.stored == 0) continue;
    if (!store_unit_) {
      METERLINE_TRY(store_unit_, store_.remember_unit(*options_.unit));
    }
    if (kept_unit(*store_unit_).kept != kept_unit(*options_.unit).kept)
      loads_[i].note_other_unit(*store_unit_);
  }
  return {};
}

/// What a store keeps of a record: no word of erased meters.
store::DeliveryRecord GroupLoad::kept(store::DeliveryRecord record) const {
  if (!erased_.empty())
    remove_erased(record, [this](std::string_view meter) { return erased_.has(meter); });
  return record;
}

/// Writes the rows of all files that were read, and the records of those and the refused ones.
Result<void> GroupLoad::store_all() {
  std::vector<Delivery> deliveries;
  std::vector<DayFeed::File> files(loads_.size());
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    if (progress_[i] == Progress::done) continue;
    if (progress_[i] == Progress::read)
      files[i] = {.content = &loads_[i].content(),
                  .source = loads_[i].record().delivery.source,
                  .delivery = deliveries.size()};
    deliveries.push_back(kept(loads_[i].record()).delivery);
  }
  if (deliveries.empty()) return {};
  METERLINE_CHECK(settle_unit());

  METERLINE_TRY(const auto writer, store_.write(deliveries));
  const auto channels = channels_.all();
  ErasedRows erased(erased_, files, hooks_.on_rejected);
  DayFeed feed(channels, files, *writer, hooks_.on_rejected);
  METERLINE_CHECK(sorter_.visit([&](const SortedRow& row) -> Result<void> {
    if (is_stopped()) return fail(Errc::cancelled, "stopped on request");
    return erased.take_day(row) ? Result<void>() : feed.add(row);
  }));
  METERLINE_CHECK(feed.finish());
  ReadFeed reads(files, *writer, hooks_.on_rejected);
  METERLINE_CHECK(reads_.visit([&](const SortedRow& row) -> Result<void> {
    if (is_stopped()) return fail(Errc::cancelled, "stopped on request");
    return erased.take_read(row) ? Result<void>() : reads.add(row);
  }));
  METERLINE_CHECK(reads.finish());

  std::vector<DeliveryReport> reports;
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    if (progress_[i] == Progress::done) continue;
    if (progress_[i] == Progress::read) loads_[i].take_report();
    reports.push_back(kept(loads_[i].record()).report);
  }
  return writer->commit(reports);
}

FileLoad& GroupLoad::begin(const source::Incoming& file) {
  return loads_.emplace_back(file, static_cast<std::uint16_t>(loads_.size()),
                             LoadContext{.store = store_, .options = options_, .hooks = hooks_});
}

void GroupLoad::read_all(std::span<const source::Incoming> files) {
  for (const auto& file : files) {
    if (is_stopped() && !loads_.empty()) break;
    const GroupRows rows{.channels = channels_, .days = sorter_, .register_reads = reads_};
    progress_.push_back(begin(file).read(rows));
    while (auto rest = loads_.back().lacks_unit() ? nullptr : loads_.back().take_rest())
      progress_.push_back(begin(file).read_next(std::move(rest), rows));
    if (hooks_.files_read != nullptr) ++*hooks_.files_read;
    if (loads_.back().lacks_unit()) break;
  }
}

/// None of the files can be loaded now.
void GroupLoad::read_none(std::span<const source::Incoming> files) {
  for (const auto& file : files) {
    begin(file);
    progress_.push_back(Progress::read);
  }
}

std::vector<FileResult> GroupLoad::run(std::span<const source::Incoming> files) {
  auto stored = read_settings();
  if (stored) {
    readers_.acquire();
    read_all(files);
    readers_.release();
    stored = store_all();
  } else {
    read_none(files);
  }
  std::vector<FileResult> results;
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    if (!stored && progress_[i] != Progress::done) loads_[i].fail_with(stored.error().message);
    results.push_back({.record = std::move(loads_[i].record()),
                       .archive = loads_[i].archive(),
                       .lacks_unit = loads_[i].lacks_unit()});
  }
  return results;
}

}  // namespace

std::vector<FileResult> load_group(std::span<const source::Incoming> files, store::Store& store,
                                   const IngestOptions& options, const IngestHooks& hooks,
                                   GroupResources resources) {
  return GroupLoad(store, options, hooks, resources).run(files);
}

}  // namespace meterline::ingest
