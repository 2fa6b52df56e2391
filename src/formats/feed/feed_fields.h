#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace meterline::formats {

/// The fields of a row, with quotes removed and blanks around them trimmed; `="..."`, by which
/// spreadsheets keep text, is a quoted field. They stay valid until the next row.
class FeedFields {
 public:
  explicit FeedFields(char delimiter) : delimiter_(delimiter) {}

  /// False when quotes do not enclose a whole field.
  bool split(std::string_view row);
  /// The same, of a row without a quote in it.
  void split_plain(std::string_view row);
  /// Splits off the first `count` fields of such a row; the others are not there. Returns what is
  /// behind them and their delimiter, null when the row has no more fields.
  const char* split_head(std::string_view row, std::size_t count);

  std::size_t size() const { return fields_.size(); }
  /// Empty beyond the last one.
  std::string_view at(int column) const {
    const auto place = static_cast<std::size_t>(column);
    return place < fields_.size() ? fields_[place] : std::string_view();
  }
  const std::vector<std::string_view>& all() const { return fields_; }

  /// Makes one field of two, with `decimal` between them, where a decimal comma split it.
  void join(int column, char decimal);

 private:
  const char* add_plain(const char* at, const char* end);
  bool add_quoted(std::string_view row, std::size_t& at);

  char delimiter_;
  std::vector<std::string_view> fields_;
  std::deque<std::string> made_;  ///< Texts that are not in the row as they are.
};

}  // namespace meterline::formats
