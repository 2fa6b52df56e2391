#include <fmt/core.h>
#define ZLIB_CONST  // next_in points to const bytes.
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/try.h"
#include "source/decoders.h"

namespace meterline::source {
namespace {

/// For inflateInit2: the largest window, and a gzip header and trailer around the data.
constexpr int window_bits_gzip = 15 + 16;

class Gunzip : public ByteSource {
 public:
  explicit Gunzip(PackedInput input) : input_(std::move(input)) {}
  ~Gunzip() override { inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  Result<void> begin() {
    if (inflateInit2(&stream_, window_bits_gzip) != Z_OK)
      return fail(Errc::unavailable, "not enough memory to expand gzip data");
    return {};
  }

  Result<std::size_t> read(std::span<char> into) override {
    for (;;) {
      if (!in_member_) {
        METERLINE_TRY(const bool another, begin_member());
        if (!another) return 0;
      }
      METERLINE_TRY(const std::size_t count, inflate_some(into));
      if (count > 0) return count;
      if (!in_member_ || !input_.pending().empty()) continue;
      METERLINE_TRY(const bool more, input_.refill());
      if (!more) return damaged("the file ends too early, in the middle of its data");
    }
  }

 private:
  tl::unexpected<Error> damaged(std::string_view what) const {
    return fail(Errc::corrupt, fmt::format("gzip data damaged at byte {}: {}; fetch the file again",
                                           input_.offset(), what));
  }

  /// False at the end of the file.
  Result<bool> begin_member() {
    METERLINE_CHECK(input_.want(1));
    if (input_.pending().empty()) return false;
    if (input_.pending().front() == '\0') return skip_padding();
    if (input_.pending().front() != '\x1f') return damaged("something that is not gzip follows");
    inflateReset(&stream_);
    in_member_ = true;
    return true;
  }

  /// Tapes and block devices pad a file with zeros. Always false: no member comes after that.
  Result<bool> skip_padding() {
    for (;;) {
      const auto pending = input_.pending();
      const auto zeros = std::min(pending.find_first_not_of('\0'), pending.size());
      input_.consume(zeros);
      if (zeros < pending.size()) return damaged("something follows the padding");
      METERLINE_TRY(const bool more, input_.refill());
      if (!more) return false;
    }
  }

  /// May yield nothing while it reads a header, a trailer, or needs more input.
  Result<std::size_t> inflate_some(std::span<char> into) {
    constexpr std::size_t step_max = std::numeric_limits<uInt>::max();
    const auto pending = input_.pending();
    const auto room = static_cast<uInt>(std::min(into.size(), step_max));
    stream_.next_in = reinterpret_cast<const Bytef*>(pending.data());
    stream_.avail_in = static_cast<uInt>(pending.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = room;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    input_.consume(pending.size() - stream_.avail_in);
    if (status == Z_STREAM_END) in_member_ = false;
    const bool wants_input = status == Z_BUF_ERROR && pending.empty();
    if (status != Z_OK && status != Z_STREAM_END && !wants_input)
      return damaged(stream_.msg != nullptr ? stream_.msg : zError(status));
    return room - stream_.avail_out;
  }

  PackedInput input_;
  z_stream stream_{};
  bool in_member_ = false;
};

}  // namespace

bool is_gzip(std::string_view head) { return head.starts_with("\x1f\x8b"); }

Result<std::unique_ptr<ByteSource>> gunzip(PackedInput input) {
  auto source = std::make_unique<Gunzip>(std::move(input));
  METERLINE_CHECK(source->begin());
  return source;
}

}  // namespace meterline::source
