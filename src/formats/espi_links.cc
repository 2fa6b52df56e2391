#include "formats/espi_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace meterline::formats::espi {
namespace {

/// As paths have it.
constexpr std::string_view local_times_name = "LocalTimeParameters";
/// Begins the key of a resource without `self`; no path has a blank there.
constexpr std::string_view nameless = " entry ";

/// The path of what a collection belongs to: `.../MeterReading/1` of
/// `.../MeterReading/1/IntervalBlock`.
std::string_view without(std::string_view path, std::string_view collection) {
  if (path.size() <= collection.size() || !path.ends_with(collection) ||
      path[path.size() - collection.size() - 1] != '/')
    return path;
  return path.substr(0, path.size() - collection.size() - 1);
}

/// The part of the path that ends with the id behind `name`; empty when it has none.
std::string_view up_to_id(std::string_view path, std::string_view name) {
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    if (path.substr(at, end - at) == name && end < path.size()) {
      const auto id_end = std::min(path.find('/', end + 1), path.size());
      return path.substr(0, id_end);
    }
    at = end + 1;
  }
  return {};
}

/// The links by which something else may be looked for: those of its name, and some others.
std::vector<std::string> kept_links(const std::vector<std::string>& links, std::string_view name) {
  constexpr std::size_t each_max = 64;
  std::vector<std::string> named;
  std::vector<std::string> others;
  for (const auto& link : links) {
    auto& kept = link.find(name) == std::string::npos ? others : named;
    if (kept.size() < each_max) kept.push_back(link);
  }
  named.insert(named.end(), others.begin(), others.end());
  return named;
}

template <class Map>
auto find_in(const Map& map, std::string_view key) -> const typename Map::mapped_type* {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

bool Resources::add(const Entry& entry) {
  const auto bytes =
      std::accumulate(entry.related.begin(), entry.related.end(),
                      entry.self.size() + entry.up.size() + entry.title.size(),
                      [](std::size_t sum, const std::string& link) { return sum + link.size(); });
  if (count_ == resources_max || bytes_ + bytes > resource_bytes_max) return false;
  ++count_;
  bytes_ += bytes;
  const auto key = entry.self.empty() ? fmt::format("{}{}", nameless, count_) : entry.self;
  const auto name = [&key](ByPath<std::string>& map, std::string_view link) {
    if (!link.empty()) map[std::string(link)] = key;
  };
  if (entry.is_point) {
    points_[key] = {
        .point = {.path = entry.self, .title = entry.title, .service_kind = entry.service_kind},
        .related = kept_links(entry.related, local_times_name)};
    for (const auto& link : entry.related) name(point_of_, link);
  } else if (entry.is_meter_reading) {
    meter_readings_[key] = {
        .up = entry.up, .related = kept_links(entry.related, "ReadingType"), .type = entry.type};
    for (const auto& link : entry.related) name(meter_reading_of_, link);
  } else if (entry.type) {
    types_[key] = *entry.type;
    name(type_of_, without(entry.up, "ReadingType"));
    for (const auto& link : entry.related) name(type_of_, link);
  } else if (entry.local_time) {
    local_times_differ_ =
        local_times_differ_ ||
        (!local_times_.empty() && local_times_.begin()->second != *entry.local_time);
    local_times_[key] = *entry.local_time;
    name(local_time_of_, without(entry.up, local_times_name));
    name(local_time_of_, up_to_id(entry.self, "UsagePoint"));
    for (const auto& link : entry.related) name(local_time_of_, link);
  }
  return true;
}

std::vector<std::string> Resources::names_of(const Entry& entry) {
  auto names = entry.related;
  names.push_back(entry.self);
  names.emplace_back(without(entry.self, "MeterReading"));
  names.emplace_back(without(entry.up, "ReadingType"));
  names.emplace_back(without(entry.up, local_times_name));
  if (entry.local_time) names.emplace_back(local_times_name);
  names.emplace_back(up_to_id(entry.self, "UsagePoint"));
  return names;
}

std::string Resources::key_of(const Entry& blocks) {
  constexpr std::string_view collection = "IntervalBlock";
  for (const auto* path : {&blocks.up, &blocks.self}) {
    const auto reading = up_to_id(*path, "MeterReading");
    if (!reading.empty()) return std::string(reading);
  }
  for (const auto& link : blocks.related)
    if (!up_to_id(link, "MeterReading").empty()) return link;
  const auto up = without(blocks.up, collection);
  const bool is_own = !up.empty() && up.size() < blocks.up.size();
  return is_own ? std::string(up) : blocks.self;
}

bool Resources::are_alone(const Entry& blocks) {
  return blocks.up.empty() && blocks.related.empty() &&
         up_to_id(blocks.self, "MeterReading").empty();
}

const Resources::MeterReading* Resources::meter_reading(std::string_view key,
                                                        std::string& path) const {
  path = key;
  if (const auto* const found = find_in(meter_readings_, key)) return found;
  const auto* owner = find_in(meter_reading_of_, key);
  if (owner == nullptr) owner = find_in(meter_reading_of_, std::string(key) + "/IntervalBlock");
  if (owner == nullptr) return nullptr;
  path = *owner;
  return find_in(meter_readings_, path);
}

const ReadingType* Resources::type_of(const MeterReading& reading, std::string_view path) const {
  if (reading.type) return &*reading.type;
  for (const auto& link : reading.related)
    if (const auto* const found = find_in(types_, link)) return found;
  const auto* const type = find_in(type_of_, path);
  return type == nullptr ? nullptr : find_in(types_, *type);
}

const Resources::KeptPoint* Resources::point_of(const MeterReading& reading,
                                                std::string_view path) const {
  if (const auto* const found = find_in(points_, without(reading.up, "MeterReading"))) return found;
  for (const auto link : {path, std::string_view(reading.up)})
    if (const auto* const owner = find_in(point_of_, link)) return find_in(points_, *owner);
  return find_in(points_, up_to_id(path, "UsagePoint"));
}

/// Those that nothing relates to a point are of all points, if all of them say the same.
const LocalTime* Resources::local_time_of(const KeptPoint* kept, std::string_view point) const {
  bool is_linked = false;
  if (kept != nullptr) {
    for (const auto& link : kept->related) {
      if (const auto* const found = find_in(local_times_, link)) return found;
      is_linked = is_linked || link.find(local_times_name) != std::string::npos;
    }
  }
  if (const auto* const owner = find_in(local_time_of_, point))
    return find_in(local_times_, *owner);
  if (is_linked || local_times_.empty() || local_times_differ_) return nullptr;
  return &local_times_.begin()->second;
}

const ReadingType* Resources::only_type() const {
  return types_.size() == 1 ? &types_.begin()->second : nullptr;
}

std::size_t Resources::nameless_points() const {
  return static_cast<std::size_t>(
      std::count_if(points_.begin(), points_.end(), [](const auto& named) {
        const auto& point = named.second.point;
        return point.path.empty() && point.title.empty();
      }));
}

Context Resources::find(std::string_view key, Search search) const {
  const bool is_end = search == Search::at_end || search == Search::alone_at_end;
  Context context;
  const auto* reading = meter_reading(key, context.meter_reading);
  context.awaited = {std::string(key), std::string(key) + "/IntervalBlock"};
  if (reading == nullptr && search == Search::alone_at_end) {
    context.meter_reading.clear();
    if (meter_readings_.size() == 1) {
      reading = &meter_readings_.begin()->second;
      if (const auto& path = meter_readings_.begin()->first; !path.starts_with(nameless))
        context.meter_reading = path;
    } else if (meter_readings_.empty()) {
      context.type = only_type();
    }
  }
  const auto path_of_point = up_to_id(context.meter_reading, "UsagePoint");
  if (!path_of_point.empty()) context.awaited.emplace_back(path_of_point);
  const KeptPoint* kept = nullptr;
  if (reading != nullptr) {
    context.type = type_of(*reading, context.meter_reading);
    if (context.type == nullptr && is_end && reading->related.empty()) context.type = only_type();
    kept = point_of(*reading, context.meter_reading);
    context.awaited.push_back(context.meter_reading);
    context.awaited.push_back(reading->up);
    context.awaited.emplace_back(without(reading->up, "MeterReading"));
    context.awaited.insert(context.awaited.end(), reading->related.begin(), reading->related.end());
  }
  const bool names_no_point =
      reading == nullptr ? search == Search::alone_at_end : is_end && reading->up.empty();
  if (kept == nullptr && names_no_point && path_of_point.empty() && points_.size() == 1)
    kept = &points_.begin()->second;
  if (kept != nullptr) context.point = kept->point;
  if (kept == nullptr && search != Search::by_links && !path_of_point.empty())
    context.point = Point{.path = std::string(path_of_point), .title = "", .service_kind = -1};
  if (kept == nullptr && names_no_point && path_of_point.empty() && points_.empty())
    context.point = Point{};
  if (context.point) {
    context.local_time = local_time_of(kept, context.point->path);
    context.awaited.push_back(context.point->path);
    if (context.local_time == nullptr) context.awaited.emplace_back(local_times_name);
  }
  return context;
}

}  // namespace meterline::formats::espi
