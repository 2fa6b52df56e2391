#include "testing/store_days.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "core/try.h"
#include "store/packed_day.h"

namespace meterline::testing {
namespace {

[[noreturn]] void reject(std::string_view line, const std::string& why) {
  throw std::invalid_argument(fmt::format("test day `{}`: {}", line, why));
}

std::vector<std::string> words_of(std::string_view text, char separator) {
  std::vector<std::string> words;
  std::istringstream in{std::string(text)};
  for (std::string word; std::getline(in, word, separator);)
    if (!word.empty()) words.push_back(word);
  return words;
}

int number_in(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) reject(text, "not a number");
  return number;
}

Channel channel_in(const std::string& word) {
  const auto parts = words_of(word, '/');
  const auto flow = parts.size() > 1 ? parse_flow(parts[1]) : std::nullopt;
  if (!flow) reject(word, "not CHANNEL/FLOW/UNIT");
  const auto unit = parts.size() > 2 ? parse_unit(parts[2]) : std::nullopt;
  return {.name = parts[0], .flow = *flow, .unit = unit.value_or(Unit::unknown)};
}

struct Slot {
  Decimal value;
  Quality quality = Quality::missing;
};

/// `1.5s` or `-`
Slot slot_in(std::string_view word) {
  if (word == "-") return {};
  Quality quality = Quality::actual;
  if (word.ends_with('s')) quality = Quality::substituted;
  if (word.ends_with('e')) quality = Quality::estimated;
  if (quality != Quality::actual) word.remove_suffix(1);
  const auto value = Decimal::parse(word);
  if (!value) reject(word, "not a value");
  return {.value = *value, .quality = quality};
}

std::vector<Slot> slots_in(std::span<const std::string> words) {
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto times = words[i].find('x');
    const int count = times == std::string::npos ? 1 : number_in(words[i].substr(times + 1));
    slots.insert(slots.end(), static_cast<std::size_t>(count), slot_in(words[i].substr(0, times)));
  }
  return slots;
}

/// `FIRST-END:FLAG/METHOD/CODE/TEXT`; in the text, `_` stands for a blank.
NoteRun run_in(std::string_view text) {
  const auto dash = text.find('-');
  const auto colon = text.find(':');
  if (dash == std::string_view::npos || colon == std::string_view::npos) reject(text, "no run");
  NoteRun run{.first = static_cast<std::size_t>(number_in(text.substr(0, dash))),
              .end = static_cast<std::size_t>(number_in(text.substr(dash + 1, colon - dash - 1))),
              .note = {}};
  std::istringstream parts{std::string(text.substr(colon + 1))};
  for (auto* part : {&run.note.flag, &run.note.method, &run.note.reason_code})
    std::getline(parts, *part, '/');
  std::getline(parts, run.note.reason_text);
  std::replace(run.note.reason_text.begin(), run.note.reason_text.end(), '_', ' ');
  return run;
}

/// Takes `stated:SECONDS`, `estimate` and `note:RUN` off the end of the words.
TimeZone zone_in(std::string_view text) {
  return text.empty() ? TimeZone() : TimeZone::parse(text).value();
}

void take_origin(std::vector<std::string>& words, ReadingDay& day) {
  constexpr std::string_view stated = "stated:";
  constexpr std::string_view note = "note:";
  constexpr std::string_view zone = "zone:";
  constexpr std::string_view device = "device:";
  for (; !words.empty(); words.pop_back()) {
    if (words.back().starts_with(note)) {
      day.notes.insert(day.notes.begin(), run_in(words.back().substr(note.size())));
    } else if (words.back().starts_with(zone)) {
      day.zone = zone_in(words.back().substr(zone.size()));
    } else if (words.back().starts_with(device)) {
      day.facts = {.serial = words.back().substr(device.size()), .register_id = "", .sent = {}};
    } else if (words.back() == "estimate") {
      day.origin = Origin::estimate;
    } else if (words.back().starts_with(stated)) {
      day.stated = second(number_in(words.back().substr(stated.size())));
    } else {
      return;
    }
  }
}

/// All slots on the smallest exponent of them.
void put_slots(const std::vector<Slot>& slots, ReadingDay& day) {
  for (const Slot& slot : slots) day.exponent = std::min(day.exponent, slot.value.exponent);
  for (const Slot& slot : slots) {
    std::int64_t mantissa = slot.value.mantissa;
    for (int e = slot.value.exponent; e > day.exponent; --e)
      if (__builtin_mul_overflow(mantissa, 10, &mantissa)) reject("", "values too far apart");
    day.mantissas.push_back(slot.quality == Quality::missing ? 0 : mantissa);
    day.qualities.push_back(slot.quality);
  }
}

auto key_of(const ReadingDay& day) { return std::tie(day.meter, day.date, day.channel); }

std::vector<ReadingDay> sorted(std::vector<ReadingDay> days) {
  std::sort(days.begin(), days.end(),
            [](const ReadingDay& a, const ReadingDay& b) { return key_of(a) < key_of(b); });
  return days;
}

Result<void> add_day(store::DeliveryWriter& writer, const ReadingDay& day, std::size_t delivery) {
  std::string packed;
  store::pack_day(day, packed);
  return writer.add({.meter = day.meter,
                     .channel = day.channel,
                     .date = day.date,
                     .packed = packed,
                     .plain_total = store::plain_total(day),
                     .delivery = delivery});
}

Result<void> add_days(store::DeliveryWriter& writer, const std::vector<ReadingDay>& days) {
  for (const auto& day : days) METERLINE_CHECK(add_day(writer, day, 0));
  return {};
}

std::string text_of(Version version) {
  const auto seconds = [](Instant at) { return at.micros / 1'000'000; };
  std::string received;
  if (version.received != version.stated) received = fmt::format("/{}", seconds(version.received));
  return fmt::format("{}{}{}#{}", version.origin == Origin::source ? '@' : '~',
                     seconds(version.stated), received, version.tie);
}

/// The answer, or the error's text in its place.
std::string or_error(const Result<void>& result, const std::vector<std::string>& lines) {
  return result ? fmt::format("{}\n", fmt::join(lines, "\n")) : result.error().message + '\n';
}

std::string line_of(const store::MeterInfo& info) {
  std::ostringstream out;
  out << "meter " << info.meter;
  for (const auto& channel : info.channels) {
    out << ' ' << channel.channel << ' ' << channel.interval.minutes() << "min "
        << channel.zone.text() << (channel.zone.is_known() ? " " : "");
    out << channel.first << ".." << channel.last;
    if (channel.facts) out << ' ' << *channel.facts;
  }
  return out.str();
}

Result<void> list_days(const store::Store& store, const MeterId& meter, Instant as_of,
                       std::vector<std::string>& lines) {
  const DateRange ever{.from = Date::min(), .to = Date::max()};
  return store.read_days({.meter = meter, .dates = ever, .as_of = as_of},
                         [&](const store::StoredDay& stored) -> Result<void> {
                           ReadingDay day;
                           day.meter = meter;
                           day.channel = stored.channel;
                           day.date = stored.date;
                           METERLINE_CHECK(store::unpack_day(stored.packed, day));
                           std::ostringstream out;
                           out << day << ' ' << text_of(stored.version) << ' ' << stored.delivery;
                           if (stored.withdrawn) out << " withdrawn";
                           lines.push_back(out.str());
                           return {};
                         });
}

Result<void> list_deliveries(const store::Store& store, std::vector<std::string>& lines) {
  METERLINE_TRY(const auto records, store.deliveries({.source = {}, .after = {}, .limit = 1000}));
  for (const auto& record : records) {
    std::ostringstream out;
    out << fmt::format("delivery {} {} {} {} {} rows", record.delivery.id.text(),
                       record.delivery.source, record.delivery.delivered_at.text(),
                       meterline::text_of(record.report.state), record.report.rows.stored);
    for (const auto& event : record.events) out << ", " << event;
    lines.push_back(out.str());
  }
  return {};
}

Result<void> list_answers(const store::Store& store, Instant as_of,
                          std::vector<std::string>& lines) {
  METERLINE_TRY(const auto counting, store.meters({.prefix = "", .after = {}, .limit = 1000}));
  for (const auto& meter : counting) lines.push_back(line_of(meter));
  METERLINE_TRY(
      const auto all,
      store.meters(
          {.prefix = "", .after = {}, .limit = 1000, .withdrawn = store::Withdrawn::counted}));
  for (const auto& meter : all) {
    lines.push_back("all " + line_of(meter));
    METERLINE_CHECK(list_days(store, meter.meter, as_of, lines));
  }
  return list_deliveries(store, lines);
}

/// What the generators draw from: few enough that deliveries overlap.
constexpr std::array meters = {"A", "A1", "A.", "A-b", "B"};
constexpr std::array dates = {"1900-01-01", "2018-12-31", "2019-01-01",
                              "2019-01-02", "2019-01-31", "2199-12-31"};
constexpr std::array channels = {"consumption/consumption/kWh", "consumption/consumption/",
                                 "B1/generation/Wh", "consumption/consumption/Wh",
                                 "consumption/consumption/kW"};

/// Some of a few notes and some of any length, over any slots.
template <class Below>
Notes seeded_notes(std::size_t slots, const Below& below) {
  const std::array<Note, 4> common = {
      Note{"S", "14", "32", "power outage"},
      Note{"S", "14", "32", ""},
      Note{"E", "52", "", ""},
      Note{"", "", "", "Zählerstand ungültig – \"停電\", 1 | 2"},
  };
  Notes notes;
  for (std::size_t slot = below(static_cast<std::uint32_t>(slots)); slot < slots;) {
    const auto end = std::min<std::size_t>(slots, slot + 1 + below(6));
    Note note = common.at(below(4));
    if (below(8) == 0) note.reason_text.assign(1 + below(note_text_bytes_max), 'x');
    append(notes, slot, end, note);
    slot = end + (below(2) == 0 ? 0 : below(5));
  }
  return notes;
}

/// The slots of a generated day follow from its seed.
ReadingDay seeded_day(std::size_t meter, std::size_t date, std::size_t channel,
                      std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t n) { return random() % n; };
  ReadingDay day;
  day.meter = *MeterId::parse(meters.at(meter));
  day.date = *Date::parse(dates.at(date));
  day.channel = channel_in(channels.at(channel));
  day.interval = *IntervalLength::from_minutes(std::array{60, 60, 60, 60, 30, 15}.at(below(6)));
  day.exponent = static_cast<std::int8_t>(-static_cast<int>(below(7)));
  if (below(3) == 0) day.stated = second(static_cast<std::int64_t>(below(4)));
  if (below(8) == 0) day.origin = Origin::estimate;
  day.zone = zone_in(std::array{"", "", "", "+10:00", "Europe/London"}.at(below(5)));
  if (below(4) == 0)
    day.facts = {.serial = std::array{"M1", "", "Zähler 2"}.at(below(3)),
                 .register_id = "E1",
                 .sent = below(2) == 0 ? std::optional(Unit::MWh) : std::nullopt};
  const int an_hour = 60 / day.interval.minutes();
  const int longer = below(5) == 0 ? an_hour * (below(2) == 0 ? 1 : -1) : 0;
  const std::uint32_t missing_of_8 = std::array{0U, 4U, 7U, 8U}.at(below(4));
  const std::int64_t size = below(3) == 0 ? 1'000'000'000'000'000 : 100;
  for (int slot = 0; slot < day.interval.slots_per_day() + longer; ++slot) {
    const bool missing = below(8) < missing_of_8;
    const auto value = static_cast<std::int64_t>(random()) * 4099 % (2 * size) - size;
    day.mantissas.push_back(missing ? 0 : value);
    day.qualities.push_back(missing ? Quality::missing : static_cast<Quality>(below(3)));
  }
  if (below(3) == 0) day.notes = seeded_notes(day.mantissas.size(), below);
  return day;
}

/// Up to `size` elements, of all that `gen` can make: without the inner size, which RapidCheck
/// would take from the outer one, numbers would be of the low end of their range.
template <class T>
rc::Gen<std::vector<T>> up_to(int size, rc::Gen<T> gen) {
  return rc::gen::resize(
      size, rc::gen::container<std::vector<T>>(rc::gen::resize(rc::kNominalSize, std::move(gen))));
}

/// 0 to below `count`, and more of the low ones: deliveries are to overlap.
rc::Gen<std::size_t> mostly_low(std::size_t count) {
  return rc::gen::map(
      rc::gen::inRange<std::size_t>(0, count * count * count), [count](std::size_t number) {
        return std::min({number % count, number / count % count, number / count / count});
      });
}

rc::Gen<ReadingDay> any_day() {
  return rc::gen::apply(seeded_day, mostly_low(meters.size()), mostly_low(dates.size()),
                        mostly_low(channels.size()), rc::gen::arbitrary<std::uint32_t>());
}

/// A delivery says each day once: of repeats the first stays.
std::vector<ReadingDay> without_repeats(const std::vector<ReadingDay>& days) {
  std::vector<ReadingDay> kept;
  for (const ReadingDay& day : days)
    if (std::none_of(kept.begin(), kept.end(),
                     [&](const ReadingDay& other) { return key_of(other) == key_of(day); }))
      kept.push_back(day);
  return kept;
}

struct NaiveVersion {
  Version version;
  const ReadingDay* day;
};

bool has_reading(const ReadingDay& day) {
  return std::any_of(day.qualities.begin(), day.qualities.end(),
                     [](Quality quality) { return quality != Quality::missing; });
}

/// The newest version that knows the slot, among those of the leader's shape.
std::optional<NaiveReading> naive_reading(const std::vector<NaiveVersion>& newest_first,
                                          const ReadingDay& leader, std::size_t slot) {
  for (const auto& [version, day] : newest_first) {
    if (day->interval != leader.interval || day->mantissas.size() != leader.mantissas.size())
      continue;
    if (day->zone.is_known() && leader.zone.is_known() && day->zone != leader.zone) continue;
    if (day->qualities[slot] == Quality::missing) continue;
    return NaiveReading{.value = {.mantissa = day->mantissas[slot], .exponent = day->exponent},
                        .quality = day->qualities[slot],
                        .version = version};
  }
  return std::nullopt;
}

/// That of the version that gave the reading; of a missing one, what the leader says.
std::optional<Note> naive_note(const std::vector<NaiveVersion>& newest_first,
                               const ReadingDay& leader, std::size_t slot,
                               const std::optional<NaiveReading>& reading) {
  const ReadingDay* said_by = &leader;
  for (const auto& [version, day] : newest_first)
    if (reading && version == reading->version) said_by = day;
  for (const auto& run : said_by->notes)
    if (run.first <= slot && slot < run.end) return run.note;
  return std::nullopt;
}

NaiveDay naive_day(const std::vector<NaiveVersion>& newest_first) {
  const auto found = std::find_if(newest_first.begin(), newest_first.end(),
                                  [](const NaiveVersion& v) { return has_reading(*v.day); });
  const auto& [version, leader] = found == newest_first.end() ? newest_first.front() : *found;
  NaiveDay out{.meter = leader->meter,
               .channel = leader->channel,
               .date = leader->date,
               .interval = leader->interval,
               .zone = leader->zone,
               .newest_interval = newest_first.front().day->interval,
               .newest_zone = newest_first.front().day->zone,
               .newest_facts = newest_first.front().day->facts,
               .slots = {},
               .notes = {},
               .version = version};
  for (std::size_t slot = 0; slot < leader->mantissas.size(); ++slot) {
    out.slots.push_back(naive_reading(newest_first, *leader, slot));
    out.notes.push_back(naive_note(newest_first, *leader, slot, out.slots.back()));
  }
  return out;
}

}  // namespace

ReadingDay day_of(std::string_view line) {
  auto words = words_of(line, ' ');
  ReadingDay day;
  take_origin(words, day);
  if (words.size() < 4) reject(line, "too few words");
  const auto meter = MeterId::parse(words[0]);
  const auto date = Date::parse(words[1]);
  if (!meter || !date) reject(line, "bad meter id or date");
  day.meter = *meter;
  day.date = *date;
  const bool names_channel = words[2].find('/') != std::string::npos;
  day.channel = channel_in(names_channel ? words[2] : "consumption/consumption/kWh");
  const std::size_t at = names_channel ? 3 : 2;
  const auto interval = IntervalLength::from_minutes(number_in(words[at]));
  if (!interval) reject(line, "bad interval");
  day.interval = *interval;
  put_slots(slots_in(std::span(words).subspan(at + 1)), day);
  if (const auto fault = fault_of(day.notes, day.mantissas.size()))
    reject(line, std::string(*fault));
  return day;
}

Version version_of(const Delivery& delivery, const ReadingDay& day) {
  Version version = delivery.version();
  version.stated = day.stated.value_or(version.stated);
  version.origin = day.origin;
  return version;
}

Instant second(std::int64_t seconds) { return {.micros = seconds * 1'000'000}; }

TestDelivery delivery_of_days(std::int64_t seconds, std::uint8_t number,
                              std::vector<ReadingDay> days) {
  TestDelivery out;
  out.delivery.id.bytes[0] = number;
  out.delivery.content[7] = number;
  out.delivery.source = fmt::format("/in/{}.csv", number);
  out.delivery.bytes = 100;
  out.delivery.delivered_at = second(seconds);
  out.delivery.received_at = second(seconds);
  out.report.format = "wide-csv";
  out.report.rows = {.read = static_cast<std::int64_t>(days.size()),
                     .stored = static_cast<std::int64_t>(days.size()),
                     .repeated = 0,
                     .rejected = 0};
  out.days = sorted(std::move(days));
  return out;
}

TestDelivery delivery_of(std::int64_t seconds, std::uint8_t number,
                         const std::vector<std::string>& lines) {
  std::vector<ReadingDay> days;
  for (const auto& line : lines) days.push_back(day_of(line));
  return delivery_of_days(seconds, number, std::move(days));
}

Result<void> load(store::Store& store, const TestDelivery& delivery) {
  METERLINE_TRY(const auto writer, store.write(delivery.delivery));
  METERLINE_CHECK(add_days(*writer, delivery.days));
  return writer->commit(delivery.report);
}

Result<void> load_together(store::Store& store, const std::vector<TestDelivery>& deliveries) {
  std::vector<Delivery> heads;
  std::vector<DeliveryReport> reports;
  std::vector<std::pair<const ReadingDay*, std::size_t>> days;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    heads.push_back(deliveries[i].delivery);
    reports.push_back(deliveries[i].report);
    for (const auto& day : deliveries[i].days) days.emplace_back(&day, i);
  }
  std::sort(days.begin(), days.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first->meter, a.first->date, a.first->channel, a.second) <
           std::tie(b.first->meter, b.first->date, b.first->channel, b.second);
  });
  METERLINE_TRY(const auto writer, store.write(heads));
  for (const auto& [day, delivery] : days) METERLINE_CHECK(add_day(*writer, *day, delivery));
  return writer->commit(reports);
}

Result<void> load_piece(store::Store& store, const TestDelivery& delivery, std::size_t count) {
  METERLINE_TRY(const auto writer, store.write(delivery.delivery));
  const auto end =
      delivery.days.begin() + static_cast<std::ptrdiff_t>(std::min(count, delivery.days.size()));
  return add_days(*writer, {delivery.days.begin(), end});
}

std::string line_of(const store::DayTotal& total) {
  std::ostringstream out;
  out << total.meter << ' ' << total.date << ' ' << total.channel << ' ' << total.sum << " of "
      << total.readings << '/' << total.expected << " a" << total.quality.actual << " s"
      << total.quality.substituted << " e" << total.quality.estimated << ' '
      << text_of(total.version);
  return out.str();
}

std::string totals_of(const store::Store& store, Instant as_of) {
  const DateRange ever{.from = Date::min(), .to = Date::max()};
  std::vector<std::string> lines;
  const auto read = store.read_day_totals({.dates = ever, .as_of = as_of},
                                          [&](const store::DayTotal& total) -> Result<void> {
                                            lines.push_back(line_of(total));
                                            return {};
                                          });
  std::sort(lines.begin(), lines.end());
  return or_error(read, lines);
}

std::string answers_of(const store::Store& store, Instant as_of) {
  std::vector<std::string> lines;
  const auto listed = list_answers(store, as_of, lines);
  return or_error(listed, lines) + totals_of(store, as_of);
}

rc::Gen<std::vector<TestDelivery>> any_deliveries() {
  struct Draft {
    std::int64_t delivered;
    std::int64_t received;
    bool again;  ///< From another source, too.
    std::vector<ReadingDay> days;
  };
  const auto draft = rc::gen::apply(
      [](std::int64_t delivered, std::int64_t later, int again,
         const std::vector<ReadingDay>& days) {
        return Draft{delivered, delivered + later, again == 1, without_repeats(days)};
      },
      rc::gen::inRange<std::int64_t>(1, 4), rc::gen::inRange<std::int64_t>(0, 3),
      rc::gen::inRange(0, 8), up_to(6, any_day()));
  return rc::gen::map(up_to(6, draft), [](const std::vector<Draft>& drafts) {
    std::vector<TestDelivery> out;
    std::uint8_t number = 0;
    for (const Draft& d : drafts) {
      out.push_back(delivery_of_days(d.delivered, ++number, d.days));
      out.back().delivery.received_at = second(d.received);
      if (!d.again) continue;
      out.push_back(out.back());
      out.back().delivery.id.bytes[1] = 1;
      out.back().delivery.source = fmt::format("/copy/{}.csv", number);
    }
    return out;
  });
}

std::vector<Step> any_steps(std::vector<TestDelivery>& deliveries) {
  using Kind = DeliveryEventKind;
  std::vector<Step> steps;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    steps.push_back({.delivery = i, .event = {}});
    const auto times = *up_to(4, rc::gen::inRange(0, 8));
    for (const int at : std::set(times.begin(), times.end())) {
      const auto kind = *rc::gen::arbitrary<bool>() ? Kind::withdrawn : Kind::restored;
      const DeliveryEvent event{.at = second(at), .kind = kind, .who = "ann", .reason = "why"};
      deliveries[i].events.push_back(event);
      steps.push_back({.delivery = i, .event = event});
    }
  }
  const auto keys = *rc::gen::container<std::vector<std::uint32_t>>(
      steps.size(), rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint32_t>()));
  std::vector<std::pair<std::uint32_t, Step>> keyed;
  for (std::size_t i = 0; i < steps.size(); ++i) keyed.emplace_back(keys[i], steps[i]);
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = keyed[i].second;
  return steps;
}

std::vector<NaiveDay> naive_days(const std::vector<TestDelivery>& deliveries, Instant as_of) {
  std::map<std::tuple<MeterId, Date, Channel>, std::vector<NaiveVersion>> days;
  for (const TestDelivery& each : deliveries)
    for (const ReadingDay& day : each.days)
      if (each.delivery.received_at <= as_of && !is_withdrawn(each.events, as_of))
        days[key_of(day)].push_back({.version = version_of(each.delivery, day), .day = &day});

  std::vector<NaiveDay> out;
  for (auto& [key, versions] : days) {
    std::sort(versions.begin(), versions.end(),
              [](const auto& a, const auto& b) { return b.version < a.version; });
    out.push_back(naive_day(versions));
  }
  return out;
}

store::DayTotal naive_total(const NaiveDay& day) {
  store::DayTotal out{.meter = day.meter,
                      .channel = day.channel,
                      .date = day.date,
                      .sum = {},
                      .readings = 0,
                      .expected = static_cast<std::int64_t>(day.slots.size()),
                      .quality = {},
                      .version = day.version,
                      .zone = day.zone};
  for (const auto& reading : day.slots) {
    if (!reading) {
      ++out.quality.missing;
      continue;
    }
    if (!out.sum.add(reading->value)) throw std::overflow_error("naive total");
    ++out.readings;
    if (reading->quality == Quality::actual) ++out.quality.actual;
    if (reading->quality == Quality::substituted) ++out.quality.substituted;
    if (reading->quality == Quality::estimated) ++out.quality.estimated;
  }
  return out;
}

}  // namespace meterline::testing
