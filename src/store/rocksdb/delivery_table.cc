#include "store/rocksdb/delivery_table.h"

#include <cstring>

namespace meterline::store::rocksdb {
namespace {

constexpr std::size_t id_bytes = sizeof(DeliveryId::bytes);
constexpr std::size_t word_bytes = sizeof(std::uint64_t);
constexpr std::size_t entry_bytes = id_bytes + 3 * word_bytes;

}  // namespace

void DeliveryTable::make_room(std::uint32_t number) {
  for (auto at = size_.load(std::memory_order_relaxed);; ++at) {
    const auto chunk = chunk_of(at + (std::uint64_t{1} << first_chunk_bits));
    auto& entries = chunks_[static_cast<std::size_t>(chunk)];
    if (!entries)
      entries =
          std::make_unique<std::optional<Entry>[]>(std::size_t{1} << (chunk + first_chunk_bits));
    if (at >= number) break;
  }
}

void DeliveryTable::put(std::uint32_t number, const Entry& entry) {
  make_room(number);
  *place_of(number) = entry;
  size_.store(number + 1, std::memory_order_release);
}

DeliveryTable::Events DeliveryTable::events() const {
  if (!has_events_.load(std::memory_order_acquire)) return nullptr;
  const std::scoped_lock lock(events_mutex_);
  return events_;
}

void DeliveryTable::set_events(DeliveryEvents events) {
  const bool any = !events.empty();
  auto made = std::make_shared<const DeliveryEvents>(std::move(events));
  const std::scoped_lock lock(events_mutex_);
  events_ = std::move(made);
  has_events_.store(any, std::memory_order_release);
}

std::uint32_t DeliveryTable::number_of(const Delivery& delivery) {
  const std::scoped_lock lock(mutex_);
  const auto next = size_.load(std::memory_order_relaxed);
  const auto [found, is_new] = numbers_.try_emplace({delivery.id, delivery.version()}, next);
  if (is_new) put(next, {.id = delivery.id, .version = delivery.version()});
  return found->second;
}

std::string DeliveryTable::encode(const Entry& entry) {
  std::string bytes(entry_bytes, '\0');
  std::memcpy(bytes.data(), entry.id.bytes.data(), id_bytes);
  char* const words = bytes.data() + id_bytes;
  std::memcpy(words, &entry.version.stated.micros, word_bytes);
  std::memcpy(words + word_bytes, &entry.version.received.micros, word_bytes);
  std::memcpy(words + 2 * word_bytes, &entry.version.tie, word_bytes);
  return bytes;
}

Result<void> DeliveryTable::pass_over(std::uint32_t first) {
  const std::scoped_lock lock(mutex_);
  if (first >= delivery_numbers_max)
    return fail(Errc::corrupt, "the store's next number is damaged");
  if (first <= size_.load(std::memory_order_relaxed)) return {};
  make_room(first - 1);
  size_.store(first, std::memory_order_release);
  return {};
}

Result<void> DeliveryTable::restore(std::uint32_t number, std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  if (bytes.size() != entry_bytes || number < size_.load(std::memory_order_relaxed) ||
      number >= delivery_numbers_max)
    return fail(Errc::corrupt, "the store's list of deliveries is damaged");
  Entry entry;
  std::memcpy(entry.id.bytes.data(), bytes.data(), id_bytes);
  const char* const words = bytes.data() + id_bytes;
  std::memcpy(&entry.version.stated.micros, words, word_bytes);
  std::memcpy(&entry.version.received.micros, words + word_bytes, word_bytes);
  std::memcpy(&entry.version.tie, words + 2 * word_bytes, word_bytes);
  put(number, entry);  // Numbers of deliveries that were begun and never committed are gaps.
  numbers_[{entry.id, entry.version}] = number;
  return {};
}

}  // namespace meterline::store::rocksdb
