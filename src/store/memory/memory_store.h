#pragma once

#include <memory>

#include "store/store.h"

namespace meterline::store::memory {

/// A store that forgets everything when it is destroyed: the plainest reading of the contract,
/// against which the others are tested.
std::unique_ptr<Store> make_memory_store();

}  // namespace meterline::store::memory

namespace meterline::store {
using memory::make_memory_store;
}  // namespace meterline::store
