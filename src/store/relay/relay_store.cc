#include "store/relay/relay_store.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/try.h"
#include "store/relay/connection.h"
#include "store/relay/messages.h"
#include "store/write_order.h"

namespace meterline::store::relay {
namespace {

/// Entries are sent when there are so many bytes of them.
constexpr std::size_t entries_bytes = std::size_t{256} << 10;

/// The answer of a frame that is to be answered by `ok`.
Result<std::string> ask(Connection& connection, Kind kind, std::string_view payload) {
  // Who refuses the whole connection may have closed it before this is sent: the reason counts.
  const auto sent = connection.send(kind, payload);
  METERLINE_TRY(auto frame, connection.receive());
  if (frame.kind == Kind::error) return tl::unexpected(read_error(frame.payload));
  METERLINE_CHECK(sent);
  if (frame.kind != Kind::ok)
    return fail(Errc::corrupt, "the process that owns the store answers what nobody asked");
  return std::move(frame.payload);
}

Result<Connection> connect(const std::filesystem::path& folder) {
  METERLINE_TRY(auto socket, connect_in(folder));
  Connection connection(std::move(socket));
  METERLINE_CHECK(ask(connection, Kind::hello, greeting));
  return connection;
}

/// A view of the store that is made anew once it is stale.
class View {
 public:
  explicit View(ReadOpener open) : open_(std::move(open)) {}

  Result<std::shared_ptr<const Store>> get() const {
    const std::scoped_lock lock(mutex_);
    if (!store_) {
      METERLINE_TRY(auto opened, open_());
      store_ = std::move(opened);
    }
    return store_;
  }
  /// Before a change is acknowledged to whoever asked for it.
  void outdate() {
    const std::scoped_lock lock(mutex_);
    store_.reset();
  }

 private:
  const ReadOpener open_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Store> store_;
};

class RelayWriter final : public DeliveryWriter {
 public:
  RelayWriter(Connection connection, std::size_t deliveries, View& view)
      : connection_(std::move(connection)), order_(deliveries), view_(view) {}

  Result<void> add(const DayToStore& day) override {
    METERLINE_CHECK(order_.check(day));
    write_entry(day, entries_);
    return entries_.size() < entries_bytes ? Result<void>() : send_entries();
  }
  Result<void> add(const RegisterRead& read, std::size_t delivery) override {
    METERLINE_CHECK(order_.check(read, delivery));
    write_entry(read, delivery, entries_);
    return entries_.size() < entries_bytes ? Result<void>() : send_entries();
  }
  using DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> reports) override {
    METERLINE_CHECK(order_.check(reports));
    if (!entries_.empty()) METERLINE_CHECK(send_entries());
    const auto committed = ask(connection_, Kind::commit, write_reports(reports));
    view_.outdate();
    METERLINE_CHECK(committed);
    return {};
  }

 private:
  Result<void> send_entries() {
    METERLINE_CHECK(connection_.send(Kind::entries, entries_));
    entries_.clear();
    return {};
  }

  Connection connection_;
  WriteOrder order_;
  View& view_;
  std::string entries_;
};

class RelayStore final : public Store {
 public:
  RelayStore(std::filesystem::path folder, ReadOpener open)
      : folder_(std::move(folder)), view_(std::move(open)) {}

  Result<std::unique_ptr<DeliveryWriter>> write(std::span<const Delivery> deliveries) override {
    METERLINE_TRY(auto connection, connect(folder_));
    METERLINE_CHECK(ask(connection, Kind::write, write_deliveries(deliveries)));
    return std::make_unique<RelayWriter>(std::move(connection), deliveries.size(), view_);
  }
  Result<void> read_days(const DaysQuery& query, const DayVisitor& visit) const override {
    METERLINE_TRY(const auto view, view_.get());
    return view->read_days(query, visit);
  }
  Result<void> read_registers(const ReadsQuery& query, const ReadVisitor& visit) const override {
    METERLINE_TRY(const auto view, view_.get());
    return view->read_registers(query, visit);
  }
  Result<void> read_months(const TotalsQuery& query, const MonthsVisitor& visit) const override {
    METERLINE_TRY(const auto view, view_.get());
    return view->read_months(query, visit);
  }
  Result<std::vector<MeterInfo>> meters(const MetersQuery& query) const override {
    METERLINE_TRY(const auto view, view_.get());
    return view->meters(query);
  }
  Result<std::vector<DeliveryRecord>> deliveries(const DeliveriesQuery& query) const override {
    METERLINE_TRY(const auto view, view_.get());
    return view->deliveries(query);
  }
  Result<void> add_event(const DeliveryId& delivery, const DeliveryEvent& event) override {
    METERLINE_CHECK(change(Kind::event, write_event(delivery, event)));
    return {};
  }
  Result<void> amend(const Amendment& amendment) override {
    METERLINE_CHECK(change(Kind::amend, write_amendment(amendment)));
    return {};
  }
  Result<Unit> remember_unit(Unit unit) override {
    METERLINE_TRY(const auto kept, change(Kind::unit, write_unit(unit)));
    return read_unit(kept);
  }
  Result<StoreStatus> status(StatusOf what) const override {
    if (what == StatusOf::readiness) {
      METERLINE_CHECK(connect(folder_));
      return StoreStatus();
    }
    METERLINE_TRY(const auto view, view_.get());
    return view->status(what);
  }
  StoreTraits traits() const override {
    const auto view = view_.get();
    return view ? (*view)->traits() : StoreTraits{.is_embedded = true};
  }

 private:
  Result<std::string> change(Kind kind, std::string_view payload) {
    METERLINE_TRY(auto connection, connect(folder_));
    auto changed = ask(connection, kind, payload);
    view_.outdate();
    return changed;
  }

  const std::filesystem::path folder_;
  View view_;
};

}  // namespace

Result<std::unique_ptr<Store>> make_relay_store(const std::filesystem::path& folder,
                                                ReadOpener open) {
  METERLINE_CHECK(connect(folder));
  return std::make_unique<RelayStore>(folder, std::move(open));
}

}  // namespace meterline::store::relay
