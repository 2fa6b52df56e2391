#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/reading_day.h"
#include "core/register_read.h"
#include "ingest/archive.h"
#include "ingest/content_hash.h"
#include "source/byte_source.h"

namespace meterline::ingest {

/// One version of a reading day in an archive. Views: valid during the call only.
struct ArchivedDay {
  const ReadingDay& day;     ///< Of the meter, channel and date.
  std::string_view packed;   ///< The same as bytes.
  std::size_t delivery = 0;  ///< Its number: archived deliveries count from 0.
};

/// Takes in what an archive holds: the store's unit, if it has one, all deliveries, in their order,
/// and then meter by meter all days, ascending by (date, channel, delivery), and behind them all
/// register reads, ascending by (time, register, delivery).
class ArchiveVisitor {
 public:
  virtual ~ArchiveVisitor() = default;
  virtual Result<void> on_unit(Unit unit) = 0;
  /// Before all deliveries, where there are any.
  virtual Result<void> on_omissions(const ArchiveOmissions& omissions) = 0;
  virtual Result<void> on_erased(std::string_view mark) = 0;  ///< See StoreSettings::erased.
  virtual Result<void> on_delivery(store::DeliveryRecord record) = 0;
  virtual Result<void> on_day(const ArchivedDay& day) = 0;
  /// `delivery` is as in ArchivedDay; the read is valid during the call only.
  virtual Result<void> on_read(const RegisterRead& read, std::size_t delivery) = 0;
};

/// Reads an archive's expanded bytes. What the visitor was given counts only when read() ends
/// without error: the checksum is behind it all.
class ArchiveReader {
 public:
  /// `head` is what was read of `rest` already. Both must outlive the reader.
  ArchiveReader(std::string head, source::ByteSource& rest, ArchiveVisitor& visitor)
      : rest_(rest), visitor_(visitor), buffer_(std::move(head)) {}

  /// Errors: `corrupt` for an archive that is damaged or cut off, `refused` for one of a newer
  /// format, `too_large` beyond the limits of archive.h, and those of the source and the visitor.
  Result<ArchiveCounts> read();

 private:
  Result<void> read_head();
  Result<bool> read_record();
  Result<void> read_unit();
  Result<void> read_omissions();
  Result<void> read_erased();
  Result<void> read_delivery();
  Result<void> end_deliveries();
  Result<void> read_meter();
  Result<void> read_channel();
  Result<void> read_day();
  Result<void> set_day(std::int64_t step, std::size_t channel, std::size_t delivery);
  Result<void> read_register();
  Result<void> set_register(std::int64_t step, MeterRegister of, std::size_t delivery);
  Result<void> read_end(const ContentHash& hash);

  Result<bool> want(std::size_t count);
  Result<std::string_view> take(std::size_t count);
  Result<std::uint64_t> number();
  Result<std::uint64_t> number_up_to(std::uint64_t max);
  Result<std::string_view> bytes(std::size_t max);
  std::string_view buffered() const { return std::string_view(buffer_).substr(at_); }
  ContentHash hash_up_to_here();

  source::ByteSource& rest_;
  ArchiveVisitor& visitor_;
  std::string buffer_;
  std::size_t at_ = 0;      ///< In buffer_: what is taken next.
  std::size_t hashed_ = 0;  ///< In buffer_: what is before it is in hash_.
  Sha256 hash_;

  ArchiveCounts counts_;
  std::uint64_t format_ = 0;
  bool has_unit_ = false;
  bool has_omissions_ = false;
  std::size_t erased_ = 0;
  std::uint64_t delivery_bytes_ = 0;
  Delivery last_delivery_;
  std::vector<DeliveryId> ids_;  ///< Until the first day.
  std::vector<bool> has_days_;   ///< By delivery: whether it may, and register reads.
  std::vector<Channel> channels_;
  bool any_day_ = false;         ///< Of the meter.
  std::size_t last_number_ = 0;  ///< The delivery of the day before.
  ReadingDay day_;
  bool any_read_ = false;             ///< Of the meter.
  std::size_t last_read_number_ = 0;  ///< The delivery of the read before.
  RegisterRead register_read_;
};

}  // namespace meterline::ingest
