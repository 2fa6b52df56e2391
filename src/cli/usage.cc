#include "cli/usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "cli/exit_code.h"
#include "cli/session.h"
#include "core/finding.h"

namespace meterline::cli {
namespace {

constexpr std::size_t width = 80;
constexpr std::size_t option_column = 26;
constexpr std::size_t verb_column = 15;

struct Example {
  std::string_view verb;
  const char* command;
};
constexpr std::array examples = {
    Example{"ingest", "meterline ingest readings/ --unit kWh"},
    Example{"feed", "meterline feed list"},
    Example{"feed list", "meterline feed list --output csv"},
    Example{"feed show", "meterline feed show my-feed.toml"},
    Example{"feed check", "meterline feed check my-feed.toml sample.csv"},
    Example{"feed draft", "meterline feed draft sample.csv --out my-feed.toml"},
    Example{"query",
            "meterline query EX00027 --from 2025-01-01 --to 2025-12-31 \\\n"
            "      --resolution month\n"
            "  meterline query @meters.txt --from 2025-01-01 --output csv"},
    Example{"profile", "meterline profile EX00027 --from 2025-01-01 --to 2025-01-31"},
    Example{"top", "meterline top --from 2025-01-01 --to 2025-01-31 --limit 10"},
    Example{"portfolio",
            "meterline portfolio --from 2025-01-01 --to 2025-12-31 \\\n"
            "      --resolution month"},
    Example{"gaps", "meterline gaps --from 2025-08-01 --to 2025-08-31"},
    Example{"history", "meterline history EX00027 2025-06-01"},
    Example{"registers", "meterline registers 1234567890 --from 2025-01-01 --to 2025-12-31"},
    Example{"changes", "meterline changes --since 2025-07-01T06:00:00Z"},
    Example{"compare", "meterline compare --from 2025-02-01 --to 2025-02-28"},
    Example{"time-of-use",
            "meterline time-of-use EX00027 --tariff tariff.toml \\\n"
            "      --from 2025-01-01 --to 2025-01-31"},
    Example{"base-load", "meterline base-load EX00027 --from 2025-01-01 --to 2025-01-31"},
    Example{"late", "meterline late --since 2025-12-01"},
    Example{"tariff", "meterline tariff check tariff.toml"},
    Example{"tariff check", "meterline tariff check tariff.toml"},
    Example{"meters", "meterline meters --prefix EX000"},
    Example{"deliveries", "meterline deliveries --state refused --since 2025-06-01"},
    Example{"deliveries show", "meterline deliveries show 0123456789abcdef0123456789abcdef"},
    Example{"withdraw",
            "meterline withdraw readings/2025-06.csv \\\n"
            "      --reason \"sent for another retailer\""},
    Example{"erase", "meterline erase EX00027 --dry-run"},
    Example{"lint", "meterline lint readings/2025-06.csv --output table"},
    Example{"serve", "meterline serve --listen 127.0.0.1:8080"},
    Example{"demo", "meterline demo --once"},
    Example{"keys", "meterline keys list"},
    Example{"keys create", "meterline keys create --name reports --scope read"},
    Example{"keys list", "meterline keys list --output csv"},
    Example{"keys revoke", "meterline keys revoke 0123456789ab"},
    Example{"audit", "meterline audit check audit.log"},
    Example{"audit check", "meterline audit check audit.log"},
    Example{"audit hash", "meterline audit hash audit.log EX00027"},
    Example{"export", "meterline export archive.mla --from 2025-01-01 --to 2025-12-31"},
    Example{"store", "meterline store stats"},
    Example{"store init", "meterline store init --unit kWh"},
    Example{"store prune", "meterline store prune --before 7y --dry-run"},
    Example{"store backup", "meterline store backup backups --keep 30"},
    Example{"store backup list", "meterline store backup list backups"},
    Example{"store backup check", "meterline store backup check backups"},
    Example{"store restore", "meterline store restore backups --store rocksdb:restored"},
    Example{"store check", "meterline store check"},
    Example{"store repair", "meterline store repair"},
    Example{"store stats", "meterline store stats --output json"},
    Example{"worker",
            "meterline worker \\\n"
            "      --queue https://sqs.eu-west-1.amazonaws.com/123456789012/files"},
    Example{"lambda", "meterline lambda api"},
    Example{"lambda processor", "meterline lambda processor"},
    Example{"lambda api", "meterline lambda api --uploads off"},
    Example{"version", "meterline version"},
    Example{"help", "meterline help store check"},
};

/// Words of `text` in lines of the width, behind `left` and from `column` on.
std::string in_columns(std::string left, std::string_view text, std::size_t column) {
  std::string out;
  std::string line = column == 0 ? "" : "  " + std::move(left);
  bool is_filled = false;  // Whether the line has a word of the text.
  if (!text.empty() && line.size() + 2 > column) {
    out += line + '\n';
    line.clear();
  }
  line.resize(std::max(line.size(), text.empty() ? 0 : column), ' ');
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (is_filled && line.size() + 1 + word.size() > width) {
      out += line + '\n';
      line.assign(column, ' ');
      is_filled = false;
    }
    if (is_filled) line += ' ';
    line += word;
    is_filled = true;
  }
  return out + line + '\n';
}

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    if (mode != CLI::AppFormatMode::Sub) is_all_ = mode == CLI::AppFormatMode::All;
    return Formatter::make_help(app, std::move(name), mode);
  }
  std::string make_description(const CLI::App* app) const override {
    const auto text = app->get_description();
    if (text.find('\n') != std::string::npos || text.empty()) return text + '\n';
    return in_columns("", text, 0);
  }
  std::string make_subcommand(const CLI::App* verb) const override {
    return in_columns(verb->get_name(), verb->get_description(), verb_column);
  }
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    auto left = make_option_name(option, is_positional);
    const auto kind = option->get_type_name();
    if (!is_positional && option->get_type_size() != 0 && !kind.empty())
      left += kind.starts_with("TEXT") ? " TEXT" : " N";
    auto text = option->get_description();
    const auto given = option->get_default_str();
    if (!given.empty() && given != "\"\"" && option->get_type_size() != 0)
      text += fmt::format(" (default: {})", given);
    if (option->get_required() && !is_positional) text += " (required)";
    if (is_all_ && !option->get_envname().empty())
      text += fmt::format(" [{}]", option->get_envname());
    return in_columns(std::move(left), text, option_column);
  }

 private:
  mutable bool is_all_ = false;
};

const CLI::App* find_verb(const CLI::App& app, std::string_view name) {
  for (const auto* const verb : app.get_subcommands([](const CLI::App*) { return true; }))
    if (verb->get_name() == name) return verb;
  return nullptr;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* const verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

/// Without the dashes.
void add_options(const CLI::App& app, std::vector<std::string>& names) {
  for (const auto* const option : app.get_options([](const CLI::Option*) { return true; }))
    for (const auto& name : option->get_lnames()) names.push_back(name);
}

/// The verb that was parsed last, and the application above it first.
std::vector<const CLI::App*> parsed(const CLI::App& app) {
  std::vector<const CLI::App*> levels = {&app};
  while (!levels.back()->get_subcommands().empty())
    levels.push_back(levels.back()->get_subcommands().front());
  return levels;
}

/// What is said of an argument that nobody expected.
std::string text_of_unexpected(const std::string& argument, const CLI::App& app) {
  const auto levels = parsed(app);
  const bool is_option = argument.starts_with("--");
  std::vector<std::string> words;
  if (is_option) {
    for (const auto* const level : levels) add_options(*level, words);
  } else {
    words = verbs_of(*levels.back());
  }
  const auto written = argument.substr(is_option ? 2 : 0);
  const auto meant = likely_meant(written.substr(0, written.find('=')), words);
  auto text = "The following argument was not expected: " + argument;
  if (!meant.empty()) text += fmt::format(" (did you mean {}{}?)", is_option ? "--" : "", meant);
  return text;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// Where a key of a section stands in a TOML file, from 1 on; 0: not found.
int line_of(const std::string& path, std::string_view section, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  std::string in;  // The section.
  for (int number = 1; std::getline(file, line); ++number) {
    const auto text = trimmed(line);
    if (text.starts_with('[')) {
      in = trimmed(text.substr(1, text.find(']') - 1));
      if (key.empty() && in == section) return number;
      continue;
    }
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = trimmed(text.substr(0, equals));
    const bool is_dotted = !section.empty() && name == fmt::format("{}.{}", section, key);
    if ((in == section && name == key) || is_dotted) return number;
  }
  return 0;
}

/// Of `query.frm`, which no option is called.
std::string text_of_configured(const std::string& path, std::string_view name,
                               const CLI::App& app) {
  const auto dot = name.rfind('.');
  const bool is_in_section = dot != std::string_view::npos;
  const std::string section(is_in_section ? name.substr(0, dot) : "");
  const auto key = is_in_section ? name.substr(dot + 1) : name;
  const CLI::App* level = &app;
  std::string_view unknown;
  for (std::string_view left = section; !left.empty() && unknown.empty();) {
    const auto end = std::min(left.find('.'), left.size());
    const auto* const next = find_verb(*level, left.substr(0, end));
    if (next == nullptr) unknown = left.substr(0, end);
    if (next != nullptr) level = next;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  std::vector<std::string> words = unknown.empty() ? std::vector<std::string>() : verbs_of(*level);
  if (unknown.empty()) add_options(*level, words);
  const auto meant = likely_meant(unknown.empty() ? key : unknown, words);
  auto line = unknown.empty() ? 0 : line_of(path, section, "");
  if (line == 0) line = line_of(path, section, key);
  const auto where = line == 0 ? path : fmt::format("{}:{}", path, line);
  return fmt::format("{}: there is no {} {}{}", where, unknown.empty() ? "option" : "section",
                     excerpt_of(unknown.empty() ? name : unknown),
                     meant.empty() ? "" : fmt::format(" (did you mean {}?)", meant));
}

std::string text_of(const CLI::ParseError& error, const CLI::App& app) {
  std::string text = error.what();
  constexpr std::string_view unknown_key = "INI was not able to parse ";
  if (text.starts_with(unknown_key)) {
    const auto path = app.get_config_ptr()->as<std::string>();
    return text_of_configured(path, std::string_view(text).substr(unknown_key.size()), app);
  }
  const bool is_about_arguments = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
                                  dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  const auto unexpected = app.remaining(true);
  if (is_about_arguments && !unexpected.empty()) return text_of_unexpected(unexpected.front(), app);
  if (text == "A subcommand is required")
    return fmt::format("{}: say what of it: {}", verb_of(app),
                       fmt::join(verbs_of(*parsed(app).back()), ", "));
  return text;
}

/// How many letters are to be put in, left out, changed or swapped with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> last(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> now(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({changed, last[j] + 1, now[j - 1] + 1});
      const bool is_swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before = std::exchange(last, std::move(now));
  }
  return last.back();
}

}  // namespace

std::string_view likely_meant(std::string_view written, const std::vector<std::string>& words) {
  constexpr std::size_t beginning_min = 3;
  constexpr std::size_t letters_for_each_slip = 4;
  constexpr std::size_t written_max = 64;
  if (written.empty() || written.size() > written_max) return {};
  std::string_view nearest;
  auto slips = std::max<std::size_t>(1, written.size() / letters_for_each_slip) + 1;
  for (const auto& word : words) {
    const bool is_beginning = written.size() >= beginning_min && word.starts_with(written);
    const auto far = is_beginning ? 1 : distance(written, word);
    if (far < slips) {
      nearest = word;
      slips = far;
    }
  }
  return nearest;
}

void set_help(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Show this help");
  app.set_help_all_flag("--help-all", "Show the help of all verbs, with names of the environment");
}

void add_examples(CLI::App& app) {
  for (auto* const verb : app.get_subcommands([](CLI::App*) { return true; })) {
    std::string name = verb->get_name();
    for (const auto* above = verb->get_parent(); above->get_parent() != nullptr;
         above = above->get_parent())
      name = above->get_name() + ' ' + name;
    for (const auto& example : examples)
      if (example.verb == name) verb->footer(fmt::format("Example:\n  {}", example.command));
    add_examples(*verb);
  }
}

std::string verb_of(const CLI::App& app) {
  const auto verbs = app.get_subcommands();
  if (verbs.empty()) return "";
  const std::string rest = verb_of(*verbs.front());
  return verbs.front()->get_name() + (rest.empty() ? "" : ' ' + rest);
}

int show_help(const CLI::App& app, const std::vector<std::string>& verb) {
  const CLI::App* level = &app;
  std::string name = "meterline";
  for (const auto& word : verb) {
    const auto* const next = find_verb(*level, word);
    if (next == nullptr) {
      const auto meant = likely_meant(word, verbs_of(*level));
      tell(fmt::format("meterline: there is no verb {}{}; `meterline --help` lists them\n",
                       excerpt_of(word),
                       meant.empty() ? "" : fmt::format(" (did you mean {}?)", meant)));
      return exit_usage;
    }
    level = next;
    name += ' ' + word;
  }
  print_text(level->get_formatter()->make_help(level, name, CLI::AppFormatMode::Normal));
  return exit_ok;
}

int end_parsing(const CLI::ParseError& error, const CLI::App& app) {
  if (error.get_exit_code() == 0) return app.exit(error);
  const auto verb = verb_of(app);
  tell(fmt::format("meterline: {}; `meterline {}{}--help` tells what there is\n",
                   text_of(error, app), verb, verb.empty() ? "" : " "));
  return exit_usage;
}

}  // namespace meterline::cli
