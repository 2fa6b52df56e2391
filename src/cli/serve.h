#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cli/guarding.h"
#include "cli/logging.h"
#include "cli/session.h"
#include "cli/watch.h"
#include "core/result.h"
#include "http/usage.h"
#include "ingest/ingest.h"
#include "store/store.h"

namespace meterline::cli {

/// Who may reach a server that lets in everybody.
enum class Exposure {
  this_machine,  ///< Other addresses than loopback are refused.
  anyone,        ///< `--i-know-it-is-open`
};

struct ServeOptions {
  std::string listen = "127.0.0.1:8080";  ///< ADDRESS:PORT, an IPv6 address in brackets.
  Exposure exposure = Exposure::this_machine;
  int answer_timeout_s = 120;  ///< For a question; 0: for ever.
  int idle_timeout_s = 60;     ///< From one request of a connection to the next.
  int drain_s = 0;             ///< After the first signal, requests are taken for so long.
  std::size_t connections_max = 1000;
  std::uint64_t temporary_bytes_max = http::Usage::temporary_bytes_max_default;
  std::uint64_t expanded_bytes_max = std::uint64_t{4} << 30;  ///< Of a packed upload.
  std::string tariffs;                                        ///< A folder; empty: none are known.
  std::string backups;  ///< A place whose last backup metrics tell of; empty: none.
  /// When that was made; the application's.
  std::function<std::optional<Instant>()> last_backup;
  GuardOptions guard;
  LogOptions log;
  WatchOptions watch;
  bool logs_targets = false;    ///< Paths and queries, which name meters.
  std::string tls_certificate;  ///< PEM files; empty: no TLS.
  std::string tls_key;
  std::string example_meter = "METER";  ///< For the questions that are told at the beginning;
  int example_year = 2019;              ///< it has days of this year.
  /// Names that a Host header may have, joined by `,`. Beyond loopback, empty: any.
  std::string hosts;
};

struct ListenAddress {
  std::string address;     ///< IPv4 or IPv6.
  std::uint16_t port = 0;  ///< 0: any free one.

  bool is_loopback() const;
  std::string text() const;  ///< As in a URL: `127.0.0.1:8080`, `[::1]:8080`.
};

/// `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`. An error names the option.
Result<ListenAddress> parse_listen(std::string_view text, std::string_view option = "--listen");

/// Lets other processes hand what they change to this one while it serves. Where that cannot be, it
/// is told, and serving goes on.
std::shared_ptr<const void> share(const Session& session, store::Store& store);

/// Serves the HTTP API until SIGINT or SIGTERM. Then /readyz says 503 while requests are still
/// taken for ServeOptions::drain_s, so that whoever sends them here learns of it; what is in flight
/// then is answered, and it returns. The other one of the two signals ends the draining; the same
/// once more ends the process at once. The exit code: 0 stopped as asked, 1 could not listen, 2
/// wrong usage.
/// `groups`: the folder of groups of meters.
int serve(const ServeOptions& options, store::Store& store, const ingest::IngestOptions& ingest,
          const std::string& groups);

}  // namespace meterline::cli
