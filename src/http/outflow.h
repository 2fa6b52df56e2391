#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::http {

inline constexpr std::size_t outflow_piece_bytes = 256 << 10;

/// A body on its way from the thread that makes it to the one that sends it. Whoever is ahead
/// waits: at most two pieces, of `piece_bytes` and what was put last, are in memory.
///
/// Threads: put() and end() on one thread, take() and close() on another.
class Outflow {
 public:
  struct Piece {
    std::string bytes;
    bool is_last = false;
    std::optional<Error> failure;  ///< Of the last one: what came so far is not all.
  };

  /// `on_piece` is called, on the maker's thread, when there is a piece after take() found none. A
  /// piece is handed over once it has `piece_bytes`: with 1, whatever is put.
  explicit Outflow(std::function<void()> on_piece, std::size_t piece_bytes = outflow_piece_bytes)
      : on_piece_(std::move(on_piece)), piece_bytes_(piece_bytes) {}

  /// `cancelled` once it is closed.
  Result<void> put(std::string_view bytes);
  void end(const Result<void>& made);

  std::optional<Piece> take();
  /// Nothing is taken any more.
  void close();

 private:
  Result<void> hand_over(Piece piece);

  const std::function<void()> on_piece_;
  const std::size_t piece_bytes_;
  std::string filling_;  ///< Only on the maker's thread.

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Piece> ready_;  ///< All that follows: with mutex_.
  bool is_awaited_ = false;
  bool is_closed_ = false;
};

}  // namespace meterline::http
