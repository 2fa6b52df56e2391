#include "source/byte_source.h"

#include <algorithm>

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

}  // namespace

std::unique_ptr<ByteSource> make_memory_source(std::string_view text) {
  return std::make_unique<MemorySource>(text);
}

}  // namespace meterline::source
