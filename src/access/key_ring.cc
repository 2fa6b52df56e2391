#include "access/key_ring.h"

#include <cassert>
#include <utility>

namespace meterline::access {
namespace {

/// The time of the last use is not written more often: threads share what they do not change.
constexpr std::int64_t use_step_us = 60'000'000;

tl::unexpected<Denial> unknown() {
  return tl::unexpected(Denial{.detail = "this key is not known, has expired or was revoked"});
}

Caller caller_of(const KeyRecord& record) {
  Caller caller{.who = "key:" + record.id, .scopes = record.scopes, .meters = MeterFilter::all()};
  if (!record.meters) return caller;
  [[maybe_unused]] const auto seen = caller.see(*record.meters);  // None, where it names none.
  assert(seen);
  return caller;
}

}  // namespace

KeyRing::KeyRing(std::vector<KeyRecord> records) {
  keys_.reserve(records.size());
  for (auto& record : records) {
    Key& key = keys_[record.id];
    key.caller = std::make_shared<const Caller>(caller_of(record));
    key.record = std::move(record);
  }
}

/// The id is no secret, and is looked up as it is; what has to be guessed is compared as a hash.
Admission KeyRing::admit(std::string_view text, Instant now) const {
  const auto id = id_of_key(text);
  if (!id) return unknown();
  const auto found = keys_.find(*id);
  if (found == keys_.end()) return unknown();
  const Key& key = found->second;
  if (!is_same(sha256(text), key.record.hash) || !key.record.is_valid_at(now)) return unknown();
  if (now.micros - key.used_at.load(std::memory_order_relaxed) >= use_step_us)
    key.used_at.store(now.micros, std::memory_order_relaxed);
  return key.caller;
}

std::map<std::string, Instant> KeyRing::uses() const {
  std::map<std::string, Instant> uses;
  for (const auto& [id, key] : keys_)
    if (const auto at = key.used_at.load(std::memory_order_relaxed); at != 0)
      uses[id] = {.micros = at};
  return uses;
}

}  // namespace meterline::access
