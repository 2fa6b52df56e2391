#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "ingest/ingest.h"

namespace meterline::ingest {
namespace {

/// Hands records on in the order of their index, whatever order they come in.
///
/// Threads: give() may be called from many threads at once.
class InOrder {
 public:
  explicit InOrder(std::function<void(const store::DeliveryRecord&)> next)
      : next_(std::move(next)) {}

  void give(std::size_t index, store::DeliveryRecord record) {
    const std::scoped_lock lock(mutex_);
    waiting_.emplace(index, std::move(record));
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first == index_;
         first = waiting_.erase(first), ++index_)
      next_(first->second);
  }

 private:
  std::mutex mutex_;
  std::size_t index_ = 0;
  std::map<std::size_t, store::DeliveryRecord> waiting_;
  std::function<void(const store::DeliveryRecord&)> next_;
};

}  // namespace

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
  totals.rows.read += report.rows.read;
  totals.rows.stored += report.rows.stored;
  totals.rows.repeated += report.rows.repeated;
  totals.rows.rejected += report.rows.rejected;
  totals.readings.read += report.readings.read;
  totals.readings.stored += report.readings.stored;
  totals.readings.missing += report.readings.missing;
  totals.readings.repeated += report.readings.repeated;
  totals.readings.rejected += report.readings.rejected;
}

IngestTotals load_all(const std::vector<source::Incoming>& incoming, store::Store& store,
                      const IngestOptions& options, const IngestHooks& hooks,
                      const std::function<void(const store::DeliveryRecord&)>& on_done) {
  const auto cores = static_cast<std::size_t>(
      options.threads > 0 ? options.threads
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  const std::size_t loaders = std::clamp<std::size_t>(incoming.size(), 1, cores);
  IngestOptions each = options;
  each.threads = static_cast<int>(std::max<std::size_t>(1, cores / loaders));

  std::mutex rejected_mutex;
  IngestHooks each_hooks = hooks;
  if (hooks.on_rejected) {
    each_hooks.on_rejected = [&](const RejectedRow& row) {
      const std::scoped_lock lock(rejected_mutex);
      hooks.on_rejected(row);
    };
  }

  IngestTotals totals;
  InOrder done([&](const store::DeliveryRecord& record) {
    add_to(totals, record.report);
    on_done(record);
  });
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (;;) {
      if (hooks.stop != nullptr && *hooks.stop) return;
      const std::size_t index = next++;
      if (index >= incoming.size()) return;
      done.give(index, load(incoming[index], store, each, each_hooks));
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
