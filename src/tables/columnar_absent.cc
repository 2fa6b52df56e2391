#include "tables/columnar.h"

namespace meterline::tables {

Result<std::unique_ptr<TableWriter>> open_columnar(
    TableFormat /*format*/, std::span<const Column> /*columns*/,
    BytesSink /*sink*/) {  // NOLINT(performance-unnecessary-value-param): its twin keeps it.
  return fail(Errc::invalid_argument,
              "this meterline was built without Parquet and Arrow (-DMETERLINE_CLOUD=OFF), so its "
              "tables are CSV");
}

}  // namespace meterline::tables
