#pragma once

#include <cstddef>
#include <string>

#include "cli/parser.h"
#include "cli/session.h"

namespace meterline::cli {

struct DeliveriesVerb {
  std::string id;      ///< Of `show`.
  std::string source;  ///< Only from this one; empty: from any.
  std::string state;   ///< Only those of this state: stored, refused or withdrawn; empty: of any.
  std::string since;   ///< Only what was received from then on; empty: ever.
  std::size_t limit = 100;
  bool only_withdrawn = false;
};

/// `meterline deliveries`: what was received, the latest first.
int deliveries(const DeliveriesVerb& verb, const Session& session);

/// `meterline deliveries show ID`: what became of one, with its findings. Exit 1 for an unknown
/// one.
int show_delivery(const DeliveriesVerb& verb, const Session& session);

/// Their flags. `verb` must outlive the app.
void add_deliveries(CLI::App& app, DeliveriesVerb& verb);

}  // namespace meterline::cli
