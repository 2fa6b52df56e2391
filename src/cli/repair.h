#pragma once

#include "cli/session.h"
#include "store/repair.h"

namespace meterline::cli {

struct RepairVerb {
  store::RepairMode mode = store::RepairMode::look;
};

/// `meterline store repair`: keeps what is whole of a damaged store and tells what is lost. Exit 1
/// when there is damage and it was only looked at.
int repair_store(const RepairVerb& verb, const Session& session);

}  // namespace meterline::cli
