#include "formats/feed/feed_fields.h"

#include <algorithm>

#include "formats/csv_rows.h"
#include "formats/feed/wildcard.h"

namespace meterline::formats {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

/// Adds the field at `at`, and returns where it ends.
inline const char* FeedFields::add_plain(const char* at, const char* end) {
  // Fields are short: a loop is faster than a search that has to be called.
  while (at < end && is_blank(*at) && *at != delimiter_) ++at;
  const char* const first = at;
  while (at < end && *at != delimiter_) ++at;
  const char* last = at;
  while (first < last && is_blank(last[-1])) --last;
  fields_.emplace_back(first, static_cast<std::size_t>(last - first));
  return at;
}

void FeedFields::split_plain(std::string_view row) {
  fields_.clear();
  if (!made_.empty()) made_.clear();
  const char* const end = row.data() + row.size();
  for (const char* at = add_plain(row.data(), end); at != end;) at = add_plain(at + 1, end);
}

const char* FeedFields::split_head(std::string_view row, std::size_t count) {
  fields_.clear();
  if (!made_.empty()) made_.clear();
  const char* at = row.data();
  const char* const end = at + row.size();
  while (fields_.size() < count) {
    at = add_plain(at, end);
    if (at == end) return nullptr;
    ++at;
  }
  return at;
}

/// Adds the field whose quote is at `at`, which is then behind it.
bool FeedFields::add_quoted(std::string_view row, std::size_t& at) {
  const std::size_t first = ++at;
  bool has_doubled = false;
  for (; at < row.size(); ++at) {
    if (row[at] != '"') continue;
    if (at + 1 == row.size() || row[at + 1] != '"') break;
    has_doubled = true;
    ++at;
  }
  if (at >= row.size()) return false;
  auto text = row.substr(first, at - first);
  ++at;
  if (has_doubled) {
    auto& made = made_.emplace_back();
    for (std::size_t i = 0; i < text.size(); ++i) {
      made += text[i];
      if (text[i] == '"') ++i;
    }
    text = made;
  }
  fields_.push_back(without_blanks_around(text));
  while (at < row.size() && is_blank(row[at])) ++at;
  return at == row.size() || row[at] == delimiter_;
}

bool FeedFields::split(std::string_view row) {
  if (row.find('"') == std::string_view::npos) {
    split_plain(row);
    return true;
  }
  fields_.clear();
  made_.clear();
  for (std::size_t at = 0;; ++at) {
    while (at < row.size() && is_blank(row[at]) && row[at] != delimiter_) ++at;
    const auto rest = row.substr(at);
    if (rest.starts_with("=\"")) ++at;
    if (at < row.size() && row[at] == '"') {
      if (!add_quoted(row, at)) return false;
    } else {
      const auto end = std::min(row.find(delimiter_, at), row.size());
      const auto text = without_blanks_around(row.substr(at, end - at));
      if (text.find('"') != std::string_view::npos) return false;
      fields_.push_back(text);
      at = end;
    }
    if (at >= row.size()) return true;
  }
}

void FeedFields::join(int column, char decimal) {
  const auto place = static_cast<std::size_t>(column);
  auto& made = made_.emplace_back(fields_[place]);
  made += decimal;
  made += fields_[place + 1];
  fields_[place] = made;
  fields_.erase(fields_.begin() + column + 1);
}

}  // namespace meterline::formats
