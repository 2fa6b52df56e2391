#include "store/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/try.h"
#include "store/packed_day.h"
#include "store/register_reads.h"
#include "store/resolve.h"

namespace meterline::store {
namespace {

constexpr std::size_t deliveries_step = 50;
constexpr std::size_t meters_step = 1000;

/// Numbers that are told apart by accident only once in 2^64 times.
class Digest {
 public:
  Digest& add(std::uint64_t value) {
    state_ = (state_ ^ value) * 0x9E3779B97F4A7C15;
    state_ ^= state_ >> 32;
    return *this;
  }
  Digest& add(std::int64_t value) { return add(static_cast<std::uint64_t>(value)); }
  Digest& add(std::string_view text) {
    add(std::uint64_t{text.size()});
    for (const char c : text) add(std::uint64_t{static_cast<unsigned char>(c)});
    return *this;
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0x243F6A8885A308D3;
};

/// Of a meter's channel.
std::uint64_t series_digest(const MeterId& meter, const Channel& channel) {
  return Digest()
      .add(std::string_view(meter.text()))
      .add(std::string_view(channel.name))
      .add(static_cast<std::uint64_t>(channel.flow))
      .add(static_cast<std::uint64_t>(channel.unit))
      .value();
}

/// Of what a total says, but not of the date.
std::uint64_t total_digest(const DayTotal& total) {
  return Digest()
      .add(series_digest(total.meter, total.channel))
      .add(std::string_view(total.sum.text()))
      .add(total.readings)
      .add(total.expected)
      .add(total.quality.actual)
      .add(total.quality.substituted)
      .add(total.quality.estimated)
      .add(total.quality.missing)
      .add(total.version.stated.micros)
      .add(static_cast<std::uint64_t>(total.version.origin))
      .add(total.version.received.micros)
      .add(total.version.tie)
      .value();
}

/// All totals of one date, in any order.
struct DateDigest {
  std::int64_t count = 0;
  std::uint64_t sum = 0;

  void add(const DayTotal& total) {
    ++count;
    sum += total_digest(total);
  }
  bool operator==(const DateDigest&) const = default;
};
using DateDigests = std::map<Date, DateDigest>;

/// A delivery's report, and what was found of it.
struct Account {
  DeliveryId id;
  Version version;
  std::int64_t rows = 0;   ///< That gave days.
  std::int64_t reads = 0;  ///< Rows that are register reads.
  ReadingCounts readings;
  std::int64_t days_found = 0;
  std::int64_t reads_found = 0;
  std::int64_t readings_found = 0;
  std::int64_t missing_found = 0;
};

/// Gathers what should be known of a meter from its days.
class InfoOfDays {
 public:
  /// The newest version of a day, as far as withdrawn ones count; dates ascending.
  void add(const StoredDay& newest, const ReadingDay& day) {
    const auto [found, is_first] = channels_.try_emplace(newest.channel);
    ChannelInfo& info = found->second;
    if (is_first) info = {.channel = newest.channel, .first = newest.date};
    info.last = newest.date;
    info.interval = day.interval;
    info.zone = day.zone;
    info.facts = day.facts;
  }
  MeterInfo of(const MeterId& meter) const {
    MeterInfo info{.meter = meter, .channels = {}};
    for (const auto& [channel, known] : channels_) info.channels.push_back(known);
    return info;
  }

 private:
  std::map<Channel, ChannelInfo> channels_;
};

/// Whether to go on reading after what went wrong.
bool is_damage(const Error& error) {
  return error.code == Errc::corrupt || error.code == Errc::too_large;
}

template <class Value>
std::string text_of_value(const Value& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

std::string text_of(const MeterInfo& info) {
  std::string out;
  for (const auto& channel : info.channels)
    out += fmt::format("{}{} {} to {}, {} minutes", out.empty() ? "" : "; ",
                       text_of_value(channel.channel), channel.first.text(), channel.last.text(),
                       channel.interval.minutes());
  if (info.has_reads) out += out.empty() ? "register reads" : "; register reads";
  return out.empty() ? "nothing" : out;
}

std::string text_of(const DayTotal& total) {
  return fmt::format("{} of {}/{} readings, version {}", total.sum.text(), total.readings,
                     total.expected, text_of_value(total.version));
}

DateRange ever() { return {.from = Date::min(), .to = Date::max()}; }

std::string place_of(const MeterId& meter, Date date, const Channel& channel) {
  return fmt::format("meter {}, {}, {}", meter.text(), date.text(), text_of_value(channel));
}

/// Totals of one date, of a part of all meters, that are compared with the days.
struct DateCheck {
  Date date;
  std::uint64_t part;
  std::uint64_t parts;
  std::unordered_map<std::uint64_t, std::uint64_t> totals;  ///< By meter and channel; digests all.
  std::unordered_map<std::uint64_t, std::string> sums;      ///< What the readings say instead.

  DateRange dates() const { return {.from = date, .to = date}; }
  bool has(std::uint64_t series) const { return series % parts == part; }
};

class StoreCheck {
 public:
  StoreCheck(const Store& store, const CheckOptions& options, const CheckHooks& hooks)
      : store_(store), options_(options), hooks_(hooks) {}

  Result<CheckReport> run() {
    auto files = store_.status(StatusOf::files);
    if (!files) return end_with(DamageKind::file, "all files", files.error());
    report_.layout = std::move(files->figures);
    const auto settings = store_.settings();
    if (!settings) return end_with(DamageKind::delivery, "all settings", settings.error());
    amended_at_ = settings->amended_at;
    const auto listed = read_deliveries();
    if (!listed) return end_with(DamageKind::delivery, "all deliveries", listed.error());
    const auto read = each_meter([&](const MeterInfo& info) { return check_meter(info); });
    if (!read) return end_with(DamageKind::meter, "all meters", read.error());
    report_.unfinished_deliveries = static_cast<std::int64_t>(unfinished_.size());
    METERLINE_CHECK(check_totals());
    for (const auto& account : accounts_) check_account(account);
    return std::move(report_);
  }

 private:
  using MeterVisitor = std::function<Result<void>(const MeterInfo&)>;

  /// What cannot be listed cannot be compared.
  Result<CheckReport> end_with(DamageKind kind, std::string where, const Error& error) {
    if (!is_damage(error)) return tl::unexpected(error);
    tell(kind, std::move(where), error.message);
    return std::move(report_);
  }

  Result<void> read_deliveries();
  Result<void> read_delivery(const DeliveryRecord& record);
  Account* account_of(const DeliveryId& id);
  void check_account(const Account& account);
  bool is_amended(const Account& account) const;

  Result<void> each_meter(const MeterVisitor& visit);
  Result<void> check_meter(const MeterInfo& info);
  Result<void> check_reads(const MeterId& meter, bool& has_reads, bool& any_counts);
  Result<void> check_again(const MeterId& meter, const MeterInfo& found_before);
  Result<MeterInfo> info_from_days(const MeterId& meter, Withdrawn withdrawn) const;
  Result<MeterInfo> known_info(const MeterId& meter) const;

  Result<void> check_totals();
  Result<DateDigests> read_totals();
  Result<void> add_totals(const DateRange& dates, DateDigests& totals) const;
  Result<void> examine(Date date, std::int64_t count);
  Result<void> take_totals(DateCheck& compared) const;
  Result<void> compare(const MeterId& meter, DateCheck& compared);
  Result<void> tell_wrong_totals(const DateCheck& compared);

  void tell(DamageKind kind, std::string where, std::string text);
  Result<void> check_stop() const {
    if (hooks_.stop != nullptr && *hooks_.stop) return fail(Errc::cancelled, "stopped on request");
    return {};
  }

  friend class MeterCheck;

  const Store& store_;
  const CheckOptions& options_;
  const CheckHooks& hooks_;
  CheckReport report_;
  std::optional<Instant> amended_at_;  ///< See StoreSettings.
  std::vector<Account> accounts_;      ///< By id.
  std::size_t last_account_ = 0;
  std::set<DeliveryId> unfinished_;
  DateDigests dates_;          ///< Of what the days add up to.
  std::set<Date> unreadable_;  ///< Dates whose totals cannot be read.
};

/// Reads all days of one meter.
class MeterCheck {
 public:
  MeterCheck(StoreCheck& check, MeterId meter) : check_(check), meter_(std::move(meter)) {}

  Result<void> add(const StoredDay& stored);
  void finish_day();
  /// What should be known of the meter, were nothing withdrawn.
  MeterInfo info() const { return info_.of(meter_); }
  /// What should be known of it now; the same where has_withdrawn() is false.
  MeterInfo counting() const { return counting_.of(meter_); }
  bool has_withdrawn() const { return has_withdrawn_; }

 private:
  void check_place(const StoredDay& stored);
  void count(const StoredDay& stored);
  void tell_of(const StoredDay& stored, const std::string& text);

  StoreCheck& check_;
  const MeterId meter_;
  InfoOfDays info_;
  InfoOfDays counting_;
  bool has_withdrawn_ = false;
  bool is_counted_ = false;  ///< The day has a version that counts.
  bool any_ = false;
  Date date_;
  Channel channel_;
  Version version_;
  DeliveryId delivery_;
  ReadingDay day_;
  DayResolver resolver_;
};

void MeterCheck::tell_of(const StoredDay& stored, const std::string& text) {
  check_.tell(DamageKind::day, place_of(meter_, stored.date, stored.channel),
              fmt::format("of delivery {}: {}", stored.delivery.text(), text));
}

/// One version after another, as read_days() gives them.
Result<void> MeterCheck::add(const StoredDay& stored) {
  METERLINE_CHECK(check_.check_stop());
  const bool is_new = !any_ || stored.date != date_ || stored.channel != channel_;
  if (is_new) finish_day();
  check_place(stored);
  any_ = true;
  date_ = stored.date;
  channel_ = stored.channel;
  version_ = stored.version;
  delivery_ = stored.delivery;

  ++check_.report_.days;
  if (check_.hooks_.days != nullptr) ++*check_.hooks_.days;
  if (const auto unpacked = unpack_day(stored.packed, day_); !unpacked) {
    tell_of(stored, unpacked.error().message);
    return {};
  }
  count(stored);
  if (is_new) info_.add(stored, day_);
  if (is_new) is_counted_ = false;
  if (!stored.withdrawn && !is_counted_) counting_.add(stored, day_);
  is_counted_ = is_counted_ || !stored.withdrawn;
  has_withdrawn_ = has_withdrawn_ || stored.withdrawn;
  return resolver_.add(stored);
}

/// Days come by date, channel and version; and a version is that of its delivery, or of the time
/// that the day states.
void MeterCheck::check_place(const StoredDay& stored) {
  const bool is_behind = !any_ || std::tie(date_, channel_, stored.version, stored.delivery) <
                                      std::tie(stored.date, stored.channel, version_, delivery_);
  if (!is_behind) tell_of(stored, "comes in a wrong order, or twice");
  const Account* const account = check_.account_of(stored.delivery);
  const auto parts = split_packed_day(stored.packed);
  if (account == nullptr || !parts) return;
  auto delivered = account->version;
  delivered.received =
      stored.version.received;  // Of a load that was begun again, either may stand.
  const auto version = version_of(parts->grid, delivered);
  if (version && *version != stored.version)
    tell_of(stored, fmt::format("has version {}, wanted {}", text_of_value(stored.version),
                                text_of_value(*version)));
}

/// For the account of the delivery.
void MeterCheck::count(const StoredDay& stored) {
  const auto missing = std::count(day_.qualities.begin(), day_.qualities.end(), Quality::missing);
  const auto readings = static_cast<std::int64_t>(day_.qualities.size()) - missing;
  check_.report_.readings += readings;
  Account* const account = check_.account_of(stored.delivery);
  if (account == nullptr) {
    ++check_.report_.unfinished_days;
    check_.unfinished_.insert(stored.delivery);
    return;
  }
  ++account->days_found;
  account->readings_found += readings;
  account->missing_found += missing;
}

/// Adds what the versions of the day come to.
void MeterCheck::finish_day() {
  if (resolver_.empty()) return;
  const auto total = total_of(meter_, resolver_.day());
  resolver_.clear();
  if (total)
    check_.dates_[date_].add(*total);
  else
    check_.tell(DamageKind::day, place_of(meter_, date_, channel_), total.error().message);
}

void StoreCheck::tell(DamageKind kind, std::string where, std::string text) {
  ++report_.damage_count;
  if (report_.damage.size() < options_.damage_max)
    report_.damage.push_back({.kind = kind, .where = std::move(where), .text = std::move(text)});
}

Result<void> StoreCheck::read_deliveries() {
  DeliveriesQuery query{.limit = deliveries_step};
  for (;;) {
    METERLINE_CHECK(check_stop());
    METERLINE_TRY(const auto page, store_.deliveries(query));
    for (const auto& record : page) METERLINE_CHECK(read_delivery(record));
    if (page.size() < query.limit) break;
    query.after = page.back().delivery.id;
  }
  std::sort(accounts_.begin(), accounts_.end(),
            [](const Account& a, const Account& b) { return a.id < b.id; });
  report_.deliveries = static_cast<std::int64_t>(accounts_.size());
  return {};
}

Result<void> StoreCheck::read_delivery(const DeliveryRecord& record) {
  const auto& delivery = record.delivery;
  const auto& report = record.report;
  accounts_.push_back({.id = delivery.id,
                       .version = delivery.version(),
                       .rows = report.rows.stored - report.register_reads.stored,
                       .reads = report.register_reads.stored,
                       .readings = report.readings});
  METERLINE_TRY(const auto by_id, store_.delivery(delivery.id));
  if (by_id != record)
    tell(DamageKind::delivery, fmt::format("delivery {}", delivery.id.text()),
         by_id ? "is another one when it is asked for by its id" : "is not found by its id");
  return {};
}

/// Null for a delivery that is not listed.
Account* StoreCheck::account_of(const DeliveryId& id) {
  if (last_account_ < accounts_.size() && accounts_[last_account_].id == id)
    return &accounts_[last_account_];
  const auto found = std::lower_bound(
      accounts_.begin(), accounts_.end(), id,
      [](const Account& account, const DeliveryId& to) { return account.id < to; });
  if (found == accounts_.end() || found->id != id) return nullptr;
  last_account_ = static_cast<std::size_t>(found - accounts_.begin());
  return &*found;
}

/// Whether the delivery has less than it brought, and may: something was taken out of the store
/// since.
bool StoreCheck::is_amended(const Account& account) const {
  const auto& readings = account.readings;
  const bool has_less = account.days_found < account.rows || account.reads_found < account.reads;
  const bool has_more = account.days_found > account.rows || account.reads_found > account.reads ||
                        account.readings_found > readings.stored ||
                        account.missing_found > readings.missing + readings.rejected;
  return amended_at_ && account.version.received <= *amended_at_ && has_less && !has_more;
}

/// A rejected reading of a stored row is missing in its day, and one of a rejected row is not.
/// Where slots are repeated, a day may be united from several rows.
void StoreCheck::check_account(const Account& account) {
  if (is_amended(account)) {
    ++report_.amended_deliveries;
    report_.amended_readings += account.readings.stored - account.readings_found;
    return;
  }
  const auto& readings = account.readings;
  const bool may_be_united =
      readings.repeated > 0 && account.days_found > 0 && account.days_found < account.rows;
  const bool is_of_rows = account.days_found == account.rows || may_be_united;
  const bool is_right = is_of_rows && account.readings_found == readings.stored &&
                        account.missing_found >= readings.missing &&
                        account.missing_found <= readings.missing + readings.rejected;
  if (account.reads_found != account.reads)
    tell(DamageKind::delivery, fmt::format("delivery {}", account.id.text()),
         fmt::format("reported {} register reads stored; found are {}", account.reads,
                     account.reads_found));
  if (is_right) return;
  tell(DamageKind::delivery, fmt::format("delivery {}", account.id.text()),
       fmt::format("reported {} rows with {} readings and {} missing ones stored; found are {}, {} "
                   "and {}",
                   account.rows, readings.stored, readings.missing, account.days_found,
                   account.readings_found, account.missing_found));
}

/// With those of which nothing counts: their days are those of deliveries, too.
Result<void> StoreCheck::each_meter(const MeterVisitor& visit) {
  MetersQuery query{
      .prefix = "", .after = {}, .limit = meters_step, .withdrawn = Withdrawn::counted};
  for (;;) {
    METERLINE_TRY(const auto page, store_.meters(query));
    for (const auto& info : page) METERLINE_CHECK(visit(info));
    if (page.size() < query.limit) return {};
    query.after = page.back().meter;
  }
}

Result<void> StoreCheck::check_meter(const MeterInfo& info) {
  ++report_.meters;
  MeterCheck days(*this, info.meter);
  auto read = store_.read_days({.meter = info.meter, .dates = ever()},
                               [&](const StoredDay& stored) { return days.add(stored); });
  if (!read && !is_damage(read.error())) return read;
  days.finish_day();
  if (hooks_.meters != nullptr) ++*hooks_.meters;
  if (!read) {
    tell(DamageKind::day, fmt::format("meter {}", info.meter.text()), read.error().message);
    return {};
  }
  auto found = days.info();
  auto counting = days.counting();
  if (info.has_reads) {
    auto read_registers = check_reads(info.meter, found.has_reads, counting.has_reads);
    if (!read_registers && !is_damage(read_registers.error())) return read_registers;
    if (!read_registers) {
      tell(DamageKind::day, fmt::format("meter {}, register reads", info.meter.text()),
           read_registers.error().message);
      return {};
    }
  }
  if (found != info) return check_again(info.meter, found);
  if (!days.has_withdrawn() && found.has_reads == counting.has_reads) return {};
  METERLINE_TRY(const auto known, known_info(info.meter));
  return known == counting ? Result<void>() : check_again(info.meter, counting);
}

/// Reads come by time, register and version; their versions are those of their deliveries.
Result<void> StoreCheck::check_reads(const MeterId& meter, bool& has_reads, bool& any_counts) {
  std::optional<std::tuple<Instant, MeterRegister, Version, DeliveryId>> last;
  return store_.read_registers(all_reads_of(meter), [&](const StoredRead& stored) -> Result<void> {
    METERLINE_CHECK(check_stop());
    const auto& read = stored.read;
    const auto at = read.current.time.at;
    const auto where = [&] {
      return fmt::format("meter {}, register read of {}, {}", meter.text(), at.text(),
                         text_of_value(read.of));
    };
    if (last && std::tie(std::get<0>(*last), std::get<1>(*last), stored.version, stored.delivery) >=
                    std::tie(at, read.of, std::get<2>(*last), std::get<3>(*last)))
      tell(DamageKind::day, where(), "comes in a wrong order, or twice");
    last.emplace(at, read.of, stored.version, stored.delivery);
    has_reads = true;
    any_counts = any_counts || !stored.withdrawn;
    ++report_.register_reads;
    Account* const account = account_of(stored.delivery);
    if (account == nullptr) {
      ++report_.unfinished_days;
      unfinished_.insert(stored.delivery);
      return {};
    }
    ++account->reads_found;
    auto delivered = account->version;
    delivered.received = stored.version.received;
    if (read.version(delivered) != stored.version)
      tell(DamageKind::day, where(),
           fmt::format("has version {}, wanted {}", text_of_value(stored.version),
                       text_of_value(read.version(delivered))));
    return {};
  });
}

/// Without channels where it is not known.
Result<MeterInfo> StoreCheck::known_info(const MeterId& meter) const {
  METERLINE_TRY(auto known, store_.meter(meter));
  return known ? *std::move(known) : MeterInfo{.meter = meter, .channels = {}};
}

/// A meter may have got days between the two looks at it: they are taken once more.
Result<void> StoreCheck::check_again(const MeterId& meter, const MeterInfo& found_before) {
  METERLINE_TRY(const auto known, known_info(meter));
  METERLINE_TRY(const auto counting, info_from_days(meter, Withdrawn::left_out));
  if (known == counting) {
    METERLINE_TRY(const auto found, info_from_days(meter, Withdrawn::counted));
    METERLINE_TRY(
        const auto listed,
        store_.meters({.prefix = meter.text(), .limit = 1, .withdrawn = Withdrawn::counted}));
    if (!listed.empty() && listed.front() == found) return {};
  }
  tell(DamageKind::meter, fmt::format("meter {}", meter.text()),
       fmt::format("is known with {}; its days say {}", text_of(known), text_of(found_before)));
  return {};
}

Result<MeterInfo> StoreCheck::info_from_days(const MeterId& meter, Withdrawn withdrawn) const {
  InfoOfDays info;
  std::optional<std::pair<Date, Channel>> last;
  ReadingDay day;
  METERLINE_CHECK(store_.read_days({.meter = meter, .dates = ever()},
                                   [&](const StoredDay& stored) -> Result<void> {
                                     if (last == std::pair(stored.date, stored.channel)) return {};
                                     if (stored.withdrawn && withdrawn == Withdrawn::left_out)
                                       return {};
                                     last.emplace(stored.date, stored.channel);
                                     if (unpack_day(stored.packed, day)) info.add(stored, day);
                                     return {};
                                   }));
  auto found = info.of(meter);
  METERLINE_CHECK(
      store_.read_registers(all_reads_of(meter), [&](const StoredRead& stored) -> Result<void> {
        found.has_reads |= !stored.withdrawn || withdrawn == Withdrawn::counted;
        return {};
      }));
  return found;
}

/// Compares the totals date by date, and looks closer at dates that differ.
Result<void> StoreCheck::check_totals() {
  METERLINE_TRY(const auto totals, read_totals());
  std::map<Date, std::int64_t> wrong;  // With the number of totals.
  for (const auto& [date, digest] : totals) {
    report_.totals += digest.count;
    const auto found = dates_.find(date);
    if (found == dates_.end() || found->second != digest) wrong[date] = digest.count;
  }
  for (const auto& [date, digest] : dates_)
    if (!totals.contains(date) && !unreadable_.contains(date)) wrong[date] = 0;

  std::size_t examined = 0;
  for (const auto& [date, count] : wrong) {
    if (examined++ < options_.dates_examined_max) {
      METERLINE_CHECK(examine(date, count));
      continue;
    }
    tell(DamageKind::total, date.text(), "the totals of this day are not those of its readings");
  }
  return {};
}

/// Where they cannot be read at once, they are read date by date.
Result<DateDigests> StoreCheck::read_totals() {
  DateDigests totals;
  const auto read = add_totals(ever(), totals);
  if (read) return totals;
  if (!is_damage(read.error())) return tl::unexpected(read.error());
  totals.clear();
  for (const auto& [date, digest] : dates_) {
    DateDigests of_date;
    const auto read_date = add_totals({.from = date, .to = date}, of_date);
    if (read_date) {
      totals.merge(of_date);
      continue;
    }
    if (!is_damage(read_date.error())) return tl::unexpected(read_date.error());
    tell(DamageKind::total, date.text(), read_date.error().message);
    unreadable_.insert(date);
  }
  return totals;
}

Result<void> StoreCheck::add_totals(const DateRange& dates, DateDigests& totals) const {
  return store_.read_day_totals({.dates = dates}, [&](const DayTotal& total) -> Result<void> {
    METERLINE_CHECK(check_stop());
    totals[total.date].add(total);
    return {};
  });
}

/// Names the meters whose totals of that date are wrong. What was written since the first look is
/// not wrong any more.
Result<void> StoreCheck::examine(Date date, std::int64_t count) {
  const auto max = static_cast<std::int64_t>(options_.meters_compared_max);
  const auto parts = static_cast<std::uint64_t>(count / max + 1);
  for (std::uint64_t part = 0; part < parts; ++part) {
    DateCheck compared{.date = date, .part = part, .parts = parts, .totals = {}, .sums = {}};
    METERLINE_CHECK(take_totals(compared));
    METERLINE_CHECK(
        each_meter([&](const MeterInfo& info) { return compare(info.meter, compared); }));
    METERLINE_CHECK(tell_wrong_totals(compared));
  }
  return {};
}

Result<void> StoreCheck::take_totals(DateCheck& compared) const {
  return store_.read_day_totals({.dates = compared.dates()},
                                [&](const DayTotal& total) -> Result<void> {
                                  const auto series = series_digest(total.meter, total.channel);
                                  if (compared.has(series))
                                    compared.totals.emplace(series, total_digest(total));
                                  return {};
                                });
}

/// Leaves in `compared` what the days of a meter do not confirm.
Result<void> StoreCheck::compare(const MeterId& meter, DateCheck& compared) {
  METERLINE_CHECK(check_stop());
  auto read = read_resolved(
      store_, {.meter = meter, .dates = compared.dates()},
      [&](const ResolvedDay& day) -> Result<void> {
        const auto series = series_digest(meter, day.channel);
        if (!compared.has(series)) return {};
        METERLINE_TRY(const auto total, total_of(meter, day));
        const auto found = compared.totals.find(series);
        if (found == compared.totals.end()) {
          tell(DamageKind::total, place_of(meter, day.date, day.channel), "there is none");
        } else if (found->second == total_digest(total)) {
          compared.totals.erase(found);
        } else {
          const bool is_told = compared.sums.size() < options_.damage_max;
          compared.sums.emplace(series, is_told ? text_of(total) : "otherwise");
        }
        return {};
      });
  if (read || !is_damage(read.error())) return read;
  tell(DamageKind::day, fmt::format("meter {}, {}", meter.text(), compared.date.text()),
       read.error().message);
  return {};
}

Result<void> StoreCheck::tell_wrong_totals(const DateCheck& compared) {
  if (compared.totals.empty()) return {};
  return store_.read_day_totals(
      {.dates = compared.dates()}, [&](const DayTotal& total) -> Result<void> {
        const auto series = series_digest(total.meter, total.channel);
        if (!compared.totals.contains(series)) return {};
        const auto sum = compared.sums.find(series);
        tell(DamageKind::total, place_of(total.meter, total.date, total.channel),
             sum == compared.sums.end()
                 ? fmt::format("says {}; but there is no such day", text_of(total))
                 : fmt::format("says {}; its readings say {}", text_of(total), sum->second));
        return {};
      });
}

}  // namespace

std::string_view text_of(DamageKind kind) {
  switch (kind) {
    case DamageKind::day:
      return "day";
    case DamageKind::meter:
      return "meter";
    case DamageKind::total:
      return "total";
    case DamageKind::delivery:
      return "delivery";
    case DamageKind::file:
      return "file";
  }
  return "";
}

Result<CheckReport> check_store(const Store& store, const CheckOptions& options,
                                const CheckHooks& hooks) {
  return StoreCheck(store, options, hooks).run();
}

}  // namespace meterline::store
