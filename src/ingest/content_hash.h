#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/delivery.h"
#include "source/byte_source.h"

namespace meterline::ingest {

/// SHA-256 (FIPS 180-4), fed piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);
  ContentHash finish();  ///< Call once, last.

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// What passes through a received file's bytes: their hash and number.
struct Received {
  Sha256 hash;
  std::uint64_t bytes = 0;
  bool is_whole = false;  ///< They were read to their end.
};

/// Hands `from` on unchanged and notes in `received` what was read. Reads end with `cancelled`
/// once `stop` is set. `progress` counts bytes. All but `from` must outlive the source; `stop`
/// and `progress` may be null.
std::unique_ptr<source::ByteSource> make_noting_source(std::unique_ptr<source::ByteSource> from,
                                                       Received& received,
                                                       const std::atomic<bool>* stop,
                                                       std::atomic<std::uint64_t>* progress);

/// See DeliveryId; of source, content, delivery time and unit.
DeliveryId delivery_id(const Delivery& delivery);

}  // namespace meterline::ingest
