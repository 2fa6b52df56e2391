#include "tables/columnar.h"

#include <meterline_tables.h>

#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "core/try.h"

namespace meterline::tables {
namespace {

namespace sdk = drivers::tables;

template <class T>
rust::Slice<const T> slice(const std::vector<T>& values) {
  return {values.data(), values.size()};
}

/// Calls into the crate, whose errors are those of the program itself.
template <class Call>
Result<void> called(const Call& call) {
  try {
    call();
    return {};
  } catch (const std::exception& error) {
    return fail(Errc::invalid_argument, std::string("the table: ") + error.what());
  }
}

class ColumnarTable final : public TableWriter {
 public:
  ColumnarTable(rust::Box<sdk::TableFile> file, BytesSink sink)
      : file_(std::move(file)), sink_(std::move(sink)) {}

  Result<void> add(const Batch& batch) override {
    METERLINE_CHECK(called([&] {
      for (const auto& values : batch) std::visit([&](const auto& of) { add_values(of); }, values);
      file_->end_batch();
    }));
    return drain();
  }
  Result<void> finish() override {
    METERLINE_CHECK(called([&] { file_->finish(); }));
    return drain();
  }

 private:
  void add_values(const TextValues& values) {
    std::vector<rust::String> texts(values.texts().begin(), values.texts().end());
    file_->add_texts(slice(texts), slice(values.places()));
  }
  void add_values(const IntegerValues& values) {
    file_->add_numbers(slice(values.values()), slice(values.valid()));
  }
  void add_values(const DecimalValues& values) {
    halves_.clear();
    halves_.reserve(2 * values.values().size());
    for (const auto value : values.values()) {
      halves_.push_back(static_cast<std::uint64_t>(value));
      halves_.push_back(static_cast<std::uint64_t>(value >> 64));
    }
    file_->add_decimals(slice(halves_), slice(values.valid()));
  }
  Result<void> drain() {
    const auto bytes = file_->take();
    if (bytes.empty()) return {};
    return sink_({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  rust::Box<sdk::TableFile> file_;
  const BytesSink sink_;
  std::vector<std::uint64_t> halves_;
};

sdk::Kind kind_of(ColumnType type) {
  switch (type) {
    case ColumnType::date:
      return sdk::Kind::Date;
    case ColumnType::local_time:
      return sdk::Kind::LocalTime;
    case ColumnType::instant:
      return sdk::Kind::Instant;
    case ColumnType::int16:
      return sdk::Kind::Int16;
    case ColumnType::int32:
      return sdk::Kind::Int32;
    case ColumnType::decimal:
      return sdk::Kind::Decimal;
    case ColumnType::text:
      break;
  }
  return sdk::Kind::Text;
}

}  // namespace

Result<std::unique_ptr<TableWriter>> open_columnar(TableFormat format,
                                                   std::span<const Column> columns,
                                                   BytesSink sink) {
  std::vector<sdk::Column> described;
  described.reserve(columns.size());
  for (const auto& column : columns)
    described.push_back({.name = rust::String(column.name.data(), column.name.size()),
                         .kind = kind_of(column.type)});
  const auto of = format == TableFormat::parquet ? sdk::Format::Parquet : sdk::Format::Arrow;
  try {
    return std::make_unique<ColumnarTable>(sdk::open_table(of, slice(described)), std::move(sink));
  } catch (const std::exception& error) {
    return fail(Errc::invalid_argument, std::string("the table: ") + error.what());
  }
}

}  // namespace meterline::tables
