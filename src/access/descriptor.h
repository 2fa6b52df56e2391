#pragma once

#include <filesystem>
#include <string_view>

#include "core/result.h"

namespace meterline::access {

/// An open file, closed at its end.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }
  /// Errors: `unavailable` names `path`.
  Result<void> write_all(std::string_view text, const std::filesystem::path& path) const;

 private:
  int number_ = -1;
};

}  // namespace meterline::access
