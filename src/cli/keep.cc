#include "cli/keep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <iostream>
#include <optional>
#include <thread>
#include <utility>

#include "cli/clock.h"
#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/stop_request.h"
#include "cli/table.h"
#include "core/json_writer.h"
#include "core/try.h"
#include "ingest/erasure.h"
#include "store/prune.h"

namespace meterline::cli {
namespace {

constexpr int days_a_week = 7;
constexpr int days_a_year = 365;
constexpr int days_max = 300 * days_a_year;
constexpr std::int64_t day_micros = std::int64_t{86'400} * 1'000'000;

constexpr int rate_max = 1'000'000;
constexpr std::size_t versions_max = 1000;

/// Lets so many requests through in a second, on average since the first.
class Pace {
 public:
  explicit Pace(int rate) : rate_(rate) {}

  /// Waits until they may be sent; no longer than somebody asks to stop.
  void wait(std::size_t requests) {
    if (rate_ == 0) return;
    sent_ += static_cast<std::int64_t>(requests);
    const auto due = begin_ + std::chrono::milliseconds(1000 * sent_ / rate_);
    constexpr std::chrono::milliseconds step{100};
    while (!StopRequest::flag() && std::chrono::steady_clock::now() < due)
      std::this_thread::sleep_until(std::min(due, std::chrono::steady_clock::now() + step));
  }

 private:
  const std::int64_t rate_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::int64_t sent_ = 0;
};

std::string dates_of(const store::PruneReport& report) {
  if (!report.dates) return "";
  return fmt::format(", {} to {}", report.dates->from.text(), report.dates->to.text());
}

std::string text_of(const store::PruneReport& report, std::string_view done) {
  return fmt::format(
      "{} {} versions of days{} and {} of register reads, of {} of {} meters; {} of these have "
      "nothing left\n",
      done, grouped(report.days), dates_of(report), grouped(report.reads),
      grouped(report.meters_changed), grouped(report.meters), grouped(report.meters_emptied));
}

std::string json_of(const store::PruneReport& report, bool applied) {
  const auto date = [](const std::optional<Date>& day) {
    return day ? std::optional(day->text()) : std::nullopt;
  };
  const auto& dates = report.dates;
  return JsonWriter()
      .begin_object()
      .member("applied", applied)
      .member("meters", report.meters)
      .member("metersChanged", report.meters_changed)
      .member("metersEmptied", report.meters_emptied)
      .member("days", report.days)
      .member("registerReads", report.reads)
      .member("from", date(dates ? std::optional(dates->from) : std::nullopt))
      .member("to", date(dates ? std::optional(dates->to) : std::nullopt))
      .end_object()
      .take();
}

void print_pruned(const store::PruneReport& report, bool applied, Output output) {
  switch (output) {
    case Output::json:
      print_line(json_of(report, applied));
      return;
    case Output::csv:
      print_line("applied,meters,metersChanged,metersEmptied,days,registerReads,from,to");
      print_line(fmt::format("{},{},{},{},{},{},{},{}", applied, report.meters,
                             report.meters_changed, report.meters_emptied, report.days,
                             report.reads, report.dates ? report.dates->from.text() : "",
                             report.dates ? report.dates->to.text() : ""));
      return;
    case Output::table:
      print_text(text_of(report, applied ? "removed" : "would remove"));
  }
}

std::string text_of(const ingest::EraseReport& report, const std::string& meter,
                    std::string_view done) {
  return fmt::format(
      "{} {} versions of days and {} of register reads of meter {}, and its name from the records "
      "of {} deliveries\n",
      done, grouped(report.days), grouped(report.reads), meter, grouped(report.deliveries));
}

void print_erased(const ingest::EraseReport& report, const EraseVerb& verb, Output output) {
  const bool applied = !verb.how.dry_run;
  switch (output) {
    case Output::json:
      print_line(JsonWriter()
                     .begin_object()
                     .member("applied", applied)
                     .member("days", report.days)
                     .member("registerReads", report.reads)
                     .member("deliveries", report.deliveries)
                     .member("wasErased", report.was_erased)
                     .end_object()
                     .take());
      return;
    case Output::csv:
      print_line("applied,days,registerReads,deliveries,wasErased");
      print_line(fmt::format("{},{},{},{},{}", applied, report.days, report.reads,
                             report.deliveries, report.was_erased));
      return;
    case Output::table:
      print_text(text_of(report, verb.meter, applied ? "erased" : "would erase"));
  }
}

OpenMode mode_of(const ForgetOptions& how) {
  return how.dry_run ? OpenMode::read : OpenMode::change;
}

/// Of a person at a terminal; elsewhere --yes has to say so.
Result<bool> is_confirmed(const ForgetOptions& how, std::string_view what) {
  if (how.yes || how.dry_run) return true;
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0)
    return fail(Errc::invalid_argument,
                fmt::format("{} cannot be undone: --yes says that it is meant, --dry-run tells "
                            "what would go",
                            what));
  tell(fmt::format("{} cannot be undone. Go on? Type yes: ", what));
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return true;
  tell("meterline: nothing was changed\n");
  return false;
}

/// A date, or how long ago it is, in UTC: for what is run by a schedule.
Result<Date> before_option(const std::string& text, Instant now) {
  const auto days = parse_days("--before", text);
  if (!days) return date_option("--before", text);
  const auto date = Date::from_days(now.micros / day_micros - *days);
  if (date) return *date;
  return fail(Errc::invalid_argument, fmt::format("--before: {} ago there was no date", text));
}

Result<store::PruneRequest> request_of(const PruneVerb& verb) {
  store::PruneRequest request{.now = now()};
  if (!verb.before.empty()) {
    METERLINE_TRY(request.before, before_option(verb.before, request.now));
  }
  if (verb.keep_versions > 0) request.versions = verb.keep_versions;
  if (!verb.keep_versions_for.empty()) {
    METERLINE_TRY(const int days, parse_days("--keep-versions-for", verb.keep_versions_for));
    request.versions_since = Instant{request.now.micros - days * day_micros};
  }
  if (!verb.after.empty()) {
    auto after = MeterId::parse(verb.after);
    if (!after) return fail(Errc::invalid_argument, "--after: no meter id: " + verb.after);
    request.after = *std::move(after);
  }
  if (!request.before && !request.versions && !request.versions_since)
    return fail(Errc::invalid_argument,
                "say what is not to be kept: --before DATE, --keep-versions N or "
                "--keep-versions-for DURATION");
  return request;
}

Result<store::PruneReport> run_prune(store::Store& store, const store::PruneRequest& request,
                                     const PruneVerb& verb, store::PruneMode mode) {
  const StopRequest stop;
  StoreProgress progress;
  Pace pace(verb.how.rate);
  store::PruneReport report;
  auto done = store::prune(store, request, mode,
                           {.stop = &StopRequest::flag(),
                            .meters = &progress.meters(),
                            .days = &progress.days(),
                            .pace = [&](std::size_t requests) { pace.wait(requests); }},
                           report);
  if (done) return report;
  if (!report.last.text().empty() && mode == store::PruneMode::prune)
    done.error().message += fmt::format(
        "; it is done with all meters up to {}: the same again completes it, with --after {} "
        "without looking at those again",
        report.last.text(), report.last.text());
  return tl::unexpected(done.error());
}

Result<int> try_prune(const PruneVerb& verb, const Session& session) {
  METERLINE_TRY(const auto request, request_of(verb));
  METERLINE_TRY(const auto store, session.open_store(session.store_url, mode_of(verb.how)));
  const bool asks = !verb.how.yes && !verb.how.dry_run && isatty(STDIN_FILENO) == 1;
  if (asks) {
    METERLINE_TRY(const auto told, run_prune(*store, request, verb, store::PruneMode::dry_run));
    tell(text_of(told, "would remove"));
  }
  METERLINE_TRY(const bool goes_on, is_confirmed(verb.how, "what is pruned"));
  if (!goes_on) return exit_failed;
  const auto mode = verb.how.dry_run ? store::PruneMode::dry_run : store::PruneMode::prune;
  METERLINE_TRY(const auto report, run_prune(*store, request, verb, mode));
  print_pruned(report, !verb.how.dry_run, session.output);
  return exit_ok;
}

Result<int> try_allow(const ingest::EraseRequest& request, const EraseVerb& verb,
                      const Session& session) {
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::change));
  METERLINE_TRY(const bool was_erased, ingest::allow_again(*store, request));
  if (!was_erased)
    return fail(Errc::not_found, fmt::format("meter {} is not one that was erased", verb.meter));
  tell(fmt::format("meterline: meter {} is taken again; load its files again\n", verb.meter));
  return exit_ok;
}

Result<int> try_erase(const EraseVerb& verb, const Session& session) {
  const auto meter = MeterId::parse(verb.meter);
  if (!meter) return fail(Errc::invalid_argument, "no meter id: " + verb.meter);
  const ingest::EraseRequest request{.meter = *meter, .now = now()};
  if (verb.allow) return try_allow(request, verb, session);
  METERLINE_TRY(const bool goes_on, is_confirmed(verb.how, "what is erased"));
  if (!goes_on) return exit_failed;
  METERLINE_TRY(const auto store, session.open_store(session.store_url, mode_of(verb.how)));
  const StopRequest stop;
  Pace pace(verb.how.rate);
  const auto mode = verb.how.dry_run ? ingest::EraseMode::dry_run : ingest::EraseMode::erase;
  METERLINE_TRY(const auto report,
                ingest::erase(*store, request, mode,
                              {.stop = &StopRequest::flag(),
                               .pace = [&](std::size_t requests) { pace.wait(requests); }}));
  print_erased(report, verb, session.output);
  return exit_ok;
}

void add_forget_options(CLI::App& verb, ForgetOptions& how) {
  verb.add_flag("--dry-run", how.dry_run, "Tell what would go, and take nothing away");
  verb.add_flag("--yes", how.yes, "Do not ask; needed where nobody can be asked");
  verb.add_option("--rate", how.rate,
                  "Requests a second to servers, at most (default: as fast as it goes)")
      ->check(CLI::Range(1, rate_max));
}

int finish(const Result<int>& done) { return done ? *done : report_error(done.error()); }

}  // namespace

Result<int> parse_days(std::string_view option, std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const auto unit = std::string_view(stop, static_cast<std::size_t>(end - stop));
  const int days = unit == "d" ? 1 : unit == "w" ? days_a_week : unit == "y" ? days_a_year : 0;
  if (error == std::errc() && days > 0 && number > 0 && number <= days_max / days)
    return number * days;
  return fail(Errc::invalid_argument,
              fmt::format("{}: want a number with d, w or y (365 days), like 90d or 7y, got \"{}\"",
                          option, excerpt_of(text)));
}

void add_prune(CLI::App& store, PruneVerb& verb) {
  auto* const prune =
      store.add_subcommand("prune", "Take out of the store, for good, what is not to be kept");
  prune->add_option(
      "--before", verb.before,
      "Reading days and register reads before this day (2019-01-01), or older than so "
      "long (7y, 90d)");
  auto* const versions =
      prune
          ->add_option("--keep-versions", verb.keep_versions,
                       "Of each day, versions beyond the so many received last, but for those "
                       "that complete them")
          ->check(CLI::Range(std::size_t{1}, versions_max));
  prune
      ->add_option("--keep-versions-for", verb.keep_versions_for,
                   "Or versions received longer ago (90d, 12w, 7y) that no answer since needs")
      ->excludes(versions);
  prune->add_option("--after", verb.after,
                    "Look only at meters behind this one, as a run that was stopped says");
  add_forget_options(*prune, verb.how);
}

void add_erase(CLI::App& app, EraseVerb& verb) {
  auto* const erase = app.add_subcommand(
      "erase", "Take all of a meter out of the store, for good, and keep it out");
  erase->add_option("METER", verb.meter, "Its id")->required();
  erase->add_flag("--allow", verb.allow, "Let an erased meter be loaded again");
  add_forget_options(*erase, verb.how);
}

int prune_store(const PruneVerb& verb, const Session& session) {
  return finish(try_prune(verb, session));
}
int erase_meter(const EraseVerb& verb, const Session& session) {
  return finish(try_erase(verb, session));
}

}  // namespace meterline::cli
