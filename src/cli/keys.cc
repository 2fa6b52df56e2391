#include "cli/keys.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "access/audit_log.h"
#include "access/key_file.h"
#include "access/key_keeper.h"
#include "cli/clock.h"
#include "cli/exit_code.h"
#include "cli/table.h"
#include "core/json_writer.h"
#include "core/text.h"
#include "core/try.h"

namespace meterline::cli {
namespace {

using access::KeyRecord;

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ",") + part;
  return all;
}

std::string scopes_text(const access::Scopes& scopes) {
  std::vector<std::string> names;
  for (const auto scope : access::all_scopes)
    if (scopes.has(scope)) names.emplace_back(text_of(scope));
  return joined(names);
}

std::string text_or(const std::optional<Instant>& at, std::string_view otherwise) {
  return at ? at->text() : std::string(otherwise);
}

std::string_view state_of(const KeyRecord& key) {
  if (key.revoked_at) return "revoked";
  return key.is_valid_at(now()) ? "valid" : "expired";
}

Result<void> fill(KeyRecord& key, const KeysVerb& verb) {
  if (verb.name.size() > access::key_name_bytes_max || !is_clean_text(verb.name))
    return fail(Errc::invalid_argument, fmt::format("--name: want at most {} bytes on one line",
                                                    access::key_name_bytes_max));
  key.name = verb.name;
  for (const auto& name : split_list(verb.scopes)) {
    const auto scope = access::parse_scope(name);
    if (!scope)
      return fail(Errc::invalid_argument,
                  fmt::format("--scope: want {}, or some joined by commas, got \"{}\"",
                              access::scope_names, name));
    key.scopes.add(*scope);
  }
  if (!verb.meters.empty()) {
    key.meters = split_list(verb.meters);
    access::Caller caller;
    METERLINE_CHECK(caller.see(*key.meters));
    if (key.scopes.has(access::Scope::admin) && !caller.sees_all())
      return fail(Errc::invalid_argument,
                  "--meters: a key with the scope admin is for all meters: what it takes back may "
                  "be of any");
  }
  key.created_at = now();
  if (verb.expires.empty()) return {};
  METERLINE_TRY(key.expires_at, instant_option("--expires", verb.expires));
  if (*key.expires_at <= key.created_at)
    return fail(Errc::invalid_argument, "--expires: that time is over");
  return {};
}

Result<access::NewKey> make_key_for(const KeysVerb& verb) {
  METERLINE_TRY(auto key, access::make_key());
  METERLINE_CHECK(fill(key.record, verb));
  METERLINE_CHECK(
      access::change_key_file(verb.file, [&](std::vector<KeyRecord>& keys) -> Result<void> {
        if (keys.size() >= access::keys_max)
          return fail(Errc::too_large, fmt::format("{} has {} keys, the most there may be",
                                                   verb.file, access::keys_max));
        keys.push_back(key.record);
        return {};
      }));
  return key;
}

void write_key(JsonWriter& json, const KeyRecord& key, const std::optional<Instant>& used_at) {
  const auto time = [&](std::string_view name, const std::optional<Instant>& at) {
    json.key(name);
    if (at)
      json.value(std::string_view(at->text()));
    else
      json.value(std::optional<bool>());
  };
  json.member("id", std::string_view(key.id))
      .member("name", std::string_view(key.name))
      .member("state", state_of(key))
      .key("scopes")
      .begin_array();
  for (const auto scope : access::all_scopes)
    if (key.scopes.has(scope)) json.value(text_of(scope));
  json.end_array().key("meters");
  if (key.meters) {
    json.begin_array();
    for (const auto& pattern : *key.meters) json.value(std::string_view(pattern));
    json.end_array();
  } else {
    json.value(std::optional<bool>());
  }
  time("created", key.created_at);
  time("expires", key.expires_at);
  time("revoked", key.revoked_at);
  time("lastUsed", used_at);
}

using Uses = std::map<std::string, Instant>;

std::optional<Instant> use_of(const KeyRecord& key, const Uses& uses) {
  const auto found = uses.find(key.id);
  return found == uses.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> cells_of(const KeyRecord& key, const Uses& uses,
                                  std::string_view nothing) {
  return {key.id,
          key.name,
          std::string(state_of(key)),
          scopes_text(key.scopes),
          key.meters ? joined(*key.meters) : "*",
          key.created_at.text(),
          text_or(key.expires_at, nothing),
          text_or(use_of(key, uses), nothing)};
}

void print_keys(const std::vector<KeyRecord>& keys, const Uses& uses, Output output) {
  if (output == Output::json) {
    JsonWriter json;
    json.begin_object().key("keys").begin_array();
    for (const auto& key : keys) {
      json.begin_object();
      write_key(json, key, use_of(key, uses));
      json.end_object();
    }
    return print_line(json.end_array().end_object().take());
  }
  if (output == Output::csv) {
    print_line("id,name,state,scopes,meters,created,expires,last_used");
    for (const auto& key : keys) {
      std::string line;
      for (const auto& cell : cells_of(key, uses, ""))
        line += fmt::format("{}{}", line.empty() ? "" : ",", csv_field(cell));
      print_line(line);
    }
    return;
  }
  Table table({{"id"},
               {"name"},
               {"state"},
               {"scopes"},
               {"meters"},
               {"created"},
               {"expires"},
               {"last used"}});
  for (const auto& key : keys) table.add(cells_of(key, uses, "-"));
  print_text(table.text());
}

int print_break(const access::AuditBreak& broken, const std::string& file, Output output) {
  if (output == Output::json) {
    JsonWriter json;
    print_line(json.begin_object()
                   .member("intact", false)
                   .member("line", broken.line)
                   .member("reason", std::string_view(broken.reason))
                   .end_object()
                   .take());
  }
  tell(fmt::format("meterline: {}: line {} is the first that is broken: {}\n", file, broken.line,
                   broken.reason));
  return exit_failed;
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

int create_key(const KeysVerb& verb, const Session& session) {
  const auto key = make_key_for(verb);
  if (!key) return report_error(key.error());
  if (session.output == Output::table) {
    print_line(key->text);
    tell(
        fmt::format("This is the key {}, shown this once: {} keeps its hash. Send it as\n"
                    "  Authorization: Bearer KEY\n",
                    key->record.id, verb.file));
    return exit_ok;
  }
  if (session.output == Output::csv) {
    print_line("id,key");
    print_line(fmt::format("{},{}", key->record.id, key->text));
    return exit_ok;
  }
  JsonWriter json;
  json.begin_object().member("key", std::string_view(key->text));
  write_key(json, key->record, std::nullopt);
  print_line(json.end_object().take());
  return exit_ok;
}

int list_keys(const KeysVerb& verb, const Session& session) {
  const auto keys = access::read_key_file(verb.file);
  if (!keys) return report_error(keys.error());
  print_keys(*keys, access::read_uses(access::uses_path(verb.file)), session.output);
  return exit_ok;
}

int revoke_key(const KeysVerb& verb, const Session& /*session*/) {
  const auto done =
      access::change_key_file(verb.file, [&](std::vector<KeyRecord>& keys) -> Result<void> {
        const auto found = std::find_if(keys.begin(), keys.end(),
                                        [&](const KeyRecord& key) { return key.id == verb.id; });
        if (found == keys.end())
          return fail(Errc::not_found, fmt::format("{} has no key {}: `meterline keys list` tells "
                                                   "the ids, the 12 digits behind mlk_",
                                                   verb.file, verb.id));
        if (!found->revoked_at) found->revoked_at = now();
        return {};
      });
  if (!done) return report_error(done.error());
  tell(fmt::format("key {} is revoked: servers that read {} refuse it within seconds\n", verb.id,
                   verb.file));
  return exit_ok;
}

int check_audit(const AuditVerb& verb, const Session& session) {
  const auto checked = access::check_audit_log(verb.file, verb.hash);
  if (!checked) return report_error(checked.error());
  if (const auto* const broken = std::get_if<access::AuditBreak>(&*checked))
    return print_break(*broken, verb.file, session.output);
  const auto& summary = std::get<access::AuditSummary>(*checked);
  if (!verb.hash.empty() && !summary.has_wanted)
    return print_break({.line = summary.lines + 1,
                        .reason = "no line has the hash that was kept: lines were cut off, or it "
                                  "is another log"},
                       verb.file, session.output);
  if (session.output == Output::json) {
    JsonWriter json;
    json.begin_object()
        .member("intact", true)
        .member("lines", summary.lines)
        .member("first", std::string_view(summary.first_at))
        .member("last", std::string_view(summary.last_at))
        .member("hash", std::string_view(summary.last_hash));
    print_line(json.end_object().take());
    return exit_ok;
  }
  print_line(fmt::format("{} lines from {} to {} follow from each other\nhash of the last: {}",
                         summary.lines, summary.first_at, summary.last_at, summary.last_hash));
  return exit_ok;
}

int hash_audit_meter(const AuditVerb& verb, const Session& /*session*/) {
  const auto hash = access::audit_meter_hash(verb.file, verb.meter);
  if (!hash) return report_error(hash.error());
  print_line(*hash);
  return exit_ok;
}

void add_keys(CLI::App& app, KeysVerb& verb, AuditVerb& of_audit) {
  auto* const keys = app.add_subcommand("keys", "The keys that `serve --auth keys` lets in");
  keys->require_subcommand(1);
  auto* const create = keys->add_subcommand("create", "Make a key, and show it this once");
  create->add_option("--name", verb.name, "Whom it is for");
  create->add_option("--scope", verb.scopes, "read, upload or admin, or some joined by commas")
      ->required();
  create->add_option("--meters", verb.meters,
                     "Only these, joined by commas: ids, or beginnings like EE0*; or @NAME alone, "
                     "for those of a group (default: all)");
  create->add_option(
      "--expires", verb.expires,
      "The last day, or a time: 2027-01-31 or 2027-01-31T06:00:00Z (default: never)");
  auto* const list = keys->add_subcommand("list", "All keys, without what opens");
  auto* const revoke = keys->add_subcommand("revoke", "From now on, let a key in no more");
  revoke->add_option("ID", verb.id, "The 12 digits behind mlk_")->required();
  for (auto* const each : {create, list, revoke})
    each->add_option("--keys", verb.file, "The file of keys")->capture_default_str();

  auto* const audit = app.add_subcommand("audit", "The log of who did what: serve --audit-log");
  audit->require_subcommand(1);
  auto* const check =
      audit->add_subcommand("check", "Whether a line was changed, taken out or put in");
  check->add_option("FILE", of_audit.file, "The log")->required();
  check->add_option("--hash", of_audit.hash, "Of a line, kept elsewhere: it has to be there");
  auto* const hash = audit->add_subcommand("hash", "What a meter is called in the log");
  hash->add_option("FILE", of_audit.file, "The log")->required();
  hash->add_option("METER", of_audit.meter, "The meter's id")->required();
}

}  // namespace meterline::cli
