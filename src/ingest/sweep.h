#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "source/byte_source.h"
#include "store/store.h"

namespace meterline::ingest {

/// What a search for files that nobody announced came to.
struct SweepCounts {
  std::int64_t objects = 0;  ///< Looked at: known + loaded, unless it was stopped.
  std::int64_t known = 0;    ///< The store has an answer for these very bytes.
  std::int64_t loaded = 0;   ///< Were to be loaded, whatever became of them.
};

/// Those of `listed` that the store has no answer for: no delivery of the same source, size and
/// content tag that is stored or refused, of whatever unit. None of them is opened. One without
/// size or tag is always among them. Asks of the store are made `asked_at_once` at a time.
Result<std::vector<source::Incoming>> without_answer(std::vector<source::Incoming> listed,
                                                     const store::Store& store,
                                                     std::size_t asked_at_once = 16);

}  // namespace meterline::ingest
