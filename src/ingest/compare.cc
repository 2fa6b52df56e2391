#include "ingest/compare.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "core/try.h"
#include "store/packed_day.h"
#include "store/resolve.h"

namespace meterline::ingest {
namespace {

/// Days, or register reads, of one meter that are compared together, in all deliveries.
constexpr std::size_t days_at_once = 1000;

using Comparisons = std::map<DeliveryId, Comparison>;
using DayKey = std::pair<Date, Channel>;

/// A day that a file gives.
struct Given {
  DayKey day;
  std::string packed;
  std::size_t delivery = 0;
};

/// A version of a day that is stored.
struct Kept {
  Version version;
  DeliveryId delivery;
  std::string packed;
};

/// A register read that a file gives.
struct GivenRead {
  RegisterRead read;
  std::size_t delivery = 0;
};

/// The version of a register read that counts now.
struct KeptRead {
  RegisterRead read;
  Version version;
  DeliveryId delivery;
};

/// Resolves versions, which come newest first; of one it takes the place among them.
Result<store::DayResolver> resolved(const DayKey& day, std::span<const Kept> versions) {
  store::DayResolver resolver;
  for (const auto& kept : versions)
    METERLINE_CHECK(resolver.add({.channel = day.second,
                                  .date = day.first,
                                  .version = kept.version,
                                  .delivery = kept.delivery,
                                  .packed = kept.packed}));
  return resolver;
}

/// Whether `whole` has the same readings in all slots in which `part` has one.
bool has_readings_of(const store::ResolvedDay& whole, const store::ResolvedDay& part) {
  if (whole.interval != part.interval || whole.slots() != part.slots()) return false;
  for (std::size_t slot = 0; slot < part.mantissas.size(); ++slot) {
    if (part.qualities[slot] == Quality::missing) continue;
    if (whole.qualities[slot] != part.qualities[slot] || whole.reading(slot) != part.reading(slot))
      return false;
  }
  return true;
}

bool is_same(const store::ResolvedDay& a, const store::ResolvedDay& b) {
  return has_readings_of(a, b) && has_readings_of(b, a);
}

Result<void> add_sums(Comparison& comparison, const Channel& channel, const Sum& before,
                      const Sum& after) {
  if (!adds_up(channel.unit)) return {};
  auto& sums = comparison.sums;
  const auto key = std::tie(channel.flow, channel.unit);
  auto at = std::lower_bound(sums.begin(), sums.end(), key, [](const auto& sum, const auto& k) {
    return std::tie(sum.flow, sum.unit) < k;
  });
  if (at == sums.end() || std::tie(at->flow, at->unit) != key)
    at = sums.insert(at, {.flow = channel.flow, .unit = channel.unit, .before = {}, .after = {}});
  METERLINE_CHECK(at->before.add(before));
  return at->after.add(after);
}

/// Compares what it is given with the store, and keeps only what came of it.
class ComparingWriter final : public store::DeliveryWriter {
 public:
  using Taker = std::function<void(Comparisons)>;

  ComparingWriter(const store::Store& store, std::span<const Delivery> deliveries, Taker take)
      : store_(store), deliveries_(deliveries.begin(), deliveries.end()), take_(std::move(take)) {}

  Result<void> add(const store::DayToStore& day) override {
    if (meter_ != day.meter || given_.size() == days_at_once) METERLINE_CHECK(compare_given());
    meter_ = day.meter;
    given_.push_back({.day = {day.date, day.channel},
                      .packed = std::string(day.packed),
                      .delivery = day.delivery});
    return {};
  }

  Result<void> add(const RegisterRead& read, std::size_t delivery) override {
    const bool is_next_meter = !given_reads_.empty() && given_reads_[0].read.meter != read.meter;
    if (is_next_meter || given_reads_.size() == days_at_once)
      METERLINE_CHECK(compare_given_reads());
    given_reads_.push_back({.read = read, .delivery = delivery});
    return {};
  }

  using store::DeliveryWriter::commit;
  Result<void> commit(std::span<const DeliveryReport> /*reports*/) override {
    METERLINE_CHECK(compare_given());
    METERLINE_CHECK(compare_given_reads());
    take_(std::move(comparisons_));
    return {};
  }

 private:
  using Stored = std::map<DayKey, std::vector<Kept>>;

  Result<Stored> read_stored() const;
  Result<void> compare_given();
  Result<void> compare(const Given& given, const std::vector<Kept>& stored);
  Result<void> compare_given_reads();
  void compare(const GivenRead& given, const KeptRead* newest);

  const store::Store& store_;
  const std::vector<Delivery> deliveries_;
  const Taker take_;
  MeterId meter_;
  std::vector<Given> given_;            ///< Of meter_, ascending by day.
  std::vector<GivenRead> given_reads_;  ///< Of one meter, ascending by time and register.
  Comparisons comparisons_;
};

/// What is stored of the days that are given, and counts.
Result<ComparingWriter::Stored> ComparingWriter::read_stored() const {
  Stored stored;
  for (const auto& given : given_) stored[given.day];
  const DateRange dates{.from = given_.front().day.first, .to = given_.back().day.first};
  METERLINE_CHECK(store_.read_days(
      {.meter = meter_, .dates = dates}, [&](const store::StoredDay& day) -> Result<void> {
        const auto wanted = stored.find({day.date, day.channel});
        if (wanted != stored.end() && !day.withdrawn)
          wanted->second.push_back({.version = day.version,
                                    .delivery = day.delivery,
                                    .packed = std::string(day.packed)});
        return {};
      }));
  return stored;
}

Result<void> ComparingWriter::compare_given() {
  if (given_.empty()) return {};
  METERLINE_TRY(const auto stored, read_stored());
  for (const auto& given : given_) METERLINE_CHECK(compare(given, stored.at(given.day)));
  given_.clear();
  return {};
}

Result<void> ComparingWriter::compare(const Given& given, const std::vector<Kept>& stored) {
  const Delivery& delivery = deliveries_[given.delivery];
  METERLINE_TRY(const auto parts, store::split_packed_day(given.packed));
  METERLINE_TRY(const auto version, store::version_of(parts.grid, delivery.version()));
  const Kept own{.version = version, .delivery = delivery.id, .packed = given.packed};
  auto with_own = stored;
  with_own.insert(std::find_if(with_own.begin(), with_own.end(),
                               [&](const Kept& kept) {
                                 return std::tie(kept.version, kept.delivery) <
                                        std::tie(own.version, own.delivery);
                               }),
                  own);
  METERLINE_TRY(const auto before, resolved(given.day, stored));
  METERLINE_TRY(const auto after, resolved(given.day, with_own));
  METERLINE_TRY(const auto alone, resolved(given.day, {&own, 1}));

  Comparison& comparison = comparisons_[delivery.id];
  auto& days = comparison.days;
  if (before.empty())
    ++days.added;
  else if (!is_same(before.day(), after.day()))
    ++days.replacing;
  else if (has_readings_of(before.day(), alone.day()))
    ++days.equal;
  else
    ++days.not_counting;

  METERLINE_TRY(const auto total, store::total_of(meter_, after.day()));
  Sum sum_before;
  if (!before.empty()) {
    METERLINE_TRY(const auto total_before, store::total_of(meter_, before.day()));
    sum_before = total_before.sum;
  }
  return add_sums(comparison, given.day.second, sum_before, total.sum);
}

Result<void> ComparingWriter::compare_given_reads() {
  if (given_reads_.empty()) return {};
  using Place = std::pair<Instant, MeterRegister>;
  const auto place_of = [](const RegisterRead& read) {
    return Place(read.current.time.at, read.of);
  };
  std::map<Place, std::optional<KeptRead>> stored;
  for (const auto& given : given_reads_) stored[place_of(given.read)];
  METERLINE_CHECK(store_.read_registers(
      {.meter = given_reads_.front().read.meter,
       .from = given_reads_.front().read.current.time.at,
       .to = given_reads_.back().read.current.time.at},
      [&](const store::StoredRead& known) -> Result<void> {
        const auto wanted = stored.find(place_of(known.read));
        if (wanted != stored.end() && !wanted->second && !known.withdrawn)
          wanted->second = {
              .read = known.read, .version = known.version, .delivery = known.delivery};
        return {};
      }));
  for (const auto& given : given_reads_) {
    const auto& newest = stored.at(place_of(given.read));
    compare(given, newest ? &*newest : nullptr);
  }
  given_reads_.clear();
  return {};
}

/// A read counts as a whole: the newest version is the answer.
void ComparingWriter::compare(const GivenRead& given, const KeptRead* newest) {
  const Delivery& delivery = deliveries_[given.delivery];
  auto& reads = comparisons_[delivery.id].register_reads;
  if (newest == nullptr) {
    ++reads.added;
    return;
  }
  auto as_stated = given.read;
  as_stated.stated = newest->read.stated;
  const auto own = std::pair(given.read.version(delivery.version()), delivery.id);
  if (as_stated == newest->read)
    ++reads.equal;
  else if (std::pair(newest->version, newest->delivery) < own)
    ++reads.replacing;
  else
    ++reads.not_counting;
}

/// Answers as another store does, and compares what is written to it.
class ComparingStore final : public store::Store {
 public:
  explicit ComparingStore(const store::Store& inner) : inner_(inner) {}

  /// Of a delivery that was written; none of others.
  Comparison comparison(const DeliveryId& id) const {
    const std::scoped_lock lock(mutex_);
    const auto found = comparisons_.find(id);
    return found == comparisons_.end() ? Comparison() : found->second;
  }

  Result<std::unique_ptr<store::DeliveryWriter>> write(
      std::span<const Delivery> deliveries) override {
    return std::make_unique<ComparingWriter>(inner_, deliveries, [this](Comparisons more) {
      const std::scoped_lock lock(mutex_);
      comparisons_.merge(more);
    });
  }
  Result<void> read_days(const store::DaysQuery& query,
                         const store::DayVisitor& visit) const override {
    return inner_.read_days(query, visit);
  }
  Result<void> read_registers(const store::ReadsQuery& query,
                              const store::ReadVisitor& visit) const override {
    return inner_.read_registers(query, visit);
  }
  Result<void> read_months(const store::TotalsQuery& query,
                           const store::MonthsVisitor& visit) const override {
    return inner_.read_months(query, visit);
  }
  Result<std::vector<store::MeterInfo>> meters(const store::MetersQuery& query) const override {
    return inner_.meters(query);
  }
  Result<void> add_event(const DeliveryId&, const DeliveryEvent&) override {
    return fail(Errc::invalid_argument, "a comparison changes nothing");
  }
  Result<std::vector<store::DeliveryRecord>> deliveries(
      const store::DeliveriesQuery& query) const override {
    return inner_.deliveries(query);
  }
  Result<void> amend(const store::Amendment&) override {
    return fail(Errc::invalid_argument, "a comparison changes nothing");
  }
  Result<Unit> remember_unit(Unit unit) override {
    METERLINE_TRY(const auto known, inner_.default_unit());
    return known.value_or(unit);
  }
  Result<store::StoreStatus> status(store::StatusOf what) const override {
    return inner_.status(what);
  }
  store::StoreTraits traits() const override { return inner_.traits(); }

 private:
  const store::Store& inner_;
  mutable std::mutex mutex_;
  Comparisons comparisons_;
};

}  // namespace

IngestTotals compare_all(
    const std::vector<source::Incoming>& incoming, const store::Store& store,
    const IngestOptions& options, const IngestHooks& hooks,
    const std::function<void(const store::DeliveryRecord&, const Comparison&)>& on_done) {
  ComparingStore comparing(store);
  auto reading = options;
  reading.archives = Archives::refuse;
  return load_all(incoming, comparing, reading, hooks, [&](const store::DeliveryRecord& record) {
    const bool is_compared = record.report.state == DeliveryState::stored;
    on_done(record, is_compared ? comparing.comparison(record.delivery.id) : Comparison());
  });
}

}  // namespace meterline::ingest
