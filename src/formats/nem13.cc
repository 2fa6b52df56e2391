// Each 250 record stands for itself: what is wrong in it costs this record, and no other.

#include "formats/nem13.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/register_read.h"
#include "formats/csv_rows.h"
#include "formats/mdff.h"
#include "formats/meter_text.h"
#include "formats/reading_text.h"

namespace meterline::formats {
namespace {

using namespace mdff;

/// Fields of a 250 record. MDFF, section 5.3.
enum Field : std::size_t {
  nmi = 1,
  register_id = 3,
  suffix = 4,
  serial = 6,
  direction = 7,
  previous_read = 8,  ///< Then time, quality, reason code and description of it.
  current_read = 13,  ///< Likewise.
  quantity = 18,
  unit = 19,
  next_read_date = 20,
  update_date_time = 21,
  fields_max = 23,
};
constexpr std::size_t fields_min = unit + 1;

/// Reads the records of one piece.
class Nem13Records {
 public:
  Nem13Records(const Piece& piece, DaySink& sink)
      : rest_(piece.text), line_(piece.first_line), is_last_(piece.is_last), sink_(sink) {}

  /// Returns the number of physical lines.
  std::int64_t read();

 private:
  void skip(const Line& line) {
    rest_.remove_prefix(line.bytes);
    ++line_;
  }
  void note_end();
  void read_line(const Line& line);
  void read_record(const Line& line);
  bool take_record(const Line& line);
  bool has_fields(const Line& line);
  bool take_register();
  bool take_state(std::size_t first, RegisterState& state);
  bool take_value(std::size_t at, std::optional<Decimal>& value);
  bool take_previous();
  bool take_counted();
  void take_dates();
  Note note_of(const QualityMethod& quality, std::size_t reason);

  std::string_view field(std::size_t at) const {
    return at < fields_.size() ? fields_[at] : std::string_view();
  }
  void tell(FindingCode code, std::string text, std::string_view excerpt, int column = 0) {
    sink_.on_finding({.line = line_,
                      .column = column,
                      .code = code,
                      .text = std::move(text),
                      .excerpt = excerpt_of(excerpt)});
  }
  void allow(std::size_t at, std::string text) {
    tell(FindingCode::not_standard, std::move(text), field(at), static_cast<int>(at) + 1);
  }
  bool reject(std::size_t at, FindingCode code, std::string text) {
    tell(code, std::move(text), field(at), static_cast<int>(at) + 1);
    return false;
  }
  bool reject_line(const Line& line, FindingCode code, std::string text) {
    tell(code, std::move(text), line.text);
    return false;
  }

  std::string_view rest_;
  std::int64_t line_;
  const bool is_last_;
  DaySink& sink_;
  std::int64_t ended_line_ = 0;  ///< Of a 900 record, if nothing stands behind it.
  bool is_behind_read_ = false;  ///< A 250 record of this piece came before.
  RegisterRead read_;
  std::vector<std::string_view> fields_;
};

std::int64_t Nem13Records::read() {
  const auto first = line_;
  while (!rest_.empty()) {
    const auto line = first_line(rest_);
    if (!is_blank(line.text)) {
      if (ended_line_ != 0) note_end();
      read_line(line);
    }
    skip(line);
  }
  if (is_last_ && ended_line_ == 0)
    sink_.on_finding({.line = std::max<std::int64_t>(line_ - 1, 1),
                      .code = FindingCode::end_missing,
                      .text = "the file ends without an end record (900): it may have been cut off",
                      .excerpt = ""});
  if (!is_last_ && ended_line_ != 0) note_end();
  return line_ - first;
}

/// Something stands behind an end record.
void Nem13Records::note_end() {
  sink_.on_finding({.line = ended_line_,
                    .code = FindingCode::not_standard,
                    .text = "the file goes on behind its end record (900), as files do that were "
                            "put together; all of it is read",
                    .excerpt = "900"});
  ended_line_ = 0;
}

void Nem13Records::read_line(const Line& line) {
  const auto kind = kind_of(line.text);
  if (kind == "250") return read_record(line);
  if (kind == "900") ended_line_ = line_;
  if (kind == "900" || kind == "100" || (kind == "550" && is_behind_read_)) return;
  tell(FindingCode::bad_record,
       kind == "550" ? "no 250 record before it says what it is about"
                     : "this is no record of NEM13 (100, 250, 550, 900)",
       line.text);
  sink_.on_rejected_row({.line = line_, .text = line.text.substr(0, row_bytes_max)});
}

void Nem13Records::read_record(const Line& line) {
  is_behind_read_ = true;
  const Row row{
      .line = line_, .text = line.text.substr(0, row_bytes_max), .is_register_read = true};
  if (take_record(line))
    sink_.on_read(read_, row);
  else
    sink_.on_rejected_row(row);
}

bool Nem13Records::take_record(const Line& line) {
  if (line.text.size() > row_bytes_max)
    return reject_line(line, FindingCode::row_too_long,
                       fmt::format("longer than {} bytes", row_bytes_max));
  split(line.text, fields_);
  read_ = {};
  if (!has_fields(line) || !take_register() || !take_state(current_read, read_.current) ||
      !take_previous() || !take_counted())
    return false;
  take_dates();
  if (const auto fault = fault_of(read_))
    return reject_line(line, FindingCode::bad_record, std::string(*fault));
  return true;
}

/// Whether the record has as many fields as it needs, and no more than it may.
bool Nem13Records::has_fields(const Line& line) {
  if (!line.is_ended && fields_.size() < fields_max)
    return reject_line(line, FindingCode::truncated, "the file ends in the middle of this row");
  if (fields_.size() < fields_min)
    return reject_line(
        line, FindingCode::too_few_columns,
        fmt::format("the record has {} fields, want at least {}", fields_.size(), fields_min));
  if (fields_.size() <= fields_max) return true;
  const bool is_empty = std::all_of(fields_.begin() + fields_max, fields_.end(),
                                    [](std::string_view behind) { return behind.empty(); });
  if (!is_empty)
    return reject_line(line, FindingCode::too_many_columns,
                       fmt::format("{} columns, at most {}", fields_.size(),
                                   static_cast<std::size_t>(fields_max)));
  tell(FindingCode::not_standard, "there are empty columns at the end", ",");
  return true;
}

bool is_reactive(Unit unit) {
  switch (unit) {
    case Unit::varh:
    case Unit::kvarh:
    case Unit::Mvarh:
    case Unit::var:
    case Unit::kvar:
    case Unit::Mvar:
      return true;
    default:
      return false;
  }
}

/// Whose the read is. Energy that is exported is taken from the grid: that is the customer's
/// consumption.
bool Nem13Records::take_register() {
  if (const auto objection = objection_to_meter(field(nmi)))
    return reject(nmi, objection->code, fmt::format("the NMI: {}", objection->wanted));
  read_.meter = *MeterId::parse(field(nmi));
  const auto name = field(suffix);
  if (name.empty() || name.size() > channel_name_chars_max || !is_meter_id_text(name))
    return reject(suffix, FindingCode::bad_record,
                  "the NMI suffix, which names the channel, is no word like 11");
  const auto unit_read = parse_unit(field(unit));
  if (!unit_read)
    return reject(unit, FindingCode::bad_record, fmt::format("the unit is none of {}", unit_names));
  const auto way = field(direction).size() == 1 ? upper(field(direction)[0]) : '\0';
  auto flow = way == 'E' ? Flow::consumption : way == 'I' ? Flow::generation : Flow::other;
  if (flow == Flow::other)
    allow(direction, "the direction is neither E nor I, so the flow is `other`");
  if (is_reactive(*unit_read)) flow = Flow::reactive;
  read_.of = {.channel = {.name = std::string(name), .flow = flow, .unit = *unit_read},
              .id = std::string(field(register_id)),
              .serial = std::string(field(serial))};
  return true;
}

/// What the register showed: value, time, quality, reason code and description, from field `first`
/// on.
bool Nem13Records::take_state(std::size_t first, RegisterState& state) {
  const auto at = parse_date_time(field(first + 1));
  if (!at)
    return reject(first + 1, FindingCode::bad_date, "want a time yyyyMMddHHmmss that exists");
  state.time = {.at = *at, .offset_minutes = market_offset_minutes};
  const auto quality = parse_quality(field(first + 2));
  if (!quality || quality->flag == 'V')
    return reject(first + 2, FindingCode::bad_record,
                  "the quality is none of A, E, F, S and N, perhaps with two digits of a method");
  if (!take_value(first, state.value)) return false;
  state.quality = quality_of(quality->flag);
  if (state.quality == Quality::missing && state.value) {
    if (state.value->mantissa != 0)
      allow(first, "a value that is flagged N is no reading, whatever it says");
    state.value.reset();
  }
  state.note = note_of(*quality, first + 3);
  return true;
}

/// Empty where nothing is said but that it is as it is, or where that cannot be kept.
Note Nem13Records::note_of(const QualityMethod& quality, std::size_t reason) {
  Note note{.flag = std::string(1, quality.flag),
            .method = std::string(quality.method),
            .reason_code = std::string(field(reason)),
            .reason_text = std::string(field(reason + 1))};
  if (note == Note{.flag = "A"}) return {};
  const auto fault = fault_of(note);
  if (!fault) return note;
  tell(FindingCode::notes_dropped, fmt::format("{}: it is not kept", *fault), field(reason + 1),
       static_cast<int>(reason) + 2);
  return {};
}

/// Empty for a blank field.
bool Nem13Records::take_value(std::size_t at, std::optional<Decimal>& value) {
  const auto text = field(at);
  if (text.empty()) return true;
  const auto reading = parse_reading(text);
  if (!reading)
    return reject(at, FindingCode::bad_record,
                  "want a plain decimal like 1234.5 of at most 18 digits");
  if (reading->value.mantissa < 0)
    return reject(at, FindingCode::bad_record, "NEM13 has no negative values");
  if (reading->is_rounded)
    tell(FindingCode::noise_dropped,
         fmt::format("rounded to {} decimals, the most that are kept", reading_decimals_max), text,
         static_cast<int>(at) + 1);
  value = reading->value;
  return true;
}

/// A register that is read for the first time has no read before.
bool Nem13Records::take_previous() {
  if (!field(previous_read + 1).empty()) return take_state(previous_read, read_.previous.emplace());
  if (!field(previous_read).empty())
    allow(previous_read, "the previous read has no time, so nothing of it is kept");
  return true;
}

bool Nem13Records::take_counted() {
  if (!take_value(quantity, read_.counted)) return false;
  if (!read_.counted || read_.previous) return true;
  allow(quantity, "what was counted since the previous read is not kept, as that has no time");
  read_.counted.reset();
  return true;
}

/// When it is read next, and when the record was made.
void Nem13Records::take_dates() {
  read_.next_read = parse_date(field(next_read_date));
  if (!read_.next_read && !field(next_read_date).empty())
    allow(next_read_date, "NextScheduledReadDate is not read, as it is no date yyyyMMdd");
  read_.stated = parse_date_time(field(update_date_time));
  if (!read_.stated && !field(update_date_time).empty())
    allow(update_date_time, "UpdateDateTime is not read, as it is not written yyyyMMddHHmmss");
}

class Nem13 final : public Parser {
 public:
  std::int64_t parse(const Piece& piece, DaySink& sink) const override {
    return Nem13Records(piece, sink).read();
  }
};

}  // namespace

bool is_nem13(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  if (is_header_of(head, "NEM13")) return true;
  const auto line = head.substr(0, head.find_first_of("\r\n"));
  return kind_of(line) == "250" &&
         std::count(line.begin(), line.end(), ',') >= static_cast<std::ptrdiff_t>(fields_min) - 1;
}

Result<Opened> open_nem13(const Piece& first, const ReadOptions& /*options*/) {
  const bool has_header = kind_of(first.text.substr(0, kind_chars + 1)) == "100";
  Opened opened{.parser = std::make_unique<Nem13>(),
                .recognised_by = fmt::format("line {} is {}", first.first_line,
                                             has_header ? "its header record, 100,NEM13"
                                                        : "a record of NEM13, without header")};
  if (!has_header)
    opened.findings.push_back({.line = first.first_line,
                               .code = FindingCode::not_standard,
                               .text = "the file has no header record (100)",
                               .excerpt = excerpt_of(first_line(first.text).text)});
  return opened;
}

}  // namespace meterline::formats
