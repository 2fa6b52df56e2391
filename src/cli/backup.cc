#include "cli/backup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/clock.h"
#include "cli/exit_code.h"
#include "cli/open_files.h"
#include "cli/progress.h"
#include "cli/stop_request.h"
#include "cli/table.h"
#include "core/json_writer.h"
#include "core/try.h"
#include "store/backup/backups.h"

namespace meterline::cli {
namespace {

namespace backup = store::backup;

constexpr auto right = Table::Align::right;
constexpr std::size_t keep_max = 10'000;

std::int64_t signed_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::int64_t count_of(const auto& list) { return static_cast<std::int64_t>(list.size()); }

/// How far a copy is, on a terminal; and asks for its end.
class CopyWork {
 public:
  backup::Work work() { return {.stop = &StopRequest::flag(), .files = &files_, .bytes = &bytes_}; }

 private:
  std::string text() const {
    constexpr std::uint64_t mega = 1'000'000;
    return fmt::format("{} files  {} MB", grouped(files_), grouped(signed_of(bytes_ / mega)));
  }

  const StopRequest stop_;
  std::atomic<std::int64_t> files_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  StatusLine line_{[this] { return text(); }};
};

Result<std::unique_ptr<backup::Place>> open_place(const BackupVerb& verb, const Session& session) {
  if (verb.place.empty())
    return fail(Errc::invalid_argument, "want a place: a folder, or s3://BUCKET/PREFIX");
  return session.backups.open_place(verb.place);
}

// --- store backup ---------------------------------------------------------------------------

void print_made(const backup::Made& made, Output output) {
  const auto& [id, made_at, store, format, files] = made.backup;
  if (output == Output::json) {
    JsonWriter json;
    json.begin_object()
        .member("backup", id)
        .member("madeAt", made_at.text())
        .member("store", store)
        .member("files", count_of(files))
        .member("bytes", signed_of(made.backup.bytes()))
        .member("filesCopied", made.files_copied)
        .member("bytesCopied", signed_of(made.bytes_copied))
        .key("forgotten")
        .begin_array();
    for (const auto& forgotten : made.forgotten) json.value(forgotten);
    print_line(json.end_array().end_object().take());
    return;
  }
  Table table({{.title = "backup"},
               {.title = "files", .align = right},
               {.title = "bytes", .align = right},
               {.title = "files copied", .align = right},
               {.title = "bytes copied", .align = right},
               {.title = "forgotten", .align = right}});
  const auto text = [&](std::int64_t number) {
    return output == Output::csv ? std::to_string(number) : grouped(number);
  };
  const std::vector<std::string> row = {id,
                                        text(count_of(files)),
                                        text(signed_of(made.backup.bytes())),
                                        text(made.files_copied),
                                        text(signed_of(made.bytes_copied)),
                                        text(count_of(made.forgotten))};
  if (output == Output::csv) {
    print_line("backup,files,bytes,filesCopied,bytesCopied,forgotten");
    print_line(fmt::format("{}", fmt::join(row, ",")));
    return;
  }
  table.add(row);
  print_text(table.text());
}

Result<int> try_backup(const BackupVerb& verb, const Session& session) {
  METERLINE_TRY(const auto place, open_place(verb, session));
  raise_open_files();
  METERLINE_TRY(const auto files, session.backups.hold_files(session.store_url));
  CopyWork work;
  METERLINE_TRY(const auto made,
                backup::make_backup(*place, files, {.now = now(), .keep = verb.keep}, work.work()));
  print_made(made, session.output);
  return exit_ok;
}

// --- store backup list ----------------------------------------------------------------------

std::string json_of(const std::vector<backup::Listed>& listed) {
  JsonWriter json;
  json.begin_object().key("backups").begin_array();
  for (const auto& [id, found] : listed) {
    json.begin_object().member("backup", id);
    if (found)
      json.member("madeAt", found->made_at.text())
          .member("store", found->store)
          .member("files", count_of(found->files))
          .member("bytes", signed_of(found->bytes()));
    else
      json.member("damage", found.error().message);
    json.end_object();
  }
  return json.end_array().end_object().take();
}

std::string csv_of(const std::vector<backup::Listed>& listed) {
  std::string out = "backup,madeAt,files,bytes,damage\n";
  for (const auto& [id, found] : listed)
    out += found ? fmt::format("{},{},{},{},\n", id, found->made_at.text(), found->files.size(),
                               found->bytes())
                 : fmt::format("{},,,,{}\n", id, csv_field(found.error().message));
  return out;
}

std::string table_of(const std::vector<backup::Listed>& listed) {
  Table table({{.title = "backup"},
               {.title = "made at"},
               {.title = "files", .align = right},
               {.title = "bytes", .align = right},
               {.title = "damage"}});
  for (const auto& [id, found] : listed) {
    if (found)
      table.add({id, found->made_at.text(), grouped(count_of(found->files)),
                 grouped(signed_of(found->bytes())), ""});
    else
      table.add({id, "", "", "", found.error().message});
  }
  return table.text();
}

Result<int> try_list(const BackupVerb& verb, const Session& session) {
  METERLINE_TRY(const auto place, open_place(verb, session));
  METERLINE_TRY(const auto listed, backup::list_backups(*place));
  switch (session.output) {
    case Output::json:
      print_line(json_of(listed));
      break;
    case Output::csv:
      print_text(csv_of(listed));
      break;
    case Output::table:
      print_text(table_of(listed));
  }
  for (const auto& one : listed)
    if (!one.backup) return exit_failed;
  return exit_ok;
}

// --- store backup check ---------------------------------------------------------------------

std::string json_of(const backup::Checked& checked) {
  JsonWriter json;
  json.begin_object()
      .member("backups", checked.backups)
      .member("files", checked.files)
      .member("bytes", signed_of(checked.bytes))
      .key("damage")
      .begin_array();
  for (const auto& [file, reason, backups] : checked.damage) {
    json.begin_object().member("file", file).member("reason", reason).key("backups").begin_array();
    for (const auto& id : backups) json.value(id);
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string csv_of(const backup::Checked& checked) {
  std::string out = "file,reason,backups\n";
  for (const auto& [file, reason, backups] : checked.damage)
    out += fmt::format("{},{},{}\n", csv_field(file), csv_field(reason), fmt::join(backups, " "));
  return out;
}

std::string table_of(const backup::Checked& checked) {
  Table figures({{.title = "what"}, {.title = "number", .align = right}});
  figures.add({"backups", grouped(checked.backups)});
  figures.add({"files", grouped(checked.files)});
  figures.add({"bytes", grouped(signed_of(checked.bytes))});
  figures.add({"damage", grouped(count_of(checked.damage))});
  if (checked.damage.empty()) return figures.text();
  Table table({{.title = "damaged file"}, {.title = "reason"}, {.title = "backups"}});
  for (const auto& [file, reason, backups] : checked.damage)
    table.add({file, reason, fmt::format("{}", fmt::join(backups, " "))});
  return figures.text() + '\n' + table.text();
}

Result<int> try_check(const BackupVerb& verb, const Session& session) {
  METERLINE_TRY(const auto place, open_place(verb, session));
  backup::Checked checked;
  {
    CopyWork work;
    const auto depth = verb.names_only ? backup::CheckDepth::names : backup::CheckDepth::bytes;
    METERLINE_TRY(checked, backup::check_backups(*place, verb.backup, depth, work.work()));
  }
  switch (session.output) {
    case Output::json:
      print_line(json_of(checked));
      break;
    case Output::csv:
      print_text(csv_of(checked));
      break;
    case Output::table:
      print_text(table_of(checked));
  }
  std::fflush(stdout);
  if (checked.damage.empty()) return exit_ok;
  tell(
      "meterline: the backups that are named cannot be restored. Remove a damaged table, and the "
      "next backup puts it there again, as long as the store has it\n");
  return exit_failed;
}

// --- store restore --------------------------------------------------------------------------

void print_restored(const backup::Backup& restored, Output output) {
  const auto files = count_of(restored.files);
  const auto bytes = signed_of(restored.bytes());
  if (output == Output::json) {
    JsonWriter json;
    print_line(json.begin_object()
                   .member("backup", restored.id)
                   .member("madeAt", restored.made_at.text())
                   .member("files", files)
                   .member("bytes", bytes)
                   .end_object()
                   .take());
    return;
  }
  if (output == Output::csv) {
    print_line("backup,madeAt,files,bytes");
    print_line(fmt::format("{},{},{},{}", restored.id, restored.made_at.text(), files, bytes));
    return;
  }
  Table table({{.title = "backup"},
               {.title = "made at"},
               {.title = "files", .align = right},
               {.title = "bytes", .align = right}});
  table.add({restored.id, restored.made_at.text(), grouped(files), grouped(bytes)});
  print_text(table.text());
}

Result<int> try_restore(const BackupVerb& verb, const Session& session) {
  METERLINE_TRY(const auto place, open_place(verb, session));
  METERLINE_TRY(const auto found, backup::find_backup(*place, verb.backup));
  {
    CopyWork work;
    METERLINE_CHECK(session.backups.restore(session.store_url, *place, found, work.work()));
  }
  print_restored(found, session.output);
  return exit_ok;
}

/// Looks at a place now and then.
class LastBackup {
 public:
  explicit LastBackup(std::unique_ptr<backup::Place> place) : place_(std::move(place)) {}

  std::optional<Instant> at() {
    constexpr std::chrono::minutes step{1};
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (looked_at_ && now - *looked_at_ < step) return found_;
    looked_at_ = now;
    const auto newest = backup::time_of_newest(*place_);
    found_ = newest ? std::optional(*newest) : std::nullopt;
    return found_;
  }

 private:
  std::mutex mutex_;
  const std::unique_ptr<backup::Place> place_;
  std::optional<std::chrono::steady_clock::time_point> looked_at_;
  std::optional<Instant> found_;
};

int finish(const Result<int>& done) { return done ? *done : report_error(done.error()); }

void add_place(CLI::App& verb, BackupVerb& into, bool is_required = true) {
  verb.add_option("PLACE", into.place, "A folder of its own, or s3://BUCKET/PREFIX")
      ->required(is_required);
}

}  // namespace

int backup_store(const BackupVerb& verb, const Session& session) {
  return finish(try_backup(verb, session));
}
int list_backups(const BackupVerb& verb, const Session& session) {
  return finish(try_list(verb, session));
}
int check_backups(const BackupVerb& verb, const Session& session) {
  return finish(try_check(verb, session));
}
int restore_store(const BackupVerb& verb, const Session& session) {
  return finish(try_restore(verb, session));
}

Result<std::function<std::optional<Instant>()>> follow_backups(const std::string& place,
                                                               const Session& session) {
  METERLINE_TRY(auto opened, session.backups.open_place(place));
  return [last = std::make_shared<LastBackup>(std::move(opened))] { return last->at(); };
}

void add_backup(CLI::App& store, BackupVerb& verb) {
  auto* const make = store.add_subcommand(
      "backup", "Copy the store's files, while it is used; what did not change is copied once");
  add_place(*make, verb, false);
  make->add_option("--keep", verb.keep,
                   "Forget all but the newest so many backups (default: keep all)")
      ->check(CLI::Range(std::size_t{1}, keep_max));
  auto* const list = make->add_subcommand("list", "The backups in a place");
  add_place(*list, verb);
  auto* const check =
      make->add_subcommand("check", "Read backups again, and tell which cannot be restored");
  add_place(*check, verb);
  check->add_option("--backup", verb.backup, "Only this one, as `list` names it");
  check->add_flag("--names-only", verb.names_only, "Compare names and sizes, and read nothing");
  auto* const restore =
      store.add_subcommand("restore", "Make the store that --store names of a backup");
  add_place(*restore, verb);
  restore->add_option("--backup", verb.backup,
                      "Of this one, as `store backup list` names it (default: the newest)");
}

}  // namespace meterline::cli
