#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.h"
#include "cli/session.h"

namespace meterline::cli {

struct InitVerb {
  int replication = 0;               ///< 0: not given.
  std::string data_centres;          ///< `NAME=N,NAME=N`; empty: not given.
  std::string unit;                  ///< Of readings whose files name none; empty: not given.
  std::int64_t expected_meters = 0;  ///< 0: not given.
};
/// `meterline store init`: makes the store.
int init_store(const InitVerb& verb, const Session& session);
void add_init(CLI::App& store, InitVerb& verb);

/// `NAME=N,NAME=N`, each name once.
Result<std::vector<DataCentre>> parse_data_centres(std::string_view text);

struct CheckVerb {
  std::size_t limit = 1000;  ///< Findings shown; all are counted.
};
/// `meterline store check`: compares what is in the store with itself. Exit 1 when damage is
/// found.
int check_store(const CheckVerb& verb, const Session& session);
void add_check(CLI::App& store, CheckVerb& verb);

/// `meterline store stats`: how much is in the store.
int store_stats(const Session& session);

}  // namespace meterline::cli
