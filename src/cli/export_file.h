#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::cli {

/// What to do with a file that is there already.
enum class ExistingFile { refuse, replace };

/// A file that appears under its name whole, or not at all. Until then it has a temporary name in
/// the same folder; dropped before finish(), nothing is left of it.
class ExportFile {
 public:
  /// Errors: `invalid_argument` when the path cannot be a new file, `unavailable` when it cannot
  /// be written.
  static Result<std::unique_ptr<ExportFile>> create(const std::string& path, ExistingFile existing);
  ~ExportFile();
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;

  Result<void> write(std::string_view bytes);
  /// The file is durable (fsynced) under its name when it returns without error.
  Result<void> finish();

 private:
  ExportFile(std::string path, ExistingFile existing);
  Result<void> open();
  Result<void> rename();
  tl::unexpected<Error> failed(std::string_view what) const;

  const std::string path_;
  const std::string temporary_;
  const ExistingFile existing_;
  int file_ = -1;
  bool is_temporary_there_ = false;
};

}  // namespace meterline::cli
