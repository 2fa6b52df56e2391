#include "formats/espi_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "formats/espi_quick.h"
#include "formats/reading_text.h"
#include "formats/xml_parser.h"

namespace meterline::formats::espi {
namespace {

constexpr std::string_view reading_tag_end = "IntervalReading>";
constexpr std::int64_t lines_in_block_max = std::numeric_limits<std::uint32_t>::max();

/// An element, as far as it means something where it stands.
enum class Tag : std::uint8_t {
  other,
  entry,
  content,
  link,
  title,
  updated,
  point,
  category,
  service_kind,
  local_time,
  local_time_part,
  meter_reading,
  type,
  type_part,
  block,
  interval,
  reading,
  period,
  qualities,
  quality,
  start,
  duration,
  value,
  multiplier,
  uom,
};

struct Meaning {
  Tag parent;
  std::string_view name;
  Tag tag;
};
/// Of elements of ESPI, by where they stand.
constexpr std::array meanings = {
    Meaning{Tag::content, "UsagePoint", Tag::point},
    Meaning{Tag::point, "ServiceCategory", Tag::category},
    Meaning{Tag::category, "kind", Tag::service_kind},
    Meaning{Tag::content, "LocalTimeParameters", Tag::local_time},
    Meaning{Tag::local_time, "tzOffset", Tag::local_time_part},
    Meaning{Tag::local_time, "dstOffset", Tag::local_time_part},
    Meaning{Tag::local_time, "dstStartRule", Tag::local_time_part},
    Meaning{Tag::local_time, "dstEndRule", Tag::local_time_part},
    Meaning{Tag::content, "MeterReading", Tag::meter_reading},
    Meaning{Tag::meter_reading, "ReadingType", Tag::type},
    Meaning{Tag::content, "ReadingType", Tag::type},
    Meaning{Tag::content, "IntervalBlock", Tag::block},
    Meaning{Tag::block, "interval", Tag::interval},
    Meaning{Tag::interval, "start", Tag::start},
    Meaning{Tag::interval, "duration", Tag::duration},
    Meaning{Tag::interval, "powerOfTenMultiplier", Tag::multiplier},
    Meaning{Tag::interval, "uom", Tag::uom},
    Meaning{Tag::block, "IntervalReading", Tag::reading},
    Meaning{Tag::reading, "timePeriod", Tag::period},
    Meaning{Tag::period, "start", Tag::start},
    Meaning{Tag::period, "duration", Tag::duration},
    Meaning{Tag::reading, "ReadingQuality", Tag::qualities},
    Meaning{Tag::qualities, "quality", Tag::quality},
    Meaning{Tag::reading, "value", Tag::value},
    Meaning{Tag::reading, "powerOfTenMultiplier", Tag::multiplier},
    Meaning{Tag::reading, "uom", Tag::uom},
};

/// The meaning of an element of ESPI below another; null where it has none.
const Meaning* meaning_in(Tag parent, std::string_view name) {
  const auto* const found = std::find_if(
      meanings.begin(), meanings.end(),
      [&](const Meaning& meaning) { return meaning.parent == parent && meaning.name == name; });
  return found == meanings.end() ? nullptr : found;
}

struct TypePart {
  std::string_view name;
  int ReadingType::*code;
};
constexpr std::array type_parts = {
    TypePart{"accumulationBehaviour", &ReadingType::accumulation},
    TypePart{"commodity", &ReadingType::commodity},
    TypePart{"dataQualifier", &ReadingType::qualifier},
    TypePart{"defaultQuality", &ReadingType::default_quality},
    TypePart{"flowDirection", &ReadingType::flow},
    TypePart{"intervalLength", &ReadingType::interval_length},
    TypePart{"kind", &ReadingType::kind},
    TypePart{"phase", &ReadingType::phase},
    TypePart{"powerOfTenMultiplier", &ReadingType::multiplier},
    TypePart{"timeAttribute", &ReadingType::time_attribute},
    TypePart{"measuringPeriod", &ReadingType::measuring_period},
    TypePart{"uom", &ReadingType::uom},
    TypePart{"tou", &ReadingType::tou},
    TypePart{"consumptionTier", &ReadingType::tier},
    TypePart{"cpp", &ReadingType::cpp},
};

const TypePart* type_part(std::string_view name) {
  const auto* const found = std::find_if(type_parts.begin(), type_parts.end(),
                                         [&](const TypePart& part) { return part.name == name; });
  return found == type_parts.end() ? nullptr : found;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Codes that are kept are of at most four digits, and what is no such code is -1.
std::optional<int> code_of(std::string_view text) {
  const auto number = number_of(text);
  constexpr std::int64_t code_max = 9999;
  if (!number || *number < -code_max || *number > code_max) return std::nullopt;
  return static_cast<int>(*number);
}

/// Of several qualities of a reading the one that is least like a measurement counts: of codes that
/// are not 0 (valid) the first.
void add_quality(int code, Reading& reading) {
  if (reading.quality == no_quality || reading.quality == 0)
    reading.quality = static_cast<std::uint8_t>(code);
}

}  // namespace

std::string path_of(std::string_view href) {
  href = trimmed(href);
  href = href.substr(0, href.find_first_of("?#"));
  if (const auto scheme = href.find("://"); scheme != std::string_view::npos) {
    href.remove_prefix(scheme + 3);
    href.remove_prefix(std::min(href.find('/'), href.size()));
  }
  while (href.starts_with('/')) href.remove_prefix(1);
  while (href.ends_with('/')) href.remove_suffix(1);
  return std::string(href);
}

std::optional<std::int64_t> number_of(std::string_view text) {
  text = trimmed(text);
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  constexpr std::size_t digits_max = 18;
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return is_negative ? -value : value;
}

namespace {

/// Where in the text, but not at its start, the tag of a reading begins, whatever its prefix; its
/// end where there is none.
std::size_t next_reading(std::string_view text) {
  constexpr std::size_t prefix_bytes_max = 64;
  for (std::size_t from = 1;;) {
    const auto found = text.find(reading_tag_end, std::min(from, text.size()));
    if (found == std::string_view::npos) return text.size();
    const auto tag_from = found - std::min(found, prefix_bytes_max);
    const auto tag = text.substr(tag_from, found - tag_from).rfind('<');
    const bool is_tag = tag != std::string_view::npos && text[tag_from + tag + 1] != '/';
    if (is_tag && tag_from + tag > 0) return tag_from + tag;
    from = found + reading_tag_end.size();
  }
}

}  // namespace

class FeedReader::Xml final : public XmlParser {
 public:
  explicit Xml(Events events) : XmlParser("Green Button"), events_(std::move(events)) {}

  void read(std::string_view text, bool is_last);
  std::int64_t entry_line() const { return is_in_entry_ ? entry_.line : 0; }
  const std::vector<Block>& unfinished() const { return entry_.blocks; }

 private:
  void on_start(const XmlName& name, const char** attributes) override;
  void on_end(const XmlName& name) override;
  void on_text(std::string_view text) override;
  Position position() const override;

  bool is_at_readings() const;
  std::size_t read_quick(std::string_view text);
  std::int64_t line() const { return position().line; }
  bool is_resource_alone(const XmlName& name) const;
  Tag meaning_of(const XmlName& name, Tag parent) const;
  void start_element(Tag tag, Tag parent, const XmlName& name, const char** attributes);
  void start_entry();
  void take_link(const char** attributes);
  void start_block(const XmlName& name);
  void end_element(Tag tag, std::string_view name);
  void end_block_part(Tag tag);
  void take_type_part(std::string_view name);
  void take_local_time_part(std::string_view name);
  void take_value();
  void take_quality();
  void take_time(Tag tag);
  void end_reading();
  void end_entry();
  void tell(FindingCode code, std::string text, std::string_view excerpt) {
    events_.on_finding(
        {.line = line(), .code = code, .text = std::move(text), .excerpt = excerpt_of(excerpt)});
  }
  Block& block() { return entry_.blocks.back(); }

  const Events events_;

  /// What expat was not given, as far as its lines and columns go.
  std::int64_t lines_skipped_ = 0;
  std::int64_t skip_line_ = 0;    ///< Of expat, where something was skipped last.
  std::int64_t column_more_ = 0;  ///< In that line, behind it.

  std::vector<Tag> open_;
  std::string text_;  ///< Of the innermost element that is open.

  bool is_in_entry_ = false;
  std::size_t alone_depth_ = 0;  ///< Of a resource that is its own entry; 0: there is none.
  Entry entry_;
  std::size_t readings_in_entry_ = 0;
  std::size_t readings_max_ = 0;  ///< That the block may have.
  QuickReadings quick_{""};
  Reading reading_;
  bool has_bad_time_ = false;  ///< The reading.
};

XmlParser::Position FeedReader::Xml::position() const {
  const auto expat = position_of_expat();
  return {.line = expat.line + lines_skipped_,
          .column = expat.column + (expat.line == skip_line_ ? column_more_ : 0)};
}

/// Readings that follow each other are read by themselves, and expat is given the rest, each time
/// up to the tag of the next reading.
void FeedReader::Xml::read(std::string_view text, bool is_last) {
  text = start(text, is_last);
  while (!text.empty() && !fault()) {
    if (is_at_readings()) text.remove_prefix(read_quick(text));
    const auto next = next_reading(text);
    give(text.substr(0, next), false);
    text.remove_prefix(next);
  }
  if (is_last && !fault()) give({}, true);
}

/// Whether what comes next stands in a block, outside of its elements, and expat has seen all that
/// is before it.
bool FeedReader::Xml::is_at_readings() const {
  return !open_.empty() && open_.back() == Tag::block && is_even();
}

std::size_t FeedReader::Xml::read_quick(std::string_view text) {
  const auto before = block().readings.size();
  const auto taken = quick_.read(text, line() - block().line, readings_max_, block());
  readings_in_entry_ += block().readings.size() - before;
  if (taken.bytes == 0) return 0;
  const auto expat = position_of_expat();
  const auto more_before = expat.line == skip_line_ ? column_more_ : 0;
  const auto behind = static_cast<std::int64_t>(taken.behind_line);
  column_more_ = taken.lines > 0 ? behind - (expat.column - 1) : more_before + behind;
  skip_line_ = expat.line;
  lines_skipped_ += taken.lines;
  return taken.bytes;
}

/// Whether a resource stands outside of all entries, which is then an entry without links.
bool FeedReader::Xml::is_resource_alone(const XmlName& name) const {
  return !is_in_entry_ && name.space == espi_namespace &&
         meaning_in(Tag::content, name.local) != nullptr;
}

Tag FeedReader::Xml::meaning_of(const XmlName& name, Tag parent) const {
  if (name.space == atom_namespace) {
    if (!is_in_entry_) return name.local == "entry" ? Tag::entry : Tag::other;
    if (parent != Tag::entry) return Tag::other;
    if (name.local == "link") return Tag::link;
    if (name.local == "title") return Tag::title;
    if (name.local == "updated") return Tag::updated;
    return name.local == "content" ? Tag::content : Tag::other;
  }
  if (name.space != espi_namespace || !is_in_entry_) return Tag::other;
  if (parent == Tag::type && type_part(name.local) != nullptr) return Tag::type_part;
  const auto* const meaning = meaning_in(parent, name.local);
  return meaning == nullptr ? Tag::other : meaning->tag;
}

void FeedReader::Xml::on_start(const XmlName& name, const char** attributes) {
  auto parent = open_.empty() ? Tag::other : open_.back();
  if (is_resource_alone(name)) {
    start_entry();
    alone_depth_ = depth();
    parent = Tag::content;
  }
  const auto tag = meaning_of(name, parent);
  start_element(tag, parent, name, attributes);
  open_.push_back(tag);
  text_.clear();
}

void FeedReader::Xml::start_entry() {
  entry_ = {};
  entry_.line = line();
  is_in_entry_ = true;
  readings_in_entry_ = 0;
}

void FeedReader::Xml::start_element(Tag tag, Tag parent, const XmlName& name,
                                    const char** attributes) {
  switch (tag) {
    case Tag::entry:
      start_entry();
      break;
    case Tag::link:
      return take_link(attributes);
    case Tag::point:
      entry_.is_point = true;
      break;
    case Tag::local_time:
      entry_.local_time.emplace();
      break;
    case Tag::meter_reading:
      entry_.is_meter_reading = true;
      break;
    case Tag::type:
      entry_.type.emplace();
      break;
    case Tag::block:
      return start_block(name);
    case Tag::reading:
      has_bad_time_ = false;
      reading_ = {
          .line = static_cast<std::uint32_t>(std::min(line() - block().line, lines_in_block_max))};
      break;
    case Tag::other:
      if (parent == Tag::content && entry_.other.empty())
        entry_.other = name.local.substr(0, excerpt_bytes_max);
      break;
    default:
      break;
  }
}

void FeedReader::Xml::take_link(const char** attributes) {
  std::string_view rel;
  std::string_view href;
  for (; *attributes != nullptr; attributes += 2) {
    const std::string_view name(attributes[0]);
    if (name == "rel") rel = attributes[1];
    if (name == "href") href = attributes[1];
  }
  if (href.size() > link_bytes_max)
    return tell(FindingCode::not_standard,
                fmt::format("a link of more than {} bytes is not read", link_bytes_max), href);
  if (rel == "self") entry_.self = path_of(href);
  if (rel == "up") entry_.up = path_of(href);
  if (rel != "related") return;
  if (entry_.related.size() < links_max) return entry_.related.push_back(path_of(href));
  fail(fmt::format("an entry has more than {} links", links_max));
}

void FeedReader::Xml::start_block(const XmlName& name) {
  const auto at = line();
  entry_.blocks.push_back({.line = at});
  const auto left = events_.readings_left();
  readings_max_ = left - std::min(left, readings_in_entry_);
  if (quick_.prefix() != name.prefix) quick_ = QuickReadings(name.prefix);
}

void FeedReader::Xml::on_text(std::string_view text) {
  if (open_.empty() || open_.back() == Tag::other) return;
  text_ += text.substr(0, element_text_bytes_max - std::min(text_.size(), element_text_bytes_max));
}

void FeedReader::Xml::on_end(const XmlName& name) {
  end_element(open_.back(), name.local);
  if (depth() == alone_depth_) {
    alone_depth_ = 0;
    end_entry();
  }
  open_.pop_back();
  text_.clear();
}

void FeedReader::Xml::end_element(Tag tag, std::string_view name) {
  switch (tag) {
    case Tag::entry:
      return end_entry();
    case Tag::title:
      entry_.title = trimmed(text_);
      return;
    case Tag::updated:
      entry_.updated = Instant::parse(trimmed(text_));
      if (!entry_.updated)
        tell(FindingCode::not_standard,
             "`updated` is not read, as it is no time like 2025-01-31T06:00:00Z", text_);
      return;
    case Tag::service_kind:
      entry_.service_kind = code_of(text_).value_or(-1);
      return;
    case Tag::local_time_part:
      return take_local_time_part(name);
    case Tag::type_part:
      return take_type_part(name);
    default:
      return end_block_part(tag);
  }
}

void FeedReader::Xml::take_local_time_part(std::string_view name) {
  auto& part = name == "tzOffset"       ? entry_.local_time->tz_offset
               : name == "dstOffset"    ? entry_.local_time->dst_offset
               : name == "dstStartRule" ? entry_.local_time->dst_start
                                        : entry_.local_time->dst_end;
  part = trimmed(text_).substr(0, excerpt_bytes_max);
}

void FeedReader::Xml::take_type_part(std::string_view name) {
  const auto number = number_of(text_);
  constexpr std::int64_t number_max = 1'000'000'000;
  const bool is_good = number && *number >= -number_max && *number <= number_max;
  if (is_good)
    (*entry_.type).*(type_part(name)->code) = static_cast<int>(*number);
  else
    entry_.type->is_bad = true;
}

void FeedReader::Xml::end_block_part(Tag tag) {
  switch (tag) {
    case Tag::reading:
      return end_reading();
    case Tag::value:
      return take_value();
    case Tag::quality:
      return take_quality();
    case Tag::start:
    case Tag::duration:
      return take_time(tag);
    case Tag::multiplier:
    case Tag::uom: {
      auto& said = tag == Tag::uom ? block().uom : block().multiplier;
      if (const auto code = code_of(text_))
        said.add(*code);
      else
        said.is_mixed = true;
      return;
    }
    default:
      return;
  }
}

void FeedReader::Xml::take_value() {
  const auto text = trimmed(text_);
  if (text.empty()) return;
  const auto value = parse_reading(text);
  reading_.state = value ? ValueState::good : ValueState::bad;
  if (!value) return tell(FindingCode::bad_value, "want a whole number", text);
  reading_.value = value->value.mantissa;
  reading_.decimals = static_cast<std::uint8_t>(-value->value.exponent);
  if (value->is_rounded)
    tell(FindingCode::noise_dropped,
         fmt::format("rounded to {} decimals, the most that are kept", reading_decimals_max), text);
}

/// Of QualityOfReading.
void FeedReader::Xml::take_quality() {
  const auto code = code_of(text_);
  if (code && *code >= 0 && *code <= quality_code_max) return add_quality(*code, reading_);
  constexpr int other = 16;
  tell(FindingCode::not_standard, "the quality is no code of ESPI's: it counts as 16, other",
       text_);
  add_quality(other, reading_);
}

void FeedReader::Xml::take_time(Tag tag) {
  const auto seconds = number_of(text_);
  const bool is_of_reading = open_[open_.size() - 2] == Tag::period;
  constexpr std::int64_t duration_max = std::numeric_limits<std::uint32_t>::max();
  if (!seconds || *seconds < 0 || (tag == Tag::duration && *seconds > duration_max)) {
    has_bad_time_ = has_bad_time_ || is_of_reading;
    return tell(FindingCode::bad_interval, "a start or duration is no number of seconds", text_);
  }
  if (is_of_reading && tag == Tag::start) reading_.start = *seconds;
  if (is_of_reading && tag == Tag::duration)
    reading_.duration = static_cast<std::uint32_t>(*seconds);
  if (!is_of_reading && tag == Tag::start) block().start = *seconds;
  if (!is_of_reading && tag == Tag::duration) block().duration = *seconds;
}

void FeedReader::Xml::end_reading() {
  if (block().readings.size() >= readings_max_) {
    ++block().too_many;
    return;
  }
  // What has no time of its own is not counted from another's.
  if (has_bad_time_) reading_.state = ValueState::bad;
  block().readings.push_back(reading_);
  ++readings_in_entry_;
}

void FeedReader::Xml::end_entry() {
  is_in_entry_ = false;
  events_.on_entry(entry_);
  entry_ = {};
}

FeedReader::FeedReader(Events events) : xml_(std::make_unique<Xml>(std::move(events))) {}
FeedReader::~FeedReader() = default;

void FeedReader::read(std::string_view text, bool is_last) { xml_->read(text, is_last); }
const std::optional<XmlFault>& FeedReader::fault() const { return xml_->fault(); }
std::int64_t FeedReader::entry_line() const { return xml_->entry_line(); }
const std::vector<Block>& FeedReader::unfinished() const { return xml_->unfinished(); }

}  // namespace meterline::formats::espi
