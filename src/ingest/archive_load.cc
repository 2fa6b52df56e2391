#include "ingest/archive_load.h"

#include <optional>
#include <utility>
#include <vector>

#include "core/try.h"
#include "ingest/archive_reader.h"
#include "store/packed_day.h"

namespace meterline::ingest {
namespace {

class Verifier final : public ArchiveVisitor {
 public:
  Result<void> on_unit(Unit /*unit*/) override { return {}; }
  Result<void> on_delivery(store::DeliveryRecord /*record*/) override { return {}; }
  Result<void> on_day(const ArchivedDay& /*day*/) override { return {}; }
  Result<void> on_read(const RegisterRead& /*read*/, std::size_t /*delivery*/) override {
    return {};
  }
};

class Restorer final : public ArchiveVisitor {
 public:
  Restorer(store::Store& store, ArchiveReport& report) : store_(store), report_(report) {}

  Result<void> on_unit(Unit unit) override {
    unit_ = unit;
    return {};
  }

  Result<void> on_delivery(store::DeliveryRecord record) override {
    for (auto& event : record.events) events_.emplace_back(record.delivery.id, std::move(event));
    METERLINE_TRY(const bool known, is_known(record));
    numbers_.push_back(known ? std::nullopt : std::optional(deliveries_.size()));
    if (known) {
      ++skipped_;
      return {};
    }
    deliveries_.push_back(std::move(record.delivery));
    reports_.push_back(std::move(record.report));
    return {};
  }

  Result<void> on_day(const ArchivedDay& archived) override {
    const auto number = numbers_[archived.delivery];
    if (!number) return {};
    METERLINE_CHECK(begin());
    const ReadingDay& day = archived.day;
    return writer_->add({.meter = day.meter,
                         .channel = day.channel,
                         .date = day.date,
                         .packed = archived.packed,
                         .plain_total = store::plain_total(day),
                         .delivery = *number});
  }

  Result<void> on_read(const RegisterRead& read, std::size_t delivery) override {
    const auto number = numbers_[delivery];
    if (!number) return {};
    METERLINE_CHECK(begin());
    return writer_->add(read, *number);
  }

  /// Commits, when the archive is read to its end and found good. A store that has a unit keeps it.
  /// Events come first, so that what was withdrawn never counts; those that the store has already
  /// change nothing.
  Result<void> finish() {
    if (unit_) METERLINE_CHECK(store_.remember_unit(*unit_));
    for (const auto& [id, event] : events_) METERLINE_CHECK(store_.add_event(id, event));
    if (!deliveries_.empty()) {
      METERLINE_CHECK(begin());
      METERLINE_CHECK(writer_->commit(reports_));
    }
    report_.restored = static_cast<std::int64_t>(deliveries_.size());
    report_.skipped = skipped_;
    for (const auto& report : reports_) {
      report_.rows += report.rows;
      report_.readings += report.readings;
      report_.register_reads += report.register_reads;
    }
    return {};
  }

 private:
  /// What was refused once may be stored now, by a program that knows more.
  Result<bool> is_known(const store::DeliveryRecord& record) const {
    METERLINE_TRY(const auto there, store_.delivery(record.delivery.id));
    return there && (there->report.state == DeliveryState::stored ||
                     record.report.state == DeliveryState::refused);
  }

  Result<void> begin() {
    if (writer_) return {};
    METERLINE_TRY(writer_, store_.write(deliveries_));
    return {};
  }

  store::Store& store_;
  ArchiveReport& report_;
  std::optional<Unit> unit_;
  std::vector<std::optional<std::size_t>> numbers_;  ///< Archived to the writer's.
  std::vector<Delivery> deliveries_;
  std::vector<DeliveryReport> reports_;
  std::vector<std::pair<DeliveryId, DeliveryEvent>> events_;  ///< Of all that it holds.
  std::int64_t skipped_ = 0;
  std::unique_ptr<store::DeliveryWriter> writer_;
};

}  // namespace

Result<void> verify_archive(ArchiveBytes archive) {
  Verifier verifier;
  METERLINE_CHECK(ArchiveReader(std::move(archive.head), archive.rest, verifier).read());
  return {};
}

Result<void> restore_archive(ArchiveBytes archive, store::Store& store, ArchiveReport& report) {
  Restorer restorer(store, report);
  METERLINE_CHECK(ArchiveReader(std::move(archive.head), archive.rest, restorer).read());
  return restorer.finish();
}

}  // namespace meterline::ingest
