#include "source/byte_source.h"

#include <algorithm>
#include <utility>

#include "core/try.h"

namespace meterline::source {
namespace {

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view text) : rest_(text) {}

  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t count = std::min(into.size(), rest_.size());
    std::copy_n(rest_.data(), count, into.data());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

/// Bytes that are taken as delivered at another time.
class RedatedSource final : public ByteSource {
 public:
  RedatedSource(std::unique_ptr<ByteSource> from, Instant at) : from_(std::move(from)), at_(at) {}

  std::optional<Origin> origin() const override {
    auto origin = from_->origin();
    if (origin) origin->delivered_at = at_;
    return origin;
  }
  Result<std::size_t> read(std::span<char> into) override { return from_->read(into); }

 private:
  std::unique_ptr<ByteSource> from_;
  const Instant at_;
};

}  // namespace

std::unique_ptr<ByteSource> make_memory_source(std::string_view text) {
  return std::make_unique<MemorySource>(text);
}

Incoming redated(Incoming incoming, Instant at) {
  incoming.delivered_at = at;
  incoming.is_redated = true;
  incoming.open = [open = std::move(incoming.open), at]() -> Result<std::unique_ptr<ByteSource>> {
    METERLINE_TRY(auto bytes, open());
    return std::make_unique<RedatedSource>(std::move(bytes), at);
  };
  return incoming;
}

}  // namespace meterline::source
