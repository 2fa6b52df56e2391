#include "source/packed_input.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/try.h"

namespace meterline::source {
namespace {

constexpr std::size_t buffer_bytes = 128 << 10;

}  // namespace

PackedInput::PackedInput(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), buffer_(buffer_bytes) {}

Result<bool> PackedInput::refill() {
  if (begin_ == end_) begin_ = end_ = 0;
  assert(end_ < buffer_.size());
  METERLINE_TRY(const std::size_t count, source_->read(std::span(buffer_).subspan(end_)));
  end_ += count;
  return count > 0;
}

Result<void> PackedInput::want(std::size_t count) {
  while (pending().size() < count) {
    METERLINE_TRY(const bool more, refill());
    if (!more) break;
  }
  return {};
}

void PackedInput::consume(std::size_t count) {
  assert(count <= end_ - begin_);
  begin_ += count;
  offset_ += count;
}

Result<std::size_t> PackedInput::read(std::span<char> into) {
  if (begin_ == end_) return source_->read(into);
  const std::size_t count = pending().copy(into.data(), into.size());
  consume(count);
  return count;
}

}  // namespace meterline::source
