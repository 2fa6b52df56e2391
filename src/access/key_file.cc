#include "access/key_file.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "access/small_file.h"
#include "core/json.h"
#include "core/json_writer.h"
#include "core/text.h"
#include "core/try.h"

namespace meterline::access {
namespace {

constexpr std::size_t id_bytes = 6;
constexpr std::size_t secret_bytes = 32;
constexpr std::int64_t file_version = 1;

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

tl::unexpected<Error> corrupt(std::string_view what) {
  return fail(Errc::corrupt, fmt::format("the file of keys: {}", what));
}

Result<std::optional<Instant>> time_of(const boost::json::value& key, std::string_view name) {
  if (find_member(key, {name}) == nullptr) return std::optional<Instant>();
  const auto text = find_text(key, {name});
  const auto at = text ? Instant::parse(*text) : std::nullopt;
  if (!at) return corrupt(fmt::format("\"{}\": want a time like 2027-01-31T06:00:00Z", name));
  return at;
}

/// The texts of an array; empty where there is no such member.
Result<std::optional<std::vector<std::string>>> texts_of(const boost::json::value& key,
                                                         std::string_view name) {
  const auto* const member = find_member(key, {name});
  if (member == nullptr) return std::optional<std::vector<std::string>>();
  const auto* const array = member->if_array();
  if (array == nullptr) return corrupt(fmt::format("\"{}\": want a list of texts", name));
  std::vector<std::string> texts;
  texts.reserve(array->size());
  for (const auto& each : *array) {
    const auto* const text = each.if_string();
    if (text == nullptr) return corrupt(fmt::format("\"{}\": want a list of texts", name));
    texts.emplace_back(text->data(), text->size());
  }
  return std::optional(std::move(texts));
}

Result<Scopes> scopes_of(const boost::json::value& key) {
  METERLINE_TRY(const auto names, texts_of(key, "scopes"));
  Scopes scopes;
  for (const auto& name : names.value_or(std::vector<std::string>())) {
    const auto scope = parse_scope(name);
    if (!scope) return corrupt(fmt::format("\"scopes\": want {}", scope_names));
    scopes.add(*scope);
  }
  if (scopes == Scopes()) return corrupt("\"scopes\" of a key are missing");
  return scopes;
}

Result<KeyRecord> key_of(const boost::json::value& json) {
  constexpr std::string_view known[] = {"id",     "name",    "sha256",  "scopes",
                                        "meters", "created", "expires", "revoked"};
  const auto* const object = json.if_object();
  if (object == nullptr) return corrupt("want each key as an object");
  // A restriction that this program does not know must not be left unheeded.
  for (const auto& [name, value] : *object)
    if (std::find(std::begin(known), std::end(known), std::string_view(name)) == std::end(known))
      return corrupt("a key has a member that this version does not know");
  const auto id = find_text(json, {"id"}).value_or("");
  const auto hash = parse_digest(find_text(json, {"sha256"}).value_or(""));
  if (id.size() != key_id_chars || !is_hex(id)) return corrupt("\"id\": want 12 digits");
  if (!hash) return corrupt(fmt::format("\"sha256\" of {}: want 64 digits", id));
  KeyRecord key{.id = std::string(id),
                .name = std::string(find_text(json, {"name"}).value_or("")),
                .hash = *hash};
  METERLINE_TRY(key.scopes, scopes_of(json));
  METERLINE_TRY(key.meters, texts_of(json, "meters"));
  if (key.meters)
    if (const auto seen = Caller().see(*key.meters); !seen) return corrupt(seen.error().message);
  METERLINE_TRY(const auto created, time_of(json, "created"));
  METERLINE_TRY(key.expires_at, time_of(json, "expires"));
  METERLINE_TRY(key.revoked_at, time_of(json, "revoked"));
  key.created_at = created.value_or(Instant());
  return key;
}

void write_key(JsonWriter& json, const KeyRecord& key) {
  json.begin_object()
      .member("id", std::string_view(key.id))
      .member("name", std::string_view(key.name))
      .member("sha256", std::string_view(hex_of(key.hash)))
      .key("scopes")
      .begin_array();
  for (const Scope scope : all_scopes)
    if (key.scopes.has(scope)) json.value(text_of(scope));
  json.end_array();
  if (key.meters) {
    json.key("meters").begin_array();
    for (const auto& pattern : *key.meters) json.value(std::string_view(pattern));
    json.end_array();
  }
  json.member("created", std::string_view(key.created_at.text()));
  if (key.expires_at) json.member("expires", std::string_view(key.expires_at->text()));
  if (key.revoked_at) json.member("revoked", std::string_view(key.revoked_at->text()));
  json.end_object();
}

}  // namespace

std::optional<std::string_view> id_of_key(std::string_view text) {
  if (text.size() != key_chars || !text.starts_with(key_start)) return std::nullopt;
  const auto id = text.substr(key_start.size(), key_id_chars);
  if (text[key_start.size() + key_id_chars] != '_') return std::nullopt;
  return id;
}

Result<NewKey> make_key() {
  METERLINE_TRY(const auto id, random_hex(id_bytes));
  METERLINE_TRY(const auto secret, random_hex(secret_bytes));
  NewKey key{.text = fmt::format("{}{}_{}", key_start, id, secret), .record = {.id = id}};
  key.record.hash = sha256(key.text);
  return key;
}

Result<std::vector<KeyRecord>> parse_keys(std::string_view text) {
  const auto json = parse_json(text, key_file_bytes_max);
  if (!json) return corrupt(json.error().message);
  if (find_number(*json, {"version"}) != file_version)
    return corrupt("want \"version\":1; another is of another version of this program");
  const auto* const list = find_member(*json, {"keys"});
  if (list == nullptr || !list->is_array()) return corrupt("\"keys\": want a list");
  if (list->get_array().size() > keys_max)
    return corrupt(fmt::format("it has more than {} keys", keys_max));
  std::vector<KeyRecord> keys;
  keys.reserve(list->get_array().size());
  std::set<std::string> ids;
  for (const auto& each : list->get_array()) {
    METERLINE_TRY(auto key, key_of(each));
    if (!ids.insert(key.id).second) return corrupt(fmt::format("{} stands in it twice", key.id));
    keys.push_back(std::move(key));
  }
  return keys;
}

std::string text_of(const std::vector<KeyRecord>& keys) {
  JsonWriter json;
  json.begin_object().member("version", file_version).key("keys").begin_array();
  for (const auto& key : keys) write_key(json, key);
  json.end_array().end_object();
  return json.take() + '\n';
}

Result<std::vector<KeyRecord>> read_key_file(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return file_fault(path, "read it");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(Errc::refused,
                fmt::format("{}: others than its owner may write it, and so let themselves in: "
                            "chmod 600 {}",
                            path.string(), path.string()));
  METERLINE_TRY(const auto text, read_small_file(path, key_file_bytes_max));
  return parse_keys(text);
}

Result<void> change_key_file(const std::filesystem::path& path,
                             const std::function<Result<void>(std::vector<KeyRecord>&)>& change) {
  METERLINE_TRY(const auto lock, lock_file(path.string() + ".lock"));
  auto keys = read_key_file(path);
  if (!keys && keys.error().code != Errc::not_found) return tl::unexpected(keys.error());
  std::vector<KeyRecord> changed = keys ? *std::move(keys) : std::vector<KeyRecord>();
  METERLINE_CHECK(change(changed));
  return replace_file(path, text_of(changed));
}

std::filesystem::path uses_path(const std::filesystem::path& keys) {
  return keys.string() + ".used";
}

}  // namespace meterline::access
