#include "formats/feed/quick_cells.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "formats/quick_readings.h"
#include "formats/reading_text.h"

namespace meterline::formats {
namespace {

/// A number as it is written.
struct Written {
  std::uint64_t digits = 0;
  std::ptrdiff_t decimals = 0;
};

/// Digits, and decimals if there are any. Returns where they end; null for another number.
inline const char* take_number(const char* at, char decimal, Written& number) {
  const char* const first = at;
  std::uint64_t value = 0;
  for (unsigned digit = 0; (digit = static_cast<unsigned char>(*at - '0')) < 10; ++at)
    value = value * 10 + digit;
  auto digits = at - first;
  if (digits == 0) return nullptr;
  number.decimals = 0;
  if (*at == decimal) {
    const char* const point = at++;
    for (unsigned digit = 0; (digit = static_cast<unsigned char>(*at - '0')) < 10; ++at)
      value = value * 10 + digit;
    number.decimals = at - point - 1;
    if (number.decimals == 0 || number.decimals > reading_decimals_max) return nullptr;
    digits += number.decimals;
  }
  number.digits = value;
  return digits <= decimal_digits_max ? at : nullptr;
}

}  // namespace

QuickCells::QuickCells(const FeedPlan& plan)
    : delimiter_(plan.delimiter), decimal_(plan.numbers.decimal), fields_max_(plan.names.size()) {
  if (!find_columns(plan)) {
    head_ = 0;
    return;
  }
  for (const auto& flag : plan.flags) {
    const bool has_line_end = flag.flag.find_first_of("\r\n") != std::string::npos;
    if (flag.quality == Quality::actual && !has_line_end) actual_.push_back(flag.flag);
  }
  if (actual_.empty() && flags_ != Flags::none) head_ = 0;
  mantissas_.resize(plan.cells.size());
  decimals_.resize(plan.cells.size());
}

/// False where the columns of the plan do not stand as they must.
bool QuickCells::find_columns(const FeedPlan& plan) {
  const bool is_other = !plan.wide || plan.cells.empty() || !plan.again.empty() ||
                        plan.total != no_column || plan.flag_column != no_column ||
                        plan.has_unquoted_decimals || plan.sum.is_given() ||
                        plan.rows_count.is_given() || plan.delimiter == plan.numbers.decimal;
  const bool may_be_missing =
      std::any_of(plan.missing.begin(), plan.missing.end(), [](const std::string& word) {
        return word.find_first_of("0123456789") != std::string::npos;
      });
  if (is_other || may_be_missing) return false;
  const auto& first = plan.cells.front();
  if (first.flag == first.column - 1)
    flags_ = Flags::before;
  else if (first.flag == first.column + 1)
    flags_ = Flags::after;
  else if (first.flag != no_column)
    return false;
  const int stride = flags_ == Flags::none ? 1 : 2;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const auto& cell = plan.cells[i];
    const int place = static_cast<int>(i);
    const int from_flag = first.flag == no_column ? 0 : first.flag - first.column;
    const bool is_flag =
        first.flag == no_column ? cell.flag == no_column : cell.flag == cell.column + from_flag;
    if (cell.index != place || cell.column != first.column + place * stride || !is_flag)
      return false;
  }
  const int head = flags_ == Flags::before ? first.flag : first.column;
  std::vector<int> others = {plan.meter_column, plan.unit_column, plan.channel_column,
                             plan.factor_column};
  for (const auto& filter : plan.filters) others.push_back(filter.column);
  for (const auto* const stamp : {&plan.date, &plan.stated})
    others.insert(others.end(), stamp->columns.begin(), stamp->columns.end());
  if (*std::max_element(others.begin(), others.end()) >= head) return false;
  head_ = static_cast<std::size_t>(head);
  return head_ > 0;
}

/// One of the flags that are actual, up to the delimiter or the line's end, which is returned; null
/// for another one.
const char* QuickCells::take_flag(const char* at) const {
  for (const auto& flag : actual_) {
    // A line's end is in no flag, so nothing behind it is looked at.
    const char* end = at;
    std::size_t same = 0;
    while (same < flag.size() && *end == flag[same]) ++same, ++end;
    if (same == flag.size() && (*end == delimiter_ || *end == '\n' || *end == '\r')) return end;
  }
  return nullptr;
}

/// Gives all readings the decimals of the one with most; false when one does not fit then.
bool QuickCells::align() {
  const int most = static_cast<int>(std::bit_width(decimals_seen_)) - 1;
  exponent_ = -most;
  if (std::has_single_bit(decimals_seen_)) return true;
  for (std::size_t i = 0; i < mantissas_.size(); ++i) {
    const auto power = powers_of_ten.at(static_cast<std::size_t>(most - decimals_[i]));
    if (__builtin_mul_overflow(mantissas_[i], power, &mantissas_[i])) return false;
  }
  return true;
}

bool QuickCells::read(const char* at, const char* end) {
  // In variables of their own, which stay in registers whatever is written meanwhile.
  const auto cells = mantissas_.size();
  const char delimiter = delimiter_;
  const char decimal = decimal_;
  const Flags flags = flags_;
  std::uint32_t seen = 0;
  Written number;
  // The first flag is mostly of one character.
  const bool is_short = flags != Flags::none && actual_.front().size() == 1;
  const char short_flag = is_short ? actual_.front()[0] : '\0';
  const auto take_delimiter = [&] { return *at == delimiter && (++at, true); };
  const auto take_flag = [&] {
    if (is_short && *at == short_flag && at[1] == delimiter) return ++at, true;
    const char* const behind = this->take_flag(at);
    if (behind != nullptr) at = behind;
    return behind != nullptr;
  };
  for (std::size_t i = 0; i < cells; ++i) {
    if (i > 0 && !take_delimiter()) return false;
    if (flags == Flags::before && !(take_flag() && take_delimiter())) return false;
    at = take_number(at, decimal, number);
    if (at == nullptr) return false;
    mantissas_[i] = static_cast<std::int64_t>(number.digits);
    decimals_[i] = static_cast<std::uint8_t>(number.decimals);
    seen |= std::uint32_t{1} << static_cast<unsigned>(number.decimals);
    if (flags == Flags::after && !(take_delimiter() && take_flag())) return false;
  }
  decimals_seen_ = seen;
  if (at != end) {
    if (*at != delimiter_) return false;
    const auto fields = head_ + cells * (flags_ == Flags::none ? 1 : 2);
    const auto more = static_cast<std::size_t>(std::count(at, end, delimiter_));
    if (fields_max_ > 0 && fields + more > fields_max_) return false;
  }
  return align();
}

}  // namespace meterline::formats
