// A block is a 200 record and all that follows up to the next 200, 100 or 900. Its structure is
// looked through first, as a fault in it costs the whole block; then its days are read, each by a
// quick way that knows plain rows only, and else by a careful one that explains what is wrong.

#include "formats/nem12.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/csv_rows.h"
#include "formats/mdff.h"
#include "formats/meter_text.h"
#include "formats/plain_row.h"
#include "formats/quick_readings.h"
#include "formats/reading_text.h"

namespace meterline::formats {
namespace {

using namespace mdff;

constexpr std::size_t record_200_fields_min = 9;  ///< Up to the interval's length.
constexpr std::size_t record_400_fields_min = 4;  ///< Up to the quality.

Flow flow_of(std::string_view suffix) {
  switch (upper(suffix[0])) {
    case 'E':
      return Flow::consumption;
    case 'B':
      return Flow::generation;
    case 'Q':
    case 'K':
      return Flow::reactive;
    default:
      return Flow::other;
  }
}

}  // namespace

/// Reads the records of one piece. Holds the day that is filled anew for each 300 record.
class Nem12Records {
 public:
  Nem12Records(const Piece& piece, DaySink& sink)
      : rest_(piece.text), line_(piece.first_line), is_last_(piece.is_last), sink_(sink) {
    day_.zone = TimeZone::of_offset(market_offset_minutes);
  }

  /// Returns the number of physical lines.
  std::int64_t read();

 private:
  struct Fault {
    std::int64_t line = 0;
    std::string text;
    std::string excerpt;
  };

  /// What a 400 record says.
  struct Event {
    std::size_t first = 0;
    std::size_t end = 0;
    QualityMethod quality;
    std::string_view reason_code;
    std::string_view reason_text;
  };

  void skip(const Line& line) {
    rest_.remove_prefix(line.bytes);
    ++line_;
  }
  void note_end();
  void read_outside(const Line& line);
  void read_block(const Line& head);
  std::optional<Fault> take_head(std::string_view head);
  std::optional<Fault> structure_fault(std::string_view rows, std::size_t& bytes) const;
  void reject_block(std::size_t bytes, const Fault& fault);
  void read_days(std::size_t bytes);
  void read_day(const Line& line);

  bool read_quick(const Line& line);
  bool read_careful(const Line& line);
  bool read_values(std::size_t count);
  bool read_tail(std::string_view tail);
  bool read_events(const Line& line);
  std::optional<Event> read_event(std::string_view event, std::size_t next);
  void apply(std::size_t first, std::size_t end, const QualityMethod& quality,
             std::string_view reason_code, std::string_view reason_text);
  void finish_day(const Line& line);

  void tell(FindingCode code, std::string text, std::string_view excerpt, int column = 0) {
    sink_.on_finding({.line = line_,
                      .column = column,
                      .code = code,
                      .text = std::move(text),
                      .excerpt = excerpt_of(excerpt)});
  }
  bool reject(FindingCode code, std::string text, std::string_view excerpt, int column = 0) {
    tell(code, std::move(text), excerpt, column);
    return false;
  }
  void allow(unsigned what, std::string_view text, std::string_view excerpt);
  void emit_rejected(std::int64_t line, std::string_view text) {
    sink_.on_rejected_row({.line = line,
                           .text = text.substr(0, row_bytes_max),
                           .slots = kind_of(text) == "300" ? static_cast<int>(slots_) : 0});
  }

  std::string_view rest_;
  std::int64_t line_;
  const bool is_last_;
  DaySink& sink_;
  std::int64_t ended_line_ = 0;  ///< Of a 900 record, if nothing stands behind it.

  // Of the block:
  std::int64_t head_line_ = 0;
  std::size_t slots_ = 0;  ///< 0 where it is not known.
  unsigned allowed_ = 0;   ///< What was told of it once, as bits.
  ReadingDay day_;
  std::size_t block_bytes_ = 0;  ///< That are left of it.

  // Of the day:
  QualityMethod quality_;
  std::string_view reason_code_;
  std::string_view reason_text_;
  int rejected_ = 0;
  bool is_all_actual_ = false;
  std::vector<std::uint8_t> decimals_;
  std::vector<std::string_view> fields_;
};

namespace {

/// Things that the standard does not allow, and that are read all the same: told once a block.
enum Allowed : unsigned {
  padded_length = 1,
  empty_columns = 2,
  blank_values = 4,
  bad_stated = 8,
  events_unasked = 16,
  null_with_value = 32,
};

}  // namespace

void Nem12Records::allow(unsigned what, std::string_view text, std::string_view excerpt) {
  if ((allowed_ & what) != 0) return;
  allowed_ |= what;
  tell(FindingCode::not_standard, fmt::format("{}; told once for the block", text), excerpt);
}

std::int64_t Nem12Records::read() {
  const auto first = line_;
  while (!rest_.empty()) {
    const auto line = first_line(rest_);
    if (is_blank(line.text)) {
      skip(line);
      continue;
    }
    if (ended_line_ != 0) note_end();
    if (kind_of(line.text) == "200")
      read_block(line);
    else
      read_outside(line);
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
void Nem12Records::note_end() {
  sink_.on_finding({.line = ended_line_,
                    .code = FindingCode::not_standard,
                    .text = "the file goes on behind its end record (900), as files do that were "
                            "put together; all of it is read",
                    .excerpt = "900"});
  ended_line_ = 0;
}

/// A line that belongs to no block.
void Nem12Records::read_outside(const Line& line) {
  slots_ = 0;  // Of a row that is nobody's.
  const auto kind = kind_of(line.text);
  if (kind == "900") {
    ended_line_ = line_;
  } else if (kind != "100") {
    tell(FindingCode::bad_record,
         kind == "300" || kind == "400" || kind == "500"
             ? "no 200 record before it says whose it is"
             : "this is no record of NEM12 (100, 200, 300, 400, 500, 900)",
         line.text);
    emit_rejected(line_, line.text);
  }
  skip(line);
}

void Nem12Records::read_block(const Line& head) {
  head_line_ = line_;
  slots_ = 0;
  allowed_ = 0;
  auto fault = take_head(head.text);
  skip(head);
  std::size_t bytes = 0;
  auto in_rows = structure_fault(rest_, bytes);
  if (!fault) fault = std::move(in_rows);
  if (fault)
    reject_block(bytes, *fault);
  else
    read_days(bytes);
}

/// Reads the 200 record. MDFF, section 4.3.
std::optional<Nem12Records::Fault> Nem12Records::take_head(std::string_view head) {
  split(head, fields_);
  const auto fault = [&](std::string text, std::string_view excerpt) {
    return Fault{.line = line_, .text = std::move(text), .excerpt = excerpt_of(excerpt)};
  };
  if (fields_.size() < record_200_fields_min)
    return fault(fmt::format("the 200 record has {} fields, want at least {}", fields_.size(),
                             record_200_fields_min),
                 head);
  const auto nmi = fields_[1];
  const auto suffix = fields_[4];
  const auto unit_text = fields_[7];
  auto length_text = fields_[8];

  if (length_text.size() > 1 && length_text[0] == '0') {
    allow(padded_length, "the interval's length is written with a zero in front", length_text);
    length_text.remove_prefix(1);
  }
  const auto minutes = number_of(length_text);
  const auto interval = IntervalLength::from_minutes(minutes && *minutes <= 30 ? *minutes : 0);
  if (!interval)
    return fault("the interval's length is not 1, 5, 10, 15 or 30 minutes", fields_[8]);
  day_.interval = *interval;
  slots_ = static_cast<std::size_t>(interval->slots_per_day());
  day_.mantissas.resize(slots_);
  day_.qualities.resize(slots_);
  decimals_.resize(slots_);
  is_all_actual_ = false;

  if (const auto objection = objection_to_meter(nmi))
    return fault(fmt::format("the NMI: {}", objection->wanted), nmi);
  day_.meter = *MeterId::parse(nmi);
  if (suffix.empty() || suffix.size() > channel_name_chars_max || !is_meter_id_text(suffix))
    return fault("the NMI suffix, which names the channel, is no word like E1", suffix);
  const auto unit = parse_unit(unit_text);
  if (!unit) return fault(fmt::format("the unit is none of {}", unit_names), unit_text);
  day_.channel = {.name = std::string(suffix), .flow = flow_of(suffix), .unit = *unit};
  return std::nullopt;
}

/// What is wrong with the kinds and the order of the records behind a 200 record, and how many
/// bytes its block has behind it.
std::optional<Nem12Records::Fault> Nem12Records::structure_fault(std::string_view rows,
                                                                 std::size_t& bytes) const {
  std::optional<Fault> fault;
  bool has_day = false;
  auto line_number = line_;
  bytes = 0;
  const auto note = [&](std::string_view text, std::string_view line) {
    if (!fault)
      fault = {.line = line_number, .text = std::string(text), .excerpt = excerpt_of(line)};
  };
  for (; bytes < rows.size(); ++line_number) {
    const auto line = first_line(rows.substr(bytes));
    const auto kind = kind_of(line.text);
    if (kind == "200" || kind == "100" || kind == "900") break;
    bytes += line.bytes;
    if (kind == "300")
      has_day = true;
    else if (kind == "400" && !has_day)
      note("a 400 record stands before the first 300 record", line.text);
    else if (kind != "400" && kind != "500" && !is_blank(line.text))
      note("this is no record of NEM12 (100, 200, 300, 400, 500, 900)", line.text);
  }
  return fault;
}

/// None of the days of a block can be trusted to be whose they seem to be.
void Nem12Records::reject_block(std::size_t bytes, const Fault& fault) {
  sink_.on_finding({.line = fault.line,
                    .code = FindingCode::bad_block,
                    .text = fmt::format("{}, so the block of the 200 record on line {} is not read",
                                        fault.text, head_line_),
                    .excerpt = fault.excerpt});
  for (const auto behind = rest_.size() - bytes; rest_.size() > behind;) {
    const auto line = first_line(rest_);
    const auto kind = kind_of(line.text);
    if (kind != "400" && kind != "500" && !is_blank(line.text)) {
      if (line_ != fault.line)
        tell(FindingCode::bad_block, fmt::format("its block is not read; see line {}", fault.line),
             line.text);
      emit_rejected(line_, line.text);
    }
    skip(line);
  }
}

void Nem12Records::read_days(std::size_t bytes) {
  block_bytes_ = bytes;
  for (const auto behind = rest_.size() - bytes; rest_.size() > behind;) {
    block_bytes_ = rest_.size() - behind;
    const auto line = first_line(rest_);
    if (kind_of(line.text) == "300")
      read_day(line);
    else
      skip(line);
  }
}

/// Reads a 300 record and the 400 records behind it.
void Nem12Records::read_day(const Line& line) {
  rejected_ = 0;
  day_.notes.clear();
  day_.stated.reset();
  const Row row{.line = line_, .text = line.text, .slots = static_cast<int>(slots_)};
  const bool is_good = (read_quick(line) || read_careful(line)) && read_events(line);
  line_ = row.line;
  if (is_good) finish_day(line);
  if (is_good)
    sink_.on_day(day_, rejected_, row);
  else
    emit_rejected(row.line, row.text);
  skip(line);
}

/// A row of plain values; false when anything in it is not.
bool Nem12Records::read_quick(const Line& line) {
  if (!line.is_ended) return false;
  const char* at = line.text.data() + kind_chars;
  const char* const end = at + (line.text.size() - kind_chars);
  if (end - at <= static_cast<std::ptrdiff_t>(date_chars) + 1 || at[date_chars + 1] != ',')
    return false;
  const auto date = parse_date({at + 1, date_chars});
  if (!date) return false;
  day_.date = *date;
  at += date_chars + 1;
  const auto plain = read_plain_row(at + 1, rest_.data() + rest_.size(), day_.mantissas);
  if (plain.end != nullptr && plain.end < end && *plain.end == ',') {
    if (!is_all_actual_) std::fill(day_.qualities.begin(), day_.qualities.end(), Quality::actual);
    is_all_actual_ = true;
    day_.exponent = static_cast<std::int8_t>(-plain.decimals);
    return read_tail({plain.end + 1, end});
  }
  is_all_actual_ = false;
  at = read_quick_readings(at, day_, decimals_);
  if (at == nullptr || at >= end || *at != ',') return false;
  const bool is_negative = std::any_of(day_.mantissas.begin(), day_.mantissas.end(),
                                       [](std::int64_t mantissa) { return mantissa < 0; });
  return !is_negative && read_tail({at + 1, end});
}

/// Reads what stands behind the values: quality, reason, and when the day was made. False, without
/// a finding, when that is for the careful reader to explain.
bool Nem12Records::read_tail(std::string_view tail) {
  enum : std::size_t { quality, reason_code, reason_text, stated, loaded, fields_max };
  std::array<std::string_view, fields_max> fields;
  std::size_t count = 0;
  bool has_more = false;
  for (;;) {
    const auto comma = tail.find(',');
    if (count == fields_max) {
      if (!is_blank(tail)) return false;
      has_more = true;
      break;
    }
    fields.at(count++) = trimmed(tail.substr(0, comma));
    if (comma == std::string_view::npos) break;
    tail.remove_prefix(comma + 1);
  }
  const auto read = parse_quality(fields[quality]);
  if (!read) return false;
  if (has_more) allow(empty_columns, "there are empty columns at the end", ",");
  quality_ = *read;
  reason_code_ = fields[reason_code];
  reason_text_ = fields[reason_text];
  day_.stated = parse_date_time(fields[stated]);
  if (!day_.stated && !fields[stated].empty())
    allow(bad_stated, "UpdateDateTime is not read, as it is not written yyyyMMddHHmmss",
          fields[stated]);
  return true;
}

/// Any row. MDFF, section 4.4.
bool Nem12Records::read_careful(const Line& line) {
  is_all_actual_ = false;
  if (line.text.size() > row_bytes_max)
    return reject(FindingCode::row_too_long, fmt::format("longer than {} bytes", row_bytes_max),
                  line.text);
  split(line.text, fields_);
  const auto date = fields_.size() < 2 ? std::nullopt : parse_date(fields_[1]);
  if (!date)
    return reject(FindingCode::bad_date, "want a date yyyyMMdd that exists",
                  fields_.size() < 2 ? line.text : fields_[1], 2);
  day_.date = *date;
  constexpr std::size_t before = 2;
  const std::size_t quality_at = before + slots_;
  const bool has_quality = fields_.size() > quality_at && parse_quality(fields_[quality_at]);
  if (!has_quality) {
    const auto flag = std::find_if(fields_.begin() + before, fields_.end(),
                                   [](auto field) { return parse_quality(field).has_value(); });
    const auto values = static_cast<std::size_t>(flag - fields_.begin()) - before;
    if (!line.is_ended && fields_.size() <= quality_at)
      return reject(FindingCode::truncated, "the file ends in the middle of this row", line.text);
    const bool has_field = fields_.size() > quality_at;
    const auto field = has_field ? fields_[quality_at] : std::string_view();
    if (!field.empty() && is_letter(field[0]))
      return reject(FindingCode::bad_record, "the quality is none of A, E, F, S, N and V", field,
                    static_cast<int>(quality_at) + 1);
    if (values == slots_ || (field.empty() && has_field && flag == fields_.end()))
      return reject(FindingCode::too_few_columns, "there is no quality behind the values",
                    line.text);
    return reject(values < slots_ ? FindingCode::too_few_columns : FindingCode::too_many_columns,
                  fmt::format("{} values, but intervals of {} minutes make {}", values,
                              day_.interval.minutes(), slots_),
                  line.text);
  }
  if (!read_values(before)) return false;
  const auto* const tail = fields_[quality_at].data();
  if (read_tail({tail, line.text.data() + line.text.size()})) return true;
  return reject(FindingCode::too_many_columns,
                fmt::format("{} columns, at most {}", fields_.size(), quality_at + 5), line.text);
}

/// Reads the values from field `first` on, and tells of those that are none.
bool Nem12Records::read_values(std::size_t first) {
  std::vector<bool> is_rounded(slots_);
  int decimals_max = 0;
  const auto lose = [&](std::size_t slot, FindingCode code, std::string_view wanted) {
    tell(code, std::string(wanted), fields_[first + slot], static_cast<int>(first + slot) + 1);
    day_.qualities[slot] = Quality::missing;
    day_.mantissas[slot] = 0;
    ++rejected_;
  };
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    day_.mantissas[slot] = 0;
    day_.qualities[slot] = Quality::missing;
    const auto text = fields_[first + slot];
    if (text.empty()) continue;
    const auto reading = parse_reading(text);
    if (!reading) {
      const bool is_long = text.size() > decimal_digits_max &&
                           text.find_first_not_of("0123456789.") == std::string_view::npos;
      lose(slot, is_long ? FindingCode::value_too_large : FindingCode::bad_value,
           is_long ? "at most 18 digits" : "want a plain decimal like 0.305");
      continue;
    }
    if (reading->value.mantissa < 0) {
      lose(slot, FindingCode::bad_value, "NEM12 has no negative values: a suffix gives the flow");
      continue;
    }
    day_.mantissas[slot] = reading->value.mantissa;
    day_.qualities[slot] = Quality::actual;
    decimals_[slot] = static_cast<std::uint8_t>(-reading->value.exponent);
    decimals_max = std::max(decimals_max, -reading->value.exponent);
    is_rounded[slot] = reading->is_rounded;
  }
  day_.exponent = static_cast<std::int8_t>(-decimals_max);
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    if (day_.qualities[slot] == Quality::missing) continue;
    const auto power = static_cast<std::size_t>(decimals_max - decimals_[slot]);
    if (__builtin_mul_overflow(day_.mantissas[slot], powers_of_ten.at(power),
                               &day_.mantissas[slot])) {
      lose(slot, FindingCode::value_too_large,
           fmt::format("does not fit beside a reading of this row with {} decimals", decimals_max));
      continue;
    }
    if (is_rounded[slot])
      tell(FindingCode::noise_dropped,
           fmt::format("rounded to {} decimals, the most that are kept", reading_decimals_max),
           fields_[first + slot], static_cast<int>(first + slot) + 1);
  }
  return true;
}

/// What a record says of slots: their class, and a note where there is more to say than that.
void Nem12Records::apply(std::size_t first, std::size_t end, const QualityMethod& quality,
                         std::string_view reason_code, std::string_view reason_text) {
  const auto kind = quality_of(quality.flag);
  if (kind != Quality::actual) is_all_actual_ = false;
  for (std::size_t slot = first; kind != Quality::actual && slot < end; ++slot) {
    if (day_.qualities[slot] == Quality::missing) continue;
    if (kind == Quality::missing && day_.mantissas[slot] != 0)
      allow(null_with_value, "a value that is flagged N is no reading, whatever it says", "N");
    if (kind == Quality::missing) day_.mantissas[slot] = 0;
    day_.qualities[slot] = kind;
  }
  const bool is_plain =
      quality.flag == 'A' && quality.method.empty() && reason_code.empty() && reason_text.empty();
  if (is_plain) return;
  append(day_.notes, first, end,
         {.flag = std::string(1, quality.flag),
          .method = std::string(quality.method),
          .reason_code = std::string(reason_code),
          .reason_text = std::string(reason_text)});
}

/// Gives the day the quality of its own record, and that of the 400 records behind it. MDFF,
/// section 4.5.
bool Nem12Records::read_events(const Line& line) {
  const bool is_variable = quality_.flag == 'V';
  auto rest = rest_.substr(line.bytes, block_bytes_ - line.bytes);
  std::size_t next = 0;
  const auto apply_own = [&](std::size_t end) {
    if (next < end) apply(next, end, quality_, reason_code_, reason_text_);
  };
  while (!rest.empty()) {
    const auto event = first_line(rest);
    const bool is_event = kind_of(event.text) == "400";
    if (!is_event && !is_blank(event.text)) break;
    rest.remove_prefix(event.bytes);
    ++line_;
    if (!is_event) continue;
    const auto read = read_event(event.text, next);
    if (!read) return false;
    if (is_variable && read->first != next)
      return reject(FindingCode::bad_record,
                    fmt::format("a 400 record begins with interval {}, want {}: they cover the day "
                                "without gap or overlap, so the day is not read",
                                read->first + 1, next + 1),
                    event.text);
    if (!is_variable) {
      allow(events_unasked, "400 records follow a day whose quality is not V", event.text);
      apply_own(read->first);
    }
    apply(read->first, read->end, read->quality, read->reason_code, read->reason_text);
    next = read->end;
  }
  if (is_variable && next != slots_)
    return reject(
        FindingCode::bad_record,
        fmt::format("the quality is V, and 400 records say it of {} of {} intervals only, "
                    "so the day is not read",
                    next, slots_),
        line.text);
  if (!is_variable) apply_own(slots_);
  return true;
}

/// Reads a 400 record; `next` is the slot behind those that were told of. Empty, with a finding,
/// when it is none.
std::optional<Nem12Records::Event> Nem12Records::read_event(std::string_view event,
                                                            std::size_t next) {
  split(event, fields_);
  const auto refuse = [&](std::string_view what) {
    tell(FindingCode::bad_record, fmt::format("{}, so the day is not read", what), event);
    return std::nullopt;
  };
  if (fields_.size() < record_400_fields_min) return refuse("a 400 record is too short");
  const auto from = number_of(fields_[1]);
  const auto to = number_of(fields_[2]);
  const auto quality = parse_quality(fields_[3]);
  if (!from || !to || *from < 1 || *to < *from || static_cast<std::size_t>(*to) > slots_)
    return refuse(fmt::format("a 400 record wants intervals from 1 to {}", slots_));
  if (!quality || quality->flag == 'V')
    return refuse("the quality of a 400 record is none of A, E, F, S and N");
  const auto first = static_cast<std::size_t>(*from) - 1;
  if (first < next) return refuse("400 records overlap");
  const auto field = [&](std::size_t at) {
    return at < fields_.size() ? fields_[at] : std::string_view();
  };
  return Event{.first = first,
               .end = static_cast<std::size_t>(*to),
               .quality = *quality,
               .reason_code = field(4),
               .reason_text = field(5)};
}

/// Tells of readings that are blank without a word of the file, and of notes that cannot be kept.
void Nem12Records::finish_day(const Line& line) {
  std::int64_t silent = 0;
  for (std::size_t slot = 0; !is_all_actual_ && slot < slots_; ++slot) {
    if (day_.qualities[slot] != Quality::missing) continue;
    const auto* const note = note_at(day_.notes, slot);
    silent += note == nullptr || note->flag != "N" ? 1 : 0;
  }
  if (silent > rejected_) allow(blank_values, "blank values are missing readings", line.text);
  if (day_.notes.empty()) return;
  const auto fault = fault_of(day_.notes, slots_);
  if (!fault) return;
  day_.notes.clear();
  tell(FindingCode::notes_dropped, fmt::format("{}: none of the day's are kept", *fault),
       line.text);
}

namespace {

class Nem12 final : public Parser {
 public:
  std::int64_t parse(const Piece& piece, DaySink& sink) const override {
    return Nem12Records(piece, sink).read();
  }
};

}  // namespace

bool is_nem12(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  if (is_header_of(head, "NEM12")) return true;
  return head.starts_with("200,") && (head.find("\n300,") != std::string_view::npos ||
                                      head.find("\r300,") != std::string_view::npos);
}

Result<Opened> open_nem12(const Piece& first, const ReadOptions& /*options*/) {
  const bool has_header = kind_of(first.text.substr(0, kind_chars + 1)) == "100";
  Opened opened{.parser = std::make_unique<Nem12>(),
                .recognised_by = fmt::format("line {} is {}", first.first_line,
                                             has_header ? "its header record, 100,NEM12"
                                                        : "a record of NEM12, without header")};
  if (!has_header)
    opened.findings.push_back({.line = first.first_line,
                               .code = FindingCode::not_standard,
                               .text = "the file has no header record (100)",
                               .excerpt = excerpt_of(first_line(first.text).text)});
  return opened;
}

}  // namespace meterline::formats
