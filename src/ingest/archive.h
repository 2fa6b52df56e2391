#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "core/delivery.h"
#include "core/result.h"
#include "store/store.h"

/// An archive is a whole store as one file, whatever its backend: docs/formats/archive.md.
namespace meterline::ingest {

//   archive  | magic | format, varint | record | record | ...
//   record   | tag, 1 byte | what it holds |   `U` unit, `P` what is not there, `X` erased meter,
//            `D` delivery, `M` meter, `C` channel, `R` day, `G` register read; `E` last: counts,
//            and the SHA-256 of all before it
// All of it is one zstd frame, of which the first block holds magic and format.

/// The first bytes of an archive after it is expanded.
inline constexpr std::string_view archive_magic = "\x89meterline archive\n";
/// Formats 1 and 2 know one time of a delivery only, and are refused. Format 4 may have `P` and
/// `X`, and is written only where there is one.
inline constexpr std::uint64_t archive_format = 4;
inline constexpr std::uint64_t archive_format_of_all = 3;
/// What reports call the format.
inline constexpr std::string_view archive_format_name = "meterline-archive";

inline constexpr std::size_t archive_deliveries_max = 10'000'000;
/// Of one delivery with its report: a million findings fit.
inline constexpr std::size_t archive_delivery_bytes_max = std::size_t{512} << 20;
/// Of all deliveries together. They are in memory while an archive is stored.
inline constexpr std::uint64_t archive_deliveries_bytes_max = std::uint64_t{4} << 30;
inline constexpr std::size_t archive_channels_max = 65'536;
/// Of one packed day: above what the longest day with the most notes needs.
inline constexpr std::size_t archive_day_bytes_max = 128 << 10;

/// Whether a file whose first bytes these are is an archive.
inline bool is_archive(std::string_view head) { return head.starts_with(archive_magic); }

struct ArchiveCounts {
  std::int64_t deliveries = 0;
  std::int64_t meters = 0;
  std::int64_t days = 0;   ///< Every version of every reading day.
  std::int64_t reads = 0;  ///< Every version of every register read.
  bool operator==(const ArchiveCounts&) const = default;
};

struct ArchiveHooks {
  const std::atomic<bool>* stop = nullptr;      ///< true: end soon, with `cancelled`.
  std::atomic<std::int64_t>* meters = nullptr;  ///< Counts as it goes.
  std::atomic<std::int64_t>* days = nullptr;
};

struct ArchiveSummary {
  ArchiveCounts counts;
  /// Days of deliveries that the store did not list when the writing began: loads that never
  /// finished, or that ran meanwhile.
  std::int64_t days_left_out = 0;
  std::int64_t reads_left_out = 0;  ///< The same of register reads.
};

/// What an archive is of.
struct ArchiveSelection {
  /// Reading days of these, and register reads of such days on the clocks they were told by.
  std::optional<DateRange> dates = {};
  std::optional<std::vector<MeterId>> meters = {};  ///< Ascending, each once.
  bool is_all() const { return !dates && !meters; }
};

/// Why an archive has less than its deliveries' reports say.
struct ArchiveOmissions {
  bool is_part = false;               ///< It is of a selection.
  std::optional<Instant> amended_at;  ///< Of deliveries received up to then something may lack.
};

using BytesSink = std::function<Result<void>(std::string_view bytes)>;

/// Writes all that the store holds, or a part of it, with the deliveries that may have brought it.
/// Stores of equal content give equal bytes. Memory grows with the number of deliveries, by some 30
/// bytes for each, and with nothing else.
///
/// Errors: those of the store and the sink, `corrupt` for a store that contradicts itself,
/// `too_large` beyond the limits above.
Result<ArchiveSummary> write_archive(const store::Store& store, const BytesSink& sink,
                                     const ArchiveHooks& hooks = {},
                                     const ArchiveSelection& selection = {});

/// The order of an archive's deliveries, which is that of Store::deliveries().
bool is_archived_before(const Delivery& a, const Delivery& b);

}  // namespace meterline::ingest
