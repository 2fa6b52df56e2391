#include "cli/meter_list.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <iostream>
#include <optional>
#include <utility>

#include "core/finding.h"
#include "core/try.h"

namespace meterline::cli {
namespace {

/// With blanks around the longest id; of a longer line only so much is read.
constexpr std::size_t line_bytes_max = 256;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

Result<std::vector<MeterId>> read_list(std::string_view option, std::istream& in) {
  std::vector<MeterId> meters;
  std::array<char, line_bytes_max> buffer{};
  for (std::size_t number = 1; in.getline(buffer.data(), buffer.size()) || in.gcount() > 0;
       ++number) {
    const auto bytes = static_cast<std::size_t>(in.gcount()) - (in.good() ? 1 : 0);  // A line end.
    std::string_view line(buffer.data(), bytes);
    if (number == 1 && line.starts_with(byte_order_mark))
      line.remove_prefix(byte_order_mark.size());
    line = trimmed(line);
    if (line.empty() && !in.fail()) continue;
    auto meter = in.fail() && !in.eof() ? std::nullopt : MeterId::parse(line);
    if (!meter)
      return fail(Errc::invalid_argument, fmt::format("{}, line {}: no meter id: \"{}\"", option,
                                                      number, excerpt_of(line)));
    if (meters.size() == listed_meters_max)
      return fail(Errc::too_large,
                  fmt::format("{}: there are more than {} meters", option, listed_meters_max));
    meters.push_back(*std::move(meter));
  }
  return meters;
}

}  // namespace

Result<std::vector<MeterId>> read_meter_list(std::string_view option, const std::string& path) {
  const bool is_stdin = path == "-";
  std::ifstream file;
  if (!is_stdin) file.open(path);
  if (!is_stdin && !file)
    return fail(Errc::not_found, fmt::format("{}: cannot read {}", option, path));
  METERLINE_TRY(auto meters, read_list(option, is_stdin ? std::cin : file));
  if (!is_stdin && file.bad())
    return fail(Errc::unavailable, fmt::format("{}: cannot read {}", option, path));
  if (meters.empty())
    return fail(Errc::invalid_argument,
                fmt::format("{}: there is no meter in {}: want an id on each line", option,
                            is_stdin ? "standard input" : path));
  return meters;
}

}  // namespace meterline::cli
