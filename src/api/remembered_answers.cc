#include "api/remembered_answers.h"

#include <algorithm>

#include "api/problem.h"

namespace meterline::api {
namespace {

constexpr std::size_t key_chars_max = 255;
/// What an answer takes beside its key and body, about.
constexpr std::size_t entry_bytes = 512;

Response in_progress() {
  Response response = problem(409,
                              "Idempotency-Key: a request with this key is being answered now; "
                              "send it again later to get the same answer");
  response.headers.emplace("Retry-After", "1");
  return response;
}

}  // namespace

RememberedAnswers::Turn::~Turn() {
  if (is_kept_) return;
  const std::scoped_lock lock(all_.mutex_);
  all_.entries_.erase(entry_);
}

void RememberedAnswers::Turn::keep(const Response& answer) {
  if (answer.body.size() > answer_bytes_max) return;
  all_.keep(entry_, answer);
  is_kept_ = true;
}

RememberedAnswers::Begun RememberedAnswers::begin(std::string key, const ContentHash& request,
                                                  Instant now) {
  const std::scoped_lock lock(mutex_);
  while (!kept_.empty() && kept_.front()->second.began.micros + kept_micros <= now.micros)
    forget_oldest();
  const auto [found, is_new] =
      entries_.try_emplace(std::move(key), Entry{.request = request, .began = now});
  if (is_new) return {.turn = std::make_unique<Turn>(*this, found)};
  const Entry& entry = found->second;
  if (entry.request != request)
    return {.turn = nullptr,
            .answer = key_reused("Idempotency-Key: another file, or the same with other "
                                 "parameters, was sent with this key: nothing was loaded; make a "
                                 "new key for each request")};
  return {.turn = nullptr, .answer = entry.answer ? *entry.answer : in_progress()};
}

void RememberedAnswers::keep(Entries::iterator entry, const Response& answer) {
  const std::scoped_lock lock(mutex_);
  entry->second.answer = answer;
  entry->second.bytes = entry->first.size() + answer.body.size() + entry_bytes;
  bytes_ += entry->second.bytes;
  kept_.push_back(entry);
  while (kept_.size() > answers_max || bytes_ > bytes_max) forget_oldest();
}

void RememberedAnswers::forget_oldest() {
  bytes_ -= kept_.front()->second.bytes;
  entries_.erase(kept_.front());
  kept_.pop_front();
}

std::optional<std::string> parse_idempotency_key(std::string_view header) {
  if (header.size() >= 2 && header.starts_with('"') && header.ends_with('"'))
    header = header.substr(1, header.size() - 2);
  const bool is_plain = std::all_of(header.begin(), header.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != ',' && c != '\\';
  });
  if (header.empty() || header.size() > key_chars_max || !is_plain) return std::nullopt;
  return std::string(header);
}

}  // namespace meterline::api
