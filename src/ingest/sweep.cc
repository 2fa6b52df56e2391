#include "ingest/sweep.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "core/try.h"
#include "ingest/earlier.h"

namespace meterline::ingest {
namespace {

Result<bool> has_answer(const source::Incoming& incoming, const store::Store& store) {
  if (incoming.content_tag.empty()) return false;
  METERLINE_TRY(const auto latest, latest_delivery(incoming, store));
  if (latest && is_tagged_alike(incoming, latest->delivery)) return !may_read_more(*latest);
  METERLINE_TRY(const auto withdrawn,
                find_withdrawn(incoming, store, [&](const Delivery& delivery) -> Result<bool> {
                  return is_tagged_alike(incoming, delivery);
                }));
  return withdrawn.has_value();
}

}  // namespace

Result<std::vector<source::Incoming>> without_answer(std::vector<source::Incoming> listed,
                                                     const store::Store& store,
                                                     std::size_t asked_at_once) {
  std::vector<std::optional<Result<bool>>> answers(listed.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto ask = [&] {
    for (std::size_t i = next++; i < listed.size() && !failed; i = next++) {
      answers[i] = has_answer(listed[i], store);
      if (!*answers[i]) failed = true;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(asked_at_once, listed.size()); ++i)
      threads.emplace_back(ask);
    ask();
  }
  std::vector<source::Incoming> missing;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (!answers[i]) continue;  // Another one failed.
    METERLINE_TRY(const bool known, std::move(*answers[i]));
    if (!known) missing.push_back(std::move(listed[i]));
  }
  return missing;
}

}  // namespace meterline::ingest
