#include "store/write_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace meterline::store {

Result<void> WriteOrder::check(const DayToStore& day) {
  if (day.delivery >= delivered_.size())
    return fail(Errc::invalid_argument, "a day of a delivery that the writer does not write");
  const bool is_next_day = any_ && !is_behind_read_ && day.date > date_ && day.meter == meter_;
  if (!is_next_day && any_ &&
      std::tie(day.meter, day.date, day.channel, day.delivery) <=
          std::tie(meter_, date_, channel_, delivery_))
    return fail(Errc::invalid_argument,
                fmt::format("days must come in ascending order of meter, date, channel and "
                            "delivery, each once: {} {} came after {} {}",
                            day.meter.text(), day.date.text(), meter_.text(), date_.text()));
  if (is_behind_read_ && any_ && day.meter == meter_)
    return fail(Errc::invalid_argument,
                "a day comes behind register reads that are behind its meter");
  is_behind_read_ = false;
  if (!any_ || meter_ != day.meter) {
    meter_ = day.meter;
    ++meters_;
  }
  any_ = true;
  if (channel_ != day.channel) channel_ = day.channel;
  date_ = day.date;
  delivery_ = day.delivery;
  count(day, delivered_[day.delivery]);
  return {};
}

Result<void> WriteOrder::check(const RegisterRead& read, std::size_t delivery) {
  if (delivery >= delivered_.size())
    return fail(Errc::invalid_argument, "a read of a delivery that the writer does not write");
  const Instant at = read.current.time.at;
  if (read_ && std::tie(read.meter, at, read.of, delivery) <=
                   std::tie(read_->meter, read_->at, read_->of, read_->delivery))
    return fail(Errc::invalid_argument,
                fmt::format("register reads must come in ascending order of meter, time, register "
                            "and delivery, each once: {} {} came after {} {}",
                            read.meter.text(), at.text(), read_->meter.text(), read_->at.text()));
  is_behind_read_ = true;
  read_ = ReadPlace{.meter = read.meter, .at = at, .of = read.of, .delivery = delivery};
  return {};
}

void WriteOrder::count(const DayToStore& day, Delivered& delivered) const {
  auto& [days, meter] = delivered;
  if (!days.dates) days.dates = {.from = day.date, .to = day.date};
  days.dates->from = std::min(days.dates->from, day.date);
  days.dates->to = std::max(days.dates->to, day.date);
  if (meter == meters_) return;
  meter = meters_;
  ++days.meters;
  if (days.meters <= static_cast<std::int64_t>(delivered_meters_max))
    days.meter_ids.push_back(day.meter);
  else
    days.meter_ids.clear();
}

Result<void> WriteOrder::check(std::span<const DeliveryReport> reports) const {
  if (reports.size() != delivered_.size())
    return fail(Errc::invalid_argument, "every delivery needs its report");
  for (const auto& report : reports)
    if (report.state != DeliveryState::stored && report.state != DeliveryState::refused)
      return fail(Errc::invalid_argument, "only stored and refused deliveries are kept");
  return {};
}

}  // namespace meterline::store
