#include "testing/register_reads.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "core/try.h"
#include "store/register_reads.h"

namespace meterline::testing {
namespace {

template <class Value>
const Value& known(const std::optional<Value>& value, std::string_view line) {
  if (!value) throw std::invalid_argument("test read: " + std::string(line));
  return *value;
}

ClockTime time_in(const std::string& text, std::string_view line) {
  ClockTime time{.at = known(Instant::parse(text), line)};
  if (text.ends_with('Z')) return time;
  const auto offset = text.substr(text.size() - 6);
  const int minutes = std::atoi(offset.substr(1, 2).c_str()) * 60 + std::atoi(&offset[4]);
  time.offset_minutes = static_cast<std::int16_t>(offset[0] == '-' ? -minutes : minutes);
  return time;
}

auto place_of(const RegisterRead& read) {
  return std::tie(read.meter, read.current.time.at, read.of);
}

template <class Value>
rc::Gen<std::optional<Value>> optional_of(rc::Gen<Value> value) {
  return rc::gen::apply(
      [](bool is_there, const Value& it) {
        return is_there ? std::optional(it) : std::optional<Value>();
      },
      rc::gen::arbitrary<bool>(), std::move(value));
}

rc::Gen<Note> any_note() {
  return rc::gen::element(Note{}, Note{}, Note{.flag = "A"},
                          Note{.flag = "S", .method = "14", .reason_code = "32"},
                          Note{.flag = "E", .reason_text = "no access \xC3\xA9"});
}

rc::Gen<Decimal> any_decimal() {
  return rc::gen::apply(
      [](std::int64_t mantissa, std::int8_t exponent) {
        return Decimal{.mantissa = mantissa, .exponent = exponent};
      },
      rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange<std::int8_t>(-18, 1));
}

rc::Gen<RegisterState> any_state() {
  return rc::gen::apply(
      [](std::int64_t hours, std::int16_t offset, std::optional<Decimal> value, int quality,
         Note note) {
        RegisterState state{
            .time = {.at = {.micros = hours * 3'600'000'000}, .offset_minutes = offset},
            .value = value,
            .quality = static_cast<Quality>(quality),
            .note = std::move(note)};
        if (state.quality == Quality::missing) state.value.reset();
        return state;
      },
      rc::gen::inRange<std::int64_t>(-30, 30),
      rc::gen::element<std::int16_t>(0, 600, -210, 900, -900), optional_of(any_decimal()),
      rc::gen::inRange(0, 4), any_note());
}

rc::Gen<MeterRegister> any_register() {
  return rc::gen::apply(
      [](const std::string& name, Flow flow, const std::string& id, const std::string& serial) {
        return MeterRegister{
            .channel = {.name = name, .flow = flow, .unit = Unit::kWh}, .id = id, .serial = serial};
      },
      rc::gen::element<std::string>("11", "consumption", "41"),
      rc::gen::element(Flow::consumption, Flow::generation),
      rc::gen::element<std::string>("", "1", "2/a|b"),
      rc::gen::element<std::string>("", "M1", "M\xC3\xA9"));
}

}  // namespace

RegisterRead read_of(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::string meter, time, value, channel;
  in >> meter >> time >> value >> channel;
  RegisterRead read{
      .meter = known(MeterId::parse(meter), line),
      .of = {.channel = {.name = "11", .flow = Flow::consumption, .unit = Unit::kWh},
             .id = "1",
             .serial = "M1"},
      .current = {.time = time_in(time, line), .value = known(Decimal::parse(value), line)}};
  if (channel.empty()) return read;
  const auto first = channel.find('/');
  const auto second = channel.find('/', first + 1);
  read.of.channel = {.name = channel.substr(0, first),
                     .flow = known(parse_flow(channel.substr(first + 1, second - first - 1)), line),
                     .unit = known(parse_unit(channel.substr(second + 1)), line)};
  return read;
}

rc::Gen<RegisterRead> any_read() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::element<std::string>("A", "A1", "B."), any_register(), any_state(),
                     optional_of(any_state()), optional_of(any_decimal()),
                     optional_of(rc::gen::inRange(0, 20'000)),
                     optional_of(rc::gen::inRange<std::int64_t>(-5, 5))),
      [](const auto& parts) {
        const auto& [meter, of, current, previous, counted, next, stated] = parts;
        RegisterRead read{.meter = *MeterId::parse(meter),
                          .of = of,
                          .current = current,
                          .previous = previous,
                          .counted = counted};
        if (next) read.next_read = Date::from_days(*next);
        if (stated) read.stated = Instant{.micros = *stated * 1'000'000};
        if (read.previous) read.previous->time.at = std::min(previous->time.at, current.time.at);
        if (!read.previous) read.counted.reset();
        if (!read.current.value && !read.counted) {
          read.current.quality = Quality::actual;
          read.current.value = Decimal{.mantissa = 7};
        }
        return read;
      });
}

std::vector<RegisterRead> in_order(std::vector<RegisterRead> reads) {
  std::stable_sort(reads.begin(), reads.end(), [](const RegisterRead& a, const RegisterRead& b) {
    return place_of(a) < place_of(b);
  });
  const auto last = std::unique(
      reads.rbegin(), reads.rend(),
      [](const RegisterRead& a, const RegisterRead& b) { return place_of(a) == place_of(b); });
  reads.erase(reads.begin(), last.base());
  return reads;
}

Result<void> load_reads(store::Store& store, const Delivery& delivery,
                        std::vector<RegisterRead> reads) {
  METERLINE_TRY(const auto writer, store.write(delivery));
  const auto sorted = in_order(std::move(reads));
  for (const auto& read : sorted) METERLINE_CHECK(writer->add(read, 0));
  DeliveryReport report{.format = "nem13"};
  report.rows.read = report.rows.stored = std::ssize(sorted);
  report.register_reads = report.rows;
  return writer->commit(report);
}

std::vector<std::string> reads_of(const store::Store& store, const MeterId& meter, Instant as_of) {
  auto query = store::all_reads_of(meter);
  query.as_of = as_of;
  std::vector<std::string> lines;
  const auto read =
      store.read_registers(query, [&](const store::StoredRead& stored) -> Result<void> {
        std::ostringstream line;
        line << stored.read << " @" << stored.version << ' ' << stored.delivery;
        if (stored.withdrawn) line << " withdrawn";
        lines.push_back(line.str());
        return {};
      });
  if (!read) lines.push_back(read.error().message);
  return lines;
}

}  // namespace meterline::testing
