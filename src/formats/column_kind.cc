#include "formats/column_kind.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/text.h"

namespace meterline::formats {
namespace {

using Words = std::vector<std::string>;
using Names = std::span<const std::string_view>;

bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_upper(char c) { return 'A' <= c && c <= 'Z'; }
bool is_lower(char c) { return 'a' <= c && c <= 'z'; }
bool is_letter(char c) {
  return is_upper(c) || is_lower(c) || static_cast<unsigned char>(c) >= 0x80;
}

enum class Humps { keep, split };

/// The words of a name, in lower case and without digits. `MeasurementType` is one, or two if humps
/// are split.
Words words_of(std::string_view name, Humps humps) {
  Words words;
  char before = ' ';
  for (const char c : name) {
    const bool is_hump = humps == Humps::split && is_lower(before) && is_upper(c);
    if (is_letter(c) && (!is_letter(before) || is_hump)) words.emplace_back();
    if (is_letter(c)) words.back() += lower(c);
    before = c;
  }
  return words;
}

bool is_among(std::string_view word, Names names) {
  return std::find(names.begin(), names.end(), word) != names.end();
}

bool has_any(const Words& words, Names names) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return is_among(word, names); });
}

constexpr std::array<std::string_view, 17> flag_words = {
    "flag",     "flags",      "status",      "quality",    "estimated",  "estimate",
    "est",      "act",        "actual",      "indicator",  "validity",   "validation",
    "readtype", "substitute", "substituted", "estimation", "reliability"};
constexpr std::array<std::string_view, 3> unit_words = {"unit", "units", "uom"};
constexpr std::array<std::string_view, 6> beside_unit_words = {"of",    "measure", "measurement",
                                                               "meter", "energy",  "name"};
constexpr std::array<std::string_view, 23> remark_words = {
    "note",     "notes",    "comment",   "comments", "remark",   "remarks",  "reason",  "revision",
    "version",  "loaded",   "created",   "updated",  "received", "modified", "changed", "imported",
    "exported", "sequence", "timestamp", "row",      "line",     "index",    "file"};
constexpr std::array<std::string_view, 24> label_words = {
    "register", "channel",   "measurement", "measure",   "type",        "direction",
    "flow",     "obis",      "phase",       "tariff",    "rate",        "circuit",
    "element",  "commodity", "fuel",        "utility",   "description", "serial",
    "msn",      "suffix",    "code",        "parameter", "quantity",    "service"};
constexpr std::array<std::string_view, 3> sum_words = {"total", "totals", "sum"};
constexpr std::array<std::string_view, 8> beside_sum_words = {
    "grand", "day", "daily", "units", "usage", "consumption", "energy", "of"};
constexpr std::array<std::string_view, 7> power_words = {"w",   "kw",  "mw",  "va",
                                                         "kva", "mva", "kvar"};
constexpr std::array<std::string_view, 4> quantity_words = {"consumption", "cons", "usage",
                                                            "demand"};

bool is_of_power_or_energy(std::string_view word) {
  return parse_unit(word).has_value() || is_among(word, power_words);
}

bool is_total(const Words& words) {
  return has_any(words, sum_words) &&
         std::all_of(words.begin(), words.end(), [](const std::string& word) {
           return is_among(word, sum_words) || is_among(word, beside_sum_words) ||
                  parse_unit(word).has_value();
         });
}

/// Not `Unit price`.
bool is_unit(const Words& words) {
  return has_any(words, unit_words) &&
         std::all_of(words.begin(), words.end(), [](const std::string& word) {
           return is_among(word, unit_words) || is_among(word, beside_unit_words);
         });
}

/// Unit::unknown when no word is one.
Unit unit_named(const Words& words) {
  for (const auto& word : words)
    if (const auto unit = parse_unit(word)) return *unit;
  return Unit::unknown;
}

bool has_in_a_row(const Words& words, std::string_view first, std::string_view second) {
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i - 1] == first && words[i] == second) return true;
  return false;
}

bool is_of_a_clock_change(const Words& words) {
  constexpr std::array<std::string_view, 3> names = {"timechange", "clockchange", "dst"};
  return has_any(words, names) || has_in_a_row(words, "time", "change") ||
         has_in_a_row(words, "clock", "change");
}

bool starts_with_a_time(std::string_view name) {
  const auto first = name.find_first_not_of(" [(");
  if (first == std::string_view::npos || !is_digit(name[first])) return false;
  const auto colon = name.find_first_not_of("0123456789", first);
  return colon != std::string_view::npos && name[colon] == ':' && colon + 1 < name.size() &&
         is_digit(name[colon + 1]);
}

bool has_digit(std::string_view text) { return std::any_of(text.begin(), text.end(), is_digit); }

/// A number, a date or a time: it begins like one, and has no other letters than those have.
bool is_value(std::string_view cell) {
  constexpr std::string_view marks = "0123456789+-.,:/ eETZ%";
  return has_digit(cell) && !is_letter(cell.front()) &&
         cell.find_first_not_of(marks) == std::string_view::npos;
}

constexpr std::array<std::string_view, 34> quality_words = {
    "actual",   "act",       "estimated",   "estimate",    "est",         "real",
    "measured", "read",      "calculated",  "computed",    "substituted", "substitute",
    "missing",  "final",     "provisional", "preliminary", "interim",     "initial",
    "revised",  "corrected", "correction",  "valid",       "validated",   "invalid",
    "checked",  "ok",        "good",        "bad",         "true",        "false",
    "yes",      "no",        "null",        "nan"};

bool is_of_quality(ColumnKind kind, std::string_view cell) {
  if (kind == ColumnKind::flag && cell.size() == 1) return true;
  return is_among(lower(cell), quality_words);
}

ColumnKind kind_by_words(const Words& words, std::string_view name, Unit unit) {
  if (is_total(words)) {
    const auto named = unit_named(words);
    const bool is_same = named == Unit::unknown || unit == Unit::unknown || named == unit;
    return is_same ? ColumnKind::total : ColumnKind::quantity;
  }
  if (is_unit(words)) return ColumnKind::unit;
  if (has_any(words, remark_words)) return ColumnKind::remark;
  const bool is_quantity = has_any(words, quantity_words) ||
                           std::any_of(words.begin(), words.end(), is_of_power_or_energy);
  if (is_quantity) return starts_with_a_time(name) ? ColumnKind::slot : ColumnKind::quantity;
  return has_any(words, label_words) ? ColumnKind::label : ColumnKind::other;
}

}  // namespace

ColumnKind column_kind(std::string_view name, Unit unit) {
  const auto words = words_of(name, Humps::keep);
  const auto split = words_of(name, Humps::split);
  const bool is_of_quality_by_two = has_in_a_row(split, "read", "type") ||
                                    has_in_a_row(split, "reading", "type") ||
                                    has_in_a_row(words, "a", "e");
  if (is_of_quality_by_two || has_any(words, flag_words) || has_any(split, flag_words))
    return has_digit(name) ? ColumnKind::slot_flag : ColumnKind::flag;
  if (is_of_a_clock_change(words) || is_of_a_clock_change(split)) return ColumnKind::slot;
  if (words.empty() && has_digit(name) && name.find('.') == std::string_view::npos)
    return ColumnKind::slot;
  auto kind = kind_by_words(words, name, unit);
  if (kind == ColumnKind::other) kind = kind_by_words(split, name, unit);
  const bool is_beside_a_reading = starts_with_a_time(name) && kind != ColumnKind::slot;
  return is_beside_a_reading ? ColumnKind::slot_flag : kind;
}

Unit unit_in_name(std::string_view name) {
  const auto unit = unit_named(words_of(name, Humps::keep));
  return unit != Unit::unknown ? unit : unit_named(words_of(name, Humps::split));
}

std::optional<FindingCode> told_as(ColumnKind kind, Unit unit) {
  switch (kind) {
    case ColumnKind::other:
    case ColumnKind::label:
    case ColumnKind::remark:
      return FindingCode::column_ignored;
    case ColumnKind::slot:
    case ColumnKind::quantity:
      return FindingCode::readings_ignored;
    case ColumnKind::flag:
    case ColumnKind::slot_flag:
      return FindingCode::flags_ignored;
    case ColumnKind::unit:
      return unit == Unit::unknown ? std::optional(FindingCode::unit_ignored) : std::nullopt;
    case ColumnKind::total:
      break;
  }
  return std::nullopt;
}

bool may_be_label(ColumnKind kind) {
  return kind == ColumnKind::label || kind == ColumnKind::unit || kind == ColumnKind::other ||
         kind == ColumnKind::quantity || kind == ColumnKind::flag;
}

std::string_view label_of(ColumnKind kind, std::string_view cell) {
  switch (kind) {
    case ColumnKind::label:
    case ColumnKind::unit:
      return cell;
    case ColumnKind::other:
    case ColumnKind::quantity:
    case ColumnKind::flag:
      return cell == "-" || is_value(cell) || is_of_quality(kind, cell) ? "" : cell;
    case ColumnKind::remark:
    case ColumnKind::total:
    case ColumnKind::slot:
    case ColumnKind::slot_flag:
      break;
  }
  return "";
}

bool holds_reading(std::string_view cell) {
  return cell.find_first_of("123456789") != std::string_view::npos;
}

bool is_other_unit(std::string_view cell, Unit unit) {
  if (unit == Unit::unknown || cell.empty() || cell == "-" || is_value(cell)) return false;
  return parse_unit(cell) != unit;
}

std::uint64_t label_hash(std::uint64_t before, std::string_view label) {
  constexpr std::uint64_t prime = 0x100000001B3;  // FNV-1a.
  std::uint64_t hash = before ^ 0xCBF29CE484222325;
  for (const char c : label) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return (hash ^ label.size()) * prime;
}

}  // namespace meterline::formats
