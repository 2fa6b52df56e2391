#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "store/store.h"
#include "testing/store_days.h"

namespace meterline::testing {

/// What the store in tests/data/store holds, of everything that a store may hold a little. The
/// store is of a release: who changes this makes it anew, for a release whose format is new.
std::vector<TestDelivery> released_deliveries();

/// Those whose number is odd, or those whose is even, with their events and the default unit.
enum class Half { odd, even };
Result<void> load_released(store::Store& store, Half half);

/// All that it answers, as lines: answers_of(), totals as of two times, and the records of
/// deliveries with how they were read.
std::string released_answers(const store::Store& store);

}  // namespace meterline::testing
