#include "testing/wide_csv_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace meterline::testing {
namespace {

using Texts = std::vector<std::string>;

template <class T>
T one_of(std::initializer_list<T> items) {
  return *rc::gen::elementOf(std::vector<T>(items));
}

/// True once in `n` times.
bool once_in(int n) { return *rc::gen::inRange(0, n) == 0; }

std::string digits(int count_max) {
  const auto count = static_cast<std::size_t>(*rc::gen::inRange(1, count_max + 1));
  return *rc::gen::container<std::string>(count, rc::gen::inRange<char>('0', '9' + 1));
}

/// Without quotes and blanks; now and then too long.
std::string plain_cell() {
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      return "";
    case 1:
      return '-' + digits(4);
    case 2:
    case 3:
      return digits(3) + '.' + digits(4);
    case 4:
      return digits(18) + (once_in(4) ? "000000000000000001" : "");
    case 5:
      return "0." + digits(17) + (once_in(4) ? "000000000000000001" : "");
    default:
      return digits(3);
  }
}

std::string odd_cell() {
  return one_of<std::string>({"NaN",
                              "1e5",
                              "0x10",
                              "1,5",
                              "１２",
                              "٣",
                              "-",
                              ".",
                              ".5",
                              "5.",
                              "+5",
                              "--5",
                              "1 000",
                              "null",
                              "1234567890123456789",
                              "-0000000000000000000",
                              "0.0000000000000000001",
                              "-0.30000000000000004",
                              "0.9999999995",
                              "999999999.9999999999",
                              "9999999999.9999999999",
                              "0.1234567890000",
                              "0.30000000000000x4",
                              "9.9.9",
                              "\xFF\xFE",
                              "99999999999999999999.9999",
                              "a\"b",
                              "\"1\"2",
                              "\"",
                              "\"1\n2\"",
                              "-0",
                              "0.",
                              "- 5",
                              "1-"});
}

std::string dressed(std::string cell) {
  if (once_in(8)) cell = one_of<std::string>({" ", "\t", "  "}) + cell;
  if (once_in(8)) cell += one_of<std::string>({" ", "\t", "  "});
  if (once_in(8)) cell = '"' + cell + '"';
  if (once_in(16)) cell = one_of<std::string>({" ", "\t"}) + cell;
  if (once_in(16)) cell += one_of<std::string>({" ", "\t", "x"});
  return cell;
}

std::string meter() {
  if (!once_in(10)) return one_of<std::string>({"EE00027", "EE1", "6305:A_b-c.d", "x"});
  return one_of<std::string>({"", "EE 1", "EE/1", "Zähler", std::string(64, 'm'),
                              std::string(65, 'm'), "\"EE,1\"", "\"E\"\"E\"", "7.22E13", "7e5",
                              "12E3", "17.0", "17.01", "'17", "Total", "Grand Total", "sum:"});
}

std::string date() {
  if (once_in(3)) return "2019-01-01";
  if (!once_in(10))
    return fmt::format("2019-0{}-1{}", *rc::gen::inRange(1, 10), *rc::gen::inRange(0, 10));
  return one_of<std::string>({"", "2019-02-29", "2020-02-29", "2019-1-1", "01-01-2019",
                              "1899-12-31", "1900-01-01", "2199-12-31", "2200-01-01", "2019/01/01",
                              "２０１９-01-01"});
}

std::string line_end() { return one_of<std::string>({"\n", "\n", "\n", "\r\n", "\r\n", "\r"}); }

/// The names of the columns, in order.
Texts header_columns() {
  const int minutes = one_of({60, 60, 60, 60, 30, 30, 30, 15, 10, 5, 1});
  const auto* const hour_format = once_in(3) ? "{:02}:{:02}" : "{}:{:02}";
  Texts columns = {one_of<std::string>({"Meter", "Meter", "meter", "METER"}),
                   one_of<std::string>({"Date", "Date", "date", "DATE"})};
  for (int minute = 0; minute < 24 * 60; minute += minutes)
    columns.push_back(fmt::format(fmt::runtime(hour_format), minute / 60, minute % 60));
  if (once_in(4)) columns.resize(static_cast<std::size_t>(*rc::gen::inRange(3, 10)));
  const auto put_in = [&](const std::string& name) {
    const auto at = *rc::gen::inRange<std::size_t>(0, columns.size() + 1);
    columns.insert(columns.begin() + static_cast<std::ptrdiff_t>(at), name);
  };
  if (once_in(6))
    put_in(one_of<std::string>({"Note", "", "\"a,b\"", "Total", "24:30", "0:0", "1:2:3"}));
  if (once_in(3)) {
    for (auto more = *rc::gen::inRange(1, 5); more > 0; --more)
      put_in(one_of<std::string>({"Type", "Type", "Units", "Register", "0:00 Flag", "Status",
                                  "Total kWh", "Total MWh", "Time Change 1", "Site", "kW"}));
  }
  if (once_in(30))
    for (int i = 0; i < 20; ++i) columns.push_back("Label");
  if (once_in(30)) put_in(one_of<std::string>({"24:00", "0:00", "00:00", "Meter", "date", "0:07"}));
  if (once_in(12)) std::rotate(columns.begin() + 2, columns.begin() + 3, columns.end());
  if (once_in(4)) {
    const auto turn = *rc::gen::inRange<std::size_t>(0, columns.size());
    std::rotate(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(turn),
                columns.end());
  }
  if (once_in(4)) std::reverse(columns.begin(), columns.end());
  if (once_in(6)) {
    for (auto& name : columns) name = ' ' + name;
  }
  if (once_in(12)) columns.push_back("");
  return columns;
}

bool same_name(std::string_view header, std::string_view name) {
  if (header.size() < name.size()) return false;
  header.remove_prefix(header.size() - name.size());
  return std::equal(header.begin(), header.end(), name.begin(),
                    [](char a, char b) { return (a | 0x20) == b; });
}

/// A row draws its cells from a few texts only, in a fixed mixture, to be quick at 1,440 columns.
std::string row(const Texts& columns) {
  const bool is_plain = !once_in(3);
  Texts cells;
  for (int i = *rc::gen::inRange(1, 6); i > 0; --i)
    cells.push_back(is_plain ? plain_cell() : dressed(once_in(3) ? odd_cell() : plain_cell()));

  std::string out;
  const auto stride = *rc::gen::inRange<std::size_t>(1, 8);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ',';
    if (same_name(columns[i], "meter"))
      out += is_plain ? meter() : dressed(meter());
    else if (same_name(columns[i], "date"))
      out += is_plain ? date() : dressed(date());
    else if (same_name(columns[i], "type") || same_name(columns[i], "units") ||
             same_name(columns[i], "site") || same_name(columns[i], "label"))
      out += one_of<std::string>({"AI", "AI", "RI", "kWh", "kWh", "Wh", "A", "1", ""});
    else
      out += cells[(i * stride + i / 5) % cells.size()];
  }
  if (once_in(12)) out += one_of<std::string>({",1", ",", ",, ", ",\"\"", ",\""});
  if (once_in(12)) out.resize(out.rfind(','));
  return out;
}

const std::string alphabet = {'"',  '"', '"',  ',',  ',',    '\n',   '\n',   '\r',
                              '\r', ' ', '\t', '.',  '-',    '0',    '1',    '9',
                              ':',  'e', 'M',  '\0', '\x7F', '\xEF', '\xFF', '\x1B'};

/// Mostly behind the header, because a spoilt header only means a refused file.
void mutate(std::string& text) {
  const auto first = once_in(8) ? 0 : std::min(text.find_first_of("\r\n"), text.size());
  const auto at = *rc::gen::inRange<std::size_t>(first, text.size() + 1);
  const char byte = *rc::gen::elementOf(alphabet);
  const auto length = *rc::gen::inRange<std::size_t>(1, 40);
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
    case 1:
      text.insert(at, 1, byte);
      return;
    case 2:
    case 3:
      if (at < text.size()) text[at] = byte;
      return;
    case 4:
      if (at < text.size()) text.erase(at, 1);
      return;
    case 5:
      text.erase(at, length);
      return;
    case 6:
      text.insert(at, text.substr(at, length));
      return;
    default:
      if (once_in(3)) text.resize(at);
  }
}

}  // namespace

// The sizes that RapidCheck grows from case to case would make the first files all alike.

rc::Gen<std::string> wide_csv_text() {
  return rc::gen::resize(rc::kNominalSize, rc::gen::exec([] {
                           std::string text = once_in(8) ? "\xEF\xBB\xBF" : "";
                           if (once_in(10)) text += line_end();
                           const Texts columns = header_columns();
                           text += fmt::format("{}", fmt::join(columns, ","));
                           const bool has_one_line_end = once_in(2);
                           const std::string end = line_end();
                           for (int rows = *rc::gen::inRange(0, 7); rows > 0; --rows) {
                             text += has_one_line_end ? end : line_end();
                             if (once_in(12)) text += line_end();
                             text += row(columns);
                           }
                           if (!once_in(4)) text += end;
                           return text;
                         }));
}

rc::Gen<std::string> mutated_wide_csv_text() {
  return rc::gen::resize(rc::kNominalSize, rc::gen::exec([] {
                           std::string text = *wide_csv_text();
                           for (int i = *rc::gen::inRange(1, 6); i > 0; --i) mutate(text);
                           return text;
                         }));
}

}  // namespace meterline::testing
