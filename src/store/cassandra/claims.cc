#include "store/cassandra/claims.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>
#include <utility>

namespace meterline::store::cassandra {
namespace {

constexpr std::size_t places_min = 1024;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t with) {
  hash = (hash ^ with) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

}  // namespace

void Claims::begin(const SpanOfPass& span) {
  span_ = span;
  held_now_max_ = held_max_;
  is_shortened_ = false;
  names_.clear();
  claims_.clear();
  places_.assign(places_min, 0);
}

void Claims::add(const TotalEntry& entry, Date date, const VersionKey& key) {
  if (!span_.contains(entry.meter)) return;
  hold({.kind = entry.kind,
        .exponent = entry.grid.exponent,
        .slots = static_cast<std::uint16_t>(entry.grid.slots),
        .actual = static_cast<std::uint16_t>(entry.quality.actual),
        .substituted = static_cast<std::uint16_t>(entry.quality.substituted),
        .estimated = static_cast<std::uint16_t>(entry.quality.estimated),
        .channel = channel_number(entry.channel),
        .date = date.days(),
        .zone = entry.grid.zone,
        .mantissa = entry.mantissa,
        .version = entry.grid.version(key.version),
        .delivery = key.delivery},
       entry.meter);
}

void Claims::add(const Claims& others, const Claim& claim) {
  const auto meter = others.meter(claim);
  if (!span_.contains(meter)) return;
  Claim own = claim;
  own.channel = channel_number(others.channel(claim));
  hold(own, meter);
}

void Claims::hold(Claim claim, std::string_view meter) {
  const std::size_t place = place_of(claim, meter);
  if (places_[place] != 0) {
    Claim& held = claims_[places_[place] - 1];
    const bool is_of_one =
        held.is_of_one_version && claim.is_of_one_version && held.version == claim.version;
    if (std::tie(held.version, held.delivery) < std::tie(claim.version, claim.delivery)) {
      claim.name = held.name;
      claim.name_chars = held.name_chars;
      held = claim;
    }
    held.is_of_one_version = is_of_one;
    return;
  }
  // Days of a meter mostly come one after another: its name is there already.
  const bool is_named = !claims_.empty() && this->meter(claims_.back()) == meter;
  claim.name = is_named ? claims_.back().name : static_cast<std::uint32_t>(names_.size());
  claim.name_chars = static_cast<std::uint8_t>(meter.size());
  if (!is_named) names_ += meter;
  claims_.push_back(claim);
  places_[place] = static_cast<std::uint32_t>(claims_.size());
  if (claims_.size() > held_now_max_) shorten();
  if (2 * claims_.size() > places_.size()) grow_places();
}

std::uint32_t Claims::channel_number(const Channel& channel) {
  const auto found = std::find(channels_.begin(), channels_.end(), channel);
  const auto number = static_cast<std::uint32_t>(found - channels_.begin());
  if (found == channels_.end()) channels_.push_back(channel);
  return number;
}

/// Where the claim of the same day stands, or would stand.
std::size_t Claims::place_of(const Claim& claim, std::string_view meter) const {
  const auto day = std::uint64_t{claim.channel} << 32 | static_cast<std::uint32_t>(claim.date);
  const std::size_t mask = places_.size() - 1;
  std::size_t place = mixed(std::hash<std::string_view>()(meter), day) & mask;
  for (; places_[place] != 0; place = (place + 1) & mask) {
    const Claim& held = claims_[places_[place] - 1];
    if (held.date == claim.date && held.channel == claim.channel && this->meter(held) == meter)
      break;
  }
  return place;
}

void Claims::grow_places() {
  std::size_t size = std::max(places_min, places_.size());
  while (size < 2 * claims_.size() + 2) size *= 2;
  places_.assign(size, 0);
  std::uint32_t number = 0;
  for (const Claim& claim : claims_) places_[place_of(claim, meter(claim))] = ++number;
}

/// Gives up the last quarter by meter. A meter whose claims alone are more than may be held stays:
/// the next pass could not do better.
void Claims::shorten() {
  std::vector<std::uint32_t> order(claims_.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto kept = order.begin() + static_cast<std::ptrdiff_t>(order.size() * 3 / 4);
  std::nth_element(order.begin(), kept, order.end(), [this](std::uint32_t a, std::uint32_t b) {
    return meter(claims_[a]) < meter(claims_[b]);
  });
  std::string to(meter(claims_[*kept]));
  // The end is a meter that is held whole: the greatest before that one, where there is any.
  std::string_view before;
  for (const Claim& claim : claims_)
    if (meter(claim) < to) before = std::max(before, meter(claim));
  if (!before.empty()) to = before;
  if (to == span_.to) {
    held_now_max_ *= 2;
    return;
  }
  span_.to = std::move(to);
  is_shortened_ = true;
  const std::string names = std::exchange(names_, {});
  std::deque<Claim> claims;
  std::string_view last;
  for (Claim& claim : claims_) {
    const auto name = std::string_view(names).substr(claim.name, claim.name_chars);
    if (name > span_.to) continue;
    if (name != last) names_ += name;
    last = name;
    claim.name = static_cast<std::uint32_t>(names_.size() - name.size());
    claims.push_back(claim);
  }
  claims_ = std::move(claims);
  places_.clear();
  grow_places();
}

}  // namespace meterline::store::cassandra
