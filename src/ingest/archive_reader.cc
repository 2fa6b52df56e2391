#include "ingest/archive_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"
#include "store/delivery_codec.h"
#include "store/packed_day.h"
#include "store/packed_read.h"

namespace meterline::ingest {
namespace {

/// Read from the source at a time. A length that lies then costs no more memory than the archive
/// has bytes.
constexpr std::size_t piece_bytes = 256 << 10;
constexpr std::size_t varint_bytes_max = 10;
constexpr std::size_t hash_bytes = std::tuple_size_v<ContentHash>;

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(
      Errc::corrupt,
      fmt::format("the archive is damaged: {}; fetch it again, or export the store again", what));
}

tl::unexpected<Error> too_large(std::string_view what, std::uint64_t max) {
  return fail(Errc::too_large,
              fmt::format("the archive holds more {} than the limit of {}", what, max));
}

}  // namespace

Result<ArchiveCounts> ArchiveReader::read() {
  METERLINE_CHECK(read_head());
  for (bool more = true; more;) {
    METERLINE_TRY(more, read_record());
  }
  return counts_;
}

Result<void> ArchiveReader::read_head() {
  METERLINE_TRY(const auto magic, take(archive_magic.size()));
  if (magic != archive_magic) return damaged("it does not begin as one");
  METERLINE_TRY(const auto format, number());
  format_ = format;
  if (format > archive_format)
    return fail(Errc::refused,
                fmt::format("the archive has format {}, written by a newer meterline; this one "
                            "knows formats up to {}: use the newer program",
                            format, archive_format));
  if (format == 0) return damaged("there is no format 0");
  return {};
}

/// False behind the last one.
Result<bool> ArchiveReader::read_record() {
  METERLINE_TRY(const bool any, want(1));
  if (!any) return damaged("it ends too early");
  const auto before = buffered().front() == 'E' ? hash_up_to_here() : ContentHash{};
  METERLINE_TRY(const auto tag, take(1));
  switch (tag.front()) {
    case 'U':
      METERLINE_CHECK(read_unit());
      return true;
    case 'P':
      METERLINE_CHECK(read_omissions());
      return true;
    case 'X':
      METERLINE_CHECK(read_erased());
      return true;
    case 'D':
      METERLINE_CHECK(read_delivery());
      return true;
    case 'M':
      METERLINE_CHECK(read_meter());
      return true;
    case 'C':
      METERLINE_CHECK(read_channel());
      return true;
    case 'R':
      METERLINE_CHECK(read_day());
      return true;
    case 'G':
      METERLINE_CHECK(read_register());
      return true;
    case 'E':
      METERLINE_CHECK(read_end(before));
      return false;
    default:
      return damaged("a record of no known kind");
  }
}

Result<void> ArchiveReader::read_unit() {
  METERLINE_TRY(const auto unit, number_up_to(static_cast<std::uint64_t>(last_unit)));
  if (has_unit_ || counts_.deliveries > 0 || counts_.meters > 0)
    return damaged("a unit of the store in a wrong place");
  has_unit_ = true;
  return visitor_.on_unit(static_cast<Unit>(unit));
}

Result<void> ArchiveReader::read_omissions() {
  ArchiveOmissions omissions;
  METERLINE_TRY(const auto is_part, number_up_to(1));
  METERLINE_TRY(const auto is_amended, number_up_to(1));
  omissions.is_part = is_part == 1;
  if (is_amended == 1) {
    METERLINE_TRY(const auto at, number());
    omissions.amended_at = Instant{store::unzigzag(at)};
  }
  if (format_ == archive_format_of_all || has_omissions_ || erased_ > 0 || !ids_.empty() ||
      counts_.meters > 0)
    return damaged("what it lacks, in a wrong place");
  has_omissions_ = true;
  return visitor_.on_omissions(omissions);
}

Result<void> ArchiveReader::read_erased() {
  METERLINE_TRY(const auto mark, bytes(store::erased_mark_bytes_max));
  if (format_ == archive_format_of_all || !ids_.empty() || counts_.meters > 0)
    return damaged("an erased meter in a wrong place");
  if (++erased_ > store::erased_marks_max)
    return too_large("erased meters", store::erased_marks_max);
  return visitor_.on_erased(mark);
}

Result<void> ArchiveReader::read_delivery() {
  METERLINE_TRY(const auto encoded, bytes(archive_delivery_bytes_max));
  delivery_bytes_ += encoded.size();
  if (delivery_bytes_ > archive_deliveries_bytes_max)
    return too_large("bytes of deliveries", archive_deliveries_bytes_max);
  if (has_days_.size() == archive_deliveries_max)
    return too_large("deliveries", archive_deliveries_max);
  auto record = store::decode_delivery(encoded);
  if (!record) return damaged(record.error().message);
  const auto& delivery = record->delivery;
  const auto state = record->report.state;
  if (state != DeliveryState::stored && state != DeliveryState::refused)
    return damaged("a delivery that was never kept");
  if (delivery.source.size() > source_bytes_max)
    return too_large("bytes of a source", source_bytes_max);
  if (counts_.meters > 0 || (!ids_.empty() && !is_archived_before(last_delivery_, delivery)))
    return damaged("deliveries in a wrong order");
  last_delivery_ = delivery;
  ids_.push_back(delivery.id);
  has_days_.push_back(state == DeliveryState::stored);
  ++counts_.deliveries;
  return visitor_.on_delivery(*std::move(record));
}

Result<void> ArchiveReader::end_deliveries() {
  std::sort(ids_.begin(), ids_.end());
  if (std::adjacent_find(ids_.begin(), ids_.end()) != ids_.end())
    return damaged("a delivery stands in it twice");
  ids_ = {};
  return {};
}

Result<void> ArchiveReader::read_meter() {
  if (counts_.meters == 0) METERLINE_CHECK(end_deliveries());
  METERLINE_TRY(const auto text, bytes(meter_id_chars_max));
  auto meter = MeterId::parse(text);
  if (!meter) return damaged("a meter id that is none");
  if (*meter <= day_.meter) return damaged("meters in a wrong order");
  day_.meter = *std::move(meter);
  any_day_ = any_read_ = false;
  ++counts_.meters;
  return {};
}

Result<void> ArchiveReader::read_channel() {
  if (channels_.size() == archive_channels_max) return too_large("channels", archive_channels_max);
  METERLINE_TRY(const auto text, bytes(channel_name_chars_max));
  if (text.empty() || !is_meter_id_text(text)) return damaged("a channel without a proper name");
  Channel channel{.name = std::string(text)};
  METERLINE_TRY(const auto flow, number_up_to(static_cast<std::uint64_t>(Flow::other)));
  METERLINE_TRY(const auto unit, number_up_to(static_cast<std::uint64_t>(last_unit)));
  channel.flow = static_cast<Flow>(flow);
  channel.unit = static_cast<Unit>(unit);
  channels_.push_back(std::move(channel));
  return {};
}

Result<void> ArchiveReader::read_day() {
  if (counts_.meters == 0) return damaged("a day without a meter");
  METERLINE_TRY(const auto step, number());
  METERLINE_TRY(const auto channel, number());
  METERLINE_TRY(const auto delivery, number());
  METERLINE_CHECK(set_day(store::unzigzag(step), channel, delivery));
  METERLINE_TRY(const auto packed, bytes(archive_day_bytes_max));
  if (const auto unpacked = store::unpack_day(packed, day_); !unpacked)
    return damaged(unpacked.error().message);
  ++counts_.days;
  return visitor_.on_day({.day = day_, .packed = packed, .delivery = delivery});
}

/// Makes day_ that of the date and channel, which must come behind those before.
Result<void> ArchiveReader::set_day(std::int64_t step, std::size_t channel, std::size_t delivery) {
  if (any_read_) return damaged("a day behind the register reads of its meter");
  if (channel >= channels_.size()) return damaged("a day of an unknown channel");
  if (delivery >= has_days_.size() || !has_days_[delivery])
    return damaged("a day of an unknown delivery");
  constexpr std::int64_t step_max = 1'000'000;  // More than there are dates.
  const std::int64_t before = any_day_ ? day_.date.days() : 0;
  const auto date = Date::from_days(before + std::clamp(step, -step_max, step_max));
  if (!date) return damaged("a date that does not exist");
  const Channel& next = channels_[channel];
  if (any_day_ &&
      std::tie(*date, next, delivery) <= std::tie(day_.date, day_.channel, last_number_))
    return damaged("days in a wrong order");
  day_.date = *date;
  if (day_.channel != next) day_.channel = next;
  last_number_ = delivery;
  any_day_ = true;
  return {};
}

Result<void> ArchiveReader::read_register() {
  if (counts_.meters == 0) return damaged("a register read without a meter");
  METERLINE_TRY(const auto step, number());
  METERLINE_TRY(const auto channel, number());
  if (channel >= channels_.size()) return damaged("a register read of an unknown channel");
  MeterRegister of{.channel = channels_[channel], .id = {}, .serial = {}};
  METERLINE_TRY(of.id, bytes(register_word_bytes_max));
  METERLINE_TRY(of.serial, bytes(register_word_bytes_max));
  METERLINE_TRY(const auto delivery, number());
  METERLINE_CHECK(set_register(store::unzigzag(step), std::move(of), delivery));
  METERLINE_TRY(const auto packed, bytes(store::packed_read_bytes_max));
  if (const auto unpacked = store::unpack_read(packed, register_read_); !unpacked)
    return damaged(unpacked.error().message);
  ++counts_.reads;
  return visitor_.on_read(register_read_, delivery);
}

/// Makes register_read_ that of the time and register, which must come behind those before. That
/// the time is one is seen when the rest is unpacked.
Result<void> ArchiveReader::set_register(std::int64_t step, MeterRegister of,
                                         std::size_t delivery) {
  if (delivery >= has_days_.size() || !has_days_[delivery])
    return damaged("a register read of an unknown delivery");
  auto& read = register_read_;
  Instant at;
  if (__builtin_add_overflow(any_read_ ? read.current.time.at.micros : 0, step, &at.micros))
    return damaged("a time that does not exist");
  if (any_read_ &&
      std::tie(at, of, delivery) <= std::tie(read.current.time.at, read.of, last_read_number_))
    return damaged("register reads in a wrong order");
  read.meter = day_.meter;
  read.of = std::move(of);
  read.current.time.at = at;
  last_read_number_ = delivery;
  any_read_ = true;
  return {};
}

Result<void> ArchiveReader::read_end(const ContentHash& hash) {
  if (counts_.meters == 0) METERLINE_CHECK(end_deliveries());
  for (const auto count : {counts_.deliveries, counts_.meters, counts_.days, counts_.reads}) {
    METERLINE_TRY(const auto stated, number());
    if (stated != static_cast<std::uint64_t>(count)) return damaged("its counts are not right");
  }
  METERLINE_TRY(const auto stated, take(hash_bytes));
  if (!std::equal(hash.begin(), hash.end(), stated.begin(),
                  [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }))
    return damaged("its checksum is not right");
  METERLINE_TRY(const bool more, want(1));
  if (more) return damaged("something follows its end");
  return {};
}

/// Reads until `count` bytes are buffered; false when there are fewer.
Result<bool> ArchiveReader::want(std::size_t count) {
  if (buffer_.size() - at_ >= count) return true;
  hash_.add(std::string_view(buffer_).substr(hashed_, at_ - hashed_));
  buffer_.erase(0, at_);
  at_ = hashed_ = 0;
  while (buffer_.size() < count) {
    const std::size_t filled = buffer_.size();
    buffer_.resize(filled + piece_bytes);
    const auto read = rest_.read({buffer_.data() + filled, piece_bytes});
    buffer_.resize(filled + read.value_or(0));
    if (!read) return tl::unexpected(read.error());
    if (*read == 0) return false;
  }
  return true;
}

/// Valid until the next call of a member.
Result<std::string_view> ArchiveReader::take(std::size_t count) {
  METERLINE_TRY(const bool enough, want(count));
  if (!enough) return damaged("it ends too early");
  const auto taken = buffered().substr(0, count);
  at_ += count;
  return taken;
}

Result<std::uint64_t> ArchiveReader::number() {
  METERLINE_TRY([[maybe_unused]] const bool enough, want(varint_bytes_max));
  auto rest = buffered();
  const auto value = store::take_varint(rest);
  if (!value) return damaged(rest.size() < varint_bytes_max ? "it ends too early" : "a bad number");
  at_ = buffer_.size() - rest.size();
  return *value;
}

Result<std::uint64_t> ArchiveReader::number_up_to(std::uint64_t max) {
  METERLINE_TRY(const auto value, number());
  if (value > max) return damaged("a number of no known meaning");
  return value;
}

Result<std::string_view> ArchiveReader::bytes(std::size_t max) {
  METERLINE_TRY(const auto count, number());
  if (count > max) return damaged(fmt::format("a record of {} bytes, above {}", count, max));
  return take(count);
}

ContentHash ArchiveReader::hash_up_to_here() {
  hash_.add(std::string_view(buffer_).substr(hashed_, at_ - hashed_));
  hashed_ = at_;
  return hash_.finish();
}

}  // namespace meterline::ingest
