#include "store/backup/backups.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/crc32c.h"
#include "core/finding.h"
#include "core/try.h"
#include "store/durable_files.h"

namespace meterline::store::backup {
namespace {

constexpr std::string_view place_file = "backups.txt";
constexpr std::string_view backup_file = "backup.txt";
constexpr std::string_view tables_folder = "tables/";
constexpr std::string_view place_line = "meterline backups 1";
constexpr std::string_view backup_line = "meterline backup 1";
constexpr std::size_t name_chars_max = 100;
constexpr std::size_t list_bytes_max = std::size_t{256} << 20;
constexpr std::size_t hex_digits = 8;
constexpr int hex = 16;

/// Sizes of what is in a place, by name.
using Placed = std::map<std::string, std::uint64_t>;

bool is_letter_or_digit(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9');
}

/// Whether it is a file's name, and no path.
bool is_file_name(std::string_view text) {
  return !text.empty() && text.size() <= name_chars_max && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

/// `20261130T020000Z`
bool is_id(std::string_view text) {
  constexpr std::string_view form = "00000000T000000Z";
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool is_digit = '0' <= text[i] && text[i] <= '9';
    if (form[i] == '0' ? !is_digit : text[i] != form[i]) return false;
  }
  return true;
}

std::string id_of(Instant time) {
  std::string id = time.text().substr(0, std::string_view("2026-11-30T02:00:00").size());
  std::erase_if(id, [](char c) { return c == '-' || c == ':'; });
  return id + 'Z';
}

/// Of an id; empty where it is no time.
std::optional<Instant> time_of(std::string_view id) {
  return Instant::parse(fmt::format("{}-{}-{}T{}:{}:{}", id.substr(0, 4), id.substr(4, 2),
                                    id.substr(6, 2), id.substr(9, 2), id.substr(11, 2),
                                    id.substr(13)));
}

std::string path_of(std::string_view id, const BackupFile& file) {
  if (!file.is_table) return fmt::format("{}/{}", id, file.facts.name);
  const auto point = std::min(file.facts.name.find('.'), file.facts.name.size());
  return fmt::format("{}{}-{}-{:08x}{}", tables_folder, file.facts.name.substr(0, point),
                     file.facts.bytes, file.facts.crc32c, file.facts.name.substr(point));
}
std::string list_path_of(std::string_view id) { return fmt::format("{}/{}", id, backup_file); }

/// Whether a file in a place is one of those that this makes there.
bool is_ours(std::string_view path) {
  if (path == place_file) return true;
  const auto slash = path.find('/');
  if (slash == std::string_view::npos || !is_file_name(path.substr(slash + 1))) return false;
  return path.substr(0, slash + 1) == tables_folder || is_id(path.substr(0, slash));
}

// --- backup.txt -----------------------------------------------------------------------------

/// Takes the text up to the next blank or the end off `line`.
std::string_view word_of(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <class Number>
std::optional<Number> number_of(std::string_view text, int base = 10) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return number;
}

std::optional<BackupFile> file_of(std::string_view kind, std::string_view rest) {
  const auto name = word_of(rest);
  const auto bytes = number_of<std::uint64_t>(word_of(rest));
  const auto crc = rest.size() == hex_digits ? number_of<std::uint32_t>(rest, hex) : std::nullopt;
  if (!is_file_name(name) || !bytes || !crc) return std::nullopt;
  return BackupFile{.facts = {.name = std::string(name), .bytes = *bytes, .crc32c = *crc},
                    .is_table = kind == "table"};
}

/// Whether the line is one of those that a backup has.
bool read_line(std::string_view line, Backup& backup) {
  const auto kind = word_of(line);
  if (kind == "id") {
    backup.id = line;
    return is_id(line);
  }
  if (kind == "made") {
    const auto made = Instant::parse(line);
    backup.made_at = made.value_or(Instant());
    return made.has_value();
  }
  if (kind == "store") {
    backup.store = line;
    return is_file_name(line);
  }
  if (kind == "format") {
    const auto format = number_of<int>(line);
    backup.format = format.value_or(0);
    return format.has_value();
  }
  if (kind != "table" && kind != "file") return false;
  auto file = file_of(kind, line);
  if (!file || backup.files.size() == files_max) return false;
  backup.files.push_back(*std::move(file));
  return true;
}

std::string crc_line(std::string_view text) { return fmt::format("crc {:08x}\n", crc32c(text)); }

tl::unexpected<Error> damaged_list(std::size_t line, std::string_view text) {
  return fail(Errc::corrupt,
              fmt::format("{} is damaged: line {} is \"{}\"", backup_file, line, excerpt_of(text)));
}

// --- What is in a place ---------------------------------------------------------------------

Result<std::string> read_text(Place& place, const std::string& name) {
  std::string text;
  METERLINE_CHECK(place.read(name, [&](std::string_view piece) -> Result<void> {
    text += piece;
    if (text.size() > list_bytes_max)
      return fail(Errc::corrupt, fmt::format("{} in {} is too long", name, place.text()));
    return {};
  }));
  return text;
}

Result<Placed> list_placed(Place& place) {
  METERLINE_TRY(auto files, place.list());
  Placed placed;
  for (auto& file : files) placed.emplace(std::move(file.name), file.bytes);
  return placed;
}

tl::unexpected<Error> no_backups(const Place& place) {
  return fail(Errc::not_found, fmt::format("there is no backup in {}; `meterline store backup {}` "
                                           "makes one",
                                           place.text(), place.text()));
}

Result<Backup> read_backup(Place& place, const std::string& id) {
  METERLINE_TRY(const auto text, read_text(place, list_path_of(id)));
  auto backup = parse_backup(text);
  if (backup && backup->id != id)
    return fail(Errc::corrupt, fmt::format("{} is of backup {}", list_path_of(id), backup->id));
  if (!backup) backup.error().message = fmt::format("backup {}: {}", id, backup.error().message);
  return backup;
}

/// Of all backups, ascending.
Result<std::vector<Listed>> read_backups(Place& place, const Placed& placed) {
  std::vector<Listed> found;
  for (const auto& [name, bytes] : placed) {
    const auto slash = name.find('/');
    if (slash == std::string::npos || !is_id(name.substr(0, slash))) continue;
    if (name.substr(slash + 1) != backup_file) continue;
    const auto id = name.substr(0, slash);
    auto backup = read_backup(place, id);
    if (!backup && backup.error().code != Errc::corrupt) return tl::unexpected(backup.error());
    found.push_back({.id = id, .backup = std::move(backup)});
  }
  if (found.size() > backups_max)
    return fail(Errc::too_large,
                fmt::format("{} has more than {} backups", place.text(), backups_max));
  return found;
}

/// Makes a place for backups of this store out of an empty one.
Result<void> claim(Place& place, const Placed& placed, const std::string& store) {
  const auto wanted = fmt::format("{}\nstore {}\n", place_line, store);
  if (placed.empty()) return place.put_text(std::string(place_file), wanted);
  if (!placed.contains(std::string(place_file)))
    return fail(Errc::refused,
                fmt::format("{} holds something else than backups, such as {}; name an empty or "
                            "new one",
                            place.text(), placed.begin()->first));
  METERLINE_TRY(const auto text, read_text(place, std::string(place_file)));
  if (text == wanted) return {};
  if (!text.starts_with(place_line))
    return fail(Errc::refused, fmt::format("{} in {} says \"{}\": a newer meterline made it, or it "
                                           "is damaged",
                                           place_file, place.text(), excerpt_of(text)));
  return fail(Errc::refused,
              fmt::format("{} has backups of another store; each store needs a place of its own",
                          place.text()));
}

/// By the time, and behind all that are there, whatever the clock says.
std::string next_id(const Placed& placed, Instant time) {
  constexpr std::int64_t micros_per_second = 1'000'000;
  for (const auto& [name, bytes] : placed) {
    const auto id = name.substr(0, name.find('/'));
    const auto there = is_id(id) ? time_of(id) : std::nullopt;
    if (there && id_of(time) <= id) time = {there->micros + micros_per_second};
  }
  return id_of(time);
}

void count_file(const Work& work, std::uint64_t bytes) {
  if (work.files != nullptr) ++*work.files;
  if (work.bytes != nullptr) *work.bytes += bytes;
}

Result<void> put_files(Place& place, const Placed& placed, const StoreFiles& store,
                       const Work& work, Made& made) {
  for (const auto& source : store.files) {
    METERLINE_CHECK(check_stop(work.stop));
    const BackupFile file{.facts = source.facts, .is_table = source.is_table};
    const auto path = path_of(made.backup.id, file);
    const auto there = placed.find(path);
    if (!source.is_table || there == placed.end() || there->second != source.facts.bytes) {
      METERLINE_CHECK(source.path.empty() ? place.put_text(path, source.text)
                                          : place.put({.name = path,
                                                       .bytes = source.facts.bytes,
                                                       .crc32c = source.facts.crc32c},
                                                      source.path));
      ++made.files_copied;
      made.bytes_copied += source.facts.bytes;
    }
    count_file(work, source.facts.bytes);
    made.backup.files.push_back(file);
  }
  return {};
}

/// Removes backups beyond `keep`, and what no backup needs. Where a backup cannot be read it may
/// need any table: all of them stay.
Result<void> forget(Place& place, std::size_t keep, Made& made) {
  METERLINE_TRY(const auto placed, list_placed(place));
  METERLINE_TRY(const auto listed, read_backups(place, placed));
  const auto whole = static_cast<std::size_t>(
      std::count_if(listed.begin(), listed.end(), [](const auto& one) { return !!one.backup; }));
  std::size_t to_forget = keep > 0 && whole > keep ? whole - keep : 0;
  std::set<std::string> needed = {std::string(place_file)};
  bool is_known = true;
  for (const auto& [id, backup] : listed) {
    if (!backup) {
      is_known = false;
      needed.insert(list_path_of(id));
      continue;
    }
    if (to_forget > 0) {
      --to_forget;
      METERLINE_CHECK(place.remove(list_path_of(id)));
      made.forgotten.push_back(id);
      continue;
    }
    needed.insert(list_path_of(id));
    for (const auto& file : backup->files) needed.insert(path_of(id, file));
  }
  if (!is_known) return {};
  for (const auto& [name, bytes] : placed) {
    const bool is_forgotten =
        std::any_of(made.forgotten.begin(), made.forgotten.end(),
                    [&](const std::string& id) { return name == list_path_of(id); });
    if (is_ours(name) && !is_forgotten && !needed.contains(name))
      METERLINE_CHECK(place.remove(name));
  }
  return {};
}

/// What is wrong with a file; empty: nothing.
Result<std::string> look_at(Place& place, const Placed& placed, const FileFacts& file,
                            CheckDepth depth) {
  const auto there = placed.find(file.name);
  if (there == placed.end()) return "it is not there";
  if (there->second != file.bytes)
    return fmt::format("it has {} bytes, not {}", there->second, file.bytes);
  if (depth == CheckDepth::names) return "";
  std::uint32_t crc = 0;
  const auto read = place.read(file.name, [&](std::string_view piece) -> Result<void> {
    crc = crc32c(piece, crc);
    return {};
  });
  if (!read && read.error().code == Errc::cancelled) return tl::unexpected(read.error());
  if (!read) return "it cannot be read: " + read.error().message;
  return crc == file.crc32c ? "" : "it does not hold what it held";
}

}  // namespace

std::uint64_t Backup::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files) sum += file.facts.bytes;
  return sum;
}

std::string text_of(const Backup& backup) {
  auto text = fmt::format("{}\nid {}\nmade {}\nstore {}\nformat {}\n", backup_line, backup.id,
                          backup.made_at.text(), backup.store, backup.format);
  for (const auto& file : backup.files)
    text += fmt::format("{} {} {} {:08x}\n", file.is_table ? "table" : "file", file.facts.name,
                        file.facts.bytes, file.facts.crc32c);
  return text + crc_line(text);
}

Result<Backup> parse_backup(std::string_view text) {
  Backup backup;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    ++number;
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    if (line.starts_with("crc ")) {
      if (text.substr(at) != crc_line(text.substr(0, at))) return damaged_list(number, line);
      return backup;
    }
    if (number == 1 ? line != backup_line : !read_line(line, backup))
      return damaged_list(number, line);
    at = end + 1;
  }
  return fail(Errc::corrupt, fmt::format("{} ends behind line {}, too early", backup_file, number));
}

Result<Made> make_backup(Place& place, const StoreFiles& store, const MakeOptions& options,
                         const Work& work) {
  METERLINE_TRY(const auto use, place.use(PlaceUse::change));
  METERLINE_TRY(const auto placed, list_placed(place));
  METERLINE_CHECK(claim(place, placed, store.store));
  Made made{.backup = {.id = next_id(placed, options.now),
                       .made_at = options.now,
                       .store = store.store,
                       .format = store.format,
                       .files = {}},
            .forgotten = {}};
  METERLINE_CHECK(put_files(place, placed, store, work, made));
  METERLINE_CHECK(place.put_text(list_path_of(made.backup.id), text_of(made.backup)));
  METERLINE_CHECK(forget(place, options.keep, made));
  return made;
}

Result<std::vector<Listed>> list_backups(Place& place) {
  METERLINE_TRY(const auto use, place.use(PlaceUse::read));
  METERLINE_TRY(const auto placed, list_placed(place));
  METERLINE_TRY(auto listed, read_backups(place, placed));
  if (listed.empty()) return no_backups(place);
  return listed;
}

Result<Instant> time_of_newest(Place& place) {
  METERLINE_TRY(const auto placed, list_placed(place));
  std::optional<Instant> newest;
  for (const auto& [name, bytes] : placed) {
    const auto id = name.substr(0, name.find('/'));
    if (is_id(id) && name == list_path_of(id)) newest = std::max(newest, time_of(id));
  }
  if (!newest) return no_backups(place);
  return *newest;
}

Result<Backup> find_backup(Place& place, const std::string& id) {
  METERLINE_TRY(auto listed, list_backups(place));
  if (id.empty()) return std::move(listed.back().backup);
  for (auto& one : listed)
    if (one.id == id) return std::move(one.backup);
  return fail(Errc::not_found, fmt::format("there is no backup {} in {}; `meterline store backup "
                                           "list {}` shows all",
                                           excerpt_of(id), place.text(), place.text()));
}

Result<Checked> check_backups(Place& place, const std::string& id, CheckDepth depth,
                              const Work& work) {
  METERLINE_TRY(const auto use, place.use(PlaceUse::read));
  METERLINE_TRY(const auto placed, list_placed(place));
  METERLINE_TRY(const auto listed, read_backups(place, placed));
  Checked checked;
  std::map<std::string, std::pair<FileFacts, std::vector<std::string>>> files;
  for (const auto& [found, backup] : listed) {
    if (!id.empty() && found != id) continue;
    ++checked.backups;
    if (!backup) {
      checked.damage.push_back(
          {.file = list_path_of(found), .reason = backup.error().message, .backups = {found}});
      continue;
    }
    for (const auto& file : backup->files) {
      const auto path = path_of(found, file);
      auto& entry = files[path];
      entry.first = {.name = path, .bytes = file.facts.bytes, .crc32c = file.facts.crc32c};
      entry.second.push_back(found);
    }
  }
  if (checked.backups == 0) return no_backups(place);
  for (auto& [path, entry] : files) {
    METERLINE_CHECK(check_stop(work.stop));
    METERLINE_TRY(auto reason, look_at(place, placed, entry.first, depth));
    if (!reason.empty())
      checked.damage.push_back(
          {.file = path, .reason = std::move(reason), .backups = std::move(entry.second)});
    ++checked.files;
    checked.bytes += entry.first.bytes;
    count_file(work, entry.first.bytes);
  }
  return checked;
}

Result<void> copy_out(Place& place, const Backup& backup, const std::filesystem::path& folder,
                      const Work& work) {
  METERLINE_TRY(const auto use, place.use(PlaceUse::read));
  for (const auto& file : backup.files) {
    METERLINE_CHECK(check_stop(work.stop));
    const auto path = path_of(backup.id, file);
    METERLINE_TRY(auto out, FileInWriting::begin(folder / file.facts.name));
    std::uint32_t crc = 0;
    std::uint64_t bytes = 0;
    METERLINE_CHECK(place.read(path, [&](std::string_view piece) {
      crc = crc32c(piece, crc);
      bytes += piece.size();
      return out.append(piece);
    }));
    if (crc != file.facts.crc32c || bytes != file.facts.bytes)
      return fail(Errc::corrupt,
                  fmt::format("{} in {} does not hold what it held; `meterline store backup check "
                              "{}` tells which backups are whole",
                              path, place.text(), place.text()));
    METERLINE_CHECK(out.finish());
    count_file(work, file.facts.bytes);
  }
  return {};
}

}  // namespace meterline::store::backup
