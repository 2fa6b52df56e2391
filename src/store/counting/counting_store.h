#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/estimate.h"

namespace meterline::store::counting {

/// Counts what is committed to it and keeps nothing: every question finds it empty. Memory grows by
/// 8 bytes for each meter, and by what the pricing needs.
class CountingStore : public Store {
 public:
  virtual StoreEstimate estimate() const = 0;
};

/// `pricing` may be null; `erased` are the marks that its settings have.
std::unique_ptr<CountingStore> make_counting_store(std::unique_ptr<Pricing> pricing,
                                                   std::vector<std::string> erased = {});

}  // namespace meterline::store::counting

namespace meterline::store {
using counting::CountingStore;
using counting::make_counting_store;
}  // namespace meterline::store
