// That a store behind a relay is one like any other is what the contract suite holds it to
// (`relay` in store/contract_test.h). Here is what is of the relay alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>

#include "store/memory/memory_store.h"
#include "store/relay/connection.h"
#include "store/relay/messages.h"
#include "store/relay/relay_server.h"
#include "store/relay/relay_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::store::relay {
namespace {

using meterline::testing::answers_of;
using meterline::testing::delivery_of;
using meterline::testing::load;
using meterline::testing::must;
using ::testing::HasSubstr;

/// A store that this process owns and shares, and the same through the socket.
struct Shared {
  meterline::testing::TempFolder temp;
  RocksdbOptions options{.folder = temp.path() / "s"};
  std::unique_ptr<Store> owner = must(open_rocksdb_store(options));
  std::unique_ptr<RelayServer> server = must(start_relay(options.folder, *owner));

  Result<std::unique_ptr<Store>> connect() const {
    return make_relay_store(options.folder, [this]() -> Result<std::unique_ptr<Store>> {
      return must(read_rocksdb_store(options));
    });
  }
};

const auto first = delivery_of(1, 1, {"A 2019-01-01 60 1x24", "B 2019-01-01 60 2x24"});
const auto second = delivery_of(2, 2, {"A 2019-01-02 60 3x24"});

TEST(Relay, BothSeeWhatEitherWrites) {
  const Shared shared;
  const auto beside = must(shared.connect());
  must(load(*beside, first));
  EXPECT_EQ(answers_of(*beside), answers_of(*shared.owner));
  must(load(*shared.owner, second));
  must(beside->add_event(first.delivery.id, {.at = {1}, .who = "ann", .reason = "wrong"}));
  EXPECT_EQ(answers_of(*beside), answers_of(*shared.owner));
  EXPECT_EQ(must(shared.owner->deliveries({})).size(), 2U);
}

TEST(Relay, OnlyThisUserMayConnect) {
  const Shared shared;
  struct stat found {};
  ASSERT_EQ(::stat((shared.options.folder / "socket").c_str(), &found), 0);
  EXPECT_TRUE(S_ISSOCK(found.st_mode));
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST(Relay, ASocketThatAProcessLeftIsReplacedAndTheNameEndsWithTheServer) {
  Shared shared;
  const auto left = shared.temp.path() / "left";
  std::filesystem::create_directories(left);
  const auto dead = must(listen_in(left));
  const auto again = must(start_relay(left, *shared.owner));
  must(connect_in(left));
  EXPECT_TRUE(shared.connect());
  shared.server.reset();
  EXPECT_FALSE(std::filesystem::exists(shared.options.folder / "socket"));
  EXPECT_EQ(shared.connect().error().code, Errc::unavailable);
}

TEST(Relay, AFolderMayHaveALongerNameThanAnAddress) {
  const Shared shared;
  const auto folder = shared.temp.path() / std::string(200, 'a');
  std::filesystem::create_directories(folder);
  const auto server = must(start_relay(folder, *shared.owner));
  must(connect_in(folder));
}

TEST(Relay, AWriterThatIsDroppedLeavesNothing) {
  const Shared shared;
  const auto beside = must(shared.connect());
  must(meterline::testing::load_piece(*beside, first, 1));
  must(load(*beside, second));
  const auto memory = make_memory_store();
  must(load(*memory, second));
  EXPECT_EQ(answers_of(*shared.owner), answers_of(*memory));
}

TEST(Relay, AServerThatEndsIsAnErrorOfTheWriter) {
  Shared shared;
  const auto beside = must(shared.connect());
  auto writer = must(beside->write(first.delivery));
  shared.server.reset();
  const auto committed = writer->commit(first.report);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, Errc::unavailable);
  EXPECT_THAT(committed.error().message, HasSubstr("run the same again"));
}

TEST(Relay, ErrorsOfTheOwnerAreTold) {
  const Shared shared;
  const auto beside = must(shared.connect());
  auto writer = must(beside->write(first.delivery));
  const Channel channel;
  must(writer->add({.meter = *MeterId::parse("A"),
                    .channel = channel,
                    .date = Date(),
                    .packed = "no packed day"}));
  EXPECT_EQ(writer->commit(first.report).error().code, Errc::corrupt);
  const auto event = beside->add_event(first.delivery.id, {.at = {1}, .who = "", .reason = ""});
  EXPECT_EQ(event.error().code, Errc::invalid_argument);
}

TEST(Relay, AnotherProgramIsRefused) {
  const Shared shared;
  Connection connection(must(connect_in(shared.options.folder)));
  must(connection.send(Kind::hello, "meterline relay 0"));
  const auto answer = must(connection.receive());
  EXPECT_EQ(answer.kind, Kind::error);
  EXPECT_THAT(read_error(answer.payload).message, HasSubstr("another version"));
}

TEST(Relay, NoMoreThanSoManyAtOnce) {
  const Shared shared;
  std::vector<Connection> kept;
  for (int i = 0; i < relays_max; ++i) {
    kept.emplace_back(must(connect_in(shared.options.folder)));
    must(kept.back().send(Kind::hello, greeting));
    EXPECT_EQ(must(kept.back().receive()).kind, Kind::ok);
  }
  EXPECT_THAT(shared.connect().error().message, HasSubstr("as many as it can at once"));
}

/// Whatever comes, nothing is read past its end; what is cut is refused.
TEST(RelayMessages, WhatIsCutIsRefused) {
  const auto deliveries = write_deliveries(std::vector{first.delivery, second.delivery});
  EXPECT_EQ(must(read_deliveries(deliveries)), (std::vector{first.delivery, second.delivery}));
  const auto reports = write_reports(std::vector{first.report});
  EXPECT_EQ(must(read_reports(reports)), std::vector{first.report});
  const DeliveryEvent event{.at = {1}, .who = "ann", .reason = "wrong"};
  const auto bytes = write_event(first.delivery.id, event);
  EXPECT_EQ(must(read_event(bytes)).event, event);
  const std::vector<DayPlace> days = {{.meter = *MeterId::parse("A"),
                                       .channel = {},
                                       .date = Date(),
                                       .version = first.delivery.version(),
                                       .delivery = first.delivery.id}};
  const std::vector<std::string> marks = {"mark"};
  const auto amendment = write_amendment(
      {.at = {7}, .erased = marks, .days = days, .before = Date(), .traces = Traces::now});
  const auto read = must(read_amendment(amendment));
  EXPECT_EQ(read.amendment.days.size(), 1U);
  EXPECT_EQ(read.amendment.days[0].version, days[0].version);
  EXPECT_EQ(read.amendment.erased[0], "mark");
  EXPECT_EQ(read.amendment.before, Date());
  EXPECT_EQ(read.amendment.traces, Traces::now);
  for (std::size_t size = 0; size < amendment.size(); ++size)
    EXPECT_FALSE(read_amendment(std::string_view(amendment).substr(0, size)));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read_event(std::string_view(bytes).substr(0, size)));
  for (std::size_t size = 0; size < deliveries.size(); ++size)
    EXPECT_FALSE(read_deliveries(std::string_view(deliveries).substr(0, size)));
}

}  // namespace
}  // namespace meterline::store::relay
