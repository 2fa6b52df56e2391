#include "access/descriptor.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace meterline::access {

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Result<void> Descriptor::write_all(std::string_view text, const std::filesystem::path& path) const {
  while (!text.empty()) {
    const auto count = write(number_, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return fail(Errc::unavailable, fmt::format("{}: cannot write it: {}", path.string(),
                                                 std::generic_category().message(errno)));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace meterline::access
