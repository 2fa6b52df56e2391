#pragma once

#include <filesystem>
#include <memory>

#include "core/result.h"
#include "store/store.h"

namespace meterline::store::relay {

/// Takes what other processes change in a store that this one owns, for as long as it lives:
/// through a socket in the store's folder, to which only this user may connect. Its end cuts off
/// changes that are under way; none of them is then done in part.
class RelayServer {
 public:
  virtual ~RelayServer() = default;
};

/// Who hands changes over at the same time, at most; each may keep a writer's memory.
inline constexpr int relays_max = 16;

/// `store` must outlive it. Errors: `unavailable` where no socket can be made there.
Result<std::unique_ptr<RelayServer>> start_relay(const std::filesystem::path& folder, Store& store);

}  // namespace meterline::store::relay

namespace meterline::store {
using relay::RelayServer;
using relay::start_relay;
}  // namespace meterline::store
