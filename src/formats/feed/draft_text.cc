#include "formats/feed/draft_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/finding.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

constexpr std::array<std::pair<DraftText::Section, std::string_view>, 11> headings = {{
    {DraftText::Section::top, ""},
    {DraftText::Section::file, "[file]"},
    {DraftText::Section::numbers, "[numbers]"},
    {DraftText::Section::meter, "[meter]"},
    {DraftText::Section::channel, "[channel]"},
    {DraftText::Section::totals, "[totals]"},
    {DraftText::Section::wide, ""},  // [wide] or [long] is a line of its own.
    {DraftText::Section::rows, ""},  // As [[rows]] is.
    {DraftText::Section::quality, "[quality]"},
    {DraftText::Section::flags, "[quality.flags]"},
    {DraftText::Section::end, ""},
}};

std::string comment_of(std::string_view text) {
  std::string lines;
  while (true) {
    const auto end = std::min(text.find('\n'), text.size());
    lines += fmt::format("# {}\n", text.substr(0, end));
    if (end == text.size()) return lines;
    text.remove_prefix(end + 1);
  }
}

bool ends_like_a_number(std::string_view name) {
  const auto hash = name.rfind('#');
  return hash != std::string_view::npos && hash + 1 < name.size() &&
         name.find_first_not_of("0123456789", hash + 1) == std::string_view::npos;
}

/// Of a column or a flag, in a comment: whole, or cut, but never over the line's end.
std::string key_of(std::string_view text) { return excerpt_of(text); }

}  // namespace

std::string toml_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += fmt::format("\\{}", c);
    else if (byte < 0x20 || byte == 0x7F)
      quoted += fmt::format("\\u{:04X}", byte);
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string toml_texts(const std::vector<std::string>& texts) {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : ", ") + toml_text(text);
  return "[" + list + "]";
}

void DraftText::say(Section section, std::string line) {
  lines_[section].push_back(std::move(line) + '\n');
}

void DraftText::note(std::string_view key, std::string why) {
  decided_.push_back({.key = key_of(key), .why = std::move(why)});
}

void DraftText::decide(Section section, std::string_view key, std::string line, std::string why) {
  say(section, std::move(line));
  note(key, std::move(why));
}

void DraftText::ask(Section section, DraftQuestion question) {
  question.key = key_of(question.key);
  auto block = fmt::format("#? {}: {}\n", question.key, question.why);
  for (const auto& choice : question.choices) block += comment_of(choice);
  lines_[section].push_back(std::move(block));
  open_.push_back(std::move(question));
}

FeedDraft DraftText::take(std::string_view source, std::vector<std::string> shipped) {
  std::string toml = fmt::format("# A draft for {}, by `meterline feed draft`.\n",
                                 source.empty() ? "a file" : excerpt_of(source));
  for (const auto& name : shipped)
    toml += fmt::format(
        "# `--feed {}` {}.\n", name,
        shipped.size() == 1 ? "reads this file: no draft is needed" : "may read this file, too");
  toml += "#\n# Decided:\n";
  for (const auto& [key, why] : decided_) toml += fmt::format("#   {}: {}\n", key, why);
  if (!open_.empty())
    toml +=
        "#\n# Open: each stands below behind `#?`; complete a line of those under it, take away\n"
        "# its `#`, and delete the question.\n";
  for (const auto& question : open_)
    toml += fmt::format("#   {}: {}\n", question.key, question.why);
  if (lines_.contains(Section::quality)) lines_.try_emplace(Section::flags);
  for (const auto& [section, heading] : headings) {
    const auto found = lines_.find(section);
    if (found == lines_.end()) continue;
    toml += '\n';
    if (!heading.empty()) toml += fmt::format("{}\n", heading);
    for (const auto& line : found->second) toml += line;
  }
  return {.toml = std::move(toml),
          .decided = std::move(decided_),
          .open = std::move(open_),
          .shipped = std::move(shipped)};
}

std::string DraftColumns::toml(int column) const {
  const auto& name = at(column).name;
  const bool is_plain = !name.empty() && name.size() <= draft_name_max &&
                        name.find('*') == std::string::npos &&
                        name.find("{}") == std::string::npos && !ends_like_a_number(name);
  if (!is_plain) return std::to_string(column + 1);
  int nth = 1;
  for (int before = 0; before < column; ++before)
    nth += is_same_word(at(before).name, name) ? 1 : 0;
  return toml_text(nth == 1 ? name : fmt::format("{}#{}", name, nth));
}

std::string DraftColumns::text(int column) const {
  const auto& name = at(column).name;
  return name.empty() ? fmt::format("column {}", column + 1)
                      : fmt::format("`{}`", excerpt_of(name));
}

}  // namespace meterline::formats
