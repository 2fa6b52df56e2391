#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/delivery.h"
#include "core/result.h"
#include "store/cassandra/registry.h"
#include "store/cassandra/tables.h"
#include "store/cassandra/totals_row.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Collects what deliveries say of each day of each meter, and writes it packed: many meters of
/// one day in a row where there are many, else the days of a month together; where those are but
/// a few, it only notes their meters. A row holds all that its delivery says of the meters from its
/// first to its last in its period, and is named by them; so whatever pieces a delivery is written
/// in, rows of one name are equal, and rows that overlap say the same.
///
/// Threads: one at a time.
class TotalsBuffer {
 public:
  TotalsBuffer(const Tables& tables, const Layout& layout, std::span<const Delivery> deliveries,
               Registry& registry)
      : tables_(tables), layout_(layout), deliveries_(deliveries), registry_(registry) {}

  /// In a writer's order.
  Result<void> add(const DayToStore& day);
  /// Whether it is time to flush(), which may only stand between two meters.
  bool is_full() const { return entries_count_ >= entries_max; }
  Result<void> flush(CqlWriter& writer);

 private:
  static constexpr std::size_t entries_max = 1'000'000;

  struct Entry {
    std::int32_t date = 0;    ///< Days since 1970.
    std::uint32_t meter = 0;  ///< In meters_, which ascends.
    std::uint32_t channel = 0;
    std::int8_t exponent = 0;
    bool is_dated = false;  ///< Whether it states a time of its own, `stated`.
    Origin origin = Origin::source;
    TotalEntry::Kind kind = TotalEntry::Kind::unknown;
    std::int64_t mantissa = 0;
    Instant stated;
    std::uint16_t slots = 0;
    std::uint16_t actual = 0;
    std::uint16_t substituted = 0;
    std::uint16_t estimated = 0;
    TimeZone zone;
  };
  static_assert(sizeof(Entry) == 48, "a million of them wait");
  using Entries = std::span<const Entry>;
  struct DayKey {
    std::size_t delivery = 0;
    std::int32_t date = 0;
    auto operator<=>(const DayKey&) const = default;
  };
  using Days = std::map<DayKey, std::vector<Entry>>;  ///< By meter.

  std::vector<Entry>& entries_of(const DayKey& key);
  Result<void> count_readings(std::string_view packed, Entry& entry);
  Result<void> write_month(Days::const_iterator begin, Days::const_iterator end, CqlWriter& writer);
  void note_meters(Entries entries);
  Result<void> write_rows(const Delivery& delivery, Entries entries, TotalsRowWriter::Span span,
                          CqlWriter& writer);
  Result<void> write_row(const Delivery& delivery, const std::string& period, TotalsRowWriter& row,
                         CqlWriter& writer);
  TotalEntry total_entry(const Entry& entry, TotalsRowWriter::Span span) const;

  const Tables& tables_;
  const Layout layout_;
  const std::span<const Delivery> deliveries_;
  Registry& registry_;
  Days days_;
  Days::iterator last_day_ = days_.end();  ///< That had the last entry.
  std::size_t entries_count_ = 0;
  std::vector<std::string> meters_;
  std::vector<Channel> channels_;
  ReadingDay scratch_;
};

}  // namespace meterline::store::cassandra
