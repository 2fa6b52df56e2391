#include "testing/released_store.h"

#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "core/try.h"
#include "testing/must.h"

namespace meterline::testing {
namespace {

DeliveryEvent event(std::int64_t seconds, DeliveryEventKind kind) {
  return {.at = second(seconds), .kind = kind, .who = "ann", .reason = "the wrong month"};
}

TestDelivery received(std::int64_t seconds, TestDelivery delivery) {
  delivery.delivery.received_at = second(seconds);
  return delivery;
}

TestDelivery with_events(TestDelivery delivery, std::vector<DeliveryEvent> events) {
  delivery.events = std::move(events);
  return delivery;
}

/// A month of two meters, all plain.
TestDelivery plain_month() {
  std::vector<std::string> lines;
  for (int day = 1; day <= 31; ++day)
    for (const char* meter : {"A", "B"})
      lines.push_back(fmt::format("{} 2019-01-{:02} 30 0.125x20 {}.5x28", meter, day, day));
  return delivery_of(100, 1, lines);
}

TestDelivery refused() {
  auto delivery = delivery_of(900, 13, {});
  delivery.report.state = DeliveryState::refused;
  delivery.report.reason = "no column holds dates";
  delivery.report.format.clear();
  return delivery;
}

/// Read in every way that a record tells of, and with findings.
TestDelivery read_otherwise() {
  auto out = delivery_of(500, 14, {"A 2019-04-01 15 0.25x96", "A 2019-04-02 5 1x288"});
  auto& delivery = out.delivery;
  delivery.unit = Unit::MWh;
  delivery.zone = "Europe/London";
  delivery.feed = Feed{.name = "north", .hash = {1, 2, 3}};
  delivery.reader = 7;
  delivery.object_version = "3HL4kqtJlcpXrof3";
  delivery.content_tag = "\"9b2cf535f27731c9\"";
  out.report.rows = {.read = 4, .stored = 2, .repeated = 1, .rejected = 1};
  out.report.readings = {.repeated = 96, .rejected = 480};
  out.report.finding_counts[static_cast<std::size_t>(FindingCode::bad_date)] = 1;
  out.report.findings = {{.line = 3,
                          .column = 2,
                          .code = FindingCode::bad_date,
                          .text = "want yyyy-MM-dd",
                          .excerpt = "2019-13-01"}};
  return out;
}

/// Each reading of the days is stored or missing.
void count_readings(TestDelivery& delivery) {
  auto& counts = delivery.report.readings;
  for (const auto& day : delivery.days)
    for (const auto quality : day.qualities)
      ++(quality == Quality::missing ? counts.missing : counts.stored);
  counts.read = counts.stored + counts.missing + counts.repeated + counts.rejected;
}

std::string record_line(const store::DeliveryRecord& record) {
  const auto& [delivery, report, days, events] = record;
  std::ostringstream out;
  out << fmt::format("record {} {} {} bytes {} \"{}\" {} \"{}\" {} {} {}", delivery.id.text(),
                     hex(delivery.content.data(), delivery.content.size()), delivery.bytes,
                     choice_text(delivery.unit), delivery.zone,
                     delivery.feed ? delivery.feed->name : "-", report.reason, delivery.reader,
                     delivery.object_version, delivery.content_tag);
  out << fmt::format(" rows {}/{}/{}/{} readings {}/{}/{}/{}/{} of {} meters", report.rows.read,
                     report.rows.stored, report.rows.repeated, report.rows.rejected,
                     report.readings.read, report.readings.stored, report.readings.missing,
                     report.readings.repeated, report.readings.rejected, days.meters);
  if (days.dates) out << ' ' << days.dates->from << ' ' << days.dates->to;
  for (const auto& meter : days.meter_ids) out << ' ' << meter;
  for (const auto& finding : report.findings) out << "; " << finding;
  return out.str();
}

}  // namespace

std::vector<TestDelivery> released_deliveries() {
  using enum DeliveryEventKind;
  std::vector<TestDelivery> all = {
      plain_month(),
      // Corrections, of which some state a time, with what the source says of readings.
      delivery_of(200, 2,
                  {"A 2019-01-02 30 1.125x24 2.25sx24 note:24-48:S/14/32/fuse_blown",
                   "A 2019-01-03 30 3x47 4e stated:150 note:47-48:E/52//",
                   "B 2019-01-03 30 9x48 stated:50"}),
      // Half a day, and the rest of it.
      delivery_of(300, 3, {"A 2019-02-01 30 1x20 -x28 note:20-48:N///", "A 2019-02-02 30 1x48"}),
      delivery_of(310, 4, {"A 2019-02-01 30 -x20 0.0625x28"}),
      // Delivered before others and received after them.
      received(800, delivery_of(90, 5, {"B 2019-01-01 30 7x48", "B 2018-12-31 30 -0.5x48"})),
      with_events(delivery_of(400, 6, {"A 2019-02-02 30 8x48", "W 2019-02-02 30 8x48"}),
                  {event(1000, withdrawn)}),
      with_events(delivery_of(410, 7, {"B 2019-02-02 60 5x24"}),
                  {event(1000, withdrawn), event(1100, restored)}),
      // Made by rules: counts until a source says more.
      delivery_of(420, 8,
                  {"B 2019-02-03 30 6ex48 stated:210 estimate",
                   "A 2019-02-02 30 6ex48 stated:299 estimate"}),
      // Other quantities and units.
      delivery_of(
          430, 9,
          {"A 2019-01-01 B1/generation/kWh 30 1.5x48", "A 2019-01-01 K1/reactive/kvarh 30 0.001x48",
           "C 2019-01-01 P/consumption/kW 60 -3x24", "G 2019-01-01 gas/consumption/m3 60 1x24",
           "U 2019-01-01 consumption/consumption/ 60 1x24"}),
      // The clock is changed; the first and the last day.
      delivery_of(440, 10,
                  {"A 2019-03-31 30 1x46", "A 2019-10-27 30 1x50", "A 1900-01-01 60 1x24",
                   "A 2199-12-31 60 2x24"}),
      delivery_of(450, 11, {"M 2019-01-01 1 0.017x1440", "M 2019-01-02 10 123456789012345x144"}),
      delivery_of(460, 12, {"N 2019-01-01 60 0.00000000000000001x24", "N 2019-01-02 60 -x24"}),
      refused(),
      read_otherwise(),
  };
  for (auto& each : all) count_readings(each);
  return all;
}

Result<void> load_released(store::Store& store, Half half) {
  METERLINE_CHECK(store.remember_unit(Unit::kWh));
  const auto all = released_deliveries();
  for (std::size_t i = half == Half::odd ? 0 : 1; i < all.size(); i += 2) {
    METERLINE_CHECK(load(store, all[i]));
    for (const auto& each : all[i].events)
      METERLINE_CHECK(store.add_event(all[i].delivery.id, each));
  }
  return {};
}

std::string released_answers(const store::Store& store) {
  auto text = answers_of(store);
  for (const auto as_of : {second(420), second(1050)})
    text += fmt::format("as of {}\n{}", as_of.micros / 1'000'000, totals_of(store, as_of));
  const auto unit = must(store.default_unit());
  text += fmt::format("unit {}\n", unit ? choice_text(*unit) : "-");
  for (const auto& record : must(store.deliveries({.limit = 1000})))
    text += record_line(record) + '\n';
  return text;
}

}  // namespace meterline::testing
