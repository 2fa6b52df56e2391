#include "cli/serve.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "access/groups.h"
#include "access/ticker.h"
#include "api/api.h"
#include "api/page_files.h"
#include "api/problem.h"
#include "api/remembered_answers.h"
#include "cli/clock.h"
#include "cli/exit_code.h"
#include "cli/keys.h"
#include "cli/open_files.h"
#include "cli/stop_signals.h"
#include "cli/tariffs.h"
#include "core/text.h"
#include "core/try.h"
#include "http/metrics.h"
#include "http/server.h"
#include "http/tls.h"
#include "http/wire.h"

namespace meterline::cli {
namespace {

constexpr std::chrono::seconds stop_grace{20};
constexpr int upload_threads = 2;
constexpr std::chrono::seconds follow_step{1};

bool is_loopback_text(const std::string& address) {
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
  const in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
  return std::memcmp(&v6, &loopback, sizeof v6) == 0;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

/// Which names a Host header may have. A web page can give its own name this machine's address and
/// so read what a server on loopback says; the Host header then gives it away.
class HostRule {
 public:
  HostRule(const ListenAddress& address, const std::string& hosts)
      : is_any_(!address.is_loopback() && hosts.empty()) {
    for (const auto& host : split_list(hosts)) names_.push_back(lower(host));
  }

  bool admits(std::string_view header) const {
    if (is_any_) return true;
    const auto host = http::host_of(header);
    return host && (host->empty() || *host == "localhost" || is_loopback_text(*host) ||
                    std::find(names_.begin(), names_.end(), *host) != names_.end());
  }
  bool is_any() const { return is_any_; }

 private:
  bool is_any_;
  std::vector<std::string> names_;
};

http::Handler only_for(HostRule rule, http::Handler handler) {
  return [names = std::move(rule), inner = std::move(handler)](const api::Request& request) {
    const auto header = request.headers.find("host");
    const auto text =
        header == request.headers.end() ? std::string_view() : std::string_view(header->second);
    if (names.admits(text)) return inner(request);
    return api::problem(403, fmt::format("Host: this server answers to localhost only, and to "
                                         "what --host names, not to {}",
                                         excerpt_of(text)));
  };
}

/// Metrics tell of all meters together.
http::Handler with_metrics(http::Metrics& metrics, const api::Context& context) {
  return [&context, inner = metrics.wrap([&context](const api::Request& request) {
    return api::handle(request, context);
  })](const api::Request& request) {
    if (http::is_metrics(request))
      if (auto refused = api::refusal(request, context, api::Needs::read_all))
        return *std::move(refused);
    return inner(request);
  };
}

/// A day of a meter takes microseconds inside of this process, sooner than another thread could be
/// asked to, and who knows how long on servers. What is asked of all meters grows with them.
http::Effort effort_of(const api::Request& request, const store::Store& store) {
  switch (request.target.reads()) {
    case api::Reads::nothing:
      return http::Effort::quick;
    case api::Reads::little:
      return store.traits().is_embedded ? http::Effort::quick : http::Effort::brief;
    case api::Reads::some:
      return http::Effort::brief;
    case api::Reads::much:
      return http::Effort::lengthy;
  }
  return http::Effort::lengthy;
}

/// From this size on, memory goes back to the system as soon as it is freed. As it is by default,
/// one large answer raises that bound to its own size, and each thread keeps what the next ones
/// took.
constexpr int lone_memory_bytes = 1 << 20;

/// A connection takes a descriptor, and one more while its upload lies in a file; the store and
/// loads must never lack any, so connections get a quarter.
constexpr rlim_t descriptors_for_a_connection = 4;

/// Raises the limit of open files as far as it goes, and returns how many connections fit into it.
std::size_t connections_that_fit(std::size_t wanted, telemetry::Log& log) {
  const auto open_files = raise_open_files();
  if (!open_files) return wanted;
  const auto fit = std::min<rlim_t>(wanted, *open_files / descriptors_for_a_connection);
  if (fit < wanted)
    log.warning(
        fmt::format("at most {} connections, not {}: this process may open {} files (ulimit -Hn "
                    "tells and sets the most)",
                    fit, wanted, *open_files));
  return std::max<std::size_t>(fit, 1);
}

void print_error(std::string_view message) { tell(fmt::format("meterline: {}\n", message)); }

void print_welcome(const ListenAddress& address, const ServeOptions& options) {
  const std::string url =
      (options.tls_certificate.empty() ? "http://" : "https://") + address.text();
  print_text(fmt::format("listening on {}\n\n", url));
  if (!api::page_files().empty())
    print_text(fmt::format(
        "Look at the meters in a browser: {0}/ui/\nAnd at what may be asked: {0}/docs/\n\n", url));
  print_text(
      fmt::format("Ask, for example:\n"
                  "  curl '{0}/v1/meters?limit=5'\n"
                  "  curl '{0}/v1/meters/{1}/consumption?from={2}-01-01&to={2}-01-31'\n"
                  "  curl '{0}/v1/portfolio?from={2}-01-01&to={2}-12-31&resolution=month'\n"
                  "  curl '{0}/?meterId={1}&date=01-01-{2}'\n"
                  "  curl --data-binary @FILE.csv '{0}/v1/deliveries?source=FILE.csv&unit=kWh'\n"
                  "Ctrl-C stops.\n",
                  url, options.example_meter, options.example_year));
  if (!options.guard.is_open()) print_text("Each with -H 'Authorization: Bearer KEY'.\n");
  std::fflush(stdout);
}

/// What may change on disk while a server runs, and is followed.
struct Followed {
  std::unique_ptr<Guard> guard;
  std::unique_ptr<http::Tls> tls;  ///< Null: connections are not encrypted.
  telemetry::Log* log = nullptr;

  static Result<Followed> open(const ServeOptions& options, telemetry::Log& log) {
    Followed followed;
    followed.log = &log;
    METERLINE_TRY(followed.guard, Guard::open(options.guard, [&log](std::string_view fault) {
                    log.warning(fault);
                  }));
    if (options.tls_certificate.empty() != options.tls_key.empty())
      return fail(Errc::invalid_argument, "--tls-cert and --tls-key: give both, or none");
    if (options.tls_certificate.empty()) return followed;
    METERLINE_TRY(followed.tls, http::Tls::open({.certificate = options.tls_certificate,
                                                 .key = options.tls_key}));
    return followed;
  }
  void refresh() const {
    guard->refresh();
    if (!tls) return;
    if (const auto read = tls->refresh(); !read)
      log->warning(fmt::format("the certificate stays as it was: {}", read.error().message));
  }
};

/// Until it is told to stop, and as long as what is asked then takes.
void wait_for_stop(const StopSignals& signals, std::atomic<bool>& stopping, http::Server& server,
                   const ServeOptions& options, telemetry::Log& log) {
  signals.wait();
  stopping = true;
  if (options.drain_s > 0) {
    log.info(fmt::format("draining: /readyz says 503, and requests are taken for {} seconds more",
                         options.drain_s));
    signals.wait_for(std::chrono::seconds(options.drain_s));
  }
  log.info("stopping: requests in flight are answered first; Ctrl-C again ends at once");
  if (!server.stop(stop_grace))
    log.warning(
        fmt::format("stopping: what took longer than {} seconds is given up", stop_grace.count()));
}

/// A folder that is looked at beside, where there is one.
Result<std::unique_ptr<FolderWatch>> open_watch(const ServeOptions& options,
                                                ingest::IngestOptions ingest,
                                                FolderWatch::Parts parts) {
  if (options.watch.folder.empty()) return nullptr;
  ingest.now = now;
  return FolderWatch::open(options.watch, std::move(ingest), std::move(parts));
}

http::ServerOptions server_options_of(const ListenAddress& address, const ServeOptions& options) {
  return {
      .address = address.address,
      .port = address.port,
      .threads = std::max(2, static_cast<int>(std::thread::hardware_concurrency())),
      .upload_threads = upload_threads,
      .answer_timeout = std::chrono::seconds(options.answer_timeout_s),
      .logged_target = options.logs_targets ? http::LoggedTarget::whole : http::LoggedTarget::route,
      .idle_timeout = std::chrono::seconds(options.idle_timeout_s)};
}

/// What is served, and where it is told of.
struct Served {
  store::Store& store;
  const ingest::IngestOptions& ingest;
  const std::string& groups;
  telemetry::Log& log;
};

/// Serves on an address that may be listened on; an exit code.
int serve_on(ListenAddress address, const ServeOptions& options, const Served& served) {
  const auto& [store, ingest, groups_folder, log] = served;
  const auto followed = Followed::open(options, log);
  if (!followed) {
    print_error(followed.error().message);
    return followed.error().code == Errc::invalid_argument ? exit_usage : exit_failed;
  }
  const auto tariffs = read_tariffs(options.tariffs);
  if (!tariffs) {
    print_error(tariffs.error().message);
    return exit_usage;
  }
  mallopt(M_MMAP_THRESHOLD, lone_memory_bytes);
  std::atomic<bool> stopping = false;
  http::Usage usage(options.temporary_bytes_max);
  auto uploads = ingest;
  uploads.now = now;
  uploads.temporary = &usage.temporary;
  uploads.expanded_bytes_max = options.expanded_bytes_max;
  const auto metrics = http::make_metrics();
  metrics->watch(store);
  metrics->watch(usage);
  metrics->watch_backups(options.last_backup);
  api::RememberedAnswers uploaded;
  const access::Groups groups(groups_folder);
  const api::Context context = {
      .store = store,
      .ingest = uploads,
      .now = now,
      .stopping = &stopping,
      .on_upload = [&](const DeliveryReport& report) { metrics->count_upload(report); },
      .door = &followed->guard->door(),
      .tariffs = &*tariffs,
      .groups = &groups,
      .uploaded = &uploaded};
  http::Handler handler = with_metrics(*metrics, context);
  HostRule hosts(address, options.hosts);
  if (!hosts.is_any()) handler = only_for(std::move(hosts), std::move(handler));

  auto watch =
      open_watch(options, ingest, {.store = store, .log = log, .on_report = context.on_upload});
  if (!watch) {
    print_error(watch.error().message);
    return exit_usage;
  }
  const StopSignals signals;
  auto server_options = server_options_of(address, options);
  server_options.effort_of = [&](const api::Request& request) { return effort_of(request, store); };
  server_options.tls = followed->tls.get();
  server_options.log = &log;
  server_options.usage = &usage;
  server_options.spool_folder = ingest.spool_folder;
  server_options.connections_max = connections_that_fit(options.connections_max, log);
  auto server = http::start(std::move(server_options), std::move(handler));
  if (!server) {
    print_error(server.error().message);
    return server.error().code == Errc::invalid_argument ? exit_usage : exit_failed;
  }
  address.port = (*server)->port();
  const access::Ticker ticker(follow_step, [&] { followed->refresh(); });
  std::optional<access::Ticker> looks;
  if (*watch)
    looks.emplace(watch_step, [&] { (*watch)->look(source::WatchedFolder::Clock::now()); });
  log.info("listening", {{"address", address.text()}});
  print_welcome(address, options);
  wait_for_stop(signals, stopping, **server, options, log);
  if (*watch) (*watch)->stop();
  looks.reset();
  server->reset();
  return exit_ok;
}

}  // namespace

bool ListenAddress::is_loopback() const { return is_loopback_text(address); }

std::string ListenAddress::text() const {
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", port);
}

Result<ListenAddress> parse_listen(std::string_view text, std::string_view option) {
  const auto colon = text.rfind(':');
  const std::string_view digits =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  ListenAddress listen{.address = std::string(text.substr(0, colon)), .port = 0};
  if (listen.address.starts_with('[') && listen.address.ends_with(']'))
    listen.address = listen.address.substr(1, listen.address.size() - 2);
  else if (listen.address.find(':') != std::string::npos)
    listen.address.clear();  // An IPv6 address without brackets: where does it end?
  if (listen.address == "localhost") listen.address = "127.0.0.1";
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, listen.port);
  if (digits.empty() || error != std::errc() || stop != end || !is_address(listen.address))
    return fail(Errc::invalid_argument,
                fmt::format("{}: want ADDRESS:PORT, like 127.0.0.1:8080 or [::1]:8080, got \"{}\"",
                            option, excerpt_of(text)));
  return listen;
}

std::shared_ptr<const void> share(const Session& session, store::Store& store) {
  auto shared = session.share_store(session.store_url, store);
  if (shared) return *std::move(shared);
  print_error(
      fmt::format("while this serves, others on this machine cannot load into the store: {}",
                  shared.error().message));
  return nullptr;
}

int serve(const ServeOptions& options, store::Store& store, const ingest::IngestOptions& ingest,
          const std::string& groups) {
  auto address = parse_listen(options.listen);
  if (!address) {
    print_error(address.error().message);
    return exit_usage;
  }
  const auto log = open_log(options.log);
  if (!log) {
    print_error(log.error().message);
    return exit_usage;
  }
  const bool is_reachable = !address->is_loopback() && options.exposure == Exposure::this_machine;
  if (is_reachable && options.guard.is_open()) {
    print_error(fmt::format(
        "--listen {}: with --auth none, whoever reaches that address could read every meter and "
        "upload files. Listen on 127.0.0.1; or let in whom you know, by --auth keys or --auth jwt; "
        "or, where the network itself keeps strangers out, add --i-know-it-is-open.",
        address->text()));
    return exit_usage;
  }
  if (is_reachable && options.tls_certificate.empty())
    (*log)->warning(
        fmt::format("--listen {}: keys cross the network in clear, unless a proxy in front has "
                    "TLS: --tls-cert and --tls-key encrypt here",
                    address->text()));
  return serve_on(*std::move(address), options,
                  {.store = store, .ingest = ingest, .groups = groups, .log = **log});
}

}  // namespace meterline::cli
