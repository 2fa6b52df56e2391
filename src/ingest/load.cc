#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <semaphore>
#include <span>
#include <thread>
#include <vector>

#include "ingest/group_load.h"
#include "ingest/ingest.h"
#include "source/expand.h"

namespace meterline::ingest {
namespace {

/// Files are loaded together up to so many bytes of them as they lie on the disk, and so many
/// files. What is lost by a stop is at most this.
constexpr std::uint64_t group_bytes_max = 256 << 20;
constexpr std::uint64_t group_bytes_min = 16 << 20;
constexpr std::size_t group_files_max = 100;
static_assert(group_files_max * source::zip_files_max <= UINT16_MAX, "RowHead::file numbers them");
/// A file of this size gains nothing by neighbours.
constexpr std::uint64_t lone_file_bytes = 32 << 20;

using Group = std::span<const source::Incoming>;

std::size_t cores_of(const IngestOptions& options) {
  if (options.threads > 0) return static_cast<std::size_t>(options.threads);
  return std::max(1U, std::thread::hardware_concurrency());
}

bool is_small(const source::Incoming& file) { return file.bytes && *file.bytes < lone_file_bytes; }

/// Cuts the files into neighbours that are loaded together, so that there is work for all
/// loaders. A file of unknown size is alone.
std::vector<Group> groups_of(Group files, std::size_t loaders) {
  std::uint64_t all = 0;
  for (const auto& file : files) all += file.bytes.value_or(0);
  const auto bytes_max =
      std::clamp<std::uint64_t>(all / (2 * loaders), group_bytes_min, group_bytes_max);
  std::vector<Group> groups;
  while (!files.empty()) {
    std::size_t count = 1;
    std::uint64_t bytes = files[0].bytes.value_or(bytes_max);
    while (count < files.size() && count < group_files_max && is_small(files[0]) &&
           is_small(files[count]) && bytes + *files[count].bytes <= bytes_max)
      bytes += *files[count++].bytes;
    groups.push_back(files.first(count));
    files = files.subspan(count);
  }
  return groups;
}

/// Hands records on in the order of their groups, whatever order they come in.
///
/// Threads: give() may be called from many threads at once.
class InOrder {
 public:
  explicit InOrder(std::function<void(const FileResult&)> next) : next_(std::move(next)) {}

  void give(std::size_t index, std::vector<FileResult> results) {
    const std::scoped_lock lock(mutex_);
    waiting_.emplace(index, std::move(results));
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first == index_;
         first = waiting_.erase(first), ++index_)
      for (const auto& result : first->second) next_(result);
  }

 private:
  std::mutex mutex_;
  std::size_t index_ = 0;
  std::map<std::size_t, std::vector<FileResult>> waiting_;
  std::function<void(const FileResult&)> next_;
};

}  // namespace

store::DeliveryRecord load(const source::Incoming& incoming, store::Store& store,
                           const IngestOptions& options, const IngestHooks& hooks) {
  IngestOptions resolved = options;
  resolved.threads = static_cast<int>(cores_of(options));
  resolved.archives = Archives::refuse;
  std::counting_semaphore<> readers(1);
  RowMemory memory;
  return load_group({&incoming, 1}, store, resolved, hooks, {.readers = readers, .memory = memory})
      .front()
      .record;
}

IngestTotals& operator+=(IngestTotals& totals, const IngestTotals& more) {
  totals.deliveries += more.deliveries;
  totals.stored += more.stored;
  totals.skipped += more.skipped;
  totals.refused += more.refused;
  totals.failed += more.failed;
  totals.without_unit += more.without_unit;
  totals.rows += more.rows;
  totals.readings += more.readings;
  totals.register_reads += more.register_reads;
  totals.archives_stored += more.archives_stored;
  totals.archives_refused += more.archives_refused;
  totals.archives_failed += more.archives_failed;
  return totals;
}

void add_to(IngestTotals& totals, const DeliveryReport& report) {
  ++totals.deliveries;
  switch (report.state) {
    case DeliveryState::stored:
      ++totals.stored;
      break;
    case DeliveryState::skipped:
      ++totals.skipped;
      return;
    case DeliveryState::refused:
      ++totals.refused;
      break;
    case DeliveryState::failed:
      ++totals.failed;
      break;
  }
  totals.rows += report.rows;
  totals.readings += report.readings;
  totals.register_reads += report.register_reads;
}

void add_to(IngestTotals& totals, const ArchiveReport& report) {
  switch (report.state) {
    case DeliveryState::stored:
    case DeliveryState::skipped:
      ++totals.archives_stored;
      break;
    case DeliveryState::refused:
      ++totals.archives_refused;
      break;
    case DeliveryState::failed:
      ++totals.archives_failed;
      break;
  }
}

IngestTotals load_all(const std::vector<source::Incoming>& incoming, store::Store& store,
                      const IngestOptions& options, const IngestHooks& hooks,
                      const std::function<void(const store::DeliveryRecord&)>& on_done) {
  const std::size_t cores = cores_of(options);
  const std::size_t writers = cores * store.traits().writers_per_core;
  const auto groups = groups_of(incoming, writers);
  const std::size_t loaders = std::clamp<std::size_t>(groups.size(), 1, writers);
  IngestOptions each = options;
  each.threads = static_cast<int>(std::max<std::size_t>(1, cores / loaders));
  std::counting_semaphore<> readers(static_cast<std::ptrdiff_t>(cores));

  std::mutex rejected_mutex;
  IngestHooks each_hooks = hooks;
  if (hooks.on_rejected) {
    each_hooks.on_rejected = [&](const RejectedRow& row) {
      const std::scoped_lock lock(rejected_mutex);
      hooks.on_rejected(row);
    };
  }

  IngestTotals totals;
  InOrder done([&](const FileResult& result) {
    if (!result.archive) {
      add_to(totals, result.record.report);
      totals.without_unit += result.lacks_unit ? 1 : 0;
      on_done(result.record);
      return;
    }
    add_to(totals, *result.archive);
    if (hooks.on_archive) hooks.on_archive(*result.archive);
  });
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> is_unit_wanted = false;
  const auto work = [&] {
    RowMemory memory;
    for (;;) {
      if (hooks.stop != nullptr && *hooks.stop) return;
      if (is_unit_wanted) return;
      const std::size_t index = next++;
      if (index >= groups.size()) return;
      auto results = load_group(groups[index], store, each, each_hooks,
                                {.readers = readers, .memory = memory});
      if (!results.empty() && results.back().lacks_unit) is_unit_wanted = true;
      done.give(index, std::move(results));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < loaders; ++i) threads.emplace_back(work);
    work();
  }
  return totals;
}

}  // namespace meterline::ingest
