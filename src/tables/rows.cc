#include "tables/rows.h"

#include <fmt/format.h>

#include <variant>

#include "core/try.h"

namespace meterline::tables {
namespace {

constexpr std::size_t meters_step = 1000;

}  // namespace

Result<Int128> scaled(const Sum& sum) {
  Int128 value = sum.mantissa();
  if (sum.exponent() < -table_decimals)
    return fail(Errc::too_large, fmt::format("a sum has more than {} decimals", table_decimals));
  for (int power = sum.exponent() + table_decimals; power > 0; --power)
    if (__builtin_mul_overflow(value, Int128{10}, &value))
      return fail(Errc::too_large, fmt::format("the sum {} is too large for a table", sum.text()));
  return value;
}

Result<void> each_meter(const store::Store& store, const TableSelection& selection,
                        const std::function<Result<void>(const MeterId& meter)>& visit) {
  if (selection.meters) {
    for (const auto& meter : *selection.meters) METERLINE_CHECK(visit(meter));
    return {};
  }
  store::MetersQuery query{.limit = meters_step};
  for (;;) {
    METERLINE_TRY(const auto meters, store.meters(query));
    for (const auto& info : meters) METERLINE_CHECK(visit(info.meter));
    if (meters.size() < query.limit) return {};
    query.after = meters.back().meter;
  }
}

void Rows::add_channel(const MeterId& meter, const Channel& channel, std::size_t rows) {
  texts(0).add(meter.text(), rows);
  texts(1).add(channel.name, rows);
  texts(2).add(text_of(channel.flow), rows);
  texts(3).add(text_of(channel.unit), rows);
}

Result<void> Rows::added(std::size_t rows) {
  in_batch_ += rows;
  count_ += static_cast<std::int64_t>(rows);
  return in_batch_ < batch_rows_ ? Result<void>() : flush();
}

Result<void> Rows::flush() {
  if (in_batch_ == 0) return {};
  METERLINE_CHECK(writer_.add(batch_));
  for (auto& values : batch_) std::visit([](auto& of) { of.clear(); }, values);
  in_batch_ = 0;
  return {};
}

}  // namespace meterline::tables
