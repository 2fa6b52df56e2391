#include "source/expand.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/try.h"
#include "source/decoders.h"

namespace meterline::source {
namespace {

constexpr std::size_t magic_bytes_max = 4;

/// Content that is not packed.
class Plain : public ByteSource {
 public:
  explicit Plain(PackedInput input) : input_(std::move(input)) {}
  Result<std::size_t> read(std::span<char> into) override { return input_.read(into); }

 private:
  PackedInput input_;
};

/// Stops at a number of bytes. An error, once met, is given to every later read, so that no
/// reader takes what comes after it for the rest of the content.
class Limited : public ByteSource {
 public:
  Limited(std::unique_ptr<ByteSource> content, std::uint64_t bytes_max)
      : content_(std::move(content)), bytes_max_(bytes_max) {}

  Result<std::size_t> read(std::span<char> into) override {
    if (error_) return tl::unexpected<Error>(*error_);
    auto count = read_within(into);
    if (!count) error_ = count.error();
    return count;
  }

 private:
  Result<std::size_t> read_within(std::span<char> into) {
    // One byte beyond the limit tells whether the content ends there.
    char beyond = 0;
    const std::uint64_t rest = bytes_max_ - bytes_;
    const auto room =
        rest == 0 ? std::span(&beyond, 1) : into.first(std::min<std::uint64_t>(into.size(), rest));
    METERLINE_TRY(const std::size_t count, content_->read(room));
    if (rest == 0 && count > 0) {
      return fail(Errc::too_large,
                  fmt::format("the file expands to more than {} bytes, the limit for packed "
                              "files; unpack it, or split it",
                              bytes_max_));
    }
    bytes_ += count;
    return count;
  }

  std::unique_ptr<ByteSource> content_;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Content> expand(std::unique_ptr<ByteSource> packed, ExpandOptions options) {
  PackedInput input(std::move(packed));
  METERLINE_CHECK(input.want(magic_bytes_max));
  const auto head = input.pending();
  Content content;
  if (is_gzip(head)) {
    METERLINE_TRY(content.bytes, gunzip(std::move(input)));
  } else if (is_zstd(head)) {
    METERLINE_TRY(content.bytes, unzstd(std::move(input)));
  } else if (is_zip(head)) {
    METERLINE_TRY(content, unzip(std::move(input)));
  } else {
    content.bytes = std::make_unique<Plain>(std::move(input));
    return content;
  }
  content.bytes = std::make_unique<Limited>(std::move(content.bytes), options.expanded_bytes_max);
  return content;
}

}  // namespace meterline::source
