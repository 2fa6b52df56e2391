#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/store.h"

// Payloads of frames and the way back. What is written is read as it was; what is read may be any
// bytes: `corrupt` then, and never past their end.
namespace meterline::store::relay {

std::string write_deliveries(std::span<const Delivery> deliveries);
Result<std::vector<Delivery>> read_deliveries(std::string_view bytes);

// Days and register reads, any number of them one after the other.
void write_entry(const DayToStore& day, std::string& out);
void write_entry(const RegisterRead& read, std::size_t delivery, std::string& out);
/// Adds them to the writer; its error ends the reading and is returned.
Result<void> add_entries(std::string_view bytes, DeliveryWriter& writer);

std::string write_reports(std::span<const DeliveryReport> reports);
Result<std::vector<DeliveryReport>> read_reports(std::string_view bytes);

struct EventOf {
  DeliveryId delivery;
  DeliveryEvent event;
};
std::string write_event(const DeliveryId& delivery, const DeliveryEvent& event);
Result<EventOf> read_event(std::string_view bytes);

std::string write_unit(Unit unit);
Result<Unit> read_unit(std::string_view bytes);

/// What an Amendment views.
struct AmendmentParts {
  Amendment amendment;  ///< Its views are of the other members.
  std::vector<std::string> erased;
  std::vector<std::string> allowed;
  std::vector<DayPlace> days;
  std::vector<ReadPlace> reads;
  std::vector<MeterId> meters;
  std::vector<DeliveryRecord> records;

  AmendmentParts() = default;
  AmendmentParts(AmendmentParts&&) = default;  // Vectors keep their places when they are moved.
  AmendmentParts& operator=(AmendmentParts&&) = default;
};
/// All but `pace`, which is for servers that a store asks.
std::string write_amendment(const Amendment& amendment);
Result<AmendmentParts> read_amendment(std::string_view bytes);

std::string write_error(const Error& error);
Error read_error(std::string_view bytes);

}  // namespace meterline::store::relay
