#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::store {

// Files and names that a power cut does not take back. Errors: `unavailable` with path and reason.

Result<void> write_durably(const std::filesystem::path& file, std::string_view text);
/// Makes the names in it durable.
Result<void> sync_folder(const std::filesystem::path& folder);

Result<std::string> read_whole_file(const std::filesystem::path& file);
/// Visits all that is in a file, in order, piece by piece; an error of the visitor ends it.
Result<void> read_pieces(const std::filesystem::path& file,
                         const std::function<Result<void>(std::string_view piece)>& visit);
/// An error is none of "it is not there".
Result<bool> is_there(const std::filesystem::path& path);
/// With all that is in it; it may be absent.
Result<void> clear_away(const std::filesystem::path& path);
Result<void> move_name(const std::filesystem::path& from, const std::filesystem::path& to);
Result<void> make_folder(const std::filesystem::path& folder);

/// A file that is whole when it gets its name. Until then it is `NAME.part`, which goes with the
/// object.
///
/// Threads: one at a time.
class FileInWriting {
 public:
  static Result<FileInWriting> begin(const std::filesystem::path& file);
  ~FileInWriting();
  FileInWriting(FileInWriting&& other) noexcept;
  FileInWriting& operator=(FileInWriting&&) = delete;

  Result<void> append(std::string_view bytes);
  /// Durable when it returns, with its name.
  Result<void> finish();

 private:
  FileInWriting(std::filesystem::path file, int fd) : file_(std::move(file)), fd_(fd) {}
  std::filesystem::path part() const;

  std::filesystem::path file_;
  int fd_;
};

/// `what` completes "cannot ..."; `error` is one of errno's.
tl::unexpected<Error> os_error(std::string_view what, const std::filesystem::path& path, int error);

}  // namespace meterline::store
