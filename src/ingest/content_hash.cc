#include "ingest/content_hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/try.h"

namespace meterline::ingest {
namespace {

class NotingSource final : public source::ByteSource {
 public:
  NotingSource(std::unique_ptr<source::ByteSource> from, Received& received,
               const std::atomic<bool>* stop, std::atomic<std::uint64_t>* progress)
      : from_(std::move(from)), received_(received), stop_(stop), progress_(progress) {}

  std::optional<source::Origin> origin() const override { return from_->origin(); }
  Result<std::size_t> read(std::span<char> into) override {
    if (stop_ != nullptr && *stop_) return fail(Errc::cancelled, "stopped on request");
    METERLINE_TRY(const auto count, from_->read(into));
    received_.hash.add({into.data(), count});
    received_.bytes += count;
    received_.is_whole = count == 0;
    if (progress_ != nullptr) *progress_ += count;
    return count;
  }

 private:
  std::unique_ptr<source::ByteSource> from_;
  Received& received_;
  const std::atomic<bool>* stop_;
  std::atomic<std::uint64_t>* progress_;
};

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* openssl = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(openssl); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  [[maybe_unused]] const int done = EVP_DigestInit_ex(context_->openssl, EVP_sha256(), nullptr);
  assert(done == 1);
}
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  [[maybe_unused]] const int done = EVP_DigestUpdate(context_->openssl, bytes.data(), bytes.size());
  assert(done == 1);
}

ContentHash Sha256::finish() {
  ContentHash hash{};
  [[maybe_unused]] const int done = EVP_DigestFinal_ex(context_->openssl, hash.data(), nullptr);
  assert(done == 1);
  return hash;
}

std::unique_ptr<source::ByteSource> make_noting_source(std::unique_ptr<source::ByteSource> from,
                                                       Received& received,
                                                       const std::atomic<bool>* stop,
                                                       std::atomic<std::uint64_t>* progress) {
  return std::make_unique<NotingSource>(std::move(from), received, stop, progress);
}

DeliveryId delivery_id(const Delivery& delivery) {
  Sha256 hash;
  hash.add(delivery.source);
  hash.add({"\0", 1});
  hash.add({reinterpret_cast<const char*>(delivery.content.data()), delivery.content.size()});
  hash.add(text_of(delivery.unit));
  hash.add({"\0", 1});
  hash.add(std::to_string(delivery.delivered_at.micros));
  hash.add({"\0", 1});
  hash.add(delivery.zone);
  hash.add({"\0", 1});
  if (delivery.feed) {
    const auto& of_feed = delivery.feed->hash;
    hash.add(delivery.feed->name);
    hash.add({"\0", 1});
    hash.add({reinterpret_cast<const char*>(of_feed.data()), of_feed.size()});
  }
  hash.add({"\0", 1});
  hash.add(std::to_string(delivery.reader));
  const auto whole = hash.finish();
  DeliveryId id;
  std::copy_n(whole.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

}  // namespace meterline::ingest
