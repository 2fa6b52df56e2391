#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/try.h"
#include "ingest/archive.h"
#include "ingest/content_hash.h"
#include "store/bits.h"
#include "store/delivery_codec.h"
#include "store/packed_day.h"
#include "store/packed_read.h"
#include "store/register_reads.h"

namespace meterline::ingest {
namespace {

/// Compressed at a time. The bytes of an archive depend on it.
constexpr std::size_t piece_bytes = 1 << 20;
constexpr int zstd_level = 3;
/// Read from the store at a time: a delivery may have a large report.
constexpr std::size_t deliveries_step = 50;
constexpr std::size_t meters_step = 1000;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

/// Compresses into a sink as one zstd frame with a checksum, in one thread: what comes out then
/// depends on nothing but what goes in.
class Compressor {
 public:
  explicit Compressor(const BytesSink& sink)
      : sink_(sink), context_(ZSTD_createCCtx()), out_(ZSTD_CStreamOutSize(), '\0') {}

  Result<void> begin() {
    if (context_ == nullptr) return out_of_memory();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, zstd_level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
    return {};
  }

  Result<void> add(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in = {.src = bytes.data(), .size = bytes.size(), .pos = 0};
    for (;;) {
      ZSTD_outBuffer out = {.dst = out_.data(), .size = out_.size(), .pos = 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left) != 0) return out_of_memory();
      if (out.pos > 0) METERLINE_CHECK(sink_({out_.data(), out.pos}));
      const bool is_done = directive == ZSTD_e_continue ? in.pos == in.size : left == 0;
      if (is_done) return {};
    }
  }

 private:
  static tl::unexpected<Error> out_of_memory() {
    return fail(Errc::unavailable, "not enough memory to compress the archive");
  }

  const BytesSink& sink_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  std::string out_;
};

/// The records of an archive, on their way into the compressor.
class Records {
 public:
  explicit Records(const BytesSink& sink) : compressor_(sink) {}

  /// A reader sees from the first compressed block on its own that this is an archive.
  Result<void> begin(std::uint64_t format) {
    METERLINE_CHECK(compressor_.begin());
    pending_ = archive_magic;
    store::put_varint(format, pending_);
    return pass_on(ZSTD_e_flush);
  }

  void number(std::uint64_t value) { store::put_varint(value, pending_); }
  void tag(char tag) { pending_ += tag; }
  void bytes(std::string_view value) {
    number(value.size());
    pending_ += value;
  }
  Result<void> end_record() {
    return pending_.size() < piece_bytes ? Result<void>() : pass_on(ZSTD_e_continue);
  }

  Result<void> finish(const ArchiveCounts& counts) {
    METERLINE_CHECK(pass_on(ZSTD_e_continue));
    tag('E');
    for (const auto count : {counts.deliveries, counts.meters, counts.days, counts.reads})
      number(static_cast<std::uint64_t>(count));
    const auto hash = hash_.finish();
    pending_.append(hash.begin(), hash.end());
    return compressor_.add(pending_, ZSTD_e_end);
  }

 private:
  Result<void> pass_on(ZSTD_EndDirective directive) {
    hash_.add(pending_);
    METERLINE_CHECK(compressor_.add(pending_, directive));
    pending_.clear();
    return {};
  }

  Compressor compressor_;
  Sha256 hash_;
  std::string pending_;
};

/// Finds an archived delivery's number by its id.
class DeliveryNumbers {
 public:
  void add(const DeliveryId& id, std::uint32_t number) { numbers_.emplace_back(id, number); }
  void sort() { std::sort(numbers_.begin(), numbers_.end()); }

  std::optional<std::uint32_t> find(const DeliveryId& id) {
    if (last_ < numbers_.size() && numbers_[last_].first == id) return numbers_[last_].second;
    const auto found = std::lower_bound(numbers_.begin(), numbers_.end(), std::pair(id, 0U));
    if (found == numbers_.end() || found->first != id) return std::nullopt;
    last_ = static_cast<std::size_t>(found - numbers_.begin());
    return found->second;
  }

 private:
  std::vector<std::pair<DeliveryId, std::uint32_t>> numbers_;
  std::size_t last_ = 0;  ///< Neighbouring days are mostly of the same one.
};

/// The versions of one day or register read. They come newest first, and stand in an archive by
/// the numbers of their deliveries.
class HeldVersions {
 public:
  struct Held {
    std::uint32_t delivery = 0;
    std::string packed;
  };

  bool empty() const { return count_ == 0; }
  void clear() { count_ = 0; }
  /// To be filled in.
  Held& add(std::uint32_t delivery) {
    if (count_ == held_.size()) held_.emplace_back();
    Held& added = held_[count_++];
    added.delivery = delivery;
    added.packed.clear();
    return added;
  }
  /// By number.
  std::span<const Held> sorted() {
    const auto end = held_.begin() + static_cast<std::ptrdiff_t>(count_);
    std::sort(held_.begin(), end,
              [](const Held& a, const Held& b) { return a.delivery < b.delivery; });
    return std::span(held_).first(count_);
  }

 private:
  std::vector<Held> held_;  ///< The first count_ are in use.
  std::size_t count_ = 0;
};

bool any_twice(std::span<const HeldVersions::Held> sorted) {
  return std::adjacent_find(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
           return a.delivery == b.delivery;
         }) != sorted.end();
}

class ArchiveWriter {
 public:
  ArchiveWriter(const store::Store& store, const BytesSink& sink, const ArchiveHooks& hooks,
                const ArchiveSelection& selection)
      : store_(store), records_(sink), hooks_(hooks), selection_(selection) {}

  Result<ArchiveSummary> run() {
    METERLINE_TRY(const auto settings, store_.settings());
    const bool lacks_any = !selection_.is_all() || settings.amended_at;
    const bool is_plain = !lacks_any && settings.erased.empty();
    METERLINE_CHECK(records_.begin(is_plain ? archive_format_of_all : archive_format));
    METERLINE_CHECK(add_unit(settings.unit));
    METERLINE_CHECK(add_omissions(settings));
    METERLINE_CHECK(add_deliveries());
    METERLINE_CHECK(selection_.meters ? add_selected_meters() : add_meters());
    METERLINE_CHECK(records_.finish(summary_.counts));
    return summary_;
  }

 private:
  using Held = HeldVersions::Held;

  Result<void> add_unit(std::optional<Unit> unit);
  Result<void> add_omissions(const store::StoreSettings& settings);
  bool is_selected(const store::DeliveryRecord& record) const;
  Result<void> add_selected_meters();
  Result<void> add_meter(const MeterId& meter);
  Result<void> add_deliveries();
  Result<void> add_delivery(const store::DeliveryRecord& record);
  Result<void> add_meters();
  Result<void> add_days(const MeterId& meter);
  Result<void> hold(const MeterId& meter, const store::StoredDay& day);
  Result<void> write_held(const MeterId& meter);
  Result<void> write_day(const MeterId& meter, const Held& held);
  Result<void> add_reads(const MeterId& meter);
  Result<void> hold(const store::StoredRead& stored);
  Result<void> write_held_reads(const MeterId& meter);
  Result<void> write_read(const MeterId& meter, const Held& held);
  void begin_meter(const MeterId& meter);
  Result<std::uint64_t> number_of(const Channel& channel);
  Result<void> check_stop() const {
    if (hooks_.stop != nullptr && *hooks_.stop) return fail(Errc::cancelled, "stopped on request");
    return {};
  }

  const store::Store& store_;
  Records records_;
  const ArchiveHooks& hooks_;
  const ArchiveSelection& selection_;
  ArchiveSummary summary_;
  std::uint64_t delivery_bytes_ = 0;
  std::optional<Delivery> last_delivery_;
  DeliveryNumbers numbers_;
  std::vector<Channel> channels_;
  bool is_meter_begun_ = false;
  std::int32_t last_date_ = 0;  ///< Of the meter's day that was written last; at first, 1970.

  Date held_date_;  ///< And channel: of the days in held_.
  Channel held_channel_;
  HeldVersions held_;
  ReadingDay scratch_;

  Instant held_at_;  ///< And register: of the register reads in held_reads_.
  MeterRegister held_register_;
  HeldVersions held_reads_;
  Instant last_at_;  ///< Of the meter's read that was written last; at first, 1970.
};

tl::unexpected<Error> contradicts(std::string_view what) {
  return fail(Errc::corrupt,
              fmt::format("{}; `meterline store check` tells what is wrong with the store", what));
}

Result<void> ArchiveWriter::add_deliveries() {
  store::DeliveriesQuery query{.limit = deliveries_step};
  for (;;) {
    METERLINE_CHECK(check_stop());
    METERLINE_TRY(const auto page, store_.deliveries(query));
    for (const auto& record : page)
      if (is_selected(record)) METERLINE_CHECK(add_delivery(record));
    if (page.size() < query.limit) break;
    query.after = page.back().delivery.id;
  }
  numbers_.sort();
  return {};
}

Result<void> ArchiveWriter::add_unit(std::optional<Unit> unit) {
  if (!unit) return {};
  records_.tag('U');
  records_.number(static_cast<std::uint64_t>(*unit));
  return records_.end_record();
}

/// Of a part, any delivery may have brought more than stands in it.
Result<void> ArchiveWriter::add_omissions(const store::StoreSettings& settings) {
  const bool is_part = !selection_.is_all();
  if (is_part || settings.amended_at) {
    records_.tag('P');
    records_.number(is_part ? 1 : 0);
    records_.number(settings.amended_at ? 1 : 0);
    if (settings.amended_at) records_.number(store::zigzag(settings.amended_at->micros));
    METERLINE_CHECK(records_.end_record());
  }
  for (const auto& mark : settings.erased) {
    records_.tag('X');
    records_.bytes(mark);
    METERLINE_CHECK(records_.end_record());
  }
  return {};
}

/// Whether it may have brought something of what is asked for.
bool ArchiveWriter::is_selected(const store::DeliveryRecord& record) const {
  const bool has_reads = record.report.register_reads.stored > 0;
  const auto& [dates, meters, meter_ids] = record.days;
  const auto& wanted = selection_.dates;
  if (wanted && !has_reads && dates && (dates->to < wanted->from || wanted->to < dates->from))
    return false;
  if (!selection_.meters || has_reads || meter_ids.empty()) return true;
  return std::any_of(meter_ids.begin(), meter_ids.end(), [&](const MeterId& meter) {
    return std::binary_search(selection_.meters->begin(), selection_.meters->end(), meter);
  });
}

Result<void> ArchiveWriter::add_delivery(const store::DeliveryRecord& record) {
  const auto& delivery = record.delivery;
  const auto& report = record.report;
  if (last_delivery_ && !is_archived_before(*last_delivery_, delivery))
    return contradicts("the store lists its deliveries in a wrong order");
  last_delivery_ = delivery;
  const auto bytes = store::encode_delivery(delivery, report, record.days, record.events);
  delivery_bytes_ += bytes.size();
  if (bytes.size() > archive_delivery_bytes_max || delivery_bytes_ > archive_deliveries_bytes_max ||
      summary_.counts.deliveries == static_cast<std::int64_t>(archive_deliveries_max))
    return fail(Errc::too_large,
                fmt::format("an archive holds at most {} deliveries and {} MB of their reports, {} "
                            "MB of each: there is more with delivery {}",
                            archive_deliveries_max, archive_deliveries_bytes_max >> 20,
                            archive_delivery_bytes_max >> 20, delivery.id.text()));
  if (report.state == DeliveryState::stored)
    numbers_.add(delivery.id, static_cast<std::uint32_t>(summary_.counts.deliveries));
  ++summary_.counts.deliveries;
  records_.tag('D');
  records_.bytes(bytes);
  return records_.end_record();
}

/// Also those of which nothing counts: what was withdrawn can be brought back.
Result<void> ArchiveWriter::add_meters() {
  store::MetersQuery query{
      .prefix = "", .after = {}, .limit = meters_step, .withdrawn = store::Withdrawn::counted};
  for (;;) {
    METERLINE_TRY(const auto page, store_.meters(query));
    for (const auto& info : page) METERLINE_CHECK(add_meter(info.meter));
    if (page.size() < query.limit) return {};
    query.after = page.back().meter;
  }
}

Result<void> ArchiveWriter::add_selected_meters() {
  for (const auto& meter : *selection_.meters) METERLINE_CHECK(add_meter(meter));
  return {};
}

Result<void> ArchiveWriter::add_meter(const MeterId& meter) {
  is_meter_begun_ = false;
  METERLINE_CHECK(add_days(meter));
  METERLINE_CHECK(add_reads(meter));
  if (hooks_.meters != nullptr) ++*hooks_.meters;
  return {};
}

Result<void> ArchiveWriter::add_days(const MeterId& meter) {
  const DateRange ever{.from = Date::min(), .to = Date::max()};
  const store::DaysQuery query{.meter = meter, .dates = selection_.dates.value_or(ever)};
  METERLINE_CHECK(store_.read_days(query, [&](const store::StoredDay& day) -> Result<void> {
    METERLINE_CHECK(check_stop());
    return hold(meter, day);
  }));
  return write_held(meter);
}

Result<void> ArchiveWriter::hold(const MeterId& meter, const store::StoredDay& day) {
  if (!held_.empty() && (day.date != held_date_ || day.channel != held_channel_)) {
    if (std::tie(day.date, day.channel) < std::tie(held_date_, held_channel_))
      return contradicts(fmt::format("the days of meter {} come in a wrong order", meter.text()));
    METERLINE_CHECK(write_held(meter));
  }
  const auto number = numbers_.find(day.delivery);
  if (!number) {
    ++summary_.days_left_out;
    return {};
  }
  held_date_ = day.date;
  held_channel_ = day.channel;
  held_.add(*number).packed = day.packed;
  return {};
}

Result<void> ArchiveWriter::write_held(const MeterId& meter) {
  const auto versions = held_.sorted();
  if (any_twice(versions))
    return contradicts(
        fmt::format("meter {} has {} twice of one delivery", meter.text(), held_date_.text()));
  for (const auto& held : versions) METERLINE_CHECK(write_day(meter, held));
  held_.clear();
  return {};
}

Result<void> ArchiveWriter::write_day(const MeterId& meter, const Held& held) {
  if (const auto day = store::unpack_day(held.packed, scratch_); !day)
    return contradicts(
        fmt::format("meter {}, {}: {}", meter.text(), held_date_.text(), day.error().message));
  begin_meter(meter);
  METERLINE_TRY(const auto channel, number_of(held_channel_));
  records_.tag('R');
  records_.number(store::zigzag(std::int64_t{held_date_.days()} - last_date_));
  records_.number(channel);
  records_.number(held.delivery);
  records_.bytes(held.packed);
  last_date_ = held_date_.days();
  ++summary_.counts.days;
  if (hooks_.days != nullptr) ++*hooks_.days;
  return records_.end_record();
}

void ArchiveWriter::begin_meter(const MeterId& meter) {
  if (is_meter_begun_) return;
  records_.tag('M');
  records_.bytes(meter.text());
  is_meter_begun_ = true;
  last_date_ = 0;
  last_at_ = {};
  ++summary_.counts.meters;
}

Result<void> ArchiveWriter::add_reads(const MeterId& meter) {
  METERLINE_CHECK(store_.read_registers(store::all_reads_of(meter),
                                        [&](const store::StoredRead& stored) -> Result<void> {
                                          METERLINE_CHECK(check_stop());
                                          const auto date = stored.read.current.time.date();
                                          const auto& wanted = selection_.dates;
                                          if (wanted && !wanted->contains(date)) return {};
                                          return hold(stored);
                                        }));
  return write_held_reads(meter);
}

Result<void> ArchiveWriter::hold(const store::StoredRead& stored) {
  const auto& read = stored.read;
  const Instant at = read.current.time.at;
  if (!held_reads_.empty() && (at != held_at_ || read.of != held_register_)) {
    if (std::tie(at, read.of) < std::tie(held_at_, held_register_))
      return contradicts(
          fmt::format("the register reads of meter {} come in a wrong order", read.meter.text()));
    METERLINE_CHECK(write_held_reads(read.meter));
  }
  const auto number = numbers_.find(stored.delivery);
  if (!number) {
    ++summary_.reads_left_out;
    return {};
  }
  held_at_ = at;
  held_register_ = read.of;
  store::pack_read(read, held_reads_.add(*number).packed);
  return {};
}

Result<void> ArchiveWriter::write_held_reads(const MeterId& meter) {
  const auto versions = held_reads_.sorted();
  if (any_twice(versions))
    return contradicts(fmt::format("meter {} has a register read of {} twice of one delivery",
                                   meter.text(), held_at_.text()));
  for (const auto& held : versions) METERLINE_CHECK(write_read(meter, held));
  held_reads_.clear();
  return {};
}

Result<void> ArchiveWriter::write_read(const MeterId& meter, const Held& held) {
  begin_meter(meter);
  METERLINE_TRY(const auto channel, number_of(held_register_.channel));
  records_.tag('G');
  records_.number(store::zigzag(held_at_.micros - last_at_.micros));
  records_.number(channel);
  records_.bytes(held_register_.id);
  records_.bytes(held_register_.serial);
  records_.number(held.delivery);
  records_.bytes(held.packed);
  last_at_ = held_at_;
  ++summary_.counts.reads;
  return records_.end_record();
}

/// A channel is told once, when its first day or register read comes.
Result<std::uint64_t> ArchiveWriter::number_of(const Channel& channel) {
  const auto found = std::find(channels_.begin(), channels_.end(), channel);
  const auto number = static_cast<std::uint64_t>(found - channels_.begin());
  if (found != channels_.end()) return number;
  if (channels_.size() == archive_channels_max)
    return fail(Errc::too_large, fmt::format("an archive holds at most {} different channels",
                                             archive_channels_max));
  channels_.push_back(channel);
  records_.tag('C');
  records_.bytes(channel.name);
  records_.number(static_cast<std::uint64_t>(channel.flow));
  records_.number(static_cast<std::uint64_t>(channel.unit));
  return number;
}

}  // namespace

bool is_archived_before(const Delivery& a, const Delivery& b) {
  return std::tie(b.delivered_at, b.id) < std::tie(a.delivered_at, a.id);
}

Result<ArchiveSummary> write_archive(const store::Store& store, const BytesSink& sink,
                                     const ArchiveHooks& hooks, const ArchiveSelection& selection) {
  return ArchiveWriter(store, sink, hooks, selection).run();
}

}  // namespace meterline::ingest
