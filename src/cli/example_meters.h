#pragma once

#include <filesystem>

#include "core/result.h"

namespace meterline::cli {

/// Example data for people to try: half-hourly consumption in kWh of households and some shops. Of
/// a few meters days are missing, one is late, and one is corrected.
struct ExampleMeters {
  int meters = 200;
  int year = 2025;
};

/// Where its files are, below a folder.
struct ExampleFiles {
  std::filesystem::path months;     ///< A folder of twelve: wide CSV, a month of all meters each.
  std::filesystem::path corrected;  ///< Wide CSV: some days of one meter once more, and otherwise.
  std::filesystem::path solar;  ///< Long CSV: a house in London that also feeds in, with estimates.
};

/// Writes them below `folder`, which is made if absent. The same example gives the same bytes on
/// every machine; a file that is there already is kept.
Result<ExampleFiles> write_example_files(const ExampleMeters& example,
                                         const std::filesystem::path& folder);

}  // namespace meterline::cli
