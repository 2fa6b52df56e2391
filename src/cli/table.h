#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meterline::cli {

/// Rows of text in columns as wide as their widest cell, for a terminal.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns);

  /// As many cells as there are columns.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  /// Lines, each with a line end: the titles, then the rows.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// A field of CSV (RFC 4180), quoted where it has to be.
std::string csv_field(std::string_view text);

/// `1234567` as `1,234,567`.
std::string grouped(std::int64_t number);

}  // namespace meterline::cli
