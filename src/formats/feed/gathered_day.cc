#include "formats/feed/gathered_day.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "formats/quick_readings.h"

namespace meterline::formats {

void GatheredDay::start(const MeterId& meter, const Channel& channel, const Frame& frame,
                        const Row& row) {
  const auto count = static_cast<std::size_t>(frame.slots);
  day_.meter = meter;
  day_.channel = channel;
  day_.date = frame.date;
  day_.interval = frame.interval;
  day_.exponent = 0;
  day_.mantissas.assign(count, 0);
  day_.qualities.assign(count, Quality::missing);
  day_.stated.reset();
  day_.zone = frame.zone;
  day_.notes.clear();
  row_ = row;
  row_.slots = frame.slots;
  notes_.assign(count, 0);
  findings_.clear();
  rejected_ = 0;
  readings_ = 0;
  has_notes_ = false;
}

/// Gives the day more decimals. False, and the day is as it was, when a reading does not fit.
bool GatheredDay::scale_to(int exponent) {
  const auto power = powers_of_ten.at(static_cast<std::size_t>(day_.exponent - exponent));
  for (const auto mantissa : day_.mantissas) {
    std::int64_t scaled = 0;
    if (__builtin_mul_overflow(mantissa, power, &scaled)) return false;
  }
  for (auto& mantissa : day_.mantissas) mantissa *= power;
  day_.exponent = static_cast<std::int8_t>(exponent);
  return true;
}

GatheredDay::Put GatheredDay::put(std::size_t slot, Decimal value, Quality quality, Same same) {
  auto& mantissa = day_.mantissas[slot];
  auto& kept = day_.qualities[slot];
  if (value.exponent < day_.exponent && !scale_to(value.exponent)) return Put::too_large;
  if (value.exponent > day_.exponent) {
    const auto power = powers_of_ten.at(static_cast<std::size_t>(value.exponent - day_.exponent));
    if (__builtin_mul_overflow(value.mantissa, power, &value.mantissa)) return Put::too_large;
  }
  if (kept != Quality::missing) {
    if (same == Same::refuse)
      return mantissa == value.mantissa && kept == quality ? Put::done : Put::taken;
    if (__builtin_add_overflow(value.mantissa, mantissa, &value.mantissa)) return Put::too_large;
    if (kept == Quality::estimated || quality == Quality::actual) quality = kept;
  } else {
    ++readings_;
  }
  mantissa = value.mantissa;
  kept = quality;
  return Put::done;
}

void GatheredDay::put_all(std::span<const std::int64_t> mantissas, int exponent) {
  assert(mantissas.size() == day_.mantissas.size());
  std::copy(mantissas.begin(), mantissas.end(), day_.mantissas.begin());
  std::fill(day_.qualities.begin(), day_.qualities.end(), Quality::actual);
  day_.exponent = static_cast<std::int8_t>(exponent);
  readings_ = static_cast<int>(mantissas.size());
}

void GatheredDay::put_missing(std::size_t slot) {
  if (day_.qualities[slot] != Quality::missing) --readings_;
  day_.mantissas[slot] = 0;
  day_.qualities[slot] = Quality::missing;
}

void GatheredDay::give(const std::vector<Note>& notes, DaySink& sink) {
  if (has_notes_) {
    for (std::size_t slot = 0; slot < notes_.size(); ++slot)
      if (notes_[slot] != 0) append(day_.notes, slot, slot + 1, notes[notes_[slot] - 1U]);
    if (const auto fault = fault_of(day_.notes, notes_.size())) {
      day_.notes.clear();
      find({.line = row_.line, .code = FindingCode::notes_dropped, .text = std::string(*fault)});
    }
  }
  for (auto& finding : findings_) sink.on_finding(std::move(finding));
  findings_.clear();
  sink.on_day(day_, rejected_, row_);
}

}  // namespace meterline::formats
