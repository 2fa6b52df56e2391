#pragma once

#include <string>

#include "cli/parser.h"
#include "cli/session.h"
#include "core/result.h"
#include "query/tariff.h"

namespace meterline::cli {

/// More files than this in a folder of tariffs are refused.
inline constexpr std::size_t tariffs_max = 1000;

/// The tariff that a file describes; it is called as the file is, without `.toml`.
Result<query::Tariff> tariff_option(const std::string& path);

/// The tariffs of a folder, each by the name of its file: all `*.toml` in it and below. Empty for
/// no folder.
/// Errors: `invalid_argument` names the file and what is wrong with it.
Result<query::Tariffs> read_tariffs(const std::string& folder);

struct TariffCheckVerb {
  std::string file;
  int year = 0;  ///< 0: this one.
};
/// `meterline tariff check FILE`: what the file says of a year: which days are alike, and which
/// band each of their times has.
int check_tariff(const TariffCheckVerb& verb, const Session& session);
void add_tariff_check(CLI::App& app, TariffCheckVerb& verb);

}  // namespace meterline::cli
