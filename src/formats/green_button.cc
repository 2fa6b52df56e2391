// Readings are worth nothing without what tells of them, in other entries of the feed: their
// MeterReading, its ReadingType, its UsagePoint, and the clock there. These come in any order, so
// blocks wait until all is known: by the path of their MeterReading, with the paths of what may
// still tell of it. Mostly it came before, and nothing waits.

#include "formats/green_button.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/espi_clock.h"
#include "formats/espi_days.h"
#include "formats/espi_feed.h"
#include "formats/espi_links.h"
#include "formats/espi_series.h"
#include "formats/meter_text.h"
#include "formats/xml_parser.h"

namespace meterline::formats {
namespace {

using namespace espi;

/// Blocks that wait are looked at again so many times before the end of the file, those of one
/// MeterReading and all, by so many paths: links that lead everywhere cost no more.
constexpr int looks_max = 64;
constexpr int looks_of_all_max = 100'000;
constexpr std::size_t awaited_max = 100'000;
/// Names of resources that are told of as left out.
constexpr std::size_t others_max = 32;

constexpr std::string_view no_clock =
    "the file has no LocalTimeParameters for this UsagePoint: say what clock its days are counted "
    "by with --zone America/New_York or the like (zone= for an upload)";

struct Waiting {
  Block block;
  std::optional<Instant> stated;
  std::string name;
};

/// Those of one MeterReading, in the order of the file.
struct Group {
  std::vector<Waiting> blocks;
  int looks = 0;
  bool is_alone = true;  ///< Resources::are_alone(), all of them.
};

/// Reads one file from its first piece to its last.
class GreenButtonFile {
 public:
  GreenButtonFile(TimeZone zone, std::string meter)
      : zone_(zone),
        meter_(std::move(meter)),
        feed_({.on_entry = [this](Entry& entry) { take(entry); },
               .on_finding = [this](Finding finding) { tell(std::move(finding)); },
               .readings_left = [this] { return readings_held_max - held_; }}) {}

  std::int64_t parse(const Piece& piece, DaySink& sink);

 private:
  void take(Entry& entry);
  void take_blocks(Entry& entry);
  void wake(const Entry& entry);
  void look_at(const std::string& key, bool is_end);
  void wait(const std::string& key, const Context& context, Waiting waiting, bool is_alone);
  void await(const std::string& key, const Context& context);
  void reject_too_many(const Context& context, const Waiting& waiting);
  bool is_complete(const Context& context) const;
  void read(const Context& context, const Waiting& waiting);
  std::optional<MeterId> meter_at(const Context& context, const Waiting& waiting);
  std::optional<TimeZone> zone_at(const Context& context, const Waiting& waiting);
  bool is_taken_by_another(const Context& context, const MeterId& meter, const Series& series);
  void finish();
  void finish_broken_off();

  void tell(Finding finding) {
    finding.line += lines_more_;
    sink_->on_finding(std::move(finding));
  }
  void tell(FindingCode code, std::int64_t line, std::string text, std::string_view excerpt) {
    tell({.line = line, .code = code, .text = std::move(text), .excerpt = excerpt_of(excerpt)});
  }
  void reject(FindingCode code, const Block& block, std::string text, const std::string& name);

  const TimeZone zone_;      ///< Of points whose clock the file does not tell.
  const std::string meter_;  ///< A point's that says none; empty: that is not known either.
  FeedReader feed_;
  DaySink* sink_ = nullptr;      ///< During a call.
  std::int64_t lines_more_ = 0;  ///< What the sink's lines are ahead of those of the file.
  std::int64_t lines_ = 0;       ///< Of the pieces before.
  bool ends_with_cr_ = false;    ///< The piece before.
  bool is_over_ = false;         ///< The end has been told.

  Resources resources_;
  DayCutter days_;
  std::map<std::string, Group, std::less<>> groups_;
  std::multimap<std::string, std::string, std::less<>> awaited_;  ///< Path -> key of a group.
  int looks_ = 0;
  std::size_t held_ = 0;  ///< Readings of all groups.
  /// By meter and channel: the type whose readings are the channel's.
  std::map<std::string, std::pair<ReadingType, std::string>> channels_;
  std::set<std::string> told_;  ///< What is told of once.
  std::size_t others_told_ = 0;
  bool has_blocks_ = false;
};

std::int64_t GreenButtonFile::parse(const Piece& piece, DaySink& sink) {
  sink_ = &sink;
  lines_more_ = piece.first_line - 1 - lines_;
  feed_.read(piece.text, piece.is_last);
  if (!is_over_ && (piece.is_last || feed_.fault())) {
    is_over_ = true;
    finish();
  }
  const auto lines = count_lines(piece.text, ends_with_cr_);
  lines_ += lines;
  sink_ = nullptr;
  return lines;
}

void GreenButtonFile::take(Entry& entry) {
  const bool tells =
      entry.is_point || entry.is_meter_reading || entry.type || entry.local_time.has_value();
  if (tells) {
    if (!resources_.add(entry))
      tell(FindingCode::bad_block, entry.line,
           fmt::format("the file has more than {} resources or {} bytes of links: this one is not "
                       "read, and readings that need it are not either",
                       resources_max, resource_bytes_max),
           entry.self);
    wake(entry);
  }
  if (!entry.blocks.empty()) take_blocks(entry);
  if (!tells && entry.blocks.empty() && !entry.other.empty() && others_told_ < others_max &&
      told_.insert(entry.other).second) {
    ++others_told_;
    tell(FindingCode::resource_ignored, entry.line,
         fmt::format("{} has no readings, and is left out; so is every other of its kind",
                     entry.other),
         entry.self);
  }
}

void GreenButtonFile::take_blocks(Entry& entry) {
  has_blocks_ = true;
  const auto key = Resources::key_of(entry);
  const auto context = resources_.find(key, Resources::Search::by_links);
  const bool is_next = groups_.find(key) == groups_.end() && is_complete(context);
  for (auto& block : entry.blocks) {
    Waiting waiting{.block = std::move(block), .stated = entry.updated, .name = entry.self};
    if (waiting.block.too_many > 0) {
      reject_too_many(context, waiting);
      continue;
    }
    if (is_next)
      read(context, waiting);
    else
      wait(key, context, std::move(waiting), Resources::are_alone(entry));
  }
}

/// Readings that would have to wait, and cannot.
void GreenButtonFile::reject_too_many(const Context& context, const Waiting& waiting) {
  const bool lacks_clock_only = context.type != nullptr && context.point && !is_complete(context);
  if (lacks_clock_only)
    return reject(FindingCode::zone_unknown, waiting.block, std::string(no_clock), waiting.name);
  reject(
      FindingCode::bad_block, waiting.block,
      fmt::format("{} readings of this block, and of blocks that wait for a MeterReading, "
                  "ReadingType, UsagePoint or LocalTimeParameters behind them, are more than the "
                  "{} that are held: have those written before their readings, or blocks smaller",
                  waiting.block.readings.size() + waiting.block.too_many, readings_held_max),
      waiting.name);
}

/// Whether a point without a name is the only one is not known before the end of the file.
bool GreenButtonFile::is_complete(const Context& context) const {
  return context.type != nullptr && context.point &&
         !(context.point->path.empty() && context.point->title.empty()) &&
         (context.local_time != nullptr || zone_.is_known());
}

void GreenButtonFile::wait(const std::string& key, const Context& context, Waiting waiting,
                           bool is_alone) {
  auto& group = groups_[key];
  if (group.blocks.empty()) await(key, context);
  group.is_alone = group.is_alone && is_alone;
  held_ += waiting.block.readings.size();
  group.blocks.push_back(std::move(waiting));
}

void GreenButtonFile::await(const std::string& key, const Context& context) {
  for (const auto& path : context.awaited) {
    const auto [begin, end] = awaited_.equal_range(path);
    const bool is_known =
        std::any_of(begin, end, [&](const auto& pair) { return pair.second == key; });
    if (!is_known && awaited_.size() < awaited_max) awaited_.emplace(path, key);
  }
}

/// Looks again at blocks that may have waited for what the entry tells.
void GreenButtonFile::wake(const Entry& entry) {
  if (groups_.empty()) return;
  std::set<std::string> keys;
  for (const auto& name : Resources::names_of(entry)) {
    if (name.empty()) continue;
    const auto [begin, end] = awaited_.equal_range(name);
    for (auto waiting = begin; waiting != end; ++waiting) keys.insert(waiting->second);
  }
  for (const auto& key : keys) look_at(key, false);
}

void GreenButtonFile::look_at(const std::string& key, bool is_end) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return;
  if (!is_end && (++found->second.looks > looks_max || ++looks_ > looks_of_all_max)) return;
  const auto search = !is_end                  ? Resources::Search::by_links
                      : feed_.fault()          ? Resources::Search::at_fault
                      : found->second.is_alone ? Resources::Search::alone_at_end
                                               : Resources::Search::at_end;
  const auto context = resources_.find(key, search);
  if (!is_end && !is_complete(context)) return await(key, context);
  const auto blocks = std::move(found->second.blocks);
  groups_.erase(found);
  for (const auto& waiting : blocks) {
    held_ -= waiting.block.readings.size();
    read(context, waiting);
  }
}

void GreenButtonFile::reject(FindingCode code, const Block& block, std::string text,
                             const std::string& name) {
  tell(code, block.line, std::move(text), name);
  sink_->on_rejected_row({.line = block.line + lines_more_,
                          .text = name,
                          .slots = static_cast<int>(block.readings.size() + block.too_many)});
}

/// Reads a block of which all is known that the file tells.
void GreenButtonFile::read(const Context& context, const Waiting& waiting) {
  const auto& block = waiting.block;
  if (context.type == nullptr || !context.point)
    return reject(
        FindingCode::bad_block, block,
        fmt::format("no {} of the file is linked to this block, so nobody knows what its "
                    "readings are",
                    context.type == nullptr ? "MeterReading with a ReadingType" : "UsagePoint"),
        waiting.name);
  const auto series = series_of(*context.type, *context.point, block);
  if (!series)
    return reject(FindingCode::series_ignored, block,
                  fmt::format("the readings of {} are left out: {}", context.meter_reading,
                              series.error().message),
                  waiting.name);
  const auto meter = meter_at(context, waiting);
  if (!meter) return;
  if (is_taken_by_another(context, *meter, *series))
    return reject(
        FindingCode::series_ignored, block,
        fmt::format("the readings of {} are left out: those of {}, of another "
                    "ReadingType, are the channel {} already",
                    context.meter_reading,
                    channels_.at(fmt::format("{}/{}", meter->text(), series->channel.name)).second,
                    series->channel.name),
        waiting.name);
  const auto zone = zone_at(context, waiting);
  if (!zone) return;
  if (!series->remark.empty() &&
      told_.insert(context.meter_reading + series->remark.substr(0, 3)).second)
    tell(FindingCode::not_standard, block.line, series->remark, waiting.name);
  const auto& path = context.meter_reading;
  const auto id = path.substr(path.rfind('/') + 1);
  days_.add({.meter = *meter,
             .series = *series,
             .zone = *zone,
             .stated = waiting.stated,
             .name = waiting.name,
             .register_id = id.substr(0, register_word_bytes_max)},
            block, *sink_, lines_more_);
}

/// The meter that the block's readings are of; empty, and it is rejected, when that is not known.
std::optional<MeterId> GreenButtonFile::meter_at(const Context& context, const Waiting& waiting) {
  const auto refuse = [&](std::string text, const std::string& excerpt) {
    reject(FindingCode::bad_meter_id, waiting.block, std::move(text), excerpt);
    return std::nullopt;
  };
  const auto said = meter_text_of(*context.point);
  if (!said.empty()) {
    if (const auto objection = objection_to_meter(said))
      return refuse(
          fmt::format("the meter id that the link of the UsagePoint gives: {}", objection->wanted),
          said);
    if (!meter_.empty())
      return refuse(
          "the link or title of its UsagePoint says which meter it is of: leave out "
          "--meter (meter= of an upload)",
          said);
    return MeterId::parse(said);
  }
  if (meter_.empty())
    return refuse(
        "neither a link nor the title of a UsagePoint says which meter it is of: say it "
        "with --meter (meter= for an upload)",
        waiting.name);
  if (feed_.fault())
    return refuse(
        "the file breaks off, so it is not known whether its UsagePoint, which neither a link nor "
        "a title names, is the only one",
        waiting.name);
  if (const auto points = resources_.nameless_points(); points > 1)
    return refuse(fmt::format("the file has {} UsagePoints that neither a link nor a title names, "
                              "and --meter cannot tell them apart",
                              points),
                  waiting.name);
  return MeterId::parse(meter_);
}

/// Two kinds of readings are never one channel: the first that comes has it.
bool GreenButtonFile::is_taken_by_another(const Context& context, const MeterId& meter,
                                          const Series& series) {
  if (series.shape != Series::Shape::days) return false;
  const auto name = fmt::format("{}/{}", meter.text(), series.channel.name);
  const auto [taken, is_new] = channels_.try_emplace(name, *context.type, context.meter_reading);
  return !is_new && taken->second.second != context.meter_reading &&
         !are_same_quantity(taken->second.first, *context.type);
}

/// The zone that the block's days are of; empty, and it is rejected, when that is not known.
std::optional<TimeZone> GreenButtonFile::zone_at(const Context& context, const Waiting& waiting) {
  if (context.local_time == nullptr) {
    if (zone_.is_known()) return zone_;
    reject(FindingCode::zone_unknown, waiting.block, std::string(no_clock), waiting.name);
    return std::nullopt;
  }
  const auto zone = zone_of(*context.local_time, zone_);
  if (zone) return *zone;
  const auto& reason = zone.error().message;
  if (!zone_.is_known()) {
    reject(
        FindingCode::zone_unknown, waiting.block,
        fmt::format("LocalTimeParameters: {}; say what clock its days are counted by with --zone "
                    "America/New_York or the like (zone= for an upload)",
                    reason),
        waiting.name);
    return std::nullopt;
  }
  if (told_.insert("zone " + context.point->path).second)
    tell(FindingCode::not_standard, waiting.block.line,
         fmt::format("LocalTimeParameters: {}; days are those of {}, as was said with the file",
                     reason, zone_.text()),
         context.point->path);
  return zone_;
}

/// What waits still will wait for ever.
void GreenButtonFile::finish() {
  while (!groups_.empty()) {
    const auto key = groups_.begin()->first;
    look_at(key, true);
  }
  days_.finish(*sink_, lines_more_);
  if (feed_.fault()) finish_broken_off();
  if (has_blocks_) return;
  if (!feed_.fault())
    tell(FindingCode::bad_block, 1,
         fmt::format("the file has no IntervalBlock of {} in an entry of a feed or by itself, so "
                     "there is nothing to store",
                     espi_namespace),
         "");
  // A file of which nothing can be stored is refused: as one row, which is rejected.
  sink_->on_rejected_row({.line = 1 + lines_more_});
}

void GreenButtonFile::finish_broken_off() {
  has_blocks_ = has_blocks_ || !feed_.unfinished().empty();
  for (const auto& block : feed_.unfinished())
    reject(FindingCode::bad_block, block, "the file breaks off in the entry of this block", "");
  const auto& fault = *feed_.fault();
  tell({.line = fault.line,
        .column = static_cast<int>(std::min<std::int64_t>(fault.column, 1'000'000'000)),
        .code = FindingCode::broken_off,
        .text =
            fmt::format("{}; entries that end before it are read, and nothing behind", fault.text),
        .excerpt = ""});
}

class GreenButton final : public Parser {
 public:
  GreenButton(TimeZone zone, std::string meter)
      : file_(std::make_unique<GreenButtonFile>(zone, std::move(meter))) {}

  /// Pieces come in order, one at a time.
  std::int64_t parse(const Piece& piece, DaySink& sink) const override {
    return file_->parse(piece, sink);
  }

 private:
  std::unique_ptr<GreenButtonFile> file_;
};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

bool is_green_button(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  if (!head.starts_with('<') || has(head, "<html") || has(head, "<HTML")) return false;
  return has(head, espi_namespace) || has(head, atom_namespace);
}

Result<Opened> open_green_button(const Piece& first, const ReadOptions& options) {
  const auto& meter = options.hints.meter;
  if (const auto objection = objection_to_meter(meter); !meter.empty() && objection)
    return fail(Errc::refused,
                fmt::format("the meter `{}`: {}", excerpt_of(meter), objection->wanted));
  const bool names_espi = has(first.text, espi_namespace);
  return Opened{.parser = std::make_unique<GreenButton>(options.zone, meter),
                .recognised_by = fmt::format("its start is XML that names {}",
                                             names_espi ? espi_namespace : atom_namespace)};
}

}  // namespace meterline::formats
