#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/request_metrics.h"

namespace meterline::store {

/// What is tried again, and for how long. The same for every statement: all are idempotent.
struct RetryLimits {
  int tries_max = 40;                        ///< Of one request, the first included.
  std::chrono::milliseconds first_wait{50};  ///< Before the second try; then it doubles.
  std::chrono::milliseconds longest_wait{5000};
  std::chrono::milliseconds try_timeout{6000};  ///< Of one try.
  std::chrono::milliseconds deadline{60'000};   ///< Of a request with all its tries and waits.
};

/// Which certificates are believed. Chain and name are always verified.
struct CqlTls {
  bool on = false;
  std::string ca_file;      ///< PEM; empty: the system's.
  std::string server_name;  ///< That certificates must bear; empty: each node's own address.
};

struct CqlOptions {
  std::vector<std::string> nodes;  ///< `host` or `host:port`; at least one must answer.
  std::uint16_t port = 9042;       ///< Of nodes that name none, and of those found later.
  std::string data_centre;         ///< Requests go there only; empty: that of the first node.
  std::string user;                ///< Empty: no login.
  std::string password;
  std::string aws_region;  ///< Not empty: Amazon Keyspaces, login by SigV4 for this region.
  CqlTls tls;
  int connections_per_node = 0;  ///< 0: the driver's choice, one for each core.
  /// In flight on all connections together, for each of them; 0: CqlSession::WriteLimits alone.
  int writes_per_connection = 0;
  std::chrono::milliseconds connect_timeout{10'000};
  /// A connection on which nobody answers is given up after both together.
  std::chrono::milliseconds keepalive_interval{2000};
  std::chrono::milliseconds keepalive_timeout{4000};
  RetryLimits retry;
};

/// A prepared statement of a CqlSession, by its number.
struct CqlStatement {
  std::size_t number = 0;
};

/// Rows of one page: cells in the CQL wire form, one after another (see cql_cells.h).
struct CqlPage {
  std::string_view cells;
  std::size_t rows = 0;
  bool last = true;  ///< The key has no further page.
};

class CqlSession;

/// Sends rows without waiting for each.
///
/// Threads: one at a time.
class CqlWriter {
 public:
  virtual ~CqlWriter() = default;  ///< Waits for what is in flight.

  /// Sends `count` rows of one partition as one request: one row as it is, more as an unlogged
  /// batch. `rows` holds the values of the statement's markers, row by row. Waits while too much
  /// is in flight. After an error, nothing more is sent and every call returns that error.
  virtual Result<void> write(CqlStatement statement, std::string_view rows, std::size_t count) = 0;

  /// Waits for all. Without an error, every row was acknowledged by a quorum.
  virtual Result<void> finish() = 0;
};

using CqlPageVisitor = std::function<Result<void>(std::size_t key, const CqlPage&)>;

/// A session with a cluster of Apache Cassandra or ScyllaDB, or with Amazon Keyspaces: token-aware,
/// at LOCAL_QUORUM. What may succeed later is tried again within RetryLimits, each try as the
/// driver balances it, with waits that double and vary at random; what is in flight is bounded,
/// and a request that waits for its next try counts as in flight, so that trouble slows the
/// sender down.
///
/// Errors: `unavailable` with the driver's words when all tries failed; `invalid_argument` for
/// what the cluster refuses (syntax, login, certificates), never tried again. Messages never
/// contain passwords or keys.
///
/// Threads: every method may be called from many threads at once.
class CqlSession {
 public:
  virtual ~CqlSession() = default;

  /// Runs a statement without values once, such as DDL, and waits until the nodes agree on the
  /// schema.
  virtual Result<void> execute(std::string_view cql) = 0;

  /// Reads by a statement without values, at consistency ONE: tables of the cluster about itself.
  virtual Result<void> query(std::string_view cql, const CqlPageVisitor& visit) = 0;
  /// The same on every node that is up, one after another; `key` is the node's number.
  virtual Result<void> query_each_node(std::string_view cql, const CqlPageVisitor& visit) = 0;

  struct Text {
    std::string name;  ///< In metrics().
    std::string cql;
    int page_rows = 0;  ///< Of a read; 0: the driver's choice.
  };
  /// All of them at once, in one round trip; the answer is in their order.
  virtual Result<std::vector<CqlStatement>> prepare(std::span<const Text> texts) = 0;
  Result<CqlStatement> prepare(const Text& text) {
    const auto prepared = prepare(std::span(&text, 1));
    if (!prepared) return tl::unexpected(prepared.error());
    return prepared->front();
  }

  struct WriteLimits {
    std::size_t requests = 256;    ///< In flight.
    std::size_t bytes = 16 << 20;  ///< In flight.
  };
  virtual std::unique_ptr<CqlWriter> writer(const WriteLimits& limits) = 0;

  struct ReadLimits {
    std::size_t in_flight = 1;              ///< Keys that are read at a time.
    std::chrono::milliseconds deadline{0};  ///< Of each page; 0: as in RetryLimits.
  };
  /// Reads by each of `count` keys (`keys` holds the values of the markers, key by key) and visits
  /// their pages in the order of the keys; a key without rows has one empty page. With one in
  /// flight each is read page by page; with more, each is read whole before it is visited.
  virtual Result<void> read(CqlStatement statement, std::string_view keys, std::size_t count,
                            const ReadLimits& limits, const CqlPageVisitor& visit) = 0;

  /// Requests that begin from now on end after `time`, counted from now, whatever RetryLimits say;
  /// until another time is told.
  virtual void answer_within(std::chrono::milliseconds time) = 0;

  /// By statement, in the order of preparing.
  virtual std::vector<RequestMetrics> metrics() const = 0;
};

Result<std::unique_ptr<CqlSession>> connect_cql(const CqlOptions& options);

/// Of the driver, for --version: `scylla 1.9.0`.
std::string_view cql_driver_name();

}  // namespace meterline::store
