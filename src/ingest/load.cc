#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "core/try.h"
#include "ingest/content_hash.h"
#include "ingest/day_feed.h"
#include "ingest/file_reader.h"
#include "ingest/ingest.h"
#include "ingest/row_sorter.h"

namespace meterline::ingest {
namespace {

constexpr std::size_t drain_bytes = 256 << 10;
/// Deliveries of the same source that are compared before a file is parsed.
constexpr std::size_t earlier_deliveries_max = 20;

int threads_of(const IngestOptions& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// Loads one delivery; the steps of load().
class Load {
 public:
  Load(const source::Incoming& incoming, store::Store& store, const IngestOptions& options,
       const IngestHooks& hooks)
      : incoming_(incoming), store_(store), options_(options), hooks_(hooks) {
    record_.delivery = {
        .source = incoming.source, .delivered_at = incoming.delivered_at, .unit = options.unit};
  }

  store::DeliveryRecord run() {
    auto done = try_run();
    if (!done) {
      record_.report = {.state = DeliveryState::failed, .reason = done.error().message};
    }
    return std::move(record_);
  }

 private:
  Result<void> try_run();
  Result<bool> is_stored_already();
  Result<bool> is_known(const DeliveryId& id);
  Result<void> read_file(RowSorter& sorter, FileContent& content);
  Result<void> identify(source::ByteSource& received_bytes);
  Result<void> store_rows(RowSorter& sorter, FileContent& content);
  Result<void> store_refusal(const FileContent& content, const std::string& reason);
  void take_report(FileContent& content);

  const source::Incoming& incoming_;
  store::Store& store_;
  const IngestOptions& options_;
  const IngestHooks& hooks_;
  store::DeliveryRecord record_;
  Received received_;
  ChannelTable channels_;
};

/// Reads to the end, so that the hash covers the whole file.
Result<void> drain(source::ByteSource& bytes) {
  std::vector<char> buffer(drain_bytes);
  for (;;) {
    METERLINE_TRY(const auto count, bytes.read(buffer));
    if (count == 0) return {};
  }
}

/// Whether the file itself is at fault, and so will be at the next try.
bool is_refusal(const Error& error) {
  return error.code == Errc::refused || error.code == Errc::corrupt ||
         error.code == Errc::too_large;
}

/// Whether the delivery of this id is stored; then the record becomes that of then.
Result<bool> Load::is_known(const DeliveryId& id) {
  METERLINE_TRY(auto earlier, store_.delivery(id));
  if (!earlier || earlier->report.state != DeliveryState::stored) return false;
  record_ = *std::move(earlier);
  record_.report.state = DeliveryState::skipped;
  return true;
}

/// Looks for an earlier delivery of the same source and size, and compares hashes only if there
/// is one: most files are new and are read once.
Result<bool> Load::is_stored_already() {
  if (!incoming_.bytes) return false;
  METERLINE_TRY(const auto earlier,
                store_.deliveries({.source = incoming_.source, .limit = earlier_deliveries_max}));
  const bool may_be = std::any_of(earlier.begin(), earlier.end(), [&](const auto& record) {
    return record.report.state == DeliveryState::stored &&
           record.delivery.bytes == *incoming_.bytes && record.delivery.unit == options_.unit;
  });
  if (!may_be) return false;
  METERLINE_TRY(auto bytes, incoming_.open());
  Received received;
  const auto noting = make_noting_source(std::move(bytes), received, hooks_.stop, nullptr);
  METERLINE_CHECK(drain(*noting));
  const auto id = delivery_id(incoming_.source, received.hash.finish(), options_.unit);
  METERLINE_TRY(const bool known, is_known(id));
  if (known && hooks_.bytes_read != nullptr) *hooks_.bytes_read += received.bytes;
  return known;
}

/// A source that another one owns.
class BorrowedSource final : public source::ByteSource {
 public:
  explicit BorrowedSource(source::ByteSource& from) : from_(from) {}
  Result<std::size_t> read(std::span<char> into) override { return from_.read(into); }

 private:
  source::ByteSource& from_;
};

/// Reads all of the file; its good rows are then in the sorter. `refused` and the like when the
/// file is at fault; it is identified even then.
Result<void> Load::read_file(RowSorter& sorter, FileContent& content) {
  METERLINE_TRY(auto opened, incoming_.open());
  const auto received =
      make_noting_source(std::move(opened), received_, hooks_.stop, hooks_.bytes_read);
  const auto read = [&]() -> Result<void> {
    METERLINE_TRY(const auto bytes,
                  source::expand(std::make_unique<BorrowedSource>(*received),
                                 {.expanded_bytes_max = options_.expanded_bytes_max}));
    FileReader reader({.source = incoming_.source,
                       .unit = options_.unit,
                       .findings_max = options_.findings_max,
                       .threads = threads_of(options_),
                       .on_rejected = hooks_.on_rejected ? &hooks_.on_rejected : nullptr},
                      channels_, sorter, content);
    return reader.read(*bytes);
  }();
  if (!read && !is_refusal(read.error())) return read;
  METERLINE_CHECK(identify(*received));
  return read;
}

Result<void> Load::identify(source::ByteSource& received_bytes) {
  METERLINE_CHECK(drain(received_bytes));
  auto& delivery = record_.delivery;
  delivery.content = received_.hash.finish();
  delivery.bytes = received_.bytes;
  delivery.id = delivery_id(delivery.source, delivery.content, delivery.unit);
  return {};
}

void Load::take_report(FileContent& content) {
  record_.report.format = content.format;
  record_.report.rows = content.rows;
  record_.report.readings = content.readings;
  record_.report.finding_counts = content.findings.counts();
  record_.report.findings = content.findings.take();
}

Result<void> Load::store_rows(RowSorter& sorter, FileContent& content) {
  METERLINE_TRY(const auto writer, store_.write(record_.delivery));
  const auto channels = channels_.all();
  DayFeed feed(channels, *writer, content);
  METERLINE_CHECK(sorter.visit([&](const char* record) -> Result<void> {
    if (hooks_.stop != nullptr && *hooks_.stop) return fail(Errc::cancelled, "stopped on request");
    return feed.add(record);
  }));
  METERLINE_CHECK(feed.finish());
  take_report(content);
  record_.report.state = DeliveryState::stored;
  return writer->commit(record_.report);
}

Result<void> Load::store_refusal(const FileContent& content, const std::string& reason) {
  record_.report = {.state = DeliveryState::refused, .reason = reason, .format = content.format};
  METERLINE_TRY(const auto writer, store_.write(record_.delivery));
  return writer->commit(record_.report);
}

Result<void> Load::try_run() {
  METERLINE_TRY(const bool is_stored, is_stored_already());
  if (is_stored) return {};
  FileContent content(options_.findings_max);
  RowSorter sorter({.bytes_max = options_.sort_bytes_max, .folder = options_.spool_folder});
  const auto read = read_file(sorter, content);
  if (!read && !is_refusal(read.error())) return read;
  METERLINE_TRY(const bool known, is_known(record_.delivery.id));
  if (known) return {};
  return read ? store_rows(sorter, content) : store_refusal(content, read.error().message);
}

}  // namespace

store::DeliveryRecord load(const source::Incoming& incoming, store::Store& store,
                           const IngestOptions& options, const IngestHooks& hooks) {
  return Load(incoming, store, options, hooks).run();
}

}  // namespace meterline::ingest
