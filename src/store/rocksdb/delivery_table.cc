#include "store/rocksdb/delivery_table.h"

#include <cstring>
#include <mutex>

namespace meterline::store {
namespace {

constexpr std::size_t id_bytes = sizeof(DeliveryId::bytes);
constexpr std::size_t entry_bytes = id_bytes + sizeof(std::int64_t) + sizeof(std::uint64_t);

}  // namespace

std::uint32_t DeliveryTable::number_of(const Delivery& delivery) {
  const std::unique_lock lock(mutex_);
  const auto next = static_cast<std::uint32_t>(entries_.size());
  const auto [found, is_new] = numbers_.try_emplace({delivery.id, delivery.delivered_at}, next);
  if (is_new) entries_.push_back(Entry{.id = delivery.id, .version = delivery.version()});
  return found->second;
}

std::optional<DeliveryTable::Entry> DeliveryTable::find(std::uint32_t number) const {
  const std::shared_lock lock(mutex_);
  if (number >= entries_.size()) return std::nullopt;
  return entries_[number];
}

std::string DeliveryTable::encode(const Entry& entry) {
  std::string bytes(entry_bytes, '\0');
  std::memcpy(bytes.data(), entry.id.bytes.data(), id_bytes);
  std::memcpy(bytes.data() + id_bytes, &entry.version.time.micros, sizeof(std::int64_t));
  std::memcpy(bytes.data() + id_bytes + sizeof(std::int64_t), &entry.version.tie,
              sizeof(std::uint64_t));
  return bytes;
}

Result<void> DeliveryTable::restore(std::uint32_t number, std::string_view bytes) {
  constexpr std::uint32_t numbers_max = 100'000'000;
  const std::unique_lock lock(mutex_);
  if (bytes.size() != entry_bytes || number < entries_.size() || number >= numbers_max)
    return fail(Errc::corrupt, "the store's list of deliveries is damaged");
  Entry entry;
  std::memcpy(entry.id.bytes.data(), bytes.data(), id_bytes);
  std::memcpy(&entry.version.time.micros, bytes.data() + id_bytes, sizeof(std::int64_t));
  std::memcpy(&entry.version.tie, bytes.data() + id_bytes + sizeof(std::int64_t),
              sizeof(std::uint64_t));
  // Numbers of deliveries that were begun and never committed are gaps.
  entries_.resize(number);
  entries_.push_back(entry);
  numbers_[{entry.id, entry.version.time}] = number;
  return {};
}

}  // namespace meterline::store
