#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/text.h"

namespace meterline::cli {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  widths.reserve(columns_.size());
  for (const auto& column : columns_) widths.push_back(column.title.size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());

  std::string out;
  const auto put = [&](std::size_t i, const std::string& cell) {
    const bool is_last = i + 1 == columns_.size();
    if (columns_[i].align == Align::right)
      out += fmt::format("{:>{}}", cell, widths[i]);
    else
      out += is_last ? cell : fmt::format("{:<{}}", cell, widths[i]);
    out += is_last ? "\n" : "  ";
  };
  for (std::size_t i = 0; i < columns_.size(); ++i) put(i, columns_[i].title);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) put(i, row[i]);
  return out;
}

std::string csv_field(std::string_view text) {
  std::string field;
  append_csv_field(field, text);
  return field;
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

}  // namespace meterline::cli
