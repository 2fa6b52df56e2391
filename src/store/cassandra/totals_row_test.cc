#include "store/cassandra/totals_row.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <tuple>

namespace meterline::store::cassandra {
namespace {

using Kind = TotalEntry::Kind;
using Span = TotalsRowWriter::Span;

/// An entry with its meter.
struct Owned {
  std::string meter;
  TotalEntry entry;
};

rc::Gen<Owned> any_entry(Span span) {
  return rc::gen::exec([span] {
    Owned owned;
    owned.meter = *rc::gen::element<std::string>("A", "AB", "ABC0001", "ABC0002", "B", "b-1",
                                                 std::string(meter_id_chars_max, 'z'));
    auto& entry = owned.entry;
    entry.channel = *rc::gen::element(Channel{}, Channel{.name = "E1", .unit = Unit::kWh},
                                      Channel{.name = "B1", .flow = Flow::generation});
    entry.day = span == Span::month ? *rc::gen::inRange(1, 32) : 0;
    entry.kind = *rc::gen::element(Kind::complete, Kind::partial, Kind::unknown);
    entry.grid.exponent = *rc::gen::element<std::int8_t>(0, -3, -18);
    entry.grid.slots = *rc::gen::element<std::int64_t>(1, 48, 1500);
    entry.grid.origin = *rc::gen::element(Origin::source, Origin::estimate);
    if (*rc::gen::arbitrary<bool>())
      entry.grid.stated = Instant{.micros = *rc::gen::element<std::int64_t>(-9, 0, 1'600'000'000)};
    if (entry.kind != Kind::unknown) entry.mantissa = *rc::gen::arbitrary<std::int64_t>();
    if (entry.kind == Kind::complete) entry.quality.actual = entry.grid.slots;
    if (entry.kind == Kind::partial) {
      entry.quality.actual = *rc::gen::inRange<std::int64_t>(0, entry.grid.slots + 1);
      entry.quality.missing = entry.grid.slots - entry.quality.actual;
    }
    return owned;
  });
}

auto fields_of(const TotalEntry& e) {
  return std::tie(e.meter, e.channel, e.day, e.kind, e.grid, e.mantissa, e.quality);
}

std::string written(const std::vector<Owned>& entries, Span span) {
  TotalsRowWriter writer(span);
  for (const auto& owned : entries) {
    TotalEntry entry = owned.entry;
    entry.meter = owned.meter;
    writer.add(entry);
  }
  return writer.take();
}

std::vector<Owned> any_entries(Span span) {
  auto entries = *rc::gen::nonEmpty(rc::gen::container<std::vector<Owned>>(any_entry(span)));
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Owned& a, const Owned& b) { return a.meter < b.meter; });
  return entries;
}

RC_GTEST_PROP(TotalsRow, IsReadAsWritten, ()) {
  const Span span = *rc::gen::element(Span::day, Span::month);
  const auto entries = any_entries(span);
  TotalsRow row;
  RC_ASSERT(read_totals_row(written(entries, span), row).has_value());
  RC_ASSERT(row.span == span);
  RC_ASSERT(row.entries.size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    TotalEntry entry = entries[i].entry;
    entry.meter = entries[i].meter;
    RC_ASSERT(fields_of(row.entries[i]) == fields_of(entry));
  }
}

RC_GTEST_PROP(TotalsRow, KnowsItsFirstAndLastMeter, ()) {
  const auto entries = any_entries(Span::day);
  TotalsRowWriter writer(Span::day);
  for (const auto& owned : entries) {
    TotalEntry entry = owned.entry;
    entry.meter = owned.meter;
    writer.add(entry);
  }
  RC_ASSERT(writer.first_meter() == entries.front().meter);
  RC_ASSERT(writer.last_meter() == entries.back().meter);
  const auto row = writer.take();
  RC_ASSERT(writer.empty());
  RC_ASSERT(row == written(entries, Span::day));
}

/// Whatever the bytes are, reading ends without harm (the sanitizers watch), and with an error
/// when the row is cut in the middle of an entry.
RC_GTEST_PROP(TotalsRow, DamageIsNoHarm, ()) {
  const Span span = *rc::gen::element(Span::day, Span::month);
  auto bytes = written(any_entries(span), span);
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  TotalsRow row;
  std::ignore = read_totals_row(std::string_view(bytes).substr(0, at), row);
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << *rc::gen::inRange(0, 8)));
  std::ignore = read_totals_row(bytes, row);
}

TEST(TotalsRow, RefusesWhatIsNone) {
  TotalsRow row;
  const auto good = written(
      {{.meter = "A", .entry = {.kind = Kind::complete, .grid = {.slots = 48}}}}, Span::day);
  EXPECT_TRUE(read_totals_row(good, row));
  EXPECT_FALSE(read_totals_row("", row));
  EXPECT_FALSE(read_totals_row(std::string(1, '\0') + good.substr(1), row));
  const auto newer = read_totals_row('\x03' + good.substr(1), row);
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().message.find("newer meterline"), std::string::npos);
  EXPECT_FALSE(read_totals_row(std::string_view(good).substr(0, good.size() - 1), row));
  EXPECT_FALSE(read_totals_row(good + '\x05', row));
}

RC_GTEST_PROP(TotalsRow, TellsHowLongItWillBe, ()) {
  TotalsRowWriter writer(Span::month);
  for (const auto& owned : any_entries(Span::month)) {
    TotalEntry entry = owned.entry;
    entry.meter = owned.meter;
    writer.add(entry);
  }
  const auto told = writer.bytes();
  const auto row = writer.take();
  RC_ASSERT(row.size() <= told + 16);
  RC_ASSERT(told <= row.size() + 16);
}

TEST(TotalsRow, AMeterOfAThousandTakesFewBytes) {
  TotalsRowWriter writer(Span::day);
  std::deque<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    names.push_back("NMI" + std::to_string(1'000'000 + i));
    writer.add({.meter = names.back(),
                .kind = Kind::complete,
                .grid = {.exponent = -3, .slots = 48},
                .mantissa = 10'000 + i});
  }
  EXPECT_LT(writer.take().size(), 1000U * 9);
}

}  // namespace
}  // namespace meterline::store::cassandra
