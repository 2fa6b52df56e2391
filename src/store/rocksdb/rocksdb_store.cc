#include "store/rocksdb/rocksdb_store.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "core/try.h"
#include "store/rocksdb/opened_store.h"
#include "store/rocksdb/store_folder.h"

namespace meterline::store::rocksdb {
namespace {

/// So long is waited for what uses the store, before it is opened again.
constexpr std::chrono::seconds users_wait{2};
/// So long does who wants to use the store wait while it is opened again.
constexpr std::chrono::seconds open_wait{10};

/// The store, over openings of its database: one that has failed is closed, and opened again before
/// the next writer or when readiness is asked for, once the disk takes writes again.
///
/// Who uses the opened store is counted, as it is closed in between; who comes then waits.
class ReopeningStore final : public Store {
 public:
  ReopeningStore(StoreFolder folder, RocksdbOptions options, std::unique_ptr<OpenedStore> opened)
      : folder_(std::move(folder)), options_(std::move(options)), opened_(std::move(opened)) {}

  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override {
    METERLINE_CHECK(recover());
    METERLINE_TRY(auto use, Use::begin(*this));
    METERLINE_TRY(auto writer, opened_->write(deliveries));
    return std::make_unique<Writer>(std::move(use), std::move(writer));
  }
  Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const override {
    METERLINE_TRY(const auto use, Use::begin(*this));
    return opened_->read_days(query, visit);
  }
  Result<void> read_registers(const ReadsQuery& query, const ReadVisitor& visit) const override {
    METERLINE_TRY(const auto use, Use::begin(*this));
    return opened_->read_registers(query, visit);
  }
  Result<void> read_months(const TotalsQuery& query, const MonthsVisitor& visit) const override {
    METERLINE_TRY(const auto use, Use::begin(*this));
    return opened_->read_months(query, visit);
  }
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const override {
    METERLINE_TRY(const auto use, Use::begin(*this));
    return opened_->meters(query);
  }
  Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) override {
    METERLINE_CHECK(recover());
    METERLINE_TRY(const auto use, Use::begin(*this));
    return opened_->add_event(delivery, event);
  }
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const override {
    METERLINE_TRY(const auto use, Use::begin(*this));
    return opened_->deliveries(query);
  }
  Result<void> amend(const Amendment& amendment) override;
  Result<Unit> remember_unit(Unit unit) override {
    METERLINE_CHECK(recover());
    METERLINE_TRY(const auto use, Use::begin(*this));
    return opened_->remember_unit(unit);
  }
  Result<StoreStatus> status(StatusOf what) const override {
    if (what == StatusOf::readiness) METERLINE_CHECK(recover());
    METERLINE_TRY(const auto use, Use::begin(*this));
    return opened_->status(what);
  }
  StoreTraits traits() const override {
    const auto use = Use::begin(*this);
    return use ? opened_->traits() : StoreTraits{.is_embedded = true};
  }

 private:
  /// The opened store stays as long as this lives.
  class Use {
   public:
    /// Errors: `unavailable` while the store is being opened again, and as recover() has them where
    /// it could not be.
    static Result<Use> begin(const ReopeningStore& store) {
      store.users_.fetch_add(1);
      if (store.is_open_.load()) return Use(store);
      store.end_use();
      METERLINE_CHECK(store.wait_until_open());
      return Use(store);
    }
    ~Use() {
      if (store_ != nullptr) store_->end_use();
    }
    Use(Use&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {}
    Use& operator=(Use&&) = delete;

   private:
    explicit Use(const ReopeningStore& store) : store_(&store) {}
    const ReopeningStore* store_;
  };

  class Writer final : public DeliveryWriter {
   public:
    Writer(Use use, std::unique_ptr<DeliveryWriter> writer)
        : use_(std::move(use)), writer_(std::move(writer)) {}
    Result<void> add(const DayToStore& day) override { return writer_->add(day); }
    Result<void> add(const RegisterRead& read, std::size_t delivery) override {
      return writer_->add(read, delivery);
    }
    using DeliveryWriter::commit;
    Result<void> commit(std::span<const DeliveryReport> reports) override {
      return writer_->commit(reports);
    }

   private:
    Use use_;
    std::unique_ptr<DeliveryWriter> writer_;  // Gone before the use ends.
  };

  void end_use() const;
  /// Begins a use then.
  Result<void> wait_until_open() const;
  /// Where the database has failed, opens it again if that may help. Errors: `unavailable` where it
  /// may help later, `corrupt` where the process has to be started again.
  Result<void> recover() const;
  Result<void> close() const;
  Result<void> open_again() const;

  const StoreFolder folder_;
  const RocksdbOptions options_;

  mutable std::atomic<std::int64_t> users_ = 0;
  mutable std::atomic<bool> is_open_ = true;
  mutable std::mutex mutex_;  ///< For waiting.
  mutable std::condition_variable changed_;
  mutable std::mutex recovering_;  ///< For who opens it again.
  /// Changed only by who holds recovering_, while nobody uses it. Null: it cannot be opened.
  mutable std::unique_ptr<OpenedStore> opened_;
  mutable std::optional<Error> lost_;       ///< Why it is null; under mutex_.
  mutable std::uint32_t first_number_ = 0;  ///< Of the next opening; under recovering_.
};

void ReopeningStore::end_use() const {
  if (users_.fetch_sub(1) == 1 && !is_open_.load()) {
    const std::scoped_lock lock(mutex_);
    changed_.notify_all();
  }
}

Result<void> ReopeningStore::wait_until_open() const {
  std::unique_lock lock(mutex_);
  const auto deadline = std::chrono::steady_clock::now() + open_wait;
  for (;;) {
    if (lost_) return tl::unexpected(*lost_);
    users_.fetch_add(1);
    if (is_open_.load()) return {};
    users_.fetch_sub(1);
    changed_.notify_all();
    if (changed_.wait_until(lock, deadline) == std::cv_status::timeout)
      return fail(Errc::unavailable,
                  "the store is being opened again after an error of its disk; ask again");
  }
}

Result<void> ReopeningStore::recover() const {
  if (is_open_.load()) {
    METERLINE_TRY(const auto use, Use::begin(*this));
    if (!opened_->failure().is_set()) return {};
  }
  const std::scoped_lock lock(recovering_);
  if (opened_ && !opened_->failure().is_set()) return {};
  if (opened_ && opened_->failure().error().code == Errc::corrupt)
    return fail(Errc::corrupt,
                fmt::format("the store takes no deliveries ({}) and cannot be opened again while "
                            "this process runs: stop it, and see `meterline store check`",
                            opened_->failure().error().message));
  if (const auto taken = folder_.try_to_write(); !taken)
    return fail(Errc::unavailable,
                fmt::format("the store takes no deliveries: {} (it goes on by itself as soon as "
                            "its disk takes what is written; what was acknowledged is safe)",
                            taken.error().message));
  METERLINE_CHECK(close());
  return open_again();
}

/// A database that is opened begins a new MANIFEST and a new log: those before may name a first or
/// last key that was removed.
Result<void> ReopeningStore::amend(const Amendment& amendment) {
  METERLINE_CHECK(recover());
  {
    METERLINE_TRY(const auto use, Use::begin(*this));
    METERLINE_CHECK(opened_->amend(amendment));
  }
  if (amendment.traces == Traces::in_time) return {};
  const std::scoped_lock lock(recovering_);
  METERLINE_CHECK(close());
  return open_again();
}

/// Waits until nobody uses the opened store.
Result<void> ReopeningStore::close() const {
  std::unique_lock lock(mutex_);
  is_open_.store(false);
  if (changed_.wait_for(lock, users_wait, [this] { return users_.load() == 0; })) return {};
  is_open_.store(true);
  changed_.notify_all();
  return fail(Errc::unavailable,
              "the store takes no deliveries before it is opened again, which waits for questions "
              "that are being answered; try again");
}

/// For reading only where it cannot be written: questions go on.
Result<void> ReopeningStore::open_again() const {
  if (opened_) first_number_ = opened_->next_number();
  opened_.reset();
  auto opened = open_once(place_of(folder_), options_, {.first_number = first_number_});
  Result<void> result;
  if (!opened) {
    result = tl::unexpected(opened.error());
    opened = open_once(
        place_of(folder_), options_,
        {.as = OpenAs::read_only, .first_number = first_number_, .because = opened.error()});
  }
  const std::scoped_lock lock(mutex_);
  if (opened) {
    lost_.reset();
    opened_ = *std::move(opened);
    is_open_.store(true);
  } else {
    lost_ = opened.error();
  }
  changed_.notify_all();
  return result;
}

}  // namespace

Opening<std::unique_ptr<Store>> open_rocksdb_store(const RocksdbOptions& options) {
  METERLINE_TRY(auto folder, StoreFolder::open(options.folder, options.create, options.owner));
  METERLINE_TRY(auto opened, open_once(place_of(folder), options,
                                       {.as = folder.is_new() ? OpenAs::made : OpenAs::there}));
  METERLINE_CHECK(folder.finish());
  return std::make_unique<ReopeningStore>(std::move(folder), options, std::move(opened));
}

Opening<std::unique_ptr<Store>> read_rocksdb_store(const RocksdbOptions& options) {
  METERLINE_TRY(const auto database, StoreFolder::database_to_read(options.folder));
  const StorePlace place{.database = database, .incoming = {}};
  const OpenOnce how{
      .as = OpenAs::beside,
      .because = Error{.code = Errc::refused, .message = "this process only reads the store"}};
  auto opened = open_once(place, options, how);
  if (!opened && lacks_families(database)) {
    METERLINE_CHECK(open_rocksdb_store(options));  // Which makes them.
    opened = open_once(place, options, how);
  }
  if (!opened) return tl::unexpected(OpenError(std::move(opened).error()));
  return *std::move(opened);
}

}  // namespace meterline::store::rocksdb
