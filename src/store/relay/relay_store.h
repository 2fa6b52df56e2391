#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "core/result.h"
#include "store/store.h"

namespace meterline::store::relay {

/// Opens the store for reading, beside its owner; called again after each change, from any thread.
using ReadOpener = std::function<Result<std::unique_ptr<Store>>()>;

/// A store that another process owns and lets others change (RelayServer): questions are answered
/// from an opening of its own, changes are handed to the owner. It sees what it changed itself;
/// what others change meanwhile it may see later.
///
/// Errors: `unavailable` where nobody listens in the folder.
Result<std::unique_ptr<Store>> make_relay_store(const std::filesystem::path& folder,
                                                ReadOpener open);

}  // namespace meterline::store::relay

namespace meterline::store {
using relay::make_relay_store;
}  // namespace meterline::store
