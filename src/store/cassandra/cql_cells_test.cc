#include "store/cassandra/cql_cells.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>

namespace meterline::store::cassandra {
namespace {

using namespace std::string_literals;

Date a_date(std::int32_t days) {
  const auto span = Date::max().days() - Date::min().days() + 1;
  const auto offset = ((days % span) + span) % span;
  return *Date::from_days(Date::min().days() + offset);
}

RC_GTEST_PROP(CqlCells, WhatIsWrittenIsReadBack,
              (std::string text, std::int32_t integer, std::int64_t bigint, std::int32_t days)) {
  CqlCells cells;
  cells.text(text);
  cells.integer(integer);
  cells.bigint(bigint);
  cells.date(a_date(days));
  cells.blob(text);

  CqlRow row(cells.bytes());
  RC_ASSERT(row.text() == text);
  RC_ASSERT(row.integer() == integer);
  RC_ASSERT(row.bigint() == bigint);
  RC_ASSERT(row.date() == a_date(days));
  RC_ASSERT(row.blob() == text);
  RC_ASSERT(row.ok());
  RC_ASSERT(row.at_end());
}

RC_GTEST_PROP(CqlCells, CutInputIsRefused, (std::string text, std::int64_t bigint)) {
  CqlCells cells;
  cells.text(text);
  cells.bigint(bigint);
  const auto size = *rc::gen::inRange<std::size_t>(0, cells.bytes().size());

  CqlRow row(cells.bytes().substr(0, size));
  row.text();
  RC_ASSERT(row.bigint() == 0);
  RC_ASSERT(!row.ok());
}

RC_GTEST_PROP(CqlCells, AnyBytesAreSafe, (const std::string& bytes)) {
  CqlRow row(bytes);
  row.text();
  row.integer();
  row.date();
  row.bigint();
  if (!row.ok()) RC_ASSERT(row.text().empty());
}

TEST(CqlCells, HasTheWireForm) {
  CqlCells cells;
  cells.integer(-2);
  cells.bigint(258);
  cells.date(Date());
  cells.text("x");
  EXPECT_EQ(cells.bytes(),
            "\0\0\0\4\xff\xff\xff\xfe"
            "\0\0\0\10\0\0\0\0\0\0\1\2"
            "\0\0\0\4\x80\0\0\0"
            "\0\0\0\1x"s);
}

struct Refused {
  const char* what;
  std::string cells;
};

TEST(CqlRow, RefusesWhatIsNoInteger) {
  for (const auto& [what, cells] : {
           Refused{"nothing", ""s},
           Refused{"null", "\xff\xff\xff\xff"s},
           Refused{"a negative length", "\x80\0\0\0"s},
           Refused{"too short", "\0\0\0\3abc"s},
           Refused{"too long", "\0\0\0\5abcde"s},
           Refused{"a length beyond the end", "\x7f\xff\xff\xff\0\0\0\0"s},
       }) {
    CqlRow row(cells);
    EXPECT_EQ(row.integer(), 0) << what;
    EXPECT_FALSE(row.ok()) << what;
  }
}

TEST(CqlRow, RefusesADateOutOfRange) {
  const auto cells = "\0\0\0\4\0\0\0\0"s;
  CqlRow row(cells);
  EXPECT_EQ(row.date(), Date());
  EXPECT_FALSE(row.ok());
}

TEST(CqlRow, GivesNothingAfterAnError) {
  CqlCells cells;
  cells.bigint(1);
  cells.integer(2);
  CqlRow row(cells.bytes());
  row.integer();
  EXPECT_EQ(row.integer(), 0);
  EXPECT_FALSE(row.ok());
}

}  // namespace
}  // namespace meterline::store::cassandra
