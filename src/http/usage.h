#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/budget.h"

namespace meterline::http {

/// What a server has in hand now, and the most that it may have: shared by the server, the loads of
/// uploads, and metrics, and outlives them all.
///
/// Threads: every member may be used on any thread.
struct Usage {
  static constexpr std::uint64_t temporary_bytes_max_default = std::uint64_t{4} << 30;
  static constexpr std::uint64_t answer_bytes_max_default = std::uint64_t{48} << 20;

  explicit Usage(std::uint64_t temporary_bytes_max = temporary_bytes_max_default,
                 std::uint64_t answer_bytes_max = answer_bytes_max_default)
      : temporary(temporary_bytes_max), answers(answer_bytes_max) {}

  Budget temporary;  ///< Files for uploads: bodies and sorted rows.
  Budget answers;    ///< Bodies of answers that clients have not read yet.
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> brief_waiting = 0;  ///< Questions for a thread, by their Effort.
  std::atomic<std::size_t> lengthy_waiting = 0;
  std::atomic<std::size_t> uploads_waiting = 0;
  std::atomic<std::size_t> streams_waiting = 0;  ///< Answers that are sent in parts.
};

}  // namespace meterline::http
