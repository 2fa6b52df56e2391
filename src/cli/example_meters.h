#pragma once

#include <filesystem>

#include "core/result.h"

namespace meterline::cli {

/// Example data for people to try: files of half-hourly consumption in kWh, wide CSV, a month of
/// all meters in each.
struct ExampleMeters {
  int meters = 200;
  int year = 2025;
};

/// Writes the twelve files into `folder`, which is made if absent. The same example gives the
/// same bytes on every machine; a file that is there already is kept.
Result<void> write_example_files(const ExampleMeters& example, const std::filesystem::path& folder);

}  // namespace meterline::cli
