#include "access/groups.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "access/small_file.h"
#include "core/finding.h"
#include "core/meter_id.h"
#include "core/try.h"

namespace meterline::access {
namespace {

constexpr std::string_view ending = ".txt";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view blanks = " \t\r";
/// Of all groups that are kept in memory: some 250 MB.
constexpr std::size_t kept_patterns_max = 2'000'000;
constexpr std::int64_t us_of_second = 1'000'000;
constexpr std::int64_t ns_of_us = 1000;

/// Without what does not count.
std::string_view pattern_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

tl::unexpected<Error> unknown(std::string_view name) {
  return fail(Errc::not_found, fmt::format("no group \"{}\"", excerpt_of(name)));
}

/// By a file's name; empty where it is none of a group.
std::string_view name_of(std::string_view file) {
  if (!file.ends_with(ending)) return {};
  file.remove_suffix(ending.size());
  return is_group_name(file) ? file : std::string_view();
}

/// When it was changed. Errors: `refused` where others may write it, who could so give a key more
/// meters.
Result<Instant> check_file(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return file_fault(path, "read it");
  if ((status.st_mode & S_IWOTH) != 0)
    return fail(Errc::refused, fmt::format("{}: anybody may write it, and so let others see its "
                                           "meters: chmod o-w {}",
                                           path.string(), path.string()));
  return Instant{.micros =
                     status.st_mtim.tv_sec * us_of_second + status.st_mtim.tv_nsec / ns_of_us};
}

std::string text_of(const MeterFilter& meters) {
  std::string text;
  for (const auto& part : meters.parts()) {
    text += part.text;
    text += part.is_prefix ? "*\n" : "\n";
  }
  return text;
}

}  // namespace

bool is_group_name(std::string_view text) {
  return !text.empty() && text.size() <= group_name_chars_max && text.front() != '.' &&
         is_meter_id_text(text);
}

std::string_view group_of_pattern(std::string_view pattern) {
  if (!pattern.starts_with('@')) return {};
  pattern.remove_prefix(1);
  return is_group_name(pattern) ? pattern : std::string_view();
}

Result<MeterFilter> parse_group(std::string_view text) {
  std::vector<std::string> patterns;
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto pattern = pattern_of(line);
    if (pattern.empty()) continue;
    if (!MeterFilter::is_pattern(pattern))
      return fail(Errc::invalid_argument,
                  fmt::format("line {}: want a meter like EE00027, or how meters begin, like EE0*, "
                              "got \"{}\"",
                              number, excerpt_of(pattern)));
    if (patterns.size() == group_patterns_max)
      return fail(Errc::too_large,
                  fmt::format("line {}: a group has at most {} meters and beginnings of meters",
                              number, group_patterns_max));
    patterns.emplace_back(pattern);
  }
  if (patterns.empty())
    return fail(Errc::invalid_argument, "there is no meter: want one on each line, like EE00027");
  return MeterFilter::parse(patterns, group_patterns_max);
}

std::filesystem::path Groups::path_of(std::string_view name) const {
  return folder_ / fmt::format("{}{}", name, ending);
}

Result<std::vector<std::string>> Groups::names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator file(folder_, error), end; !error && file != end;
       file.increment(error)) {
    const std::string own = file->path().filename().string();
    const auto name = name_of(own);
    if (name.empty()) continue;
    if (names.size() == groups_max)
      return fail(Errc::too_large,
                  fmt::format("{} has more than {} groups", folder_.string(), groups_max));
    names.emplace_back(name);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(Errc::unavailable,
                fmt::format("{}: cannot list it: {}", folder_.string(), error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::shared_ptr<const Group>> Groups::find(std::string_view name) const {
  if (!is_group_name(name)) return unknown(name);
  const auto path = path_of(name);
  const auto mark = file_mark(path);
  {
    const std::lock_guard lock(mutex_);
    const auto known = read_.find(name);
    if (known != read_.end() && known->second.mark == mark) return known->second.group;
  }
  const auto changed = check_file(path);
  if (!changed && changed.error().code == Errc::not_found) return unknown(name);
  if (!changed) return tl::unexpected(changed.error());
  METERLINE_TRY(const auto text, read_small_file(path, group_bytes_max));
  auto meters = parse_group(text);
  if (!meters)
    return fail(Errc::corrupt, fmt::format("{}: {}", path.string(), meters.error().message));
  auto group =
      std::make_shared<const Group>(Group{.meters = *std::move(meters), .changed_at = *changed});
  keep(name, {.mark = mark, .group = group});
  return group;
}

void Groups::keep(std::string_view name, Read read) const {
  const std::lock_guard lock(mutex_);
  std::size_t kept = read.group->meters.parts().size();
  for (const auto& [other, known] : read_) kept += known.group->meters.parts().size();
  if (kept > kept_patterns_max) read_.clear();
  read_.insert_or_assign(std::string(name), std::move(read));
}

Result<void> Groups::set(std::string_view name, const MeterFilter& meters) const {
  if (!is_group_name(name))
    return fail(Errc::invalid_argument, fmt::format("\"{}\" is no name of a group: want {}",
                                                    excerpt_of(name), group_name_wanted));
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error)
    return fail(Errc::unavailable,
                fmt::format("cannot make the folder {}: {}", folder_.string(), error.message()));
  METERLINE_TRY(const auto lock, lock_file(folder_ / ".lock"));
  METERLINE_TRY(const auto all, names());
  if (all.size() >= groups_max && !std::binary_search(all.begin(), all.end(), name))
    return fail(Errc::too_large,
                fmt::format("there are {} groups, the most there may be", groups_max));
  return replace_file(path_of(name), text_of(meters));
}

Result<void> Groups::remove(std::string_view name) const {
  if (!is_group_name(name)) return unknown(name);
  std::error_code error;
  const bool was_there = std::filesystem::remove(path_of(name), error);
  if (error)
    return fail(Errc::unavailable,
                fmt::format("cannot remove {}: {}", path_of(name).string(), error.message()));
  if (!was_there) return unknown(name);
  return {};
}

}  // namespace meterline::access
