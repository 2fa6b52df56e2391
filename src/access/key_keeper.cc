#include "access/key_keeper.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <utility>

#include "access/small_file.h"
#include "core/json.h"
#include "core/json_writer.h"
#include "core/try.h"

namespace meterline::access {
namespace {

constexpr std::int64_t uses_step_us = 60'000'000;
constexpr std::size_t uses_bytes_max = 4 << 20;

void take_later(std::map<std::string, Instant>& uses, const std::map<std::string, Instant>& more) {
  for (const auto& [id, at] : more) uses[id] = std::max(uses[id], at);
}

}  // namespace

KeySource source_of_file(const std::filesystem::path& path) {
  return {.read = [path] { return read_key_file(path); },
          .mark = [path] { return file_mark(path); },
          .uses = uses_path(path),
          .on_fault = {}};
}

Result<std::unique_ptr<KeyKeeper>> KeyKeeper::open(KeySource source) {
  std::unique_ptr<KeyKeeper> keeper(new KeyKeeper(std::move(source)));
  if (keeper->source_.mark) keeper->mark_ = keeper->source_.mark();
  METERLINE_TRY(auto keys, keeper->source_.read());
  keeper->ring_.replace(std::make_shared<const KeyRing>(std::move(keys)));
  keeper->written_ = keeper->uses_ = read_uses(keeper->source_.uses);
  return keeper;
}

Admission KeyKeeper::admit(std::string_view authorization, Instant now) const {
  const auto token = bearer_token(authorization);
  if (!token) return tl::unexpected(token.error());
  return ring_.get()->admit(*token, now);
}

void KeyKeeper::refresh(Instant now) {
  gather_uses();
  write_uses(now);
  const std::string mark = source_.mark ? source_.mark() : std::string();
  if (source_.mark && mark == mark_) return;
  auto keys = source_.read();
  if (!keys) return note_fault(keys.error().message);
  fault_.clear();
  mark_ = mark;
  ring_.replace(std::make_shared<const KeyRing>(*std::move(keys)));
}

void KeyKeeper::note_fault(std::string message) {
  if (message == fault_) return;
  fault_ = std::move(message);
  if (source_.on_fault) source_.on_fault(fmt::format("the keys stay as they were: {}", fault_));
}

void KeyKeeper::gather_uses() { take_later(uses_, ring_.get()->uses()); }

void KeyKeeper::write_uses(Instant now) {
  if (source_.uses.empty() || uses_ == written_ || now.micros - written_at_.micros < uses_step_us)
    return;
  written_at_ = now;
  take_later(uses_, read_uses(source_.uses));  // Of another server beside this one.
  JsonWriter json;
  json.begin_object();
  for (const auto& [id, at] : uses_) json.member(id, std::string_view(at.text()));
  json.end_object();
  if (const auto done = replace_file(source_.uses, json.take() + '\n'); !done)
    return note_fault(done.error().message);
  written_ = uses_;
}

std::map<std::string, Instant> read_uses(const std::filesystem::path& path) {
  std::map<std::string, Instant> uses;
  const auto text = path.empty() ? Result<std::string>("") : read_small_file(path, uses_bytes_max);
  if (!text) return uses;
  const auto json = parse_json(*text, uses_bytes_max);
  if (!json || !json->is_object()) return uses;
  for (const auto& [id, value] : json->get_object())
    if (const auto* const at = value.if_string(); at != nullptr && uses.size() < keys_max)
      if (const auto parsed = Instant::parse({at->data(), at->size()}))
        uses[std::string(id)] = *parsed;
  return uses;
}

}  // namespace meterline::access
