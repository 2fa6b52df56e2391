#include "tables/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <variant>

namespace meterline::tables {
namespace {

constexpr std::array columns = {
    Column{"text", ColumnType::text},        Column{"date", ColumnType::date},
    Column{"local", ColumnType::local_time}, Column{"instant", ColumnType::instant},
    Column{"small", ColumnType::int16},      Column{"large", ColumnType::int32},
    Column{"value", ColumnType::decimal}};

struct Row {
  std::string_view text;
  std::int64_t number;
  Int128 value;
};

Batch batch_with(const std::vector<std::optional<Row>>& rows) {
  Batch batch = batch_of(columns);
  for (auto& values : batch) {
    for (const auto& row : rows) {
      if (auto* const texts = std::get_if<TextValues>(&values))
        row ? texts->add(row->text) : texts->add_none();
      else if (auto* const numbers = std::get_if<IntegerValues>(&values))
        row ? numbers->add(row->number) : numbers->add_none();
      else if (auto* const decimals = std::get_if<DecimalValues>(&values))
        row ? decimals->add(row->value) : decimals->add_none();
    }
  }
  return batch;
}

Result<std::string> written(TableFormat format, const std::vector<Batch>& batches) {
  std::string bytes;
  auto table = open_table(format, columns, [&](std::string_view more) -> Result<void> {
    bytes += more;
    return {};
  });
  if (!table) return tl::unexpected(table.error());
  for (const auto& batch : batches)
    if (const auto added = (*table)->add(batch); !added) return tl::unexpected(added.error());
  if (const auto done = (*table)->finish(); !done) return tl::unexpected(done.error());
  return bytes;
}

std::string said(std::string_view value) {
  return "d,1970-01-01,1970-01-01T00:00:00,1970-01-01T00:00:00Z,0,0," + std::string(value) + '\n';
}

TEST(Table, IsCsvWithAHeaderAndNothingForWhatIsUnknown) {
  constexpr std::string_view header = "text,date,local,instant,small,large,value\n";
  EXPECT_EQ(written(TableFormat::csv, {}).value(), header);
  EXPECT_EQ(written(TableFormat::csv, {batch_with({Row{"a,\"b\"", 0, 1}, std::nullopt}),
                                       batch_with({Row{"c", 19'723, -1'500'000'000}}),
                                       batch_with({Row{"d", 0, 12'000'000'000}}),
                                       batch_with({Row{"d", 0, 12'305'000'000}}),
                                       batch_with({Row{"d", 0, Int128{1} << 70}})})
                .value(),
            std::string(header) +
                "\"a,\"\"b\"\"\",1970-01-01,1970-01-01T00:00:00,1970-01-01T00:00:00Z,0,0,"
                "0.000000001\n,,,,,,\n"
                "c,2024-01-01,1970-01-01T00:00:00.019723,1970-01-01T00:00:00.019723Z,19723,19723,"
                "-1.5\n" +
                said("12") + said("12.305") + said("1180591620717.411303424"));
}

TEST(Table, TextsOfABatchAreKeptOnce) {
  TextValues values;
  for (const std::string_view text : {"a", "b", "a", "a", "b"}) values.add(text, 2);
  values.add_none();
  EXPECT_THAT(values.texts(), ::testing::ElementsAre("a", "b"));
  EXPECT_THAT(values.places(), ::testing::ElementsAre(0, 0, 1, 1, 0, 0, 0, 0, 1, 1, -1));
  values.clear();
  values.add("c");
  EXPECT_THAT(values.texts(), ::testing::ElementsAre("c"));
}

/// What is in the files, other programs tell: tests/test_tables.py.
TEST(Table, ColumnarFilesBeginAndEndAsTheirFormatsDo) {
  const std::vector<Batch> batches = {batch_with({Row{"a", 1, 1}, std::nullopt, Row{"b", 2, -2}}),
                                      batch_with({Row{"b", 3, Int128{1} << 100}})};
  const auto parquet = written(TableFormat::parquet, batches);
#ifdef METERLINE_CLOUD
  EXPECT_THAT(parquet.value(), ::testing::StartsWith("PAR1"));
  EXPECT_THAT(parquet.value(), ::testing::EndsWith("PAR1"));
  EXPECT_THAT(written(TableFormat::arrow, batches).value(), ::testing::StartsWith("ARROW1"));
  auto lacking = batch_with({Row{"a", 1, 1}});
  lacking.pop_back();
  for (const auto format : {TableFormat::parquet, TableFormat::arrow})
    EXPECT_FALSE(written(format, {lacking}));
  EXPECT_FALSE(written(TableFormat::parquet, {batch_with({Row{"a", 1 << 20, 1}})}));
#else
  EXPECT_THAT(parquet.error().message, ::testing::HasSubstr("-DMETERLINE_CLOUD=OFF"));
#endif
}

TEST(Table, AnErrorOfTheSinkEndsIt) {
  auto table = open_table(TableFormat::csv, columns, [](std::string_view) -> Result<void> {
    return fail(Errc::unavailable, "full");
  });
  EXPECT_EQ(table.value()->finish().error().message, "full");
}

}  // namespace
}  // namespace meterline::tables
