#include "ingest/archive_load.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/try.h"
#include "ingest/archive_reader.h"
#include "ingest/erasure.h"
#include "store/packed_day.h"

namespace meterline::ingest {
namespace {

class Verifier final : public ArchiveVisitor {
 public:
  Result<void> on_unit(Unit /*unit*/) override { return {}; }
  Result<void> on_omissions(const ArchiveOmissions& /*omissions*/) override { return {}; }
  Result<void> on_erased(std::string_view /*mark*/) override { return {}; }
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

  Result<void> on_omissions(const ArchiveOmissions& omissions) override {
    omissions_ = omissions;
    return {};
  }

  Result<void> on_erased(std::string_view mark) override {
    erased_.emplace_back(mark);
    return {};
  }

  /// Of a delivery that the store has, a part may bring what it lacks; of a whole archive it has
  /// all or wants no more.
  Result<void> on_delivery(store::DeliveryRecord record) override {
    METERLINE_CHECK(read_settings());
    remove_erased(record, [this](std::string_view meter) { return left_out_->has(meter); });
    for (const auto& event : record.events) events_.emplace_back(record.delivery.id, event);
    METERLINE_TRY(auto known, find_known(record));
    if (known && !omissions_.is_part) {
      numbers_.push_back(std::nullopt);
      ++skipped_;
      return {};
    }
    numbers_.push_back(deliveries_.size());
    latest_ = std::max(latest_, record.delivery.received_at);
    if (known) std::swap(known->days, record.days);
    if (known) record = *std::move(known);
    deliveries_.push_back(record.delivery);
    reports_.push_back(record.report);
    if (omissions_.is_part) records_.push_back(std::move(record));
    return {};
  }

  Result<void> on_day(const ArchivedDay& archived) override {
    const auto number = numbers_[archived.delivery];
    if (!number) return {};
    const ReadingDay& day = archived.day;
    if (is_left_out(day.meter)) return {};
    METERLINE_CHECK(begin());
    return writer_->add({.meter = day.meter,
                         .channel = day.channel,
                         .date = day.date,
                         .packed = archived.packed,
                         .plain_total = store::plain_total(day),
                         .delivery = *number});
  }

  Result<void> on_read(const RegisterRead& read, std::size_t delivery) override {
    const auto number = numbers_[delivery];
    if (!number || is_left_out(read.meter)) return {};
    METERLINE_CHECK(begin());
    return writer_->add(read, *number);
  }

  /// Commits, when the archive is read to its end and found good. A store that has a unit keeps it.
  /// Events come first, so that what was withdrawn never counts; those that the store has already
  /// change nothing.
  Result<void> finish() {
    if (unit_) METERLINE_CHECK(store_.remember_unit(*unit_));
    METERLINE_CHECK(note_omissions());
    for (const auto& [id, event] : events_) METERLINE_CHECK(store_.add_event(id, event));
    if (!deliveries_.empty()) {
      METERLINE_CHECK(begin());
      METERLINE_CHECK(writer_->commit(reports_));
    }
    if (!records_.empty()) METERLINE_CHECK(store_.amend({.records = records_}));
    // Who is erased where the archive was made does not come back here either.
    if (!erased_.empty()) METERLINE_CHECK(store_.amend({.at = latest_, .erased = erased_}));
    report_.restored = static_cast<std::int64_t>(deliveries_.size());
    report_.skipped = skipped_;
    report_.left_out = days_left_out_;
    for (const auto& report : reports_) {
      report_.rows += report.rows;
      report_.readings += report.readings;
      report_.register_reads += report.register_reads;
    }
    return {};
  }

 private:
  /// What was refused once may be stored now, by a program that knows more.
  Result<std::optional<store::DeliveryRecord>> find_known(
      const store::DeliveryRecord& record) const {
    METERLINE_TRY(auto there, store_.delivery(record.delivery.id));
    if (there && there->report.state != DeliveryState::stored &&
        record.report.state != DeliveryState::refused)
      there.reset();
    return there;
  }

  Result<void> read_settings() {
    if (left_out_) return {};
    METERLINE_TRY(auto settings, store_.settings());
    left_out_.emplace(std::move(settings.erased));
    return {};
  }

  /// Whether the meter was erased in the store, which then does not take it.
  bool is_left_out(const MeterId& meter) {
    if (left_out_->empty()) return false;
    if (meter != meter_) is_meter_left_out_ = left_out_->has(meter.text());
    meter_ = meter;
    if (is_meter_left_out_) ++days_left_out_;
    return is_meter_left_out_;
  }

  /// Reports say more than comes.
  Result<void> note_omissions() {
    const bool lacks_any = omissions_.is_part || days_left_out_ > 0 || omissions_.amended_at;
    const auto at = omissions_.is_part || days_left_out_ > 0
                        ? std::max(latest_, omissions_.amended_at.value_or(latest_))
                        : omissions_.amended_at.value_or(latest_);
    if (!lacks_any) return {};
    return store_.amend({.at = at, .before = Date::min()});  // Of which nobody has any.
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
  ArchiveOmissions omissions_;
  std::vector<std::string> erased_;       ///< As the archive has them.
  std::optional<ErasedMeters> left_out_;  ///< As the store has them.
  MeterId meter_;
  bool is_meter_left_out_ = false;              ///< That one.
  std::int64_t days_left_out_ = 0;              ///< And register reads.
  Instant latest_;                              ///< Receipt of the deliveries that are written.
  std::vector<store::DeliveryRecord> records_;  ///< Of a part: with all days that they brought.
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
