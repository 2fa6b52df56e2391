#include "formats/column_kind.h"

#include <gtest/gtest.h>

#include <string>

namespace meterline::formats {
namespace {

void check(ColumnKind want, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    EXPECT_EQ(static_cast<int>(column_kind(name, Unit::kWh)), static_cast<int>(want)) << name;
}

TEST(ColumnKind, GoesByTheName) {
  check(ColumnKind::label, {"Measurement Type", "MeasurementType", "measurement_type", "Register",
                            "Channel", "OBIS", "Serial Number", "Description", "Type"});
  check(ColumnKind::unit, {"Unit", "Units", "UOM"});
  check(ColumnKind::remark, {"Note", "Comment", "Revision", "Row", "Loaded"});
  check(ColumnKind::total, {"Total", "Total kWh", "Total Units", "Grand Total", "Sum", "TOTAL",
                            "TotalConsumptionKwh", "Day Total"});
  check(ColumnKind::slot, {"Time Change 1 Cons", "Time Change 2", "TimeChange", "24:30", "[00:00]",
                           "00:00-00:15", "49", "0:00 kvarh", "0:00:00"});
  check(ColumnKind::quantity, {"Total kvarh", "Max Demand", "kWh_1", "Total MWh", "Peak kW"});
  check(ColumnKind::flag, {"Status", "Read Type", "ReadType", "A/E", "Quality", "colStatus"});
  check(ColumnKind::slot_flag,
        {"00:00 Flag", "0:30 Type", "ReadTypeHH1", "Time Change 1 Est", "interval_1_indicator"});
  check(ColumnKind::other,
        {"", "Site", "Company Name", "Total Cost", "Unit price", "0.00", "Summer"});
}

TEST(ColumnKind, ATotalOfAnotherUnitIsAnotherQuantity) {
  EXPECT_EQ(column_kind("Total MWh", Unit::MWh), ColumnKind::total);
  EXPECT_EQ(column_kind("Total MWh", Unit::unknown), ColumnKind::total);
  EXPECT_EQ(column_kind("Total MWh", Unit::kWh), ColumnKind::quantity);
}

TEST(ColumnKind, WhatALabelSaysIsTakenAsItIs) {
  for (const auto kind : {ColumnKind::label, ColumnKind::unit})
    for (const std::string cell : {"AI", "1", "1.8.0", "A", "", "final"})
      EXPECT_EQ(label_of(kind, cell), cell);
}

TEST(ColumnKind, ValuesAndQualitiesTellNoRowsApart) {
  for (const auto kind : {ColumnKind::other, ColumnKind::quantity, ColumnKind::flag}) {
    for (const std::string cell :
         {"", "-", "12", "1,5", "-3.25", "1e5", "50%", "2019-01-31", "31/01/2019",
          "2019-01-31T00:00:00Z", "10:30", "Actual", "ESTIMATED", "final"})
      EXPECT_EQ(label_of(kind, cell), "") << cell;
    for (const std::string cell : {"AI", "E1", "kvarh", "Import", "Site 2", "Tag"})
      EXPECT_EQ(label_of(kind, cell), cell);
  }
  EXPECT_EQ(label_of(ColumnKind::flag, "E"), "");
  EXPECT_EQ(label_of(ColumnKind::other, "E"), "E");
  for (const auto kind :
       {ColumnKind::remark, ColumnKind::total, ColumnKind::slot, ColumnKind::slot_flag})
    EXPECT_EQ(label_of(kind, "AI"), "");
}

TEST(ColumnKind, NothingAndZerosAreNoReadings) {
  for (const char* cell : {"", "-", "0", "0.000", "null", "NaN"}) EXPECT_FALSE(holds_reading(cell));
  for (const char* cell : {"1", "0.5", "-3", "\"4\""}) EXPECT_TRUE(holds_reading(cell));
}

TEST(ColumnKind, AUnitIsOtherOnlyWhereItIsNamed) {
  for (const char* cell : {"Wh", "MWh", "kvarh", "kW", "m3", "therms"})
    EXPECT_TRUE(is_other_unit(cell, Unit::kWh)) << cell;
  for (const char* cell : {"", "kWh", "KWH", "-", "12.5"})
    EXPECT_FALSE(is_other_unit(cell, Unit::kWh)) << cell;
  EXPECT_FALSE(is_other_unit("Wh", Unit::unknown));
}

TEST(ColumnKind, HashesGoByPlaceAndText) {
  EXPECT_NE(label_hash(0, "a"), label_hash(0, "b"));
  EXPECT_NE(label_hash(label_hash(0, "a"), "b"), label_hash(label_hash(0, "b"), "a"));
  EXPECT_NE(label_hash(label_hash(0, "ab"), ""), label_hash(label_hash(0, "a"), "b"));
}

}  // namespace
}  // namespace meterline::formats
