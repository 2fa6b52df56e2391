#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/instant.h"
#include "core/meter_id.h"
#include "core/result.h"
#include "ingest/day_feed.h"
#include "store/store.h"

namespace meterline::ingest {

/// Which meters were erased and are not to come back, without their ids. A mark is 16 hexadecimal
/// digits of salt and 32 of SHA-256(`meterline erased meter`, 0, salt, id): who has the store and
/// guesses an id can find out that it was erased, and nobody can read the ids out of it.
class ErasedMeters {
 public:
  ErasedMeters() = default;
  explicit ErasedMeters(std::vector<std::string> marks);

  bool empty() const { return marks_.empty(); }
  bool has(std::string_view meter) const;
  /// Those of the meter that are there.
  std::vector<std::string> marks_of(std::string_view meter) const;
  /// For a meter that has none: with the salt that is in use, else a new one.
  std::string new_mark(std::string_view meter) const;

 private:
  std::vector<std::string> marks_;  ///< Ascending.
  std::vector<std::string> salts_;  ///< Of these; more than one after erasures at the same moment.
};

using IsErased = std::function<bool(std::string_view meter)>;

/// What stands in a text in the place of an erased meter's id.
inline constexpr std::string_view erased_text = "[erased]";

/// The text without ids of erased meters, as far as these stand in it by themselves: no letter or
/// digit before and behind them.
std::string without_erased(std::string_view text, const IsErased& is_erased);

/// Takes erased meters out of all words of a record: its source, reasons, findings and list of
/// meters. Whether there were any.
bool remove_erased(store::DeliveryRecord& record, const IsErased& is_erased);

/// Leaves out the rows of erased meters: they are counted as rejected, with a finding each that
/// does not name the meter.
class ErasedRows {
 public:
  /// All must outlive it.
  ErasedRows(const ErasedMeters& erased, const std::vector<DayFeed::File>& files,
             const DayFeed::OnRejected& on_rejected)
      : erased_(erased), files_(files), on_rejected_(on_rejected) {}

  /// Whether the row, of a reading day or of a register read, is left out. Neighbours are mostly of
  /// one meter.
  bool take_day(const SortedRow& row);
  bool take_read(const SortedRow& row);

 private:
  bool is_of_erased(const SortedRow& row);
  void tell(const SortedRow& row) const;

  const ErasedMeters& erased_;
  const std::vector<DayFeed::File>& files_;
  const DayFeed::OnRejected& on_rejected_;
  std::string meter_;
  bool is_erased_ = false;  ///< That one.
};

struct EraseRequest {
  MeterId meter;
  Instant now;  ///< By the caller's clock.
};
enum class EraseMode : std::uint8_t { erase, dry_run };

struct EraseHooks {
  const std::atomic<bool>* stop = nullptr;              ///< true: end soon, with `cancelled`.
  std::function<void(std::size_t requests)> pace = {};  ///< As in store::Amendment.
};

/// What went, or would go.
struct EraseReport {
  std::int64_t days = 0;        ///< Versions of reading days.
  std::int64_t reads = 0;       ///< Versions of register reads.
  std::int64_t deliveries = 0;  ///< Whose records named it.
  bool was_erased = false;      ///< Before; so that its rows were left out already.
  bool operator==(const EraseReport&) const = default;
};

/// Takes all of a meter out of a store, known or not, and from then on its rows are left out of
/// what is loaded. That comes first, so that what was ended in between is completed by the same
/// again. Loads that began before may bring days of it: the same again removes these.
/// Errors: those of the store; `cancelled`.
Result<EraseReport> erase(store::Store& store, const EraseRequest& request, EraseMode mode,
                          const EraseHooks& hooks = {});

/// Lets an erased meter be loaded again. False where it was not erased.
Result<bool> allow_again(store::Store& store, const EraseRequest& request);

}  // namespace meterline::ingest
