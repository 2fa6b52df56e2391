#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/audit_log.h"
#include "access/caller.h"
#include "access/rate_limit.h"

namespace meterline::api {

/// Which requests the audit log tells of, beside those that were refused.
enum class Audited {
  changes,     ///< Uploads, withdrawals, and whatever else changes something.
  everything,  ///< Questions as well: each waits for a line to be written.
};

/// Who comes in, how often, from which pages, and what is written of it.
struct Door {
  access::Admit admit;                ///< Empty: everybody may do everything.
  access::RateLimit* rate = nullptr;  ///< Null: nobody asks too often. Only of those admitted.
  access::AuditLog* audit = nullptr;  ///< Null: nothing is written.
  Audited audited = Audited::changes;
  /// Pages of these origins, like `https://app.example.com`, may ask and read answers (CORS).
  std::vector<std::string> origins;

  bool is_open() const { return !admit; }
};

/// What a request needs of whoever sends it. Where none is named, the strictest of its kind holds.
enum class Needs : std::uint8_t {
  read,      ///< To see meters: those that the caller may see are all that there are.
  read_all,  ///< To see every meter: the answer is about all, or about whole files.
  upload,    ///< To send files of those meters that he may see.
  admin,     ///< To take back what was sent.
  nothing,   ///< Anybody may ask, and is told nothing of meters.
};

}  // namespace meterline::api
