#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/budget.h"
#include "core/result.h"
#include "source/byte_source.h"

namespace meterline::http {

/// A request body as it comes in: in memory while it is small, then in a file that has no
/// name, so that nothing is left behind however the program ends.
///
/// Threads: append() one at a time and before open(); sources may then be read in parallel.
class Spool {
 public:
  /// `memory_bytes_max`: a body of more goes to a file in `folder`, which takes its bytes of
  /// `temporary`; null: as many as there come.
  Spool(std::filesystem::path folder, std::size_t memory_bytes_max, Budget* temporary = nullptr);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Errors: `unavailable` when the folder cannot be written or the budget is spent; the message
  /// says why.
  Result<void> append(std::string_view bytes);

  std::uint64_t size() const { return size_; }

  /// All of the body from its start; the Spool must outlive the source.
  Result<std::unique_ptr<source::ByteSource>> open() const;

 private:
  Result<void> create_file();

  std::filesystem::path folder_;
  std::size_t memory_bytes_max_;
  BudgetShare share_;  ///< Of the file.
  std::string memory_;
  int file_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace meterline::http
