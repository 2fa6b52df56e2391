#include "store/register_reads.h"

#include <limits>
#include <optional>

namespace meterline::store {

ReadsQuery all_reads_of(const MeterId& meter) {
  return {.meter = meter,
          .from = {.micros = std::numeric_limits<std::int64_t>::min()},
          .to = Instant::end_of_time()};
}

Result<void> read_newest_registers(const Store& store, const ReadsQuery& query,
                                   const ReadVisitor& visit) {
  std::optional<Instant> at;
  MeterRegister of;
  return store.read_registers(query, [&](const StoredRead& stored) -> Result<void> {
    const auto& read = stored.read;
    const bool is_resolved = at == read.current.time.at && of == read.of;
    if (is_resolved || stored.withdrawn) return {};
    at = read.current.time.at;
    of = read.of;
    return visit(stored);
  });
}

}  // namespace meterline::store
