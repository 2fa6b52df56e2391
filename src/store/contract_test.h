// What the contract suites share. A new backend adds one line to `backends`.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "store/memory/memory_store.h"
#include "store/relay/relay_server.h"
#include "store/relay/relay_store.h"
#include "store/rocksdb/rocksdb_store.h"
#ifdef METERLINE_CLOUD
#include "testing/cassandra_keyspace.h"
#endif
#include "testing/must.h"
#include "testing/store_days.h"
#include "testing/temp_folder.h"

namespace meterline::store {

using Deliveries = std::vector<meterline::testing::TestDelivery>;

enum class Kept { in_memory, outside };  ///< Of the process.

struct Backend {
  std::string name;
  Kept kept;
  /// Opens the store of that folder again, where it is kept on disk.
  std::function<Result<std::unique_ptr<Store>>(const std::filesystem::path& folder)> open;
  friend std::ostream& operator<<(std::ostream& out, const Backend& b) { return out << b.name; }
};

/// A store that its owner shares, as another process has it. Both end together.
inline Result<std::unique_ptr<Store>> open_relayed(const std::filesystem::path& folder) {
  struct Owner {
    std::unique_ptr<Store> store;
    std::unique_ptr<RelayServer> server;
  };
  const RocksdbOptions options{.folder = folder / "store"};
  const auto owner = std::make_shared<Owner>();
  owner->store = meterline::testing::must(open_rocksdb_store(options));
  owner->server = meterline::testing::must(start_relay(options.folder, *owner->store));
  return make_relay_store(options.folder, [options, owner]() -> Result<std::unique_ptr<Store>> {
    return meterline::testing::must(read_rocksdb_store(options));
  });
}

inline std::vector<Backend> backends() {
  return {
      {"memory", Kept::in_memory, [](const auto&) { return make_memory_store(); }},
      {"rocksdb", Kept::outside,
       [](const auto& folder) { return open_rocksdb_store({.folder = folder / "store"}); }},
      // Small deliveries are folded into months at once; otherwise all here would stay recent.
      {"rocksdb_folded", Kept::outside,
       [](const auto& folder) {
         return open_rocksdb_store({.folder = folder / "store", .recent_bytes_max = 0});
       }},
      {"relay", Kept::outside, open_relayed},
#ifdef METERLINE_CLOUD
      {"cassandra", Kept::outside, meterline::testing::open_cassandra_of},
#endif
  };
}

/// How often a property is tried: fewer times where each waits for a disk or for servers. Where
/// RC_PARAMS has max_success, as often as that says, but a fortieth of it on a cluster.
inline int runs_on(const Backend& backend, int cost) {
  const bool is_far = backend.name == "cassandra";
  const int runs = rc::detail::configuration().testParams.maxSuccess;
  const char* const params = std::getenv("RC_PARAMS");
  if (params != nullptr && std::strstr(params, "max_success") != nullptr)
    return is_far ? std::max(1, runs / 40) : runs;
  const int few = is_far ? 5 : backend.kept == Kept::outside ? 30 : runs;
  return std::max(1, few / cost);
}

/// Of a property that costs so many times as much as others there are fewer runs, but for a soak.
template <class Property>
void expect_holds(const Backend& backend, Property property, int cost = 1) {
  auto params = rc::detail::configuration().testParams;
  params.maxSuccess = runs_on(backend, cost);
  const auto result =
      rc::detail::checkTestable(std::move(property), rc::detail::TestMetadata(), params);
  std::ostringstream told;
  rc::detail::printResultMessage(result, told);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << told.str();
}

/// A store of its own, in a folder of its own.
class Opened {
 public:
  explicit Opened(const Backend& backend) : backend_(backend) { reopen(); }

  void reopen() {
    store_.reset();
    auto opened = backend_.open(folder_.path());
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = *std::move(opened);
  }
  Store& operator*() const { return *store_; }
  Store* operator->() const { return store_.get(); }

 private:
  const Backend& backend_;
  meterline::testing::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

class StoreContract : public ::testing::TestWithParam<Backend> {
 protected:
  Opened open() const { return Opened(GetParam()); }

  static void expect_loaded(Store& store, const Deliveries& deliveries) {
    for (const auto& each : deliveries) {
      const auto loaded = meterline::testing::load(store, each);
      ASSERT_TRUE(loaded) << loaded.error().message;
    }
  }
};

inline DateRange ever() { return {.from = Date::min(), .to = Date::max()}; }
inline MeterId meter_of(std::string_view text) { return *MeterId::parse(text); }
inline Date date_of(std::string_view text) { return *Date::parse(text); }

/// Deliveries that overlap, complete and correct each other.
inline Deliveries overlapping() {
  return {
      meterline::testing::delivery_of(
          1, 1,
          {"A 2019-01-01 60 1 2 3 - -", "A 2019-01-02 60 1x5", "A1 2019-01-01 30 0.5x5",
           "A. 2019-01-01 B1/generation/Wh 60 -7x5"}),
      meterline::testing::delivery_of(2, 2,
                                      {"A 2019-01-01 60 - - 9 4.25e -", "A1 2019-01-01 30 -x5"}),
      meterline::testing::delivery_of(
          2, 3, {"A 2019-01-01 60 8s -x4", "B 2199-12-31 60 1x5", "B 1900-01-01 60 2x5"}),
  };
}

inline std::string name_of(const ::testing::TestParamInfo<Backend>& test) {
  return test.param.name;
}

}  // namespace meterline::store
