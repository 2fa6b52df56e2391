#include "source/expand.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace meterline::source {
namespace {

using namespace std::string_literals;

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string in(text);
  std::string out(deflateBound(&stream, in.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

enum class Checksum { none, present };

std::string zstd(std::string_view text, Checksum checksum = Checksum::none) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum == Checksum::present ? 1 : 0);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

/// A zstd frame that is to be left out.
const std::string skippable = "\x53\x2a\x4d\x18\x03\x00\x00\x00xyz"s;

std::string flipped(std::string bytes, std::size_t from_end) {
  bytes[bytes.size() - from_end] ^= 1;
  return bytes;
}

std::string cut(std::string bytes, std::size_t from_end) {
  bytes.resize(bytes.size() - from_end);
  return bytes;
}

/// Gives at most `step` bytes a read.
class Dripping : public ByteSource {
 public:
  Dripping(std::string_view text, std::size_t step)
      : source_(make_memory_source(text)), step_(step) {}
  Result<std::size_t> read(std::span<char> into) override {
    return source_->read(into.first(std::min(into.size(), step_)));
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::size_t step_;
};

/// Everything that `source` yields in reads of `step` bytes, or `code: message`.
std::string drain(ByteSource& source, std::size_t step) {
  std::string all;
  std::string piece(step, '\0');
  for (;;) {
    const auto count = source.read(piece);
    if (!count) return "error: " + count.error().message;
    if (*count == 0) return all;
    all.append(piece, 0, *count);
  }
}

std::string expanded(std::string_view packed, ExpandOptions options = {}) {
  auto source = expand(make_memory_source(packed), options);
  if (!source) return "error: " + source.error().message;
  return drain(*source->bytes, 1000);
}

void check(std::string_view packed, std::string_view want,
           std::source_location at = std::source_location::current()) {
  const testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  EXPECT_EQ(expanded(packed), want);
}

/// The error's code, and part of its message.
void check_error(std::string_view packed, Errc code, std::string_view part,
                 ExpandOptions options = {},
                 std::source_location at = std::source_location::current()) {
  const testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  auto source = expand(make_memory_source(packed), options);
  ASSERT_TRUE(source) << source.error().message;
  std::string piece(1000, '\0');
  auto count = source->bytes->read(piece);
  while (count && *count > 0) count = source->bytes->read(piece);
  ASSERT_FALSE(count) << "it ended without an error";
  EXPECT_EQ(count.error().code, code);
  EXPECT_NE(count.error().message.find(part), std::string::npos) << count.error().message;
  const auto again = source->bytes->read(piece);
  ASSERT_FALSE(again) << "the error was not repeated";
  EXPECT_EQ(again.error().message, count.error().message);
}

TEST(Expand, LeavesPlainContentAsItIs) {
  for (const auto* text : {"", "M", "Met", "Mete", "Meter,Date,0:00\n"}) check(text, text);
  check("\x1f", "\x1f");  // Too short for any magic.
  check("\x28\xb5\x2f", "\x28\xb5\x2f");
  check("PK\3", "PK\3");
  const std::string large(1 << 20, 'x');
  check(large, large);
}

TEST(Expand, ReadsEveryMemberOfGzip) {
  check(gzip("abc"), "abc");
  check(gzip(""), "");
  check(gzip("abc") + gzip("") + gzip("def"), "abcdef");
  check(gzip("abc") + std::string(1000, '\0'), "abc");  // Padding.
}

TEST(Expand, RefusesDamagedGzip) {
  const auto good = gzip("abc");
  const auto whole = [&](int bytes) { return "byte " + std::to_string(bytes); };
  const int size = static_cast<int>(good.size());
  check_error(flipped(good, 1), Errc::corrupt, "incorrect length check");
  check_error(flipped(good, 5), Errc::corrupt, "incorrect data check");
  check_error(gzip("abc") + flipped(good, 5), Errc::corrupt, "incorrect data check");
  check_error("\x1f\x8b\x07garbage", Errc::corrupt, "unknown compression method");
  for (std::size_t missing = 1; missing + 2 <= good.size(); ++missing) {
    check_error(cut(good, missing), Errc::corrupt, "ends too early");
    check_error(gzip("abc") + cut(good, missing), Errc::corrupt, "ends too early");
  }
  check_error(good + "x", Errc::corrupt, whole(size) + ": something that is not gzip follows");
  check_error(good + "\x1f", Errc::corrupt, "ends too early");
  check_error(good + "\x1fx", Errc::corrupt, "incorrect header check");
  check_error(good + "\0\0x"s, Errc::corrupt, whole(size + 2) + ": something follows the padding");
  check_error(good + "\0"s + good, Errc::corrupt, "something follows the padding");
}

TEST(Expand, ReadsEveryFrameOfZstd) {
  for (const auto checksum : {Checksum::none, Checksum::present}) {
    check(zstd("abc", checksum), "abc");
    check(zstd("", checksum), "");
    check(zstd("abc", checksum) + zstd("") + zstd("def", checksum), "abcdef");
    const auto abc = zstd("abc", checksum);
    check(skippable + abc + skippable + zstd("def"), "abcdef");
  }
  check(skippable, "");
  const std::string large(1 << 20, 'x');
  check(zstd(large) + zstd(large), large + large);
}

TEST(Expand, RefusesDamagedZstd) {
  const auto good = zstd("abc", Checksum::present);
  check_error(flipped(good, 1), Errc::corrupt, "checksum");
  check_error(flipped(good, 5), Errc::corrupt, "checksum");
  check_error(zstd("abc") + flipped(good, 1), Errc::corrupt, "checksum");
  for (std::size_t missing = 1; missing + 4 <= good.size(); ++missing) {
    check_error(cut(good, missing), Errc::corrupt, "ends too early");
    check_error(good + cut(good, missing), Errc::corrupt, "ends too early");
  }
  check_error(cut(skippable, 1), Errc::corrupt, "ends too early");
  check_error(good + "abcdefgh", Errc::corrupt, "something that is not zstd follows");
}

TEST(Expand, RefusesAZstdWindowAboveTheLimit) {
  // Frame header without content size: descriptor 0, then the window's exponent less 10.
  const auto frame = [](int window_log) {
    return "\x28\xb5\x2f\xfd\x00"s + static_cast<char>((window_log - 10) << 3) + "\x01\x00\x00"s;
  };
  check(frame(23), "");
  check_error(frame(24), Errc::too_large, "8 MiB");
}

TEST(Expand, StopsAtTheLimit) {
  const std::string bomb(1 << 20, '\0');
  for (const auto& packed : {gzip(bomb), zstd(bomb), gzip(bomb.substr(1)) + gzip("x")}) {
    check_error(packed, Errc::too_large, "more than 1048575 bytes",
                {.expanded_bytes_max = (1 << 20) - 1});
    EXPECT_EQ(expanded(packed, {.expanded_bytes_max = 1 << 20}).size(), bomb.size());
  }
  check_error(gzip("x"), Errc::too_large, "more than 0 bytes", {.expanded_bytes_max = 0});
  EXPECT_EQ(expanded(gzip(""), {.expanded_bytes_max = 0}), "");
  // What is not packed cannot grow.
  EXPECT_EQ(expanded("abc", {.expanded_bytes_max = 1}), "abc");
}

class Failing : public ByteSource {
 public:
  Result<std::size_t> read(std::span<char> into) override {
    if (rest_.empty()) return fail(Errc::unavailable, "the cable is cut");
    const auto count = rest_.copy(into.data(), into.size());
    rest_.remove_prefix(count);
    return count;
  }
  explicit Failing(std::string_view before) : rest_(before) {}

 private:
  std::string_view rest_;
};

TEST(Expand, PassesOnWhatFailsBelow) {
  const auto at_once = expand(std::make_unique<Failing>(""));
  ASSERT_FALSE(at_once);
  EXPECT_EQ(at_once.error().code, Errc::unavailable);
  for (const auto& start : {"Meter"s, cut(gzip("abc"), 2), cut(zstd("abc"), 2), "PK\3\4"s}) {
    auto source = expand(std::make_unique<Failing>(start));
    ASSERT_TRUE(source);
    EXPECT_EQ(drain(*source->bytes, 100), "error: the cable is cut");
  }
}

RC_GTEST_PROP(Expand, GivesTheSameBytesHoweverTheyAreRead, ()) {
  const auto parts =
      *rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>());
  std::string content;
  std::string gzipped;
  std::string zstandard;
  for (const auto& part : parts) {
    // Repeated, so that one byte of input yields many.
    std::string text;
    for (int i = 0; i < 20; ++i) text += part;
    content += text;
    gzipped += gzip(text);
    zstandard += zstd(text, part.size() % 2 == 0 ? Checksum::none : Checksum::present);
  }
  const auto step_below = *rc::gen::element<std::size_t>(1, 2, 7, 1 << 20);
  const auto step_above = *rc::gen::element<std::size_t>(1, 3, 64, 1 << 20);
  for (const auto& packed : {gzipped, zstandard, "plain" + content}) {
    auto source = expand(std::make_unique<Dripping>(packed, step_below));
    RC_ASSERT(source.has_value());
    const auto got = drain(*source->bytes, step_above);
    RC_ASSERT(got == content || got == "plain" + content);
  }
}

}  // namespace
}  // namespace meterline::source
