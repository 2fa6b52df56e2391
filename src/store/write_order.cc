#include "store/write_order.h"

#include <fmt/format.h>

#include <tuple>

namespace meterline::store {

Result<void> WriteOrder::check(const DayToStore& day) {
  if (day.delivery >= deliveries_)
    return fail(Errc::invalid_argument, "a day of a delivery that the writer does not write");
  const bool is_next_day = any_ && day.date > date_ && day.meter == meter_;
  if (!is_next_day && any_ &&
      std::tie(day.meter, day.date, day.channel, day.delivery) <=
          std::tie(meter_, date_, channel_, delivery_))
    return fail(Errc::invalid_argument,
                fmt::format("days must come in ascending order of meter, date, channel and "
                            "delivery, each once: {} {} came after {} {}",
                            day.meter.text(), day.date.text(), meter_.text(), date_.text()));
  any_ = true;
  if (meter_ != day.meter) meter_ = day.meter;
  if (channel_ != day.channel) channel_ = day.channel;
  date_ = day.date;
  delivery_ = day.delivery;
  return {};
}

Result<void> WriteOrder::check(std::span<const DeliveryReport> reports) const {
  if (reports.size() != deliveries_)
    return fail(Errc::invalid_argument, "every delivery needs its report");
  for (const auto& report : reports)
    if (report.state != DeliveryState::stored && report.state != DeliveryState::refused)
      return fail(Errc::invalid_argument, "only stored and refused deliveries are kept");
  return {};
}

}  // namespace meterline::store
