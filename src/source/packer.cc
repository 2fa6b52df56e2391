#include "source/packer.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <utility>

#include "core/try.h"

namespace meterline::source {
namespace {

constexpr int gzip_level = 5;
constexpr int gzip_window_bits = 15 + 16;  // 16 asks zlib for gzip rather than zlib framing.
constexpr int gzip_memory_level = 8;
constexpr int zstd_level = 3;  // Of a window of 2 MiB.
constexpr std::size_t out_step_bytes = 64 << 10;

tl::unexpected<Error> out_of_memory() {
  return fail(Errc::unavailable, "not enough memory to compress");
}

/// Makes room for another step of output, lets `step` fill it, which returns how many bytes it has
/// left free, and takes back what is.
template <class Step>
void append_step(std::string& out, const Step& step) {
  const auto before = out.size();
  out.resize(before + out_step_bytes);
  out.resize(out.size() - step(out.data() + before));
}

class GzipPacker final : public Packer {
 public:
  explicit GzipPacker(Sink sink) : Packer(std::move(sink)) {}
  ~GzipPacker() override {
    if (is_open_) deflateEnd(&stream_);
  }

  Result<void> begin() {
    is_open_ = deflateInit2(&stream_, gzip_level, Z_DEFLATED, gzip_window_bits, gzip_memory_level,
                            Z_DEFAULT_STRATEGY) == Z_OK;
    return is_open_ ? Result<void>() : out_of_memory();
  }

 private:
  Result<void> pack(std::string_view bytes, Then then, std::string& out) override {
    const int flush = then == Then::end     ? Z_FINISH
                      : then == Then::flush ? Z_SYNC_FLUSH
                                            : Z_NO_FLUSH;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());  // A step of add() at most.
    do {
      append_step(out, [&](char* room) {
        stream_.next_out = reinterpret_cast<Bytef*>(room);
        stream_.avail_out = out_step_bytes;
        deflate(&stream_, flush);
        return std::size_t{stream_.avail_out};
      });
    } while (stream_.avail_out == 0);
    return {};
  }

  z_stream stream_{};
  bool is_open_ = false;
};

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

class ZstdPacker final : public Packer {
 public:
  explicit ZstdPacker(Sink sink) : Packer(std::move(sink)), context_(ZSTD_createCCtx()) {}

  Result<void> begin() {
    if (context_ == nullptr) return out_of_memory();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, zstd_level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
    return {};
  }

 private:
  Result<void> pack(std::string_view bytes, Then then, std::string& out) override {
    const auto directive = then == Then::end     ? ZSTD_e_end
                           : then == Then::flush ? ZSTD_e_flush
                                                 : ZSTD_e_continue;
    ZSTD_inBuffer in = {.src = bytes.data(), .size = bytes.size(), .pos = 0};
    for (;;) {
      std::size_t left = 0;
      append_step(out, [&](char* room) {
        ZSTD_outBuffer to = {.dst = room, .size = out_step_bytes, .pos = 0};
        left = ZSTD_compressStream2(context_.get(), &to, &in, directive);
        return to.size - to.pos;
      });
      if (ZSTD_isError(left) != 0) return out_of_memory();
      if (then == Then::more ? in.pos == in.size : left == 0) return {};
    }
  }

  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
};

template <class Kind>
Result<std::unique_ptr<Packer>> begun(Packer::Sink sink) {
  auto packer = std::make_unique<Kind>(std::move(sink));
  METERLINE_CHECK(packer->begin());
  return packer;
}

}  // namespace

std::string_view text_of(Packing packing) { return packing == Packing::gzip ? "gzip" : "zstd"; }

std::optional<Packing> parse_packing(std::string_view text) {
  if (text == "gzip") return Packing::gzip;
  if (text == "zstd") return Packing::zstd;
  return std::nullopt;
}

Result<std::unique_ptr<Packer>> Packer::make(Packing packing, Sink sink) {
  return packing == Packing::gzip ? begun<GzipPacker>(std::move(sink))
                                  : begun<ZstdPacker>(std::move(sink));
}

Result<void> Packer::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, pack_step_bytes - in_step_);
    bytes.remove_prefix(piece.size());
    in_step_ += piece.size();
    const bool is_full = in_step_ == pack_step_bytes;
    METERLINE_CHECK(pack(piece, is_full ? Then::flush : Then::more, out_));
    if (is_full) METERLINE_CHECK(hand_over());
  }
  return {};
}

Result<void> Packer::finish() {
  METERLINE_CHECK(pack({}, Then::end, out_));
  return hand_over();
}

Result<void> Packer::hand_over() {
  in_step_ = 0;
  METERLINE_CHECK(sink_(out_));
  out_.clear();
  return {};
}

Result<std::string> packed(Packing packing, std::string_view text) {
  std::string whole;
  METERLINE_TRY(const auto packer,
                Packer::make(packing, [&](std::string_view piece) -> Result<void> {
                  whole += piece;
                  return {};
                }));
  METERLINE_CHECK(packer->add(text));
  METERLINE_CHECK(packer->finish());
  return whole;
}

}  // namespace meterline::source
