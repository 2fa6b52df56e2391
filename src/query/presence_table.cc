#include "query/presence_table.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace meterline::query {
namespace {

constexpr std::int64_t word_days = 64;

/// `part` shifted to `day`; what would lie behind the last word is 0.
void put(std::uint64_t* words, std::int64_t day, std::uint64_t part) {
  const auto shift = static_cast<unsigned>(day % word_days);
  words[day / word_days] |= part << shift;
  if (shift == 0) return;
  const std::uint64_t rest = part >> (word_days - shift);
  if (rest != 0) words[day / word_days + 1] |= rest;
}

std::int64_t count_bits(const std::uint64_t* words, std::size_t count) {
  std::int64_t found = 0;
  for (std::size_t i = 0; i < count; ++i) found += std::popcount(words[i]);
  return found;
}

}  // namespace

PresenceTable::PresenceTable(DateRange dates)
    : dates_(dates), words_(static_cast<std::size_t>((dates.size() + word_days - 1) / word_days)) {}

void PresenceTable::add(const store::DayPresence& part) {
  std::uint64_t stored = part.stored;
  std::uint64_t complete = part.complete;
  std::int64_t day = part.first.days() - dates_.from.days();
  if (day <= -word_days || day >= dates_.size()) return;
  if (day < 0) {
    stored >>= -day;
    complete >>= -day;
    day = 0;
  }
  const std::int64_t left = dates_.size() - day;
  if (left < word_days) {
    const std::uint64_t wanted = (std::uint64_t{1} << left) - 1;
    stored &= wanted;
    complete &= wanted;
  }
  if (stored == 0) return;
  last_ = row_of(part.meter.text());
  std::uint64_t* const words = &bits_[last_ * 2 * words_];
  put(words, day, stored);
  put(words + words_, day, complete);
}

std::size_t PresenceTable::row_of(const std::string& meter) {
  if (last_ + 1 < rows_.size() && this->meter(last_ + 1) == meter) return last_ + 1;
  if (late_.empty()) {
    const int order = rows_.empty() ? -1 : this->meter(rows_.size() - 1).compare(meter);
    if (order == 0) return rows_.size() - 1;
    if (order < 0) {
      ascending_ = rows_.size() + 1;
      return append(meter);
    }
  }
  if (this->meter(last_) == meter) return last_;
  const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(ascending_);
  const auto found =
      std::lower_bound(rows_.begin(), end, meter, [this](const Row& row, const std::string& name) {
        return std::string_view(names_).substr(row.name, row.name_chars) < name;
      });
  const auto row = static_cast<std::size_t>(found - rows_.begin());
  if (row < ascending_ && this->meter(row) == meter) return row;
  const auto [late, is_new] = late_.try_emplace(meter, rows_.size());
  return is_new ? append(meter) : late->second;
}

std::size_t PresenceTable::append(const std::string& meter) {
  rows_.push_back({.name = names_.size(), .name_chars = meter.size()});
  names_ += meter;
  bits_.resize(bits_.size() + 2 * words_);
  return rows_.size() - 1;
}

std::vector<std::uint32_t> PresenceTable::rows_in_order() const {
  std::vector<std::uint32_t> order(rows_.size());
  std::iota(order.begin(), order.end(), 0U);
  if (late_.empty()) return order;
  const auto before = [this](std::uint32_t a, std::uint32_t b) { return meter(a) < meter(b); };
  const auto late = order.begin() + static_cast<std::ptrdiff_t>(ascending_);
  std::sort(late, order.end(), before);
  std::inplace_merge(order.begin(), late, order.end(), before);
  return order;
}

DayCounts PresenceTable::counts(std::size_t row) const {
  return {.stored = count_bits(stored(row), words_), .complete = count_bits(complete(row), words_)};
}

Date PresenceTable::first_gap(std::size_t row) const {
  const std::uint64_t* const words = complete(row);
  std::int64_t day = 0;
  for (std::size_t i = 0; i < words_ && ~words[i] == 0; ++i) day += word_days;
  if (day < dates_.size()) day += std::countr_one(words[day / word_days]);
  return *Date::from_days(dates_.from.days() + day);
}

}  // namespace meterline::query
