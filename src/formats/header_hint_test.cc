#include "formats/header_hint.h"

#include <gtest/gtest.h>

namespace meterline::formats {
namespace {

TEST(HeaderHint, SaysWhatWasTakenAndWhatComesNearest) {
  EXPECT_EQ(header_hint("MPXN,Date(dd/mm/yy),00:30,01:00,00:00\n1,2,3,4,5\n", 1),
            "line 1 was taken for the header, with 5 columns by `,`: nearest to `Meter` `MPXN`, to "
            "`Date` `Date(dd/mm/yy)`, to times 3 columns like `00:30`");
  EXPECT_EQ(header_hint("siteRef,MPAN,ConsumptionDate,kWh_1,kWh_2", 3),
            "line 3 was taken for the header, with 5 columns by `,`: nearest to `Meter` `MPAN`, to "
            "`Date` `ConsumptionDate`, to times 2 columns like `kWh_1`");
  EXPECT_EQ(header_hint("hello\n", 1),
            "line 1 was taken for the header, with 1 column by `,`: nearest to `Meter` nothing, to "
            "`Date` nothing, to times nothing");
}

TEST(HeaderHint, NamesTheDelimiterThatIsThere) {
  EXPECT_EQ(header_hint("Meter;Date;0:00;0:30\nA;2019-01-01;0,001;0,002\n", 1),
            "line 1 was taken for the header, with 1 column by `,`; line 1, with 4 columns by `;`, "
            "looks more like it (nearest to `Meter` `Meter`, to `Date` `Date`, to times 2 columns "
            "like `0:00`): write `,` between columns, not `;`, and points in numbers");
  EXPECT_NE(header_hint("Meter\tDate\t0:00\t0:30\n", 1).find("by a tab, looks more like it"),
            std::string::npos);
}

TEST(HeaderHint, NamesADelimiterBesideNamesThatItDoesNotKnow) {
  EXPECT_NE(header_hint("Ablesezeit;Zaehlerstand;Status\n1;2;3\n", 1)
                .find("line 1, with 3 columns by `;`"),
            std::string::npos);
}

TEST(HeaderHint, SaysNothingOfAHeaderThatHasAllNames) {
  EXPECT_EQ(header_hint("Meter,Date,0:30,1:00,0:00\n", 1), "");
}

TEST(HeaderHint, NamesTheLineThatIsTheHeader) {
  EXPECT_EQ(
      header_hint("sep=,\nMeter,Date,0:00,0:30\n", 1),
      "line 1 was taken for the header, with 2 columns by `,`; line 2, with 4 columns by `,`, "
      "looks more like it (nearest to `Meter` `Meter`, to `Date` `Date`, to times 2 columns "
      "like `0:00`): delete the lines above line 2");
  EXPECT_NE(header_hint("Report\r\nFrom,01/08/2022\r\n\r\n\r\nsep=;\r\nMeter;Date;0:00;1:00\r\n", 2)
                .find("line 7, with 4 columns by `;`"),
            std::string::npos);
}

TEST(HeaderHint, LooksAtSoManyLinesOnly) {
  const std::string before(header_hint_lines_max - 1, '\n');
  EXPECT_NE(header_hint(before + "Meter,Date,0:00\n", 1).find("line 20, with"), std::string::npos);
  EXPECT_EQ(header_hint(before + "\nMeter,Date,0:00\n", 1).find("looks more"), std::string::npos);
  EXPECT_EQ(header_hint("", 1), "");
}

}  // namespace
}  // namespace meterline::formats
