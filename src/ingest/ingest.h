#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/budget.h"
#include "core/delivery.h"
#include "core/result.h"
#include "ingest/feed_choice.h"
#include "source/byte_source.h"
#include "source/expand.h"
#include "store/store.h"

namespace meterline::ingest {

/// What to do with a file that is an archive of a whole store, docs/formats/archive.md. Whoever
/// sends one says when its deliveries were delivered, so not everybody may.
enum class Archives { refuse, restore };

struct IngestOptions {
  /// Of readings whose file names none; empty: the store's default unit. Where there is none
  /// either, such a file is refused. A store that has none remembers the first unit that a file
  /// was stored with.
  std::optional<Unit> unit;
  /// Of days whose file names none. Where it is unknown, too, a file that was read in some zone
  /// before is not read anew for that.
  TimeZone zone;
  FeedChoice feed;  ///< By what files are read that are no format of their own.
  /// Refuses a file in which anything is not as the standard of its format has it, though it could
  /// be read. As this tells how it was asked for and not what the file is, no record of it is kept.
  bool is_strict = false;
  Archives archives = Archives::refuse;  ///< load() always refuses them.
  std::size_t findings_max = 1000;       ///< Kept for each delivery; counts are never capped.
  std::uint64_t expanded_bytes_max = source::expanded_bytes_max_default;
  /// For load(): threads that parse one delivery; 1: parsed by the caller.
  /// For load_all(): of all deliveries together. 0: one for each core.
  int threads = 0;
  /// Packed rows held in memory for one delivery before they spill into a file.
  std::size_t sort_bytes_max = 40 << 20;
  std::filesystem::path spool_folder;  ///< For spilled rows; empty: the system's.
  Budget* temporary = nullptr;         ///< What spilled rows may take there; null: no limit.
  /// The clock: asked when a delivery begins to be read, which is when it was received. Without
  /// one, each is received when it was delivered.
  std::function<Instant()> now;
};

/// A row that was rejected, or kept without some of its readings.
struct RejectedRow {
  std::string_view source;
  std::int64_t line = 0;
  std::string_view reasons;  ///< `code: text`, joined by `; `.
  /// The row as it stands in the file. Empty for one that was rejected for what other rows of its
  /// meter and day say: it is no longer at hand when they are compared.
  std::string_view text;
};

/// What became of an archive.
struct ArchiveReport {
  std::string source;
  DeliveryState state = DeliveryState::stored;  ///< `skipped`: the store had all of it.
  std::string reason;                           ///< Why it was refused or failed; else empty.
  std::int64_t restored = 0;                    ///< Deliveries that the store now has.
  std::int64_t skipped = 0;                     ///< Deliveries that the store had before.
  RowCounts rows;                               ///< Of the restored ones, as first reported.
  ReadingCounts readings;
  RowCounts register_reads = {};  ///< Of the rows.
  /// Versions of reading days and register reads of meters that were erased: they stay out.
  std::int64_t left_out = 0;
};

/// What a caller may follow and stop. on_rejected may be called from any thread, one at a time.
struct IngestHooks {
  const std::atomic<bool>* stop = nullptr;           ///< true: give up soon, store nothing more.
  std::atomic<std::uint64_t>* bytes_read = nullptr;  ///< Counts received bytes as they are read.
  std::atomic<std::int64_t>* files_read = nullptr;   ///< Counts files read, before they are stored.
  std::function<void(const RejectedRow&)> on_rejected;
  /// For archives, in the place that load_all()'s on_done has for other files.
  std::function<void(const ArchiveReport&)> on_archive;
};

/// Loads one delivery: reads, expands, recognises, parses, finds repeats, stores. The answer
/// says what became of it, `failed` included; a file of the same bytes and unit as the latest
/// delivery of its source that is not withdrawn is `skipped` with the report of that time, and so
/// is one that is stored with the same delivery time; unless a newer reader may find more in it.
/// One of the same bytes and unit as a withdrawn delivery of its source stays so: it is `skipped`,
/// with a reason. A file that is refused for want of a unit is not kept, nor is one that is refused
/// before its end where nobody knows whether it has one (Incoming::bytes). Memory does not grow
/// with the file. Of a zip with several files, each of which is a delivery, this answers for the
/// first; load_all() for all.
///
/// Threads: may be called from many threads at once on one store.
store::DeliveryRecord load(const source::Incoming& incoming, store::Store& store,
                           const IngestOptions& options, const IngestHooks& hooks = {});

/// Files; the deliveries inside of archives are not among them.
struct IngestTotals {
  std::int64_t deliveries = 0;
  std::int64_t stored = 0;
  std::int64_t skipped = 0;
  std::int64_t refused = 0;
  std::int64_t failed = 0;
  std::int64_t without_unit = 0;  ///< Of the refused ones, those for want of a unit.
  RowCounts rows;                 ///< Of all but the skipped ones.
  ReadingCounts readings;
  RowCounts register_reads;  ///< Of the rows.

  std::int64_t archives_stored = 0;  ///< Or skipped.
  std::int64_t archives_refused = 0;
  std::int64_t archives_failed = 0;
};

IngestTotals& operator+=(IngestTotals& totals, const IngestTotals& more);

/// Adds a delivery's report to the totals.
void add_to(IngestTotals& totals, const DeliveryReport& report);
void add_to(IngestTotals& totals, const ArchiveReport& report);

/// Loads many deliveries, and the files of zips as deliveries of their own, whose source is the
/// zip's, a slash and their name, several at once where there are cores, and calls `on_done` for
/// each in the order of `incoming`, one at a time. An archive is stored by itself, in one commit.
/// Stops early when hooks.stop is set, and at a file that is refused for want of a unit, as most
/// others would be: deliveries not begun are then not reported.
IngestTotals load_all(const std::vector<source::Incoming>& incoming, store::Store& store,
                      const IngestOptions& options, const IngestHooks& hooks,
                      const std::function<void(const store::DeliveryRecord&)>& on_done);

}  // namespace meterline::ingest
