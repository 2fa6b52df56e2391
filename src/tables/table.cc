#include "tables/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/date.h"
#include "core/instant.h"
#include "core/text.h"
#include "core/try.h"
#include "tables/columnar.h"

namespace meterline::tables {
namespace {

constexpr std::int64_t day_micros = std::int64_t{86'400} * 1'000'000;

/// `2024-10-27T01:00:00`
std::string local_text(std::int64_t micros) {
  auto text = Instant{.micros = micros}.text();
  if (text.ends_with('Z')) text.pop_back();
  return text;
}

class CsvTable final : public TableWriter {
 public:
  CsvTable(std::span<const Column> columns, BytesSink sink)
      : columns_(columns.begin(), columns.end()), sink_(std::move(sink)), told_(columns.size()) {}

  Result<void> add(const Batch& batch) override {
    METERLINE_CHECK(begin());
    const auto rows = rows_of(batch.front());
    quote_texts(batch);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < columns_.size(); ++column) {
        if (column > 0) text_ += ',';
        append(column, batch[column], row);
      }
      text_ += '\n';
      METERLINE_CHECK(flush_above(piece_bytes));
    }
    return {};
  }
  Result<void> finish() override {
    METERLINE_CHECK(begin());
    return flush_above(0);
  }

 private:
  static constexpr std::size_t piece_bytes = std::size_t{256} << 10;

  struct Told {
    std::int64_t value;
    std::string text;
  };

  static std::size_t rows_of(const Values& values) {
    if (const auto* const texts = std::get_if<TextValues>(&values)) return texts->places().size();
    if (const auto* const numbers = std::get_if<IntegerValues>(&values))
      return numbers->values().size();
    return std::get<DecimalValues>(values).values().size();
  }
  Result<void> begin() {
    if (has_header_) return {};
    has_header_ = true;
    for (const auto& column : columns_)
      text_ += fmt::format("{}{}", text_.empty() ? "" : ",", column.name);
    text_ += '\n';
    return {};
  }
  /// A batch has few texts, and each in many rows.
  void quote_texts(const Batch& batch) {
    quoted_.resize(columns_.size());
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      quoted_[column].clear();
      if (const auto* const texts = std::get_if<TextValues>(&batch[column]))
        for (const auto& text : texts->texts())
          append_csv_field(quoted_[column].emplace_back(), text);
    }
  }
  void append(std::size_t column, const Values& values, std::size_t row) {
    if (const auto* const texts = std::get_if<TextValues>(&values)) {
      const auto place = texts->places()[row];
      if (place >= 0) text_ += quoted_[column][static_cast<std::size_t>(place)];
    } else if (const auto* const numbers = std::get_if<IntegerValues>(&values)) {
      append(column, *numbers, row);
    } else {
      append(std::get<DecimalValues>(values), row);
    }
  }
  /// The text of a value, which mostly is that of the row before.
  template <class Make>
  const std::string& told(std::size_t column, std::int64_t value, const Make& make) {
    auto& last = told_[column];
    if (!last || last->value != value) last = Told{.value = value, .text = make()};
    return last->text;
  }
  void append(std::size_t column, const IntegerValues& values, std::size_t row) {
    if (!values.has(row)) return;
    const auto value = values.values()[row];
    switch (columns_[column].type) {
      case ColumnType::date:
        text_ +=
            told(column, value, [&] { return Date::from_days(value).value_or(Date()).text(); });
        return;
      case ColumnType::local_time:
        append_local(value);
        return;
      case ColumnType::instant:
        text_ += told(column, value, [&] { return Instant{.micros = value}.text(); });
        return;
      default:
        append_number(value);
    }
  }
  void append(const DecimalValues& values, std::size_t row) {
    if (!values.has(row)) return;
    const auto value = values.values()[row];
    const auto small = static_cast<std::int64_t>(value);
    if (small != value || small < 0) {
      text_ += Sum(value, -table_decimals).text();
      return;
    }
    constexpr std::int64_t one = 1'000'000'000;
    append_number(small / one);
    auto decimals = small % one;
    if (decimals == 0) return;
    int places = table_decimals;
    for (; decimals % 10 == 0; decimals /= 10) --places;
    const auto at = text_.size() + 1;
    text_ += '.';
    text_.resize(at + static_cast<std::size_t>(places));
    for (auto digit = text_.size(); digit > at; decimals /= 10)
      text_[--digit] = static_cast<char>('0' + decimals % 10);
  }
  void append_number(std::int64_t number) {
    const fmt::format_int digits(number);
    text_.append(digits.data(), digits.size());
  }
  /// Most are whole minutes of a day that was just told.
  void append_local(std::int64_t micros) {
    constexpr std::int64_t minute_micros = 60'000'000;
    const auto day = micros / day_micros;
    const auto rest = micros % day_micros;
    if (rest < 0 || rest % minute_micros != 0) {
      text_ += local_text(micros);
      return;
    }
    if (day != last_local_day_) {
      last_local_day_ = day;
      last_local_text_ = Date::from_days(day).value_or(Date()).text() + 'T';
    }
    const auto minute = static_cast<int>(rest / minute_micros);
    const char time[] = {static_cast<char>('0' + minute / 600),
                         static_cast<char>('0' + minute / 60 % 10),
                         ':',
                         static_cast<char>('0' + minute % 60 / 10),
                         static_cast<char>('0' + minute % 10),
                         ':',
                         '0',
                         '0'};
    text_ += last_local_text_;
    text_.append(time, sizeof time);
  }
  Result<void> flush_above(std::size_t bytes) {
    if (text_.size() <= bytes) return {};
    METERLINE_CHECK(sink_(text_));
    text_.clear();
    return {};
  }

  const std::vector<Column> columns_;
  const BytesSink sink_;
  std::string text_;
  std::vector<std::vector<std::string>> quoted_;  ///< Texts of the batch, by column.
  bool has_header_ = false;
  std::vector<std::optional<Told>> told_;  ///< By column.
  std::int64_t last_local_day_ = -1;
  std::string last_local_text_ = "1969-12-31T";
};

}  // namespace

std::optional<TableFormat> parse_table_format(std::string_view text) {
  if (text == "csv") return TableFormat::csv;
  if (text == "parquet") return TableFormat::parquet;
  if (text == "arrow") return TableFormat::arrow;
  return std::nullopt;
}

void TextValues::add(std::string_view text, std::size_t rows) {
  const auto place_of = [&] {
    const auto found = std::find(texts_.rbegin(), texts_.rend(), text);
    return static_cast<std::int32_t>(texts_.rend() - found) - 1;
  };
  if (last_ < 0 || texts_[static_cast<std::size_t>(last_)] != text) last_ = place_of();
  if (last_ < 0) {
    last_ = static_cast<std::int32_t>(texts_.size());
    texts_.emplace_back(text);
  }
  places_.insert(places_.end(), rows, last_);
}

void TextValues::clear() {
  texts_.clear();
  places_.clear();
  last_ = -1;
}

Batch batch_of(std::span<const Column> columns) {
  Batch batch;
  batch.reserve(columns.size());
  for (const auto& column : columns) {
    if (column.type == ColumnType::text)
      batch.emplace_back(TextValues());
    else if (column.type == ColumnType::decimal)
      batch.emplace_back(DecimalValues());
    else
      batch.emplace_back(IntegerValues());
  }
  return batch;
}

Result<std::unique_ptr<TableWriter>> open_table(TableFormat format, std::span<const Column> columns,
                                                BytesSink sink) {
  if (format != TableFormat::csv) return open_columnar(format, columns, std::move(sink));
  return std::make_unique<CsvTable>(columns, std::move(sink));
}

}  // namespace meterline::tables
