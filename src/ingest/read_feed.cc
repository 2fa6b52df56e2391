#include "ingest/read_feed.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/try.h"
#include "store/bits.h"
#include "store/packed_read.h"

namespace meterline::ingest {
namespace {

constexpr std::int64_t minute_micros = std::int64_t{60} * 1'000'000;

std::int32_t minute_of(Instant at) {
  const auto minute = at.micros / minute_micros - (at.micros % minute_micros < 0 ? 1 : 0);
  return static_cast<std::int32_t>(minute);
}

void put_text(std::string_view text, std::string& out) {
  store::put_varint(text.size(), out);
  out += text;
}

/// Of what put_read() wrote behind the head.
std::optional<RegisterRead> take_read(std::string_view meter, std::string_view bytes) {
  RegisterRead read;
  auto parsed = MeterId::parse(meter);
  const auto at = store::take_varint(bytes);
  const auto flow = store::take_varint(bytes);
  const auto unit = store::take_varint(bytes);
  if (!parsed || !at || !flow || !unit) return std::nullopt;
  read.meter = *std::move(parsed);
  read.current.time.at.micros = store::unzigzag(*at);
  read.of.channel.flow = static_cast<Flow>(*flow);
  read.of.channel.unit = static_cast<Unit>(*unit);
  for (auto* text : {&read.of.channel.name, &read.of.id, &read.of.serial}) {
    const auto taken = store::take_sized(bytes);
    if (!taken) return std::nullopt;
    *text = *taken;
  }
  if (!store::unpack_read(bytes, read)) return std::nullopt;
  return read;
}

bool say_the_same(RegisterRead a, const RegisterRead& b) {
  a.stated = b.stated;
  return a == b;
}

std::string excerpt(const RegisterRead& read) {
  return excerpt_of(
      fmt::format("{},{},{}", read.meter.text(), read.of.channel.name, read.current.time.text()));
}

}  // namespace

void put_read(const RegisterRead& read, RowHead head, std::string& out) {
  const std::size_t head_at = out.size();
  out.resize(head_at + sizeof(RowHead));
  store::put_varint(store::zigzag(read.current.time.at.micros), out);
  store::put_varint(static_cast<std::uint64_t>(read.of.channel.flow), out);
  store::put_varint(static_cast<std::uint64_t>(read.of.channel.unit), out);
  put_text(read.of.channel.name, out);
  put_text(read.of.id, out);
  put_text(read.of.serial, out);
  store::pack_read(read, out);
  head.date = minute_of(read.current.time.at);
  head.packed_bytes = static_cast<std::uint32_t>(out.size() - head_at - sizeof(RowHead));
  put_head(head, out.data() + head_at);
}

ReadFeed::ReadFeed(const std::vector<DayFeed::File>& files, store::DeliveryWriter& writer,
                   const DayFeed::OnRejected& on_rejected)
    : files_(files), writer_(writer), on_rejected_(on_rejected) {}

Result<void> ReadFeed::add(const SortedRow& row) {
  if (files_[row.head.file].content == nullptr) return {};
  if (meter_ != row.meter || minute_ != row.head.date) METERLINE_CHECK(finish());
  meter_ = row.meter;
  minute_ = row.head.date;
  auto read = take_read(row.meter, row.packed);
  if (!read) return fail(Errc::corrupt, "a row changed on its way to the store");
  Kept added{.read = *std::move(read), .line = row.head.line};
  const Place place{.at = added.read.current.time.at, .of = added.read.of, .file = row.head.file};
  const auto found = reads_.find(place);
  if (found != reads_.end())
    resolve(place, found->second, std::move(added));
  else if (reads_.size() == reads_a_minute_max)
    reject(row.head.file, added);
  else
    reads_.emplace(place, std::move(added));
  return {};
}

Result<void> ReadFeed::finish() {
  for (const auto& [place, kept] : reads_)
    METERLINE_CHECK(writer_.add(kept.read, files_[place.file].delivery));
  reads_.clear();
  return {};
}

/// `other` stands behind `kept` in the file.
void ReadFeed::resolve(const Place& place, Kept& kept, Kept other) {
  if (!(other.read.stated < kept.read.stated)) std::swap(kept, other);
  tell_repeated(place, kept, other);
}

void ReadFeed::tell_repeated(const Place& place, const Kept& kept, const Kept& other) {
  FileContent& content = *files_[place.file].content;
  for (auto* rows : {&content.rows, &content.register_reads}) {
    --rows->stored;
    ++rows->repeated;
  }
  const bool is_same = say_the_same(kept.read, other.read);
  content.findings.add(
      {.line = other.line,
       .code = is_same ? FindingCode::repeated : FindingCode::read_replaced,
       .text = fmt::format("line {} has the same register and time, {}, and is kept", kept.line,
                           is_same ? "says the same" : "says otherwise"),
       .excerpt = excerpt(other.read)});
}

void ReadFeed::reject(std::size_t file, const Kept& read) {
  FileContent& content = *files_[file].content;
  for (auto* rows : {&content.rows, &content.register_reads}) {
    --rows->stored;
    ++rows->rejected;
  }
  const auto reason = fmt::format("more than {} registers of the meter are read in this minute",
                                  reads_a_minute_max);
  content.findings.add({.line = read.line,
                        .code = FindingCode::too_many_registers,
                        .text = reason,
                        .excerpt = excerpt(read.read)});
  if (!on_rejected_) return;
  const auto reasons = fmt::format("{}: {}", text_of(FindingCode::too_many_registers), reason);
  on_rejected_({.source = files_[file].source, .line = read.line, .reasons = reasons});
}

}  // namespace meterline::ingest
