#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/stop.h"
#include "store/store.h"

namespace meterline::query {

/// What a question over all meters keeps of them at once; of more meters than fit, one span of ids
/// is asked for after another.
inline constexpr std::size_t held_bytes_max = 96 << 20;

/// Meters among many, chosen by a hash of their ids, so that each is as likely as any other
/// whatever their order, and however often one comes.
class MeterSample {
 public:
  void add(std::string_view meter);
  /// How many different ones were added: exactly as long as they are few, else within some percent.
  std::size_t count() const;
  /// Parts of `span`, of whose meters this is a sample, ascending: as many as hold about
  /// `meters_max` each, and two at least. The span itself where only one meter is known.
  std::vector<store::MeterSpan> split(const store::MeterSpan& span, std::size_t meters_max) const;

 private:
  static constexpr std::size_t sample_max = 4096;
  std::map<std::uint64_t, std::string> meters_;  ///< Those with the smallest hashes.
};

/// Takes what a span of meters adds to an answer; false: there are more than it can hold, and it
/// has taken nothing.
using SpanVisitor = std::function<Result<bool>(const store::MeterSpan&)>;

/// Visits all meters at once if they fit; if not, what is asked for is read to see how the ids are
/// spread, and spans of them are visited, ascending. `query` is one of all meters.
Result<void> each_span(const store::Store& store, const store::TotalsQuery& query,
                       std::size_t meters_max, const SpanVisitor& visit, StopFlag stop);

}  // namespace meterline::query
