#include "query/meter_spans.h"

#include <algorithm>
#include <limits>

#include "core/meter_id.h"
#include "core/try.h"

namespace meterline::query {

void MeterSample::add(std::string_view meter) {
  const std::uint64_t hash = std::hash<std::string_view>()(meter);
  if (meters_.size() == sample_max && hash >= meters_.rbegin()->first) return;
  meters_.try_emplace(hash, meter);
  if (meters_.size() > sample_max) meters_.erase(std::prev(meters_.end()));
}

/// The nth smallest of evenly spread hashes tells how close they are to each other.
std::size_t MeterSample::count() const {
  if (meters_.size() < sample_max) return meters_.size();
  const std::uint64_t distance = meters_.rbegin()->first / (sample_max - 1);
  return std::numeric_limits<std::uint64_t>::max() / std::max<std::uint64_t>(distance, 1);
}

std::vector<store::MeterSpan> MeterSample::split(const store::MeterSpan& span,
                                                 std::size_t meters_max) const {
  std::vector<std::string_view> sorted;
  sorted.reserve(meters_.size());
  for (const auto& [hash, meter] : meters_) sorted.emplace_back(meter);
  std::ranges::sort(sorted);
  // A fourth more than needed, since a sample only tells about where its meters lie.
  const std::size_t wanted = count() + count() / 4;
  const std::size_t parts =
      std::min(std::max<std::size_t>(2, wanted / meters_max + 1), sorted.size());
  std::vector<store::MeterSpan> spans;
  spans.reserve(parts);
  store::MeterSpan rest = span;
  for (std::size_t i = 1; i < parts; ++i) {
    auto end = MeterId::parse(sorted[i * sorted.size() / parts - 1]);
    if (!end) continue;
    spans.push_back({.after = rest.after, .to = end});
    rest.after = *std::move(end);
  }
  spans.push_back(std::move(rest));
  return spans;
}

Result<void> each_span(const store::Store& store, const store::TotalsQuery& query,
                       std::size_t meters_max, const SpanVisitor& visit, StopFlag stop) {
  std::vector<store::MeterSpan> left = {query.span};  // The next one last.
  while (!left.empty()) {
    const store::MeterSpan span = std::move(left.back());
    left.pop_back();
    METERLINE_TRY(const bool is_taken, visit(span));
    if (is_taken) continue;
    MeterSample sample;
    store::TotalsQuery part = query;
    part.span = span;
    METERLINE_CHECK(
        store.read_months(part, {.days = [&](const store::MeterDays& days) -> Result<void> {
                            METERLINE_CHECK(check_stop(stop));
                            sample.add(days.meter.text());
                            return {};
                          }}));
    const auto spans = sample.split(span, meters_max);
    left.insert(left.end(), spans.rbegin(), spans.rend());
  }
  return {};
}

}  // namespace meterline::query
