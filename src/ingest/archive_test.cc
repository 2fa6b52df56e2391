#include "ingest/archive.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>

#include "core/try.h"
#include "ingest/content_hash.h"
#include "ingest/ingest.h"
#include "store/bits.h"
#include "store/delivery_codec.h"
#include "store/memory/memory_store.h"
#include "store/packed_day.h"
#include "store/packed_read.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/register_reads.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::ingest {
namespace {

using testing::answers_of;
using testing::delivery_of;
using ::testing::HasSubstr;
using testing::TempFolder;
using testing::TestDelivery;
using Deliveries = std::vector<TestDelivery>;

class OwnedText final : public source::ByteSource {
 public:
  explicit OwnedText(std::string text)
      : text_(std::move(text)), bytes_(source::make_memory_source(text_)) {}
  Result<std::size_t> read(std::span<char> into) override { return bytes_->read(into); }

 private:
  std::string text_;
  std::unique_ptr<source::ByteSource> bytes_;
};

/// Whether a file can be read again from its start.
enum class Reading { again, once };

source::Incoming incoming(const std::string& text, Reading reading = Reading::again,
                          const std::string& name = "store.archive") {
  source::Incoming file{.source = name,
                        .delivered_at = testing::second(9),
                        .bytes = text.size(),
                        .open = [text]() -> Result<std::unique_ptr<source::ByteSource>> {
                          return std::make_unique<OwnedText>(text);
                        }};
  if (reading == Reading::once) file.bytes.reset();
  return file;
}

struct Loaded {
  IngestTotals totals;
  std::vector<store::DeliveryRecord> records;
  std::vector<ArchiveReport> archives;
};

Loaded load_files(const std::vector<source::Incoming>& files, store::Store& store) {
  Loaded loaded;
  const IngestOptions options{.unit = Unit::kWh, .archives = Archives::restore, .threads = 1};
  const IngestHooks hooks{
      .on_archive = [&](const ArchiveReport& archive) { loaded.archives.push_back(archive); }};
  loaded.totals = load_all(files, store, options, hooks, [&](const store::DeliveryRecord& record) {
    loaded.records.push_back(record);
  });
  return loaded;
}

/// The report of a file that must be taken for an archive.
ArchiveReport restore(const std::string& archive, store::Store& store,
                      Reading reading = Reading::again) {
  const auto loaded = load_files({incoming(archive, reading)}, store);
  if (loaded.archives.size() != 1) throw std::runtime_error("not taken for an archive");
  return loaded.archives.front();
}

std::string archive_of(const store::Store& store, ArchiveSummary* summary = nullptr) {
  std::string bytes;
  const auto written = write_archive(store, [&](std::string_view piece) -> Result<void> {
    bytes += piece;
    return {};
  });
  if (!written) throw std::runtime_error(written.error().message);
  if (summary != nullptr) *summary = *written;
  return bytes;
}

std::string expanded(const std::string& archive) {
  const auto content = source::expand(source::make_memory_source(archive)).value();
  std::string out;
  std::string piece(1 << 16, '\0');
  while (const auto count = content.bytes->read(piece).value()) out.append(piece, 0, count);
  return out;
}

void load(store::Store& store, const Deliveries& deliveries) {
  for (const auto& each : deliveries) {
    const auto loaded = testing::load(store, each);
    if (!loaded) throw std::runtime_error(loaded.error().message);
  }
}

Deliveries overlapping() {
  Deliveries deliveries = {
      delivery_of(1, 1,
                  {"A 2019-01-01 60 1 2 3x21 -", "A 2019-01-02 60 1x24",
                   "B 1900-01-01 B1/generation/Wh 30 0.5x48"}),
      delivery_of(2, 2, {"A 2019-01-01 60 - - 9 4.25e -x20"}),
      delivery_of(2, 3, {"A 2019-01-01 60 8s -x23", "C 2199-12-31 60 -x24"}),
  };
  deliveries[0].report.findings = {{.line = 3, .column = 2, .text = "wanted x", .excerpt = "y"}};
  deliveries[0].report.finding_counts[0] = 7;
  return deliveries;
}

/// A store in a folder of its own.
struct OnDisk {
  TempFolder folder;
  std::unique_ptr<store::Store> store =
      store::open_rocksdb_store({.folder = folder.path() / "store"}).value();
};

/// All versions of all reads of the meters that any_read() makes.
std::vector<std::string> all_reads(const store::Store& store) {
  std::vector<std::string> lines;
  for (const auto* meter : {"A", "A1", "B", "B."})
    for (auto& line : testing::reads_of(store, *MeterId::parse(meter)))
      lines.push_back(std::move(line));
  return lines;
}

RC_GTEST_PROP(Archive, MovesAStoreBetweenBackends, ()) {
  const auto deliveries = *testing::any_deliveries();
  const auto memory = store::make_memory_store();
  load(*memory, deliveries);
  for (const auto number : {std::uint8_t{100}, std::uint8_t{101}}) {
    const auto reads =
        *rc::gen::resize(20, rc::gen::container<std::vector<RegisterRead>>(testing::any_read()));
    const auto delivery = delivery_of(number % 2, number, {}).delivery;
    RC_ASSERT(testing::load_reads(*memory, delivery, reads).has_value());
  }
  const auto count = static_cast<std::int64_t>(deliveries.size()) + 2;
  const auto archive = archive_of(*memory);

  const OnDisk disk;
  const auto report = restore(archive, *disk.store);
  RC_ASSERT(report.reason.empty());
  RC_ASSERT(report.restored == count);
  RC_ASSERT(answers_of(*disk.store) == answers_of(*memory));
  RC_ASSERT(all_reads(*disk.store) == all_reads(*memory));
  RC_ASSERT(archive_of(*disk.store) == archive);

  const auto back = store::make_memory_store();
  RC_ASSERT(restore(archive_of(*disk.store), *back, Reading::once).reason.empty());
  RC_ASSERT(answers_of(*back) == answers_of(*memory));
  RC_ASSERT(all_reads(*back) == all_reads(*memory));
  RC_ASSERT(archive_of(*back) == archive);

  const auto again = restore(archive, *disk.store);
  RC_ASSERT(again.restored == 0);
  RC_ASSERT(again.skipped == count);
  RC_ASSERT(archive_of(*disk.store) == archive);
}

TEST(Archive, KeepsWhatIsWithdrawnAndItsEvents) {
  const auto from = store::make_memory_store();
  load(*from, overlapping());
  const DeliveryEvent withdrawn{.at = testing::second(10), .who = "ann", .reason = "wrong"};
  const DeliveryEvent restored{
      .at = testing::second(20), .kind = DeliveryEventKind::restored, .who = "bob", .reason = ""};
  const auto first = overlapping()[0].delivery.id;
  const auto last = overlapping()[2].delivery.id;
  ASSERT_TRUE(from->add_event(first, withdrawn));
  ASSERT_TRUE(from->add_event(first, restored));
  ASSERT_TRUE(from->add_event(last, withdrawn));
  const auto of_reads = delivery_of(7, 7, {}).delivery;
  ASSERT_TRUE(testing::load_reads(*from, of_reads, {testing::read_of("A 2019-10-01T00:00:00Z 5")}));
  ASSERT_TRUE(from->add_event(of_reads.id, withdrawn));
  const auto archive = archive_of(*from);

  const OnDisk disk;
  EXPECT_EQ(restore(archive, *disk.store).restored, 4);
  EXPECT_EQ(all_reads(*disk.store), all_reads(*from));
  EXPECT_EQ(answers_of(*disk.store), answers_of(*from));
  EXPECT_EQ(answers_of(*disk.store, testing::second(15)), answers_of(*from, testing::second(15)));
  EXPECT_EQ(archive_of(*disk.store), archive);

  // Into a store that has the deliveries, and an event of its own.
  const auto to = store::make_memory_store();
  load(*to, overlapping());
  auto own = withdrawn;
  own.at = testing::second(30);
  ASSERT_TRUE(to->add_event(first, own));
  EXPECT_EQ(restore(archive, *to).restored, 1);
  EXPECT_THAT(to->delivery(first).value()->events,
              ::testing::ElementsAre(withdrawn, restored, own));
  EXPECT_TRUE(to->delivery(last).value()->is_withdrawn());
}

TEST(Archive, KeepsReportsAsTheyAre) {
  const auto from = store::make_memory_store();
  load(*from, overlapping());
  const auto to = store::make_memory_store();
  const auto report = restore(archive_of(*from), *to);
  EXPECT_EQ(report.state, DeliveryState::stored);
  EXPECT_EQ(report.restored, 3);
  EXPECT_EQ(report.rows.stored, 6);
  for (const auto& each : overlapping()) {
    const auto record = to->delivery(each.delivery.id).value();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->delivery, each.delivery);
    EXPECT_EQ(record->report, each.report);
  }
}

TEST(Archive, HasTheSameBytesWhateverTheOrderOfLoading) {
  const auto one = store::make_memory_store();
  load(*one, overlapping());
  const auto other = store::make_memory_store();
  auto reversed = overlapping();
  std::reverse(reversed.begin(), reversed.end());
  load(*other, reversed);
  EXPECT_EQ(archive_of(*one), archive_of(*other));
}

TEST(Archive, OfAnEmptyStoreRestoresNothing) {
  const auto from = store::make_memory_store();
  ArchiveSummary summary;
  const auto archive = archive_of(*from, &summary);
  EXPECT_EQ(summary.counts, ArchiveCounts{});
  const auto to = store::make_memory_store();
  EXPECT_EQ(restore(archive, *to).state, DeliveryState::stored);
  EXPECT_EQ(answers_of(*to), answers_of(*from));
}

TEST(Archive, BringsOnlyDeliveriesThatTheStoreDoesNotHave) {
  const auto from = store::make_memory_store();
  load(*from, overlapping());
  const auto to = store::make_memory_store();
  load(*to, {overlapping()[1], delivery_of(5, 5, {"A 2019-01-01 60 7x24"})});
  const auto report = restore(archive_of(*from), *to);
  EXPECT_EQ(report.restored, 2);
  EXPECT_EQ(report.skipped, 1);

  const auto expected = store::make_memory_store();
  load(*expected, overlapping());
  load(*expected, {delivery_of(5, 5, {"A 2019-01-01 60 7x24"})});
  EXPECT_EQ(answers_of(*to), answers_of(*expected));
}

TEST(Archive, BringsTheUnitOfItsStore) {
  for (const auto unit : {Unit::varh, Unit::unknown}) {
    const auto from = store::make_memory_store();
    ASSERT_TRUE(from->remember_unit(unit));
    const auto to = store::make_memory_store();
    EXPECT_EQ(restore(archive_of(*from), *to).state, DeliveryState::stored);
    EXPECT_EQ(to->default_unit().value(), unit);
    const auto other = store::make_memory_store();
    ASSERT_TRUE(other->remember_unit(Unit::MWh));
    EXPECT_EQ(restore(archive_of(*from), *other).state, DeliveryState::stored);
    EXPECT_EQ(other->default_unit().value(), Unit::MWh) << "it keeps its own";
  }
  const auto to = store::make_memory_store();
  restore(archive_of(*store::make_memory_store()), *to);
  EXPECT_EQ(to->default_unit().value(), std::nullopt);
}

TEST(Archive, BringsADeliveryThatTheStoreOnceRefused) {
  const auto from = store::make_memory_store();
  load(*from, {overlapping()[1]});
  auto refused = overlapping()[1];
  refused.days.clear();
  refused.report = {.state = DeliveryState::refused, .reason = "not known"};
  const auto to = store::make_memory_store();
  load(*to, {refused});
  const auto archive_of_refused = archive_of(*to);
  EXPECT_EQ(restore(archive_of(*from), *to).restored, 1);
  EXPECT_EQ(answers_of(*to), answers_of(*from));
  EXPECT_EQ(restore(archive_of_refused, *to).skipped, 1);
  EXPECT_EQ(answers_of(*to), answers_of(*from));
}

TEST(Archive, StandsBesideOtherFiles) {
  const auto from = store::make_memory_store();
  load(*from, overlapping());
  const std::string csv = "Meter,Date,0:00,1:00\nZ,2019-01-01,1,2\n";
  const auto to = store::make_memory_store();
  const auto loaded =
      load_files({incoming(csv, Reading::again, "a.csv"), incoming(archive_of(*from)),
                  incoming(archive_of(*from), Reading::again, "again"),
                  incoming("x", Reading::again, "b.csv")},
                 *to);
  EXPECT_EQ(loaded.totals.deliveries, 2);
  EXPECT_EQ(loaded.totals.stored, 1);
  EXPECT_EQ(loaded.totals.refused, 1);
  EXPECT_EQ(loaded.totals.rows.stored, 1);
  EXPECT_EQ(loaded.totals.archives_stored, 2);
  ASSERT_EQ(loaded.archives.size(), 2U);
  EXPECT_EQ(loaded.archives[0].state, DeliveryState::stored);
  EXPECT_EQ(loaded.archives[1].state, DeliveryState::skipped);
  EXPECT_EQ(to->deliveries({}).value().size(), 5U);
}

TEST(Archive, IsRefusedWhereOneDeliveryIsAskedFor) {
  const auto from = store::make_memory_store();
  load(*from, overlapping());
  const auto to = store::make_memory_store();
  const auto record =
      ingest::load(incoming(archive_of(*from)), *to, {.archives = Archives::restore, .threads = 1});
  EXPECT_EQ(record.report.state, DeliveryState::refused);
  EXPECT_THAT(record.report.reason, HasSubstr("an archive of a whole store"));
  EXPECT_EQ(to->deliveries({}).value().size(), 1U);
}

// --- What is left out -----------------------------------------------------------------------

/// Lists all deliveries but one.
class Unfinished final : public store::Store {
 public:
  Unfinished(const store::Store& inner, const DeliveryId& hidden)
      : inner_(inner), hidden_(hidden) {}

  Result<std::unique_ptr<store::DeliveryWriter>> write(std::span<const Delivery>) override {
    return fail(Errc::unavailable, "read only");
  }
  Result<void> read_registers(const store::ReadsQuery& query,
                              const store::ReadVisitor& visit) const override {
    return inner_.read_registers(query, visit);
  }
  Result<void> read_days(const store::DaysQuery& query,
                         const store::DayVisitor& visit) const override {
    return inner_.read_days(query, visit);
  }
  Result<void> read_months(const store::TotalsQuery& query,
                           const store::MonthsVisitor& visit) const override {
    return inner_.read_months(query, visit);
  }
  Result<std::vector<store::MeterInfo>> meters(const store::MetersQuery& query) const override {
    return inner_.meters(query);
  }
  Result<void> add_event(const DeliveryId&, const DeliveryEvent&) override {
    return fail(Errc::unavailable, "read only");
  }
  Result<std::vector<store::DeliveryRecord>> deliveries(
      const store::DeliveriesQuery& query) const override {
    METERLINE_TRY(auto found, inner_.deliveries(query));
    if (query.id) return found;
    std::erase_if(found, [&](const auto& record) { return record.delivery.id == hidden_; });
    return found;
  }
  Result<void> amend(const store::Amendment&) override {
    return fail(Errc::unavailable, "read only");
  }
  Result<Unit> remember_unit(Unit unit) override { return unit; }
  Result<store::StoreStatus> status(store::StatusOf what) const override {
    return inner_.status(what);
  }

 private:
  const store::Store& inner_;
  DeliveryId hidden_;
};

TEST(Archive, LeavesOutWhatWasNeverFinished) {
  const auto whole = store::make_memory_store();
  load(*whole, overlapping());
  ArchiveSummary summary;
  const auto archive = archive_of(Unfinished(*whole, overlapping()[2].delivery.id), &summary);
  EXPECT_EQ(summary.counts, (ArchiveCounts{.deliveries = 2, .meters = 2, .days = 4}));
  EXPECT_EQ(summary.days_left_out, 2);

  const auto finished = store::make_memory_store();
  load(*finished, {overlapping()[0], overlapping()[1]});
  EXPECT_EQ(archive, archive_of(*finished));
}

TEST(Archive, LeavesOutRegisterReadsThatWereNeverFinished) {
  const auto whole = store::make_memory_store();
  const auto reads = [](const std::string& value) {
    return std::vector<RegisterRead>{testing::read_of("A 2019-10-01T00:00:00Z " + value)};
  };
  ASSERT_TRUE(testing::load_reads(*whole, delivery_of(1, 1, {}).delivery, reads("5")));
  const auto finished = archive_of(*whole);
  ASSERT_TRUE(testing::load_reads(*whole, delivery_of(2, 2, {}).delivery, reads("6")));
  ArchiveSummary summary;
  const auto archive = archive_of(Unfinished(*whole, delivery_of(2, 2, {}).delivery.id), &summary);
  EXPECT_EQ(summary.counts, (ArchiveCounts{.deliveries = 1, .meters = 1, .days = 0, .reads = 1}));
  EXPECT_EQ(summary.days_left_out, 0);
  EXPECT_EQ(summary.reads_left_out, 1);
  EXPECT_EQ(archive, finished);
}

TEST(Archive, IsStoppedOnRequestAndBySinksThatFail) {
  const auto store = store::make_memory_store();
  load(*store, overlapping());
  const std::atomic<bool> stop = true;
  const auto ignore = [](std::string_view) -> Result<void> { return {}; };
  EXPECT_EQ(write_archive(*store, ignore, {.stop = &stop}).error().code, Errc::cancelled);
  const auto full = [](std::string_view) -> Result<void> {
    return fail(Errc::unavailable, "disk full");
  };
  EXPECT_EQ(write_archive(*store, full).error().message, "disk full");
}

// --- Damage ---------------------------------------------------------------------------------

/// Loads what is no whole archive; nothing of it may be in the store.
void expect_refused(const std::string& bytes, const std::string& what) {
  for (const auto reading : {Reading::again, Reading::once}) {
    const auto to = store::make_memory_store();
    const auto loaded = load_files({incoming(bytes, reading)}, *to);
    EXPECT_EQ(loaded.totals.refused + loaded.totals.archives_refused, 1) << what;
    EXPECT_EQ(loaded.totals.stored + loaded.totals.archives_stored, 0) << what;
    EXPECT_EQ(testing::totals_of(*to), "\n") << what;
    const auto records = to->deliveries({}).value();
    for (const auto& record : records) EXPECT_EQ(record.delivery.source, "store.archive") << what;
  }
}

/// A store of everything that an archive can hold.
std::unique_ptr<store::Store> whole_store() {
  auto store = store::make_memory_store();
  load(*store, overlapping());
  auto read = testing::read_of("B 2019-10-01T00:00:00+10:00 1234.50");
  read.previous = testing::read_of("B 2019-07-01T00:00:00+10:00 1200").current;
  read.stated = testing::second(5);
  const auto loaded =
      testing::load_reads(*store, delivery_of(7, 7, {}).delivery,
                          {read, testing::read_of("D 2019-10-01T00:00:00Z 5 E1/generation/Wh")});
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return store;
}

TEST(Archive, CutAtAnyByteIsRefused) {
  const auto from = whole_store();
  const auto packed = archive_of(*from);
  for (std::size_t bytes = 0; bytes < packed.size(); ++bytes)
    expect_refused(packed.substr(0, bytes), fmt::format("{} bytes packed", bytes));
  const auto plain = expanded(packed);
  for (std::size_t bytes = 0; bytes < plain.size(); ++bytes)
    expect_refused(plain.substr(0, bytes), fmt::format("{} bytes", bytes));
}

TEST(Archive, ChangedAtAnyByteIsRefused) {
  const auto from = whole_store();
  auto plain = expanded(archive_of(*from));
  for (auto& byte : plain) {
    byte = static_cast<char>(byte ^ 0x11);
    expect_refused(plain, fmt::format("byte {}", &byte - plain.data()));
    byte = static_cast<char>(byte ^ 0x11);
  }
  EXPECT_TRUE(restore(plain, *store::make_memory_store()).reason.empty());
}

TEST(Archive, FollowedByAnythingIsRefused) {
  const auto store = store::make_memory_store();
  expect_refused(expanded(archive_of(*store)) + 'x', "a byte more");
  expect_refused(archive_of(*store) + archive_of(*store), "twice");
}

/// What stands between the head and the end, which are made right.
class Forged {
 public:
  Forged& number(std::uint64_t value) {
    store::put_varint(value, bytes_);
    return *this;
  }
  Forged& text(std::string_view value) {
    number(value.size());
    bytes_ += value;
    return *this;
  }
  Forged& tag(char tag) {
    bytes_ += tag;
    return *this;
  }
  Forged& delivery(const TestDelivery& delivery) {
    ++counts_.deliveries;
    return tag('D').text(store::encode_delivery(delivery.delivery, delivery.report, {}));
  }
  Forged& meter(std::string_view meter) {
    ++counts_.meters;
    return tag('M').text(meter);
  }
  Forged& channel(std::string_view name, std::uint64_t flow = 0, std::uint64_t unit = 2) {
    return tag('C').text(name).number(flow).number(unit);
  }
  Forged& day(std::int64_t step, std::uint64_t channel = 0, std::uint64_t delivery = 0) {
    std::string packed;
    store::pack_day(testing::day_of("A 2019-01-01 60 1x24"), packed);
    return day_of(packed, step, channel, delivery);
  }
  Forged& day_of(std::string_view packed, std::int64_t step = 0, std::uint64_t channel = 0,
                 std::uint64_t delivery = 0) {
    ++counts_.days;
    return tag('R').number(store::zigzag(step)).number(channel).number(delivery).text(packed);
  }
  Forged& read(std::int64_t step, std::uint64_t channel = 0, std::uint64_t delivery = 0,
               std::string_view id = "1") {
    std::string packed;
    store::pack_read(testing::read_of("A 1970-01-01T00:00:00Z 5"), packed);
    return read_of(packed, step, channel, delivery, id);
  }
  Forged& read_of(std::string_view packed, std::int64_t step = 0, std::uint64_t channel = 0,
                  std::uint64_t delivery = 0, std::string_view id = "1") {
    ++counts_.reads;
    tag('G').number(store::zigzag(step)).number(channel).text(id).text("M1");
    return number(delivery).text(packed);
  }
  std::string finish(std::uint64_t format = archive_format) const {
    std::string out(archive_magic);
    store::put_varint(format, out);
    out += bytes_;
    Sha256 hash;
    hash.add(out);
    out += 'E';
    for (const auto count : {counts_.deliveries, counts_.meters, counts_.days, counts_.reads})
      store::put_varint(static_cast<std::uint64_t>(count), out);
    const auto whole = hash.finish();
    return out.append(whole.begin(), whole.end());
  }

 private:
  std::string bytes_;
  ArchiveCounts counts_;
};

Forged begun() {
  return Forged().delivery(delivery_of(1, 1, {})).meter("A").channel("consumption");
}

TEST(Archive, ForgedWellIsTakenIn) {
  const auto to = store::make_memory_store();
  const auto archive = begun().day(0).day(1).meter("B").day(-1).finish();
  EXPECT_EQ(restore(archive, *to).reason, "");
  EXPECT_EQ(testing::totals_of(*to),
            "A 1970-01-01 consumption/consumption/kWh 24 of 24/24 a24 s0 e0 @1#1\n"
            "A 1970-01-02 consumption/consumption/kWh 24 of 24/24 a24 s0 e0 @1#1\n"
            "B 1969-12-31 consumption/consumption/kWh 24 of 24/24 a24 s0 e0 @1#1\n");
}

TEST(Archive, ForgedReadsAreTakenIn) {
  const auto to = store::make_memory_store();
  const auto archive = begun().day(0).read(0).read(0, 0, 0, "2").read(5).meter("B").read(-1);
  EXPECT_EQ(restore(archive.finish(), *to).reason, "");
  EXPECT_EQ(testing::reads_of(*to, *MeterId::parse("A")).size(), 3U);
  EXPECT_EQ(testing::reads_of(*to, *MeterId::parse("B")).size(), 1U);
}

TEST(Archive, WhatContradictsItselfIsRefused) {
  const auto one = delivery_of(1, 1, {});
  const auto two = delivery_of(2, 2, {});
  auto refused = one;
  refused.report.state = DeliveryState::refused;
  auto failed = one;
  failed.report.state = DeliveryState::failed;
  auto same_id = two;
  same_id.delivery.id = one.delivery.id;
  auto long_source = one;
  long_source.delivery.source.assign(source_bytes_max + 1, 'x');
  const std::vector<std::pair<Forged, std::string>> cases = {
      {Forged().tag('Y'), "a record of no known kind"},
      {Forged().tag('U').number(20), "a number of no known meaning"},
      {Forged().tag('U').number(1).tag('U').number(1), "a unit of the store in a wrong place"},
      {Forged().delivery(one).tag('U').number(1), "a unit of the store in a wrong place"},
      {Forged().delivery(one).delivery(two), "deliveries in a wrong order"},
      {Forged().delivery(one).delivery(one), "deliveries in a wrong order"},
      {Forged().delivery(same_id).delivery(one), "a delivery stands in it twice"},
      {begun().delivery(two), "deliveries in a wrong order"},
      {Forged().delivery(failed), "a delivery that was never kept"},
      {Forged().delivery(long_source), "bytes of a source than the limit of 4096"},
      {Forged().tag('D').text("\1no record"), "a delivery's record is damaged"},
      {Forged().tag('D').number(archive_delivery_bytes_max + 1), "a record of 536870913 bytes"},
      {Forged().meter("A B"), "a meter id that is none"},
      {Forged().meter("B").meter("A"), "meters in a wrong order"},
      {Forged().meter("A").meter("A"), "meters in a wrong order"},
      {Forged().channel(""), "a channel without a proper name"},
      {Forged().channel("a,b"), "a channel without a proper name"},
      {Forged().channel("a", 4), "a number of no known meaning"},
      {Forged().channel("a", 0, 20), "a number of no known meaning"},
      {Forged().delivery(one).channel("a").day(0), "a day without a meter"},
      {begun().day(0, 1), "a day of an unknown channel"},
      {begun().day(0, 0, 1), "a day of an unknown delivery"},
      {Forged().delivery(refused).meter("A").channel("a").day(0), "a day of an unknown delivery"},
      {begun().day(0).day(0), "days in a wrong order"},
      {begun().day(5).day(-1), "days in a wrong order"},
      {begun().channel("a").day(5, 0).day(0, 1), "days in a wrong order"},
      {begun().day(83'000'000), "a date that does not exist"},
      {begun().day(std::numeric_limits<std::int64_t>::min()), "a date that does not exist"},
      {begun().day_of("no day"), "packed day"},
      {begun().day_of(std::string(archive_day_bytes_max + 1, 'x')), "a record of 131073 bytes"},
      {Forged().delivery(one).channel("a").read(0), "a register read without a meter"},
      {begun().read(0, 1), "a register read of an unknown channel"},
      {begun().read(0, 0, 1), "a register read of an unknown delivery"},
      {Forged().delivery(refused).meter("A").channel("a").read(0),
       "a register read of an unknown delivery"},
      {begun().read(0).read(0), "register reads in a wrong order"},
      {begun().read(5).read(-1), "register reads in a wrong order"},
      {begun().read(0, 0, 0, "2").read(0, 0, 0, "1"), "register reads in a wrong order"},
      {begun().read(0).day(0), "a day behind the register reads of its meter"},
      {begun().read(1).read(std::numeric_limits<std::int64_t>::max()),
       "a time that does not exist"},
      {begun().read(std::numeric_limits<std::int64_t>::min()), "register read: damaged bytes"},
      {begun().read(0, 0, 0, "\x01"), "register read: damaged bytes"},
      {begun().read(0, 0, 0, std::string(65, 'x')), "a record of 65 bytes"},
      {begun().read_of("no read"), "register read"},
      {begun().read_of(std::string(4097, 'x')), "a record of 4097 bytes"},
  };
  for (const auto& [forged, reason] : cases) {
    const auto to = store::make_memory_store();
    const auto report = restore(forged.finish(), *to);
    EXPECT_EQ(report.state, DeliveryState::refused) << reason;
    EXPECT_THAT(report.reason, HasSubstr(reason));
    EXPECT_EQ(answers_of(*to), "\n\n") << reason;
  }
}

TEST(Archive, OfANewerFormatNamesTheNewerProgram) {
  const auto to = store::make_memory_store();
  EXPECT_THAT(restore(begun().day(0).finish(archive_format + 1), *to).reason,
              HasSubstr("format 5, written by a newer meterline"));
  EXPECT_THAT(restore(begun().day(0).finish(0), *to).reason, HasSubstr("no format 0"));
}

TEST(Archive, KeepsTheVersionsOfObjects) {
  auto object = delivery_of(1, 1, {"A 2019-01-02 60 5x24"});
  object.delivery.object_version = "L4kqtJ";
  object.delivery.content_tag = "\"1\"";
  const auto from = store::make_memory_store();
  load(*from, {object, delivery_of(2, 2, {"A 2019-01-03 60 5x24"})});
  const auto to = store::make_memory_store();
  EXPECT_EQ(restore(archive_of(*from), *to).state, DeliveryState::stored);
  EXPECT_EQ(to->delivery(object.delivery.id).value()->delivery, object.delivery);
  EXPECT_EQ(archive_of(*to), archive_of(*from));
}

TEST(Archive, OfTheFirstFormatIsReadAsBefore) {
  const auto to = store::make_memory_store();
  EXPECT_EQ(restore(begun().day(0).finish(1), *to).state, DeliveryState::stored);
}

TEST(Archive, HoldsTheLongestDay) {
  ReadingDay day = testing::day_of("A 2019-01-01 1 1x1500");
  for (std::size_t slot = 0; slot < slots_max; ++slot) {
    const bool is_even = slot % 2 == 0;
    day.mantissas[slot] = is_even ? std::numeric_limits<std::int64_t>::max() : -1;
    day.qualities[slot] = is_even ? Quality::substituted : Quality::estimated;
    append(day.notes, slot, slot + 1,
           {.reason_text = fmt::format("{:0>{}}", slot, notes_bytes_max / slots_max)});
  }
  ASSERT_FALSE(fault_of(day.notes, slots_max));
  const auto store = store::make_memory_store();
  ASSERT_TRUE(testing::load(*store, testing::delivery_of_days(1, 1, {day})));
  const auto restored = store::make_memory_store();
  EXPECT_EQ(restore(archive_of(*store), *restored).reason, "");
  EXPECT_EQ(answers_of(*restored), answers_of(*store));
}

TEST(Archive, StandsByteForByteAsDocumented) {
  const auto store = store::make_memory_store();
  auto delivery = delivery_of(1, 1, {"A 2019-01-02 60 5x24"});
  delivery.report.rows = {.read = 2, .stored = 2};
  delivery.report.register_reads = {.read = 1, .stored = 1};
  const auto& day = delivery.days.front();
  std::string packed;
  store::pack_day(day, packed);
  const auto writer = store->write(delivery.delivery).value();
  ASSERT_TRUE(writer->add(
      {.meter = day.meter, .channel = day.channel, .date = day.date, .packed = packed}));
  ASSERT_TRUE(writer->add(testing::read_of("A 2019-10-01T00:00:00+10:00 7"), 0));
  ASSERT_TRUE(writer->commit(delivery.report));
  const auto bytes = expanded(archive_of(*store));
  const auto hex_of = [](std::string_view text) {
    std::string out;
    for (const char c : text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
  };
  const auto meter_at = bytes.rfind("M\1A");
  ASSERT_NE(meter_at, std::string::npos);
  EXPECT_EQ(hex_of(bytes.substr(0, 21)), "896d657465726c696e6520617263686976650a0344");
  EXPECT_EQ(hex_of(bytes.substr(meter_at, bytes.size() - meter_at - 32)),
            "4d0141"
            "430b636f6e73756d7074696f6e0002"
            "52d497020000090205000000fcffff03"
            "430231310002"
            "4780e0faecb4f1c905"
            "010131024d310007"
            "0100b009040e00"
            "4501010101");
}

}  // namespace
}  // namespace meterline::ingest
