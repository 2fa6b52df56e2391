#include "cli/groups.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
#include <utility>

#include "access/groups.h"
#include "api/render.h"
#include "cli/exit_code.h"
#include "cli/meter_list.h"
#include "cli/table.h"
#include "core/finding.h"
#include "core/try.h"

namespace meterline::cli {
namespace {

constexpr std::size_t meters_at_once = 1000;

/// One more byte than a group may have, where there are more.
std::string read_stdin() {
  std::string bytes(access::group_bytes_max + 1, '\0');
  std::cin.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::cin.gcount()));
  return bytes;
}

/// The meters of a file, or of standard input. `option` is what names it, for errors.
Result<MeterFilter> read_group_file(std::string_view option, const std::string& path) {
  std::string text;
  if (path == "-") {
    text = read_stdin();
  } else {
    METERLINE_TRY(text, read_small_file(option, path, access::group_bytes_max));
  }
  if (text.size() > access::group_bytes_max)
    return fail(Errc::invalid_argument, fmt::format("{}: {} has more than {} bytes", option, path,
                                                    access::group_bytes_max));
  auto meters = access::parse_group(text);
  if (!meters)
    return fail(meters.error().code,
                fmt::format("{}: {}: {}", option, path, meters.error().message));
  return meters;
}

/// `1,200 meters`, or `1 meter, and those that begin in 2 ways`
std::string text_of(const MeterFilter& meters) {
  const auto ids = std::count_if(meters.parts().begin(), meters.parts().end(),
                                 [](const auto& part) { return !part.is_prefix; });
  const auto prefixes = std::ssize(meters.parts()) - ids;
  std::string text = ids == 1 ? "1 meter" : grouped(ids) + " meters";
  if (prefixes > 0)
    text += fmt::format(", and those that begin in {} way{}", grouped(prefixes),
                        prefixes == 1 ? "" : "s");
  return text;
}

std::string table_of(const std::vector<api::NamedGroup>& groups) {
  Table table({{.title = "group"}, {.title = "meters"}, {.title = "changed"}});
  for (const auto& [name, group] : groups)
    table.add({name, group ? text_of((*group)->meters) : group.error().message,
               group ? (*group)->changed_at.text() : "-"});
  return table.empty() ? "there are no groups\n" : table.text();
}

Result<int> try_list(const Session& session) {
  METERLINE_TRY(const auto groups, api::all_groups(access::Groups(session.groups)));
  switch (session.output) {
    case Output::json:
      print_line(api::groups_json(groups));
      return exit_ok;
    case Output::csv:
      print_text(api::groups_csv(groups));
      return exit_ok;
    case Output::table:
      print_text(table_of(groups));
  }
  return exit_ok;
}

Result<int> try_show(const GroupsVerb& verb, const Session& session) {
  METERLINE_TRY(const auto group, access::Groups(session.groups).find(verb.name));
  if (session.output == Output::json)
    print_line(api::group_json(verb.name, *group));
  else if (session.output == Output::csv)
    print_text(api::group_csv(*group));
  else
    for (const auto& part : group->meters.parts())
      print_line(part.is_prefix ? part.text + '*' : part.text);
  return exit_ok;
}

Result<int> try_set(const GroupsVerb& verb, const Session& session) {
  METERLINE_TRY(const auto meters, read_group_file("FILE", verb.file));
  METERLINE_CHECK(access::Groups(session.groups).set(verb.name, meters));
  tell(fmt::format("{}: {}\n", verb.name, text_of(meters)));
  return exit_ok;
}

Result<int> try_remove(const GroupsVerb& verb, const Session& session) {
  METERLINE_CHECK(access::Groups(session.groups).remove(verb.name));
  return exit_ok;
}

int finish(const Result<int>& done) { return done ? *done : report_error(done.error()); }

}  // namespace

Result<std::shared_ptr<const MeterFilter>> group_option(const Session& session,
                                                        const std::string& group) {
  const bool is_file = group.find('/') != std::string::npos || group.ends_with(".txt");
  if (is_file) {
    METERLINE_TRY(auto meters, read_group_file("--group", group));
    return std::make_shared<const MeterFilter>(std::move(meters));
  }
  const auto found = access::Groups(session.groups).find(group);
  if (found) return std::shared_ptr<const MeterFilter>(*found, &(*found)->meters);
  if (found.error().code != Errc::not_found) return tl::unexpected(found.error());
  return fail(Errc::invalid_argument,
              fmt::format("--group: no group \"{}\" in {}; `meterline groups list` shows those "
                          "that are known, and a file is named with a path, like ./{}.txt",
                          excerpt_of(group), session.groups, excerpt_of(group)));
}

Result<AskedStore> AskedStore::open(const Session& session, const std::string& group) {
  AskedStore asked;
  if (!group.empty()) {
    METERLINE_TRY(asked.meters_, group_option(session, group));
  }
  METERLINE_TRY(asked.all_, session.open_store(session.store_url, OpenMode::read));
  if (asked.meters_)
    asked.shown_ = std::make_unique<store::VisibleStore>(*asked.all_, *asked.meters_);
  return asked;
}

Result<std::vector<MeterId>> ids_of(const store::Store& store, const MeterFilter& meters) {
  std::vector<MeterId> ids;
  for (const auto& part : meters.parts()) {
    if (!part.is_prefix) {
      ids.push_back(*MeterId::parse(part.text));
      continue;
    }
    store::MetersQuery query{.prefix = part.text, .limit = meters_at_once};
    for (;;) {
      METERLINE_TRY(const auto page, store.meters(query));
      for (const auto& info : page) ids.push_back(info.meter);
      if (ids.size() > listed_meters_max)
        return fail(Errc::too_large,
                    fmt::format("--group: there are more than {} meters", listed_meters_max));
      if (page.size() < query.limit) break;
      query.after = page.back().meter;
    }
  }
  return ids;
}

int list_groups(const Session& session) { return finish(try_list(session)); }
int show_group(const GroupsVerb& verb, const Session& session) {
  return finish(try_show(verb, session));
}
int set_group(const GroupsVerb& verb, const Session& session) {
  return finish(try_set(verb, session));
}
int remove_group(const GroupsVerb& verb, const Session& session) {
  return finish(try_remove(verb, session));
}

void add_group(CLI::App& verb, std::string& group) {
  verb.add_option("--group", group,
                  "Only meters of this group: a name of `meterline groups list`, or a file, like "
                  "./flats.txt");
}

void add_groups(CLI::App& app, GroupsVerb& verb, std::string& folder) {
  app.add_option("--groups", folder, "The folder of groups of meters, see `meterline groups`")
      ->capture_default_str();
  auto* const groups = app.add_subcommand("groups", "Named lists of meters, to ask about");
  groups->require_subcommand(1);
  groups->add_subcommand("list", "The groups, and how many meters each names");
  auto* const show = groups->add_subcommand("show", "The meters of a group");
  show->add_option("NAME", verb.name, "The group's name")->required();
  auto* const set = groups->add_subcommand("set", "Make a group, or give it other meters");
  set->add_option("NAME", verb.name, fmt::format("The group's name: {}", access::group_name_wanted))
      ->required();
  set->add_option("FILE", verb.file,
                  "Its meters: an id like EE00027, or a beginning of ids like EE0*, on each line; "
                  "- for standard input")
      ->required();
  auto* const remove = groups->add_subcommand("remove", "Forget a group; its meters stay");
  remove->add_option("NAME", verb.name, "The group's name")->required();
}

}  // namespace meterline::cli
