#pragma once

#include <memory>

#include "store/store.h"

namespace meterline::store {

/// A store that forgets everything when it is destroyed: the plainest reading of the contract,
/// against which the others are tested.
std::unique_ptr<Store> make_memory_store();

}  // namespace meterline::store
