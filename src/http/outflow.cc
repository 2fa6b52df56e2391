#include "http/outflow.h"

#include <utility>

#include "core/try.h"

namespace meterline::http {

Result<void> Outflow::put(std::string_view bytes) {
  filling_ += bytes;
  if (filling_.size() < piece_bytes_) return {};
  return hand_over({.bytes = std::exchange(filling_, {}), .failure = {}});
}

void Outflow::end(const Result<void>& made) {
  Piece last{.bytes = std::exchange(filling_, {}), .is_last = true, .failure = {}};
  if (!made) last.failure = made.error();
  (void)hand_over(std::move(last));
}

Result<void> Outflow::hand_over(Piece piece) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_ || is_closed_; });
    if (is_closed_) return fail(Errc::cancelled, "nobody waits for the answer any more");
    ready_ = std::move(piece);
    if (!std::exchange(is_awaited_, false)) return {};
  }
  on_piece_();
  return {};
}

std::optional<Outflow::Piece> Outflow::take() {
  const std::lock_guard lock(mutex_);
  is_awaited_ = !ready_.has_value();
  changed_.notify_one();
  return std::exchange(ready_, std::nullopt);
}

void Outflow::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_one();
}

}  // namespace meterline::http
