#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/instant.h"
#include "core/register_read.h"
#include "ingest/day_feed.h"
#include "ingest/row_record.h"
#include "ingest/row_sorter.h"
#include "store/store.h"

namespace meterline::ingest {

/// Of one meter and minute no more register reads of files that are loaded together are kept: they
/// are in memory together.
inline constexpr std::size_t reads_a_minute_max = 10'000;

/// Appends a register read as a row for a sorter of its own: in place of the date stands the
/// minute of its time. `read` has no fault. RowHead::meter is up to the caller.
void put_read(const RegisterRead& read, RowHead head, std::string& out);

/// Takes register reads in the sorter's order and gives them to a store's writer in the order that
/// it wants. Of several of one file that are of one register and time, the one that states the
/// latest time counts, and of those the last; the others are told of as repeated.
class ReadFeed {
 public:
  /// As for DayFeed.
  ReadFeed(const std::vector<DayFeed::File>& files, store::DeliveryWriter& writer,
           const DayFeed::OnRejected& on_rejected);

  Result<void> add(const SortedRow& row);
  /// Gives the last reads to the writer. Call once, last.
  Result<void> finish();

 private:
  struct Place {
    Instant at;
    MeterRegister of;
    std::size_t file = 0;
    auto operator<=>(const Place&) const = default;
  };
  struct Kept {
    RegisterRead read;
    std::int64_t line = 0;
  };

  void resolve(const Place& place, Kept& kept, Kept other);
  void tell_repeated(const Place& place, const Kept& kept, const Kept& other);
  void reject(std::size_t file, const Kept& read);

  const std::vector<DayFeed::File>& files_;
  store::DeliveryWriter& writer_;
  const DayFeed::OnRejected& on_rejected_;
  std::string meter_;  ///< Of the reads that are held, with their minute.
  std::int32_t minute_ = 0;
  std::map<Place, Kept> reads_;
};

}  // namespace meterline::ingest
