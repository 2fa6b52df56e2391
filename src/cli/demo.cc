#include "cli/demo.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "cli/example_meters.h"
#include "cli/exit_code.h"
#include "cli/ingest.h"
#include "cli/questions.h"

namespace meterline::cli {
namespace {

constexpr std::string_view example_meter = "EX00027";
constexpr int example_year = 2025;

void say(const std::string& text) {
  print_line('\n' + text);
  std::fflush(stdout);
}

/// One after the other, as they would come: the months, what was corrected, and another house.
int load(const ExampleFiles& files, const Session& session) {
  const std::array<IngestVerb, 3> verbs = {
      IngestVerb{.paths = {files.months.string()}, .files = {.unit = "kWh"}},
      IngestVerb{.paths = {files.corrected.string()}, .files = {.unit = "kWh"}},
      IngestVerb{.paths = {files.solar.string()}, .files = {.zone = "Europe/London"}}};
  for (const IngestVerb& verb : verbs) {
    const FileOptions& given = verb.files;
    const auto option = given.zone.empty() ? "--unit " + given.unit : "--zone " + given.zone;
    say(fmt::format("$ meterline ingest {} {} --store {}", verb.paths.front(), option,
                    session.store_url));
    const int code = ingest(verb, session);
    if (code != exit_ok) return code;
  }
  return exit_ok;
}

/// The first answers, each behind the command that a user would type for it.
int ask(const Session& session) {
  const auto command = [&](std::string_view what) {
    say(fmt::format("$ meterline {} --store {}", what, session.store_url));
  };
  command(fmt::format("query {} --from 2025-01-01 --to 2025-01-07", example_meter));
  int code = query(
      {.meter = std::string(example_meter), .options = {.from = "2025-01-01", .to = "2025-01-07"}},
      session);
  if (code != exit_ok) return code;
  command(
      fmt::format("query {} --from 2025-01-01 --to 2025-12-31 --resolution month", example_meter));
  code = query({.meter = std::string(example_meter),
                .options = {.from = "2025-01-01", .to = "2025-12-31", .resolution = "month"}},
               session);
  if (code != exit_ok) return code;
  command("portfolio --from 2025-07-01 --to 2025-07-03");
  return portfolio({.from = "2025-07-01", .to = "2025-07-03"}, session);
}

std::string what_next(const Session& session) {
  return fmt::format(
      "What you can do next:\n"
      "  meterline meters --store {0}\n"
      "  meterline query EX00001 --from 2025-03-01 --resolution interval --store {0}\n"
      "  meterline serve --store {0}\n"
      "      the same over HTTP, and as a page in a browser\n"
      "  meterline ingest YOUR-FOLDER --unit kWh && meterline serve\n"
      "      your own files, in ./meterline-data\n"
      "  meterline --help",
      session.store_url);
}

}  // namespace

int demo(const DemoVerb& verb, const Session& given) {
  const ExampleMeters example;
  const std::filesystem::path folder = verb.folder;
  Session session = given;
  session.output = Output::table;
  session.store_url = "rocksdb:" + (folder / "store").string();

  say(fmt::format("A year of {} example meters, half-hourly, in {}:", example.meters,
                  folder.string()));
  const auto files = write_example_files(example, folder);
  if (!files) return report_error(files.error());
  int code = load(*files, session);
  if (code != exit_ok) return code;
  code = ask(session);
  if (code != exit_ok) return code;
  say(what_next(session));
  if (verb.end == DemoEnd::stop) return exit_ok;

  auto store = session.open_store(session.store_url, OpenMode::serve);
  if (!store) return report_error(store.error());
  say(
      fmt::format("Now serving the example. Look at {} (corrected in June), EX-SOLAR-LONDON (feeds "
                  "in, and changes its clock), EX00003 (a shop), EX00042 (a gap in August) and "
                  "EX00077 (late).",
                  example_meter));
  const auto shared = share(session, **store);
  ServeOptions options = verb.serve;
  options.example_meter = example_meter;
  options.example_year = example_year;
  return serve(options, **store, {.unit = Unit::kWh}, session.groups);
}

}  // namespace meterline::cli
