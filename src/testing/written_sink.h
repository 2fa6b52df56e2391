#pragma once

#include <string>

#include "formats/day_sink.h"

namespace meterline::testing {

/// Writes down what a parser says, a line for each event, for tests to compare:
///
///     line 3, column 4: bad_value [x1]
///     line 3: EE1 2019-01-31 60min kWh: 1.5 - 2 -*21 (1 rejected)
///     line 4, column 2: bad_date [31/01/2019]
///     line 4: rejected
///     line 5: EE1 11/consumption/kWh|1|M1 2019-01-31T00:00:00+10:00 7 actual
///
/// `-*21` is 21 missing readings. The unit is left out where it is unknown.
class WrittenSink : public formats::DaySink {
 public:
  void on_day(const ReadingDay& day, int rejected_readings, const formats::Row& row) override;
  void on_read(const RegisterRead& read, const formats::Row& row) override;
  void on_rejected_row(const formats::Row& row) override;
  void on_finding(Finding finding) override;

  const std::string& text() const { return text_; }

 protected:
  void write(const std::string& line) { text_ += line + '\n'; }

 private:
  std::string text_;
};

}  // namespace meterline::testing
