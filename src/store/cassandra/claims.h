#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/delivery.h"
#include "core/result.h"
#include "store/cassandra/schema.h"
#include "store/cassandra/totals_row.h"
#include "store/store.h"

namespace meterline::store::cassandra {

/// Meters that a pass over totals answers for. Bounds as texts: they are compared a million times.
struct SpanOfPass {
  std::string after;  ///< Behind this one.
  std::string to;     ///< Up to this one, inclusive; empty: to the last.

  static SpanOfPass of(const MeterSpan& span) {
    return {.after = span.after.text(), .to = span.to ? span.to->text() : std::string()};
  }
  bool contains(std::string_view meter) const {
    return meter > after && (to.empty() || meter <= to);
  }
  /// Whether it has any of the meters from `first` to `last`.
  bool meets(std::string_view first, std::string_view last) const {
    return last > after && (to.empty() || first <= to);
  }
};

/// What is known of one channel of a meter on one day, of all deliveries that were read so far.
struct Claim {
  std::uint32_t name = 0;  ///< Where the meter's id begins among the names.
  std::uint8_t name_chars = 0;
  TotalEntry::Kind kind = TotalEntry::Kind::unknown;
  bool is_of_one_version = true;  ///< Whether all that say something of it state one version.
  std::int8_t exponent = 0;       ///< This and the rest are of the newest.
  std::uint16_t slots = 0;
  std::uint16_t actual = 0;
  std::uint16_t substituted = 0;
  std::uint16_t estimated = 0;
  std::uint32_t channel = 0;
  std::int32_t date = 0;  ///< Days since 1970.
  TimeZone zone;
  std::int64_t mantissa = 0;
  Version version;
  DeliveryId delivery;

  std::int64_t readings() const { return std::int64_t{actual} + substituted + estimated; }
};
static_assert(sizeof(Claim) <= 96, "a million of them are held");

/// Claims of which the newest alone is kept, so that memory does not grow with versions; and of so
/// many days of meters at most: where more come, those of the greater ids are given up, and left to
/// another pass.
///
/// Threads: one at a time.
class Claims {
 public:
  /// `held_max`, at least 8, is exceeded only where one meter alone has more.
  explicit Claims(std::size_t held_max) : held_max_(held_max) { begin({}); }

  /// Gives up all claims, and takes those of meters in `span` from now on.
  void begin(const SpanOfPass& span);
  /// The meters of which all that was added is held: an end nearer than that of begin() where some
  /// had to be given up.
  const SpanOfPass& span() const { return span_; }
  bool is_shortened() const { return is_shortened_; }

  /// Of a meter outside of the span, nothing is taken. `entry` is of `date`, whatever its day says.
  void add(const TotalEntry& entry, Date date, const VersionKey& key);
  /// A claim of others, which may be held as well.
  void add(const Claims& others, const Claim& claim);

  const std::deque<Claim>& all() const { return claims_; }
  std::string_view meter(const Claim& claim) const {
    return std::string_view(names_).substr(claim.name, claim.name_chars);
  }
  const Channel& channel(const Claim& claim) const { return channels_[claim.channel]; }

 private:
  void hold(Claim claim, std::string_view meter);
  std::uint32_t channel_number(const Channel& channel);
  std::size_t place_of(const Claim& claim, std::string_view meter) const;
  void grow_places();
  void shorten();

  const std::size_t held_max_;
  std::size_t held_now_max_ = held_max_;  ///< More where one meter alone has more.
  SpanOfPass span_;
  bool is_shortened_ = false;
  std::vector<Channel> channels_;
  std::string names_;
  std::deque<Claim> claims_;
  /// Open addressing: the number of a claim plus one, or 0; twice as many as claims at least.
  std::vector<std::uint32_t> places_;
};

}  // namespace meterline::store::cassandra
