// Which options there are, their help, and which verb they go to. Only this file, usage.cc, which
// formats help and tells of wrong usage, what verbs share in question_options.cc, and the files
// that have the options of their verbs (keep.cc, keys.cc, deliveries.cc, comparisons.cc,
// tariffs.cc, groups.cc and export.cc) know CLI11.

#include "cli/command_line.h"

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/backup.h"
#include "cli/comparisons.h"
#include "cli/deliveries.h"
#include "cli/demo.h"
#include "cli/exit_code.h"
#include "cli/export.h"
#include "cli/feeds.h"
#include "cli/groups.h"
#include "cli/ingest.h"
#include "cli/keep.h"
#include "cli/keys.h"
#include "cli/lint.h"
#include "cli/logging.h"
#include "cli/question_options.h"
#include "cli/questions.h"
#include "cli/repair.h"
#include "cli/serve.h"
#include "cli/store_verbs.h"
#include "cli/tariffs.h"
#include "cli/usage.h"
#include "cli/withdraw.h"
#ifdef METERLINE_CLOUD
#include "cli/lambda.h"
#include "cli/worker.h"
#endif

namespace meterline::cli {
namespace {

constexpr const char* about =
    "meterline loads smart-meter interval files, keeps every reading day with its\n"
    "history, and answers consumption questions.\n\n"
    "  meterline demo                          a year of example meters to try\n"
    "  meterline ingest FOLDER --unit kWh      load files\n"
    "  meterline query METER --from 2019-01-01 --to 2019-01-31\n"
    "  meterline serve                         the same over HTTP\n"
    "  meterline export FILE                   the whole store as one file\n";

constexpr const char* footer =
    "Every option can also stand in the environment (--store as METERLINE_STORE,\n"
    "--findings-max as METERLINE_FINDINGS_MAX) or in a TOML file named by --config,\n"
    "those of a verb in a section of its name; the command line comes before the\n"
    "environment, and that before the file.\n"
    "Exit codes: 0 all stored or answered; 1 failed; 2 wrong usage; 3 done, with\n"
    "rejected rows; 4 there is no store; 5 another process has it; 6 no permission\n"
    "for it.";

/// All options of all verbs, filled by the parser.
struct Options {
  std::string store_url = "rocksdb:./meterline-data";
  std::string groups = "meterline-groups";
  GroupsVerb groups_verb;
  std::string output;
  IngestVerb ingest;
  std::string feed;  ///< Of `feed show`.
  FeedCheckVerb feed_check;
  FeedDraftVerb feed_draft;
  LintVerb lint;
  bool sweep = false;
  bool dry_run = false;
  bool undo = false;
  bool compare = false;
  QueryVerb query;
  QuestionOptions portfolio;
  GapsVerb gaps;
  HistoryVerb history;
  RegistersVerb registers;
  QueryVerb profile;
  TopVerb top;
  ChangesVerb changes;
  CompareVerb compare_periods;
  TimeOfUseVerb time_of_use;
  QueryVerb base_load;
  LateVerb late;
  TariffCheckVerb tariff_check;
  ListVerb meters;
  DeliveriesVerb deliveries;
  BackupVerb backup;
  WithdrawVerb withdraw;
  ServeOptions serve;
  FileOptions serve_files;
  bool serve_create = false;
  std::vector<std::string> help;  ///< The verb that help is asked of.
  KeysVerb keys;
  AuditVerb audit;
  bool i_know_it_is_open = false;
  DemoVerb demo;
  bool once = false;
  ExportVerb export_verb;
  InitVerb init;
  CheckVerb check;
  PruneVerb prune;
  EraseVerb erase;
  RepairVerb repair;
  bool apply = false;
#ifdef METERLINE_CLOUD
  WorkerVerb worker;
  LambdaVerb lambda;
#endif
};

/// What is said of files that a feed or long CSV describes.
void add_feed_options(CLI::App& verb, FileOptions& files) {
  constexpr int step_max = 60;
  verb.add_option("--feed", files.feed,
                  "The layout of CSV files: a name of `meterline feed list`, a TOML file that "
                  "describes it, auto for the one whose columns a file has, or none");
  verb.add_option("--meter", files.meter,
                  "Meter of a file that names none: of a feed, long CSV or Green Button");
  verb.add_option("--stamp", files.stamp,
                  "start or end: what of an interval its time names, in long CSV that does not say")
      ->check(CLI::IsMember({"start", "end"}));
  verb.add_option(
      "--dates", files.dates,
      "How long CSV writes its days, if not as 2019-01-31: dd/MM/yyyy, MM/dd/yyyy, ...");
  verb.add_option("--step", files.step, "Minutes of an interval, in long CSV that does not say")
      ->check(CLI::Range(1, step_max));
}

constexpr const char* strict_text =
    "Refuse a file in which anything is not as the standard of its format has it; else what can be "
    "read in one way only is read, with a finding";

void add_ingest(CLI::App& app, Options& options) {
  IngestVerb& verb = options.ingest;
  auto* const ingest = app.add_subcommand(
      "ingest",
      "Load files, whole folders, objects of S3, or standard input (-); restore archives");
  auto* const paths = ingest->add_option(
      "PATH", verb.paths, "Files, folders with all below them, s3://BUCKET/PREFIX, or -");
  auto* const sweep = ingest->add_flag(
      "--sweep", options.sweep,
      "Load only objects of S3 that the store has no answer for, and get no other");
  auto* const dry_run =
      ingest
          ->add_flag("--dry-run", options.dry_run,
                     "Read and report everything, estimate what it takes, and store nothing")
          ->excludes(sweep);
  ingest
      ->add_flag("--compare", options.compare,
                 "Tell what each file would change in the store, and store nothing: days that are "
                 "new, that replace others, or would not count, and the sums before and after")
      ->excludes(sweep)
      ->excludes(dry_run);
  ingest->add_option(
      "--unit", verb.files.unit,
      "Unit of readings in files that name none: Wh, kWh, MWh, varh, ..., or unknown "
      "for none (default: the store's, which is the first that it was told)");
  ingest->add_option("--zone", verb.files.zone,
                     "Time zone of days in files that name none: UTC, an offset like +10:00, or a "
                     "name like Europe/London, whose days of 23 and 25 hours are then known; "
                     "unknown (the default): each day has 24 hours");
  add_feed_options(*ingest, verb.files);
  ingest->add_flag("--strict", verb.files.strict, strict_text);
  ingest->add_option("--delivered-at", verb.delivered_at,
                     "When the files were delivered, instead of their modification time: the later "
                     "delivery of a day counts. Never later than now");
  ingest->add_option("--rejects", verb.rejects, "Write rejected rows with their reasons here");
  ingest->add_option("--findings-max", verb.findings_max, "Findings kept for each file")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  ingest->add_option("--expanded-bytes-max", verb.expanded_bytes_max,
                     "Refuse a packed file that expands to more bytes (default: 64 GiB)");
  ingest->add_option("--threads", verb.threads, "Threads that parse (default: one for each core)")
      ->check(CLI::Range(1, 1024));
  auto* const watch = add_watch_options(*ingest, verb.watch);
  watch->excludes(paths)->excludes(sweep)->excludes(dry_run);
  ingest->add_flag("--once", verb.once, "End when --watch has loaded all that is there")
      ->needs(watch);
  add_log_options(*ingest, verb.log);
}

void add_feeds(CLI::App& app, Options& options) {
  auto* const feed =
      app.add_subcommand("feed", "Descriptions of file layouts: list, show, check or draft one");
  feed->require_subcommand(1);
  feed->add_subcommand("list", "The feeds that the program carries");
  auto* const show = feed->add_subcommand("show", "A feed as it is described, in TOML");
  show->add_option("FEED", options.feed, "A name of `meterline feed list`, or a TOML file")
      ->required();
  FeedCheckVerb& verb = options.feed_check;
  auto* const check = feed->add_subcommand(
      "check", "Read a file by a feed, and show its first rows beside what is read of them");
  check->add_option("FEED", verb.files.feed, "A name of `meterline feed list`, or a TOML file")
      ->required();
  check->add_option("SAMPLE", verb.path, "A file in that layout, not packed")->required();
  check->add_option("--zone", verb.files.zone, "Time zone, if neither file nor feed says it");
  check->add_option("--unit", verb.files.unit, "Unit, if neither file nor feed says it");
  check->add_option("--meter", verb.files.meter, "Meter, if neither file nor feed says it");
  auto* const draft = feed->add_subcommand(
      "draft",
      "Write a feed for a file of an unknown layout, to standard output: what the file "
      "shows is decided, and the rest stands in it as questions, which are told, too");
  draft->add_option("SAMPLE", options.feed_draft.path, "A file in that layout, not packed")
      ->required();
  draft->add_option("-o,--out", options.feed_draft.output,
                    "Write it to this file instead, which must not be there yet");
}

void add_lint(CLI::App& app, LintVerb& verb) {
  auto* const lint = app.add_subcommand(
      "lint", "Tell all that is found in files, of any format that is read, and store nothing");
  lint->add_option("PATH", verb.paths,
                   "Files, folders with all below them, s3://BUCKET/PREFIX, or -")
      ->required();
  lint->add_option("--unit", verb.files.unit,
                   "Unit of readings in files that name none (default: unknown)");
  lint->add_option("--zone", verb.files.zone,
                   "Time zone of days in files that name none (default: unknown)");
  add_feed_options(*lint, verb.files);
  lint->add_flag("--strict", verb.files.strict, strict_text);
  lint->add_option("--findings-max", verb.findings_max, "Findings told of each file")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
}

void add_gaps(CLI::App& app, GapsVerb& verb) {
  auto* const gaps =
      app.add_subcommand("gaps", "Which meters lack days or readings, or which days a meter lacks");
  gaps->add_option("METER", verb.meter, "The meter's id (default: all meters)");
  add_dates(*gaps, verb.options);
  add_group(*gaps, verb.options.group);
  gaps->add_option("--absent", verb.absent,
                   "Of all meters: true also lists those known that have none of the days")
      ->capture_default_str()
      ->check(CLI::IsMember({"true", "false"}));
  add_limit(*gaps, verb.limit)->description("Of all meters: show at most so many");
}

void add_history(CLI::App& app, HistoryVerb& verb) {
  auto* const history = app.add_subcommand(
      "history", "Every version of a meter's day: from which delivery, and what it changed");
  history->add_option("METER", verb.meter, "The meter's id")->required();
  history->add_option("DATE", verb.date, "The day, yyyy-MM-dd")->required();
  add_channels(*history, verb.channel, verb.flow);
}

void add_registers(CLI::App& app, RegistersVerb& verb) {
  auto* const registers = app.add_subcommand(
      "registers", "What a meter's registers showed when they were read, from files like NEM13");
  registers->add_option("METER", verb.meter, "The meter's id")->required();
  registers->add_option("--from", verb.from, "First day, yyyy-MM-dd (default: all days)");
  registers->add_option("--to", verb.to, "Last day, inclusive (default: --from)");
  add_channels(*registers, verb.channel, verb.flow);
  add_as_of(*registers, verb.as_of);
  add_limit(*registers, verb.limit);
}

void add_changes(CLI::App& app, ChangesVerb& verb) {
  auto* const changes = app.add_subcommand(
      "changes", "Days whose answer is another than it was: what changed since the bill");
  changes->add_option("METER", verb.meter, "The meter's id (default: all meters)");
  changes
      ->add_option("--since", verb.since,
                   "Compare with the answer as of then: 2019-02-01T06:00:00Z or 2019-02-01")
      ->required();
  changes->add_option("--from", verb.from, "First day, yyyy-MM-dd (default: all days)");
  changes->add_option("--to", verb.to, "Last day, inclusive (default: --from)");
  add_group(*changes, verb.group);
  add_channels(*changes, verb.channel, verb.flow);
  add_limit(*changes, verb.limit);
}

void add_questions(CLI::App& app, Options& options) {
  auto* const query = app.add_subcommand("query", "What a meter used, or each meter of a list");
  query
      ->add_option("METER", options.query.meter,
                   "The meter's id; or @FILE with many, one on each line (@-: standard input)")
      ->required();
  add_dates(*query, options.query.options);
  add_resolution(*query, options.query.options,
                 "interval, hour, day, week, month, quarter or year");

  auto* const profile =
      app.add_subcommand("profile", "What a day of a meter looks like: means, peak, load factor");
  profile->add_option("METER", options.profile.meter, "The meter's id")->required();
  add_dates(*profile, options.profile.options);
  options.profile.options.resolution = "hour";
  add_resolution(*profile, options.profile.options, "hour or interval");

  auto* const top = app.add_subcommand("top", "The meters that used the most, or the least");
  add_dates(*top, options.top.options);
  add_group(*top, options.top.options.group);
  add_unit(*top, options.top.options);
  top->add_option("--order", options.top.order, "Which come first: highest or lowest")
      ->capture_default_str()
      ->check(CLI::IsMember({"highest", "lowest"}));
  add_limit(*top, options.top.limit)->description("Show at most so many of each channel");

  auto* const portfolio = app.add_subcommand("portfolio", "What all meters used together");
  add_dates(*portfolio, options.portfolio);
  add_group(*portfolio, options.portfolio.group);
  add_resolution(*portfolio, options.portfolio, "day, week, month, quarter or year");
  add_gaps(app, options.gaps);
  add_history(app, options.history);
  add_registers(app, options.registers);
  add_changes(app, options.changes);
  add_compare(app, options.compare_periods);
  add_time_of_use(app, options.time_of_use);
  add_base_load(app, options.base_load);
  add_late(app, options.late);
  add_tariff_check(app, options.tariff_check);

  auto* const meters =
      app.add_subcommand("meters", "The meters of the store, their channels and dates");
  meters->add_option("--prefix", options.meters.prefix, "Only ids that begin so");
  add_group(*meters, options.meters.group);
  add_limit(*meters, options.meters.limit);
  add_deliveries(app, options.deliveries);
}

void add_withdraw(CLI::App& app, Options& options) {
  WithdrawVerb& verb = options.withdraw;
  auto* const withdraw = app.add_subcommand(
      "withdraw", "From now on, what a delivery said does not count; --undo brings it back");
  withdraw
      ->add_option("DELIVERY", verb.what,
                   "Its id, or its source: then the latest from there that is not withdrawn")
      ->required();
  withdraw->add_option("--reason", verb.reason,
                       "Why: it stays in the delivery's record (needed, but for --undo)");
  withdraw->add_option("--who", verb.who, "Who decided so (default: the user's name)");
  withdraw->add_flag("--undo", options.undo,
                     "Let it count again; of a source, the latest that is withdrawn");
}

void add_listen(CLI::App& verb, ServeOptions& serve, Options& options) {
  verb.add_option("--listen", serve.listen, "ADDRESS:PORT; port 0 takes any free one")
      ->capture_default_str();
  verb.add_flag("--i-know-it-is-open", options.i_know_it_is_open,
                "Listen on an address that others can reach, though --auth is none");
}

void add_upload_options(CLI::App& verb, FileOptions& files) {
  verb.add_option("--unit", files.unit, "Unit of uploads that name none (default: the store's)");
  verb.add_option("--zone", files.zone, "Time zone of uploads that name none (default: unknown)");
  verb.add_option("--feed", files.feed,
                  "Layout of uploads that name none: see `meterline ingest --help`");
}

constexpr const char* keys_text =
    "The file of keys, see `meterline keys`; on AWS Lambda also ssm:NAME, a parameter";

void add_guard(CLI::App& verb, GuardOptions& guard) {
  constexpr int rate_limit_max = 1'000'000;
  verb.add_option("--auth", guard.auth, "Who may ask: none is everybody, keys, or jwt")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "keys", "jwt"}));
  verb.add_option("--keys", guard.keys, keys_text)->capture_default_str();
  verb.add_option("--jwt-issuer", guard.jwt_issuer, "Of --auth jwt: whose tokens are taken (iss)");
  verb.add_option("--jwt-audience", guard.jwt_audience, "For whom they have to be (aud)");
  verb.add_option("--jwt-keys", guard.jwt_keys, "Their public keys, JWKS: a file or https://...");
  verb.add_option("--jwt-scope-claim", guard.jwt_scope_claim,
                  "The claim that has read, upload, admin, or meterline:read, ...")
      ->capture_default_str();
  verb.add_option("--jwt-meters-claim", guard.jwt_meters_claim,
                  "The claim that has the meters of a token, like EE0* or @GROUP; without it, it "
                  "has none "
                  "(default: tokens see all meters)");
  verb.add_option("--rate-limit", guard.rate_limit,
                  "Requests a second, and at once, of each key or token; 0: no limit")
      ->capture_default_str()
      ->check(CLI::Range(0, rate_limit_max));
  verb.add_option("--audit-log", guard.audit_log,
                  "Write who changed what, and who was refused, to this file");
  verb.add_flag("--audit-reads", guard.audit_reads, "Write questions to it as well");
  verb.add_option("--cors-origin", guard.cors_origins,
                  "Pages of these origins may ask, like https://app.example.com (default: none)");
}

void add_tariffs(CLI::App& verb, std::string& folder) {
  verb.add_option("--tariffs", folder,
                  "A folder of tariffs, *.toml, that questions for time of use name");
}

void add_transport(CLI::App& verb, ServeOptions& serve) {
  verb.add_option("--tls-cert", serve.tls_certificate,
                  "Encrypt: the certificate and its chain, PEM; read again where it changes");
  verb.add_option("--tls-key", serve.tls_key, "The certificate's private key, PEM");
  verb.add_option("--host", serve.hosts,
                  "Names by which this server may be asked, joined by commas: behind a proxy, or "
                  "where pages of other names are to be kept off");
}

constexpr int answer_timeout_s_max = 86'400;
constexpr int serve_wait_s_max = 3600;
constexpr std::size_t connections_max = 100'000;

void add_servers(CLI::App& app, Options& options) {
  auto* const serve = app.add_subcommand("serve", "Answer over HTTP");
  add_listen(*serve, options.serve, options);
  serve->add_flag("--create", options.serve_create, "Make the store where there is none yet");
  serve->add_option("--backups", options.serve.backups,
                    "Tell in /metrics when the last backup in this place was made");
  add_upload_options(*serve, options.serve_files);
  add_guard(*serve, options.serve.guard);
  add_transport(*serve, options.serve);
  add_watch_options(*serve, options.serve.watch);
  add_log_options(*serve, options.serve.log);
  serve->add_flag("--log-targets", options.serve.logs_targets,
                  "Log paths and queries of requests too, which name meters");
  serve
      ->add_option("--answer-timeout", options.serve.answer_timeout_s,
                   "Seconds for the answer to a question, which is then 503; 0: for ever")
      ->capture_default_str()
      ->check(CLI::Range(0, answer_timeout_s_max));
  serve
      ->add_option("--idle-timeout", options.serve.idle_timeout_s,
                   "Seconds that an idle connection is kept: longer than a proxy in front does")
      ->capture_default_str()
      ->check(CLI::Range(1, serve_wait_s_max));
  serve
      ->add_option("--drain", options.serve.drain_s,
                   "Seconds after SIGTERM or Ctrl-C in which requests are still taken, while "
                   "/readyz says 503")
      ->capture_default_str()
      ->check(CLI::Range(0, serve_wait_s_max));
  serve
      ->add_option("--connections-max", options.serve.connections_max,
                   "Connections served at once, at most a quarter of the files that may be open")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, connections_max));
  add_tariffs(*serve, options.serve.tariffs);
  serve->add_option("--temporary-bytes-max", options.serve.temporary_bytes_max,
                    "Bytes of temporary files of all uploads together (default: 4 GiB)");
  serve->add_option("--expanded-bytes-max", options.serve.expanded_bytes_max,
                    "Refuse a packed upload that expands to more bytes (default: 4 GiB)");

  auto* const demo =
      app.add_subcommand("demo", "Make, load and serve a year of 200 example meters");
  demo->add_option("--folder", options.demo.folder, "Where to put it all")->capture_default_str();
  demo->add_flag("--once", options.once, "End after the answers instead of serving");
  add_listen(*demo, options.demo.serve, options);
  options.demo.serve.log.level = "warning";
}

void add_store_verbs(CLI::App& app, Options& options) {
  add_export(app, options.export_verb);

  auto* const store =
      app.add_subcommand("store", "Make, check, back up, prune, repair or measure a store");
  store->require_subcommand(1);
  add_init(*store, options.init);
  add_prune(*store, options.prune);
  add_backup(*store, options.backup);
  add_check(*store, options.check);
  auto* const repair = store->add_subcommand(
      "repair", "Tell what of a damaged store is lost, and with --apply keep what is whole");
  repair->add_flag("--apply", options.apply,
                   "Do it: the damaged database is kept in the store's folder, as damaged-N");
  store->add_subcommand("stats", "How much is in the store");
}

#ifdef METERLINE_CLOUD
constexpr int receives_max = 1000;  ///< The most that SQS takes as maxReceiveCount.
constexpr int concurrency_max = 64;
constexpr int visibility_s_min = 3;
constexpr int visibility_s_max = 43'200;  ///< 12 hours, the most of SQS.
constexpr int wait_s_max = 20;
constexpr int grace_s_max = 3600;

void add_events(CLI::App& verb, EventOptions& options) {
  verb.add_option("--dead-letter-queue", options.dead_letter_queue,
                  "URL of the queue for messages that will never succeed, with the reason");
  verb.add_option("--buckets", options.buckets,
                  "NAME[,NAME...]: ignore objects of other buckets (default: none is ignored)");
  verb.add_option("--receives-max", options.receives_max,
                  "Give a message up when it failed so often: the queue's maxReceiveCount")
      ->capture_default_str()
      ->check(CLI::Range(1, receives_max));
  verb.add_option("--unit", options.files.unit,
                  "Unit of readings in files that name none (default: the store's)");
  verb.add_option("--zone", options.files.zone,
                  "Time zone of days in files that name none (default: unknown)");
  verb.add_option("--feed", options.files.feed,
                  "Layout of CSV files: see `meterline ingest --help`");
  add_log_options(verb, options.log);
}

void add_worker(CLI::App& app, WorkerVerb& verb) {
  auto* const worker =
      app.add_subcommand("worker", "Load the objects in S3 that the messages of a queue name");
  worker->add_option("--queue", verb.queue, "URL of the queue in SQS")->required();
  add_events(*worker, verb.events);
  worker->add_option("--concurrency", verb.concurrency, "Messages in work at once, 100 MB each")
      ->capture_default_str()
      ->check(CLI::Range(1, concurrency_max));
  worker
      ->add_option("--visibility", verb.visibility_s,
                   "Seconds after which a message of a worker that died comes back")
      ->capture_default_str()
      ->check(CLI::Range(visibility_s_min, visibility_s_max));
  worker->add_option("--wait", verb.wait_s, "Seconds that the queue is asked to wait for a message")
      ->capture_default_str()
      ->check(CLI::Range(0, wait_s_max));
  worker
      ->add_option("--grace", verb.grace_s, "Seconds that what is in work has to end after SIGTERM")
      ->capture_default_str()
      ->check(CLI::Range(0, grace_s_max));
  worker->add_option("--health-listen", verb.health_listen,
                     "ADDRESS:PORT for /healthz, /readyz and /metrics (default: none)");
  worker->add_option("--service", verb.service, "Names this worker in metrics of CloudWatch")
      ->capture_default_str();
}

void add_lambda(CLI::App& app, LambdaVerb& verb) {
  auto* const lambda = app.add_subcommand("lambda", "The programs of functions on AWS Lambda");
  lambda->require_subcommand(1);
  auto* const processor = lambda->add_subcommand(
      "processor", "Load the objects in S3 that events and messages of queues name");
  processor->add_option("--queue", verb.queue,
                        "URL of the queue that feeds the function: what failed comes again after "
                        "10 s, 20 s, ... (default: after the queue's visibility)");
  add_events(*processor, verb.events);
  auto* const api = lambda->add_subcommand("api", "Answer the HTTP API behind a function URL");
  api->add_option("--uploads", verb.uploads, "on takes files by POST /v1/deliveries")
      ->capture_default_str()
      ->check(CLI::IsMember({"on", "off"}));
  add_upload_options(*api, verb.events.files);
  add_guard(*api, verb.guard);
  add_tariffs(*api, verb.tariffs);
  add_log_options(*api, verb.events.log);
}

void add_cloud(CLI::App& app, Options& options) {
  add_worker(app, options.worker);
  add_lambda(app, options.lambda);
}

std::optional<int> run_cloud_verb(const std::string& verb, const Options& options,
                                  const Session& session) {
  if (verb == "worker") return worker(options.worker, session);
  if (verb == "lambda processor") return lambda_processor(options.lambda, session);
  if (verb == "lambda api") return lambda_api(options.lambda, session);
  return std::nullopt;
}
#else
void add_cloud(CLI::App& app, Options&) {
  for (const char* name : {"worker", "lambda"})
    app.add_subcommand(name, "For AWS: not in this program, -DMETERLINE_CLOUD=OFF left it out")
        ->prefix_command();
}

std::optional<int> run_cloud_verb(const std::string& verb, const Options&, const Session&) {
  if (verb != "worker" && verb != "lambda") return std::nullopt;
  return report_error(
      {.code = Errc::invalid_argument,
       .message = fmt::format("{}: this meterline was built without AWS (-DMETERLINE_CLOUD=OFF); "
                              "scripts/build.sh builds one that has it",
                              verb)});
}
#endif

/// `--findings-max` is also METERLINE_FINDINGS_MAX, but where an option has a name there already.
/// What the environment says stands before what a configuration file says, and behind the command
/// line: the parser itself asks the environment last.
void name_in_environment(CLI::App& app) {
  for (auto* const option : app.get_options()) {
    const auto& names = option->get_lnames();
    if (names.empty()) continue;
    const auto& own = names.front();
    if (own == "help" || own == "help-all" || own == "version" || own == "config") continue;
    std::string name = "METERLINE_";
    for (const char c : own)
      name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (!option->get_envname().empty()) name = option->get_envname();
    option->envname(name);
    const char* const value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') option->take_last()->add_result(value);
  }
  for (auto* const verb : app.get_subcommands({})) name_in_environment(*verb);
}

Result<Output> output_of(const std::string& name) {
  if (name.empty()) return isatty(STDOUT_FILENO) == 1 ? Output::table : Output::json;
  const std::map<std::string, Output> outputs = {
      {"table", Output::table}, {"json", Output::json}, {"csv", Output::csv}};
  return outputs.at(name);
}

int run_serve(const Options& options, const Session& session) {
  ingest::IngestOptions ingest;
  const auto read = read_file_options(options.serve_files, ingest);
  if (!read) return report_error(read.error());
  auto serving = options.serve;
  if (!serving.backups.empty()) {
    auto last = follow_backups(serving.backups, session);
    if (!last) return report_error(last.error());
    serving.last_backup = *std::move(last);
  }
  auto store = session.open_store(session.store_url,
                                  options.serve_create ? OpenMode::serve_create : OpenMode::serve);
  if (!store && store.error().fault == store::OpenFault::no_store)
    store.error().message += ", or let this make an empty one with --create";
  if (!store) return report_error(store.error());
  const auto shared = share(session, **store);
  return serve(serving, **store, ingest, session.groups);
}

int run_verb(const std::string& verb, const Options& options, const Session& session) {
  if (verb == "export") return export_store(options.export_verb, session);
  if (verb == "store init") return init_store(options.init, session);
  if (verb == "store backup") return backup_store(options.backup, session);
  if (verb == "store backup list") return list_backups(options.backup, session);
  if (verb == "store backup check") return check_backups(options.backup, session);
  if (verb == "store restore") return restore_store(options.backup, session);
  if (verb == "store check") return check_store(options.check, session);
  if (verb == "store prune") return prune_store(options.prune, session);
  if (verb == "erase") return erase_meter(options.erase, session);
  if (verb == "store repair") return repair_store(options.repair, session);
  if (verb == "store stats") return store_stats(session);
  if (verb == "feed list") return list_feeds(session);
  if (verb == "feed show") return show_feed(options.feed);
  if (verb == "feed draft") return draft_feed(options.feed_draft);
  if (verb == "feed check") return check_feed(options.feed_check, session);
  if (verb == "ingest") return ingest(options.ingest, session);
  if (verb == "query") return query(options.query, session);
  if (verb == "portfolio") return portfolio(options.portfolio, session);
  if (verb == "gaps") return gaps(options.gaps, session);
  if (verb == "history") return history(options.history, session);
  if (verb == "top") return top(options.top, session);
  if (verb == "profile") return profile(options.profile, session);
  if (verb == "registers") return registers(options.registers, session);
  if (verb == "changes") return changes(options.changes, session);
  if (verb == "compare") return compare(options.compare_periods, session);
  if (verb == "time-of-use") return time_of_use(options.time_of_use, session);
  if (verb == "base-load") return base_load(options.base_load, session);
  if (verb == "late") return late(options.late, session);
  if (verb == "tariff check") return check_tariff(options.tariff_check, session);
  if (verb == "meters") return meters(options.meters, session);
  if (verb == "groups list") return list_groups(session);
  if (verb == "groups show") return show_group(options.groups_verb, session);
  if (verb == "groups set") return set_group(options.groups_verb, session);
  if (verb == "groups remove") return remove_group(options.groups_verb, session);
  if (verb == "deliveries") return deliveries(options.deliveries, session);
  if (verb == "deliveries show") return show_delivery(options.deliveries, session);
  if (verb == "withdraw") return withdraw(options.withdraw, session);
  if (verb == "keys create") return create_key(options.keys, session);
  if (verb == "keys list") return list_keys(options.keys, session);
  if (verb == "keys revoke") return revoke_key(options.keys, session);
  if (verb == "audit check") return check_audit(options.audit, session);
  if (verb == "audit hash") return hash_audit_meter(options.audit, session);
  if (verb == "lint") return lint(options.lint, session);
  if (verb == "serve") return run_serve(options, session);
  if (const auto code = run_cloud_verb(verb, options, session)) return *code;
  return demo(options.demo, session);
}

std::string version_of(const Application& application) {
  return fmt::format("meterline " METERLINE_VERSION "\n{}\ntime zones: tz database {}",
                     application.stores, tz_database_version());
}

void add_all(CLI::App& app, Options& options, const Application& application) {
  set_help(app);
  app.set_version_flag(
      "-V,--version", [&application] { return version_of(application); },
      "Show which meterline this is");
  app.require_subcommand(0, 1);
  app.fallthrough();
  const char* const config = std::getenv("METERLINE_CONFIG");
  app.set_config("--config", config == nullptr ? "" : config, "Read options from this TOML file",
                 config != nullptr);
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.add_option("--store", options.store_url,
                 "Where the readings are kept: rocksdb:DIR, "
                 "cassandra://HOST[,HOST...][:PORT]/KEYSPACE?dc=NAME or "
                 "keyspaces://REGION/KEYSPACE")
      ->capture_default_str();
  app.add_option("--output", options.output,
                 "table, json or csv (default: table on a terminal, else json)")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  add_groups(app, options.groups_verb, options.groups);
  add_ingest(app, options);
  add_feeds(app, options);
  add_questions(app, options);
  add_withdraw(app, options);
  add_erase(app, options.erase);
  add_lint(app, options.lint);
  add_servers(app, options);
  add_keys(app, options.keys, options.audit);
  add_store_verbs(app, options);
  add_cloud(app, options);
  app.add_subcommand("version", "Which meterline this is");
  app.add_subcommand("help", "The help of a verb, like help store check")
      ->add_option("VERB", options.help, "The verb, and the verb of it");
  add_examples(app);
  app.footer(footer);
  name_in_environment(app);
}

int exit_code_of(store::OpenFault fault) {
  switch (fault) {
    case store::OpenFault::no_store:
      return exit_no_store;
    case store::OpenFault::in_use:
      return exit_in_use;
    case store::OpenFault::no_permission:
      return exit_no_permission;
    case store::OpenFault::other:
      break;
  }
  return exit_failed;
}

}  // namespace

int run(int argc, const char* const* argv, const Application& application) {
  Options options;
  CLI::App app(about, "meterline");
  add_all(app, options, application);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return end_parsing(error, app);
  }
  if (app.get_subcommands().empty()) {
    tell(app.help());
    return exit_usage;
  }
  if (app.got_subcommand("help")) return show_help(app, options.help);
  if (app.got_subcommand("version")) {
    print_line(version_of(application));
    return exit_ok;
  }
  if (options.i_know_it_is_open)
    options.serve.exposure = options.demo.serve.exposure = Exposure::anyone;
  if (options.sweep) options.ingest.mode = IngestMode::sweep;
  if (options.dry_run) options.ingest.mode = IngestMode::dry_run;
  if (options.undo) options.withdraw.kind = DeliveryEventKind::restored;
  if (options.compare) options.ingest.mode = IngestMode::compare;
  if (!options.ingest.watch.folder.empty()) options.ingest.mode = IngestMode::watch;
  if (options.once) options.demo.end = DemoEnd::stop;
  if (options.apply) options.repair.mode = store::RepairMode::apply;

  const auto output = output_of(options.output);
  if (!output) return report_error(output.error());
  std::optional<store::OpenFault> fault;
  const Session session{.store_url = options.store_url,
                        .groups = options.groups,
                        .output = *output,
                        .open_store =
                            [&](const std::string& url, OpenMode mode) {
                              auto opened = application.open_store(url, mode);
                              if (!opened) fault = opened.error().fault;
                              return opened;
                            },
                        .share_store = application.share_store,
                        .init_store = application.init_store,
                        .repair_store = application.repair_store,
                        .backups = {.open_place = application.backups.open_place,
                                    .hold_files =
                                        [&](const std::string& url) {
                                          auto held = application.backups.hold_files(url);
                                          if (!held) fault = held.error().fault;
                                          return held;
                                        },
                                    .restore = application.backups.restore},
                        .open_pricing = application.open_pricing};
  int code = run_verb(verb_of(app), options, session);
  // A dry run goes on without a store.
  if (code == exit_failed && fault && options.ingest.mode != IngestMode::dry_run)
    code = exit_code_of(*fault);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    tell("meterline: cannot write the answer; is the disk full?\n");
    return exit_failed;
  }
  return code;
}

}  // namespace meterline::cli
