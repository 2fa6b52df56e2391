#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace meterline::store {

/// The number of the layout of an embedded store's folder that this program writes and reads.
inline constexpr int store_format = 4;

/// The folder of an embedded store, owned by this process for as long as the object lives.
class StoreFolder {
 public:
  /// Makes the folder where it is absent and `create` is set. Errors: `not_found`; `unavailable`
  /// with the owner when another process has it; `refused` when a program of another
  /// format wrote it, or when it holds something else.
  static Result<StoreFolder> open(const std::filesystem::path& folder, bool create,
                                  const std::string& owner);
  ~StoreFolder();
  StoreFolder(StoreFolder&& other) noexcept;
  StoreFolder& operator=(StoreFolder&&) = delete;

  std::filesystem::path database() const { return folder_ / "db"; }
  /// For files on their way into the database; emptied by open().
  std::filesystem::path incoming() const { return folder_ / "incoming"; }
  const std::filesystem::path& path() const { return folder_; }

 private:
  StoreFolder(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}

  std::filesystem::path folder_;
  int lock_;
};

}  // namespace meterline::store
