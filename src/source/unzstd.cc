#include <fmt/core.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <utility>

#include "core/try.h"
#include "source/decoders.h"

namespace meterline::source {
namespace {

/// 8 MiB, which every reader should take (RFC 8878, section 3.1.1.1.2): a window is memory.
constexpr int window_log_max = 23;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class Unzstd : public ByteSource {
 public:
  explicit Unzstd(PackedInput input) : input_(std::move(input)), context_(ZSTD_createDCtx()) {}

  Result<void> begin() {
    if (!context_ || ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax,
                                                         window_log_max)) != 0)
      return fail(Errc::unavailable, "not enough memory to expand zstd data");
    return {};
  }

  Result<std::size_t> read(std::span<char> into) override {
    for (;;) {
      if (input_.pending().empty() && !holds_output_) {
        METERLINE_TRY(const bool more, input_.refill());
        if (!more && in_frame_) return damaged("the file ends too early, in the middle of a frame");
        if (!more) return 0;
      }
      METERLINE_TRY(const std::size_t count, decompress_some(into));
      if (count > 0) return count;
    }
  }

 private:
  tl::unexpected<Error> damaged(std::string_view what) const {
    return fail(Errc::corrupt, fmt::format("zstd data damaged at byte {}: {}; fetch the file again",
                                           input_.offset(), what));
  }

  tl::unexpected<Error> failed(std::size_t status) const {
    switch (ZSTD_getErrorCode(status)) {
      case ZSTD_error_memory_allocation:
        return fail(Errc::unavailable, "not enough memory to expand zstd data");
      case ZSTD_error_frameParameter_windowTooLarge:
        return fail(Errc::too_large,
                    fmt::format("zstd frame at byte {} needs a window above {} MiB; pack the file "
                                "again without --long or --ultra",
                                input_.offset(), 1 << (window_log_max - 20)));
      case ZSTD_error_prefix_unknown:
        return damaged("something that is not zstd follows");
      default:
        return damaged(ZSTD_getErrorName(status));
    }
  }

  /// May yield nothing while it reads a header or needs more input.
  Result<std::size_t> decompress_some(std::span<char> into) {
    const auto pending = input_.pending();
    ZSTD_inBuffer in = {.src = pending.data(), .size = pending.size(), .pos = 0};
    ZSTD_outBuffer out = {.dst = into.data(), .size = into.size(), .pos = 0};
    const std::size_t status = ZSTD_decompressStream(context_.get(), &out, &in);
    input_.consume(in.pos);
    if (ZSTD_isError(status) != 0) return failed(status);
    in_frame_ = status != 0;
    holds_output_ = in_frame_ && out.pos == out.size;
    return out.pos;
  }

  PackedInput input_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  bool in_frame_ = false;
  bool holds_output_ = false;  ///< There may be more to come without more input.
};

}  // namespace

bool is_zstd(std::string_view head) {
  if (head.starts_with("\x28\xb5\x2f\xfd")) return true;
  // A skippable frame: 0x184D2A50 to 0x184D2A5F, little-endian.
  return head.size() >= 4 && (head[0] & 0xf0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18";
}

Result<std::unique_ptr<ByteSource>> unzstd(PackedInput input) {
  auto source = std::make_unique<Unzstd>(std::move(input));
  METERLINE_CHECK(source->begin());
  return source;
}

}  // namespace meterline::source
