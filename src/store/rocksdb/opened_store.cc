#include "store/rocksdb/opened_store.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "core/try.h"
#include "store/rocksdb/amendment.h"
#include "store/rocksdb/delivery_table.h"
#include "store/rocksdb/keys.h"
#include "store/rocksdb/meters.h"
#include "store/rocksdb/month_sums.h"
#include "store/rocksdb/recent.h"
#include "store/rocksdb/rocksdb_reader.h"
#include "store/rocksdb/rocksdb_writer.h"

namespace meterline::store::rocksdb {
namespace {

/// Of the memory for caches, months of all meters take one part in so many.
constexpr std::size_t months_share = 4;

/// Lets writers commit side by side, and amendments alone. A writer that began before an amendment
/// may hold what was to go, and the numbers that it gave out: it does not commit any more.
class CommitGate {
 public:
  std::uint64_t amendments() const { return amendments_.load(); }
  template <class Commit>
  Result<void> commit(std::uint64_t amendments_before, const Commit& commit) {
    const std::shared_lock lock(mutex_);
    if (amendments_.load() != amendments_before)
      return fail(
          Errc::unavailable,
          "something was taken out of the store while this was being loaded; load it again");
    return commit();
  }
  template <class Amend>
  Result<void> amend(const Amendment& amendment, const Amend& amend) {
    const std::unique_lock lock(mutex_);
    const bool may_be_held = !amendment.days.empty() || !amendment.reads.empty() ||
                             !amendment.meters.empty() || !amendment.erased.empty();
    if (may_be_held) ++amendments_;
    return amend();
  }

 private:
  std::shared_mutex mutex_;
  std::atomic<std::uint64_t> amendments_ = 0;
};

/// Commits through the gate, and makes the cache forget the months that were written into.
class GatedWriter final : public DeliveryWriter {
 public:
  GatedWriter(std::unique_ptr<DeliveryWriter> writer, MonthCache& months, CommitGate& gate)
      : writer_(std::move(writer)), months_(months), gate_(gate), amendments_(gate.amendments()) {}

  Result<void> add(const DayToStore& day) override {
    if (day.date < first_) first_ = day.date;
    if (last_ < day.date) last_ = day.date;
    return writer_->add(day);
  }
  Result<void> add(const RegisterRead& read, std::size_t delivery) override {
    return writer_->add(read, delivery);
  }
  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override {
    auto committed = gate_.commit(amendments_, [&] { return writer_->commit(reports); });
    if (first_ <= last_) months_.forget(Month::of(first_), Month::of(last_));
    return committed;
  }

 private:
  std::unique_ptr<DeliveryWriter> writer_;
  MonthCache& months_;
  CommitGate& gate_;
  const std::uint64_t amendments_;
  Date first_ = Date::max();
  Date last_ = Date::min();
};

/// Into family `deliveries`.
Result<void> put_durably(Database& database, std::string_view doing, std::string_view key,
                         std::string_view value) {
  ::rocksdb::WriteBatch batch;
  const auto status =
      batch.Put(database.family(Family::deliveries), slice_of(key), slice_of(value));
  if (!status.ok()) return database_error(doing, status);
  return database.write(doing, batch, true);
}

Result<std::optional<Unit>> load_unit(const Database& database) {
  std::string value;
  const auto status =
      database.db().Get({}, database.family(Family::deliveries), slice_of(unit_key), &value);
  if (status.IsNotFound()) return std::optional<Unit>();
  if (!status.ok()) return database_error("read the store's unit", status);
  const auto unit = value.size() == 1 ? static_cast<std::uint8_t>(value[0]) : UINT8_MAX;
  if (unit > static_cast<std::uint8_t>(last_unit))
    return fail(Errc::corrupt, "the store's record of its unit is damaged");
  return std::optional(static_cast<Unit>(unit));
}

class RocksdbStore final : public OpenedStore {
 public:
  RocksdbStore(std::filesystem::path incoming, std::unique_ptr<Database> database,
               std::unique_ptr<DeliveryTable> table, const RocksdbOptions& options)
      : incoming_(std::move(incoming)),
        database_(std::move(database)),
        table_(std::move(table)),
        months_(options.cache_bytes / months_share),
        recent_(options.recent_bytes_max),
        fold_(*database_, recent_, incoming_),
        reader_({.database = *database_,
                 .table = *table_,
                 .known = known_meters_,
                 .cache = months_,
                 .recent = recent_}) {}

  /// What later questions need to know of the store; before any.
  Result<void> prepare(OpenPurpose purpose);

  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override {
    for (const auto& delivery : deliveries)
      if (delivery.source.size() > source_bytes_max)
        return fail(Errc::too_large, "the name of the delivery's source is too long");
    auto writer = make_rocksdb_writer(deliveries, {.database = *database_,
                                                   .table = *table_,
                                                   .known = known_meters_,
                                                   .recent = recent_,
                                                   .fold = fold_,
                                                   .incoming = incoming_});
    return std::make_unique<GatedWriter>(std::move(writer), months_, gate_);
  }
  Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const override {
    return reader_.days(query, visit);
  }
  Result<void> read_registers(const ReadsQuery& query, const ReadVisitor& visit) const override {
    return reader_.registers(query, visit);
  }
  Result<void> read_months(const TotalsQuery& query, const MonthsVisitor& visit) const override {
    return reader_.months(query, visit);
  }
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const override {
    return reader_.meters(query);
  }
  Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) override;
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const override {
    return reader_.deliveries(query);
  }
  Result<void> amend(const Amendment& amendment) override;
  Result<Unit> remember_unit(Unit unit) override;
  Result<StoreStatus> status(StatusOf what) const override;
  StoreTraits traits() const override {
    return {.is_embedded = true, .few_channels = reader_.few_channels()};
  }
  const Failure& failure() const override { return database_->failure(); }
  std::uint32_t next_number() override { return table_->next_number(); }
  std::int64_t dropped() const override { return dropped_; }

 private:
  std::vector<StoreFigure> figures() const;

  const std::filesystem::path incoming_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<DeliveryTable> table_;
  KnownMeters known_meters_;
  mutable MonthCache months_;
  RecentMonths recent_;
  RecentFold fold_;
  RocksdbReader reader_;
  CommitGate gate_;
  std::mutex events_mutex_;  ///< For one that adds.
  mutable std::mutex settings_mutex_;
  StoreSettings settings_;  ///< As the database has them.
  std::int64_t dropped_ = 0;
};

Result<void> RocksdbStore::prepare(OpenPurpose purpose) {
  const auto without_record =
      purpose == OpenPurpose::repair ? RecentWithoutRecord::dropped : RecentWithoutRecord::refused;
  METERLINE_TRY(dropped_, load_recent(*database_, *table_, without_record, recent_));
  if (purpose == OpenPurpose::repair) METERLINE_CHECK(list_meters_of_days(*database_, recent_));
  METERLINE_TRY(settings_, load_settings(*database_));
  METERLINE_TRY(settings_.unit, load_unit(*database_));
  std::string value;
  const auto status =
      database_->db().Get({}, database_->family(Family::meters), slice_of(all_meters_key), &value);
  if (status.IsNotFound()) return {};
  if (!status.ok()) return database_error("read the store", status);
  std::vector<Channel> channels;
  METERLINE_CHECK(read_meter_channels(value, channels));
  known_meters_.add_channels(channels);
  return {};
}

/// An event is about few days of many months, which nobody has a list of: all months that are kept
/// in memory are made again.
Result<void> RocksdbStore::add_event(const DeliveryId& delivery, const DeliveryEvent& event) {
  const std::scoped_lock lock(events_mutex_);
  const auto before = table_->events();
  DeliveryEvents events = before ? *before : DeliveryEvents();
  METERLINE_CHECK(events.add(delivery, event));
  METERLINE_CHECK(put_durably(*database_, "write an event of a delivery",
                              event_key(delivery, event), event.reason));
  table_->set_events(std::move(events));
  months_.forget(all_months.first, all_months.last);
  return {};
}

Result<Unit> RocksdbStore::remember_unit(Unit unit) {
  const std::scoped_lock lock(settings_mutex_);
  if (settings_.unit) return *settings_.unit;
  const char byte = static_cast<char>(unit);
  METERLINE_CHECK(put_durably(*database_, "write the store's unit", unit_key, {&byte, 1}));
  settings_.unit = unit;
  return unit;
}

Result<void> RocksdbStore::amend(const Amendment& amendment) {
  return gate_.amend(amendment, [&]() -> Result<void> {
    METERLINE_CHECK(amend_database(
        amendment,
        {.database = *database_, .table = *table_, .known = known_meters_, .fold = fold_}));
    months_.forget(all_months.first, all_months.last);
    const std::scoped_lock events_lock(events_mutex_);
    if (const auto before = table_->events()) {
      DeliveryEvents events = *before;
      for (const auto& record : amendment.records)
        for (const auto& event : record.events) events.restate(record.delivery.id, event);
      table_->set_events(std::move(events));
    }
    const std::scoped_lock lock(settings_mutex_);
    return change_settings(amendment, settings_);
  });
}

Result<StoreStatus> RocksdbStore::status(StatusOf what) const {
  StoreStatus status;
  if (what == StatusOf::readiness && failure().is_set()) return tl::unexpected(failure().error());
  if (what == StatusOf::files) METERLINE_CHECK(database_->verify_files());
  if (what == StatusOf::size) status.figures = figures();
  if (what == StatusOf::settings) {
    const std::scoped_lock lock(settings_mutex_);
    status.settings = settings_;
  }
  return status;
}

std::vector<StoreFigure> RocksdbStore::figures() const {
  std::vector<StoreFigure> figures;
  const auto add = [&](std::string name, Family family, const std::string& property) {
    std::uint64_t value = 0;
    if (database_->db().GetIntProperty(database_->family(family), property, &value))
      figures.push_back({.name = std::move(name), .value = static_cast<std::int64_t>(value)});
  };
  using Property = ::rocksdb::DB::Properties;
  add("days_file_bytes", Family::days, Property::kTotalSstFilesSize);
  add("totals_file_bytes", Family::totals, Property::kTotalSstFilesSize);
  add("registers_file_bytes", Family::registers, Property::kTotalSstFilesSize);
  add("deliveries_file_bytes", Family::deliveries, Property::kTotalSstFilesSize);
  add("meter_months_estimated", Family::days, Property::kEstimateNumKeys);
  figures.push_back({.name = "recent_bytes", .value = static_cast<std::int64_t>(recent_.bytes())});
  return figures;
}

std::string write_number(std::uint32_t number) { return number_key(number).substr(1); }

Result<void> load_events(::rocksdb::Iterator& deliveries, DeliveryTable& table) {
  DeliveryEvents events;
  for (deliveries.Seek("e"); deliveries.Valid(); deliveries.Next()) {
    const auto key = view_of(deliveries.key());
    if (!key.starts_with('e')) break;
    auto found = parse_event(key, view_of(deliveries.value()));
    if (!found) return fail(Errc::corrupt, "the store holds a damaged event of a delivery");
    METERLINE_CHECK(events.restore(found->id, std::move(found->event)));
  }
  if (!deliveries.status().ok()) return database_error("read the store", deliveries.status());
  table.set_events(std::move(events));
  return {};
}

/// Numbers that were given and never came to a record may stand in what was lost: they are passed
/// over, for good. A process gives no more of them than that.
Result<void> pass_over_numbers(Database& database, const OpenOnce& how, DeliveryTable& table) {
  constexpr std::uint32_t numbers_in_flight_max = 1000;
  std::string value;
  const auto status = database.db().Get({}, database.family(Family::deliveries),
                                        slice_of(first_number_key), &value);
  if (!status.ok() && !status.IsNotFound()) return database_error("read the store", status);
  METERLINE_TRY(const auto kept,
                status.ok() ? read_number(value) : Result<std::uint32_t>(std::uint32_t{0}));
  METERLINE_CHECK(table.pass_over(std::max(kept, how.first_number)));
  const bool may_lack_numbers = database.was_cut_off() || how.purpose == OpenPurpose::repair;
  const bool is_read = how.as == OpenAs::read_only || how.as == OpenAs::beside;
  if (!may_lack_numbers || is_read) return {};
  METERLINE_CHECK(table.pass_over(table.next_number() + numbers_in_flight_max));
  return put_durably(database, "write the store's next number", first_number_key,
                     write_number(table.next_number()));
}

}  // namespace

Result<std::unique_ptr<DeliveryTable>> load_table(const Database& database) {
  auto table = std::make_unique<DeliveryTable>();
  const std::unique_ptr<::rocksdb::Iterator> iterator(
      database.db().NewIterator(::rocksdb::ReadOptions(), database.family(Family::deliveries)));
  for (iterator->Seek("n"); iterator->Valid(); iterator->Next()) {
    const auto key = view_of(iterator->key());
    if (!key.starts_with('n')) break;
    METERLINE_TRY(const auto number, read_number(key.substr(1)));
    METERLINE_CHECK(table->restore(number, view_of(iterator->value())));
  }
  if (!iterator->status().ok()) return database_error("read the store", iterator->status());
  METERLINE_CHECK(load_events(*iterator, *table));
  return table;
}

Result<std::uint32_t> read_number(std::string_view bytes) {
  if (bytes.size() != sizeof(std::uint32_t))
    return fail(Errc::corrupt, "the store's list of deliveries is damaged");
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

Result<std::unique_ptr<OpenedStore>> open_once(const StorePlace& place,
                                               const RocksdbOptions& options, const OpenOnce& how) {
  METERLINE_TRY(auto database, Database::open(place.database, options.cache_bytes, how.as));
  if (how.because) database->fail_with(*how.because);
  METERLINE_TRY(auto table, load_table(*database));
  METERLINE_CHECK(pass_over_numbers(*database, how, *table));
  auto store = std::make_unique<RocksdbStore>(place.incoming, std::move(database), std::move(table),
                                              options);
  METERLINE_CHECK(store->prepare(how.purpose));
  return store;
}

}  // namespace meterline::store::rocksdb
