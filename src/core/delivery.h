#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.h"
#include "core/finding.h"
#include "core/instant.h"
#include "core/reading_day.h"

namespace meterline {

/// SHA-256 of a delivery's bytes as they were received, before any decompression.
using ContentHash = std::array<std::uint8_t, 32>;

/// Orders what is said of the same reading day: the greater version wins, compared by all of it in
/// the order of its members. A question "as of" a time leaves out what was received later, whatever
/// it states.
struct Version {
  Instant stated;  ///< When the file says that the day was made; else when it was delivered.
  Origin origin = Origin::source;
  Instant received;       ///< When meterline took the delivery in.
  std::uint64_t tie = 0;  ///< The first 8 bytes of the content hash, big-endian.

  auto operator<=>(const Version&) const = default;
  friend std::ostream& operator<<(std::ostream& out, Version v) {
    if (v.origin == Origin::estimate) out << "estimate ";
    out << v.stated;
    if (v.received != v.stated) out << '/' << v.received;
    return out << '#' << v.tie;
  }
};

std::uint64_t tie_of(const ContentHash& content);

/// Names a delivery: a hash over its source, its content, its delivery time and how it was read
/// (unit, zone, feed, reader).
struct DeliveryId {
  std::array<std::uint8_t, 16> bytes{};

  std::string text() const;  ///< 32 hexadecimal digits, lower case.
  static std::optional<DeliveryId> parse(std::string_view text);
  auto operator<=>(const DeliveryId&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const DeliveryId& id) {
    return out << id.text();
  }
};

std::string hex(const std::uint8_t* bytes, std::size_t count);

enum class DeliveryState : std::uint8_t {
  stored = 0,   ///< All its good rows are stored; rejected ones are in the report.
  refused = 1,  ///< The whole file could not be taken in, or none of its rows; `reason`.
  skipped = 2,  ///< Already stored before, so nothing was done. Never kept in a store.
  failed = 3,   ///< Something outside the file went wrong; it can be tried again. Never kept.
};
std::string_view text_of(DeliveryState state);

/// read = stored + repeated + rejected, always.
struct RowCounts {
  std::int64_t read = 0;
  std::int64_t stored = 0;
  std::int64_t repeated = 0;  ///< Other rows of the same file have all that it has.
  std::int64_t rejected = 0;
  bool operator==(const RowCounts&) const = default;
  RowCounts& operator+=(const RowCounts& other);
};

/// Slots of the rows: read = stored + missing + repeated + rejected, always. A rejected row counts
/// with all slots of its day. Where rows of one day are united, each slot of the day counts once as
/// what it became, and all that the rows have beyond that as repeated.
struct ReadingCounts {
  std::int64_t read = 0;
  std::int64_t stored = 0;
  std::int64_t missing = 0;
  std::int64_t repeated = 0;
  std::int64_t rejected = 0;
  bool operator==(const ReadingCounts&) const = default;
  ReadingCounts& operator+=(const ReadingCounts& other);
};

/// Findings by code, never capped.
using FindingCounts = std::array<std::int64_t, finding_codes_count>;

/// What became of a delivery.
struct DeliveryReport {
  DeliveryState state = DeliveryState::stored;
  std::string reason;  ///< Why it was refused or failed; else empty.
  std::string format;  ///< As in docs/formats, e.g. `wide-csv`; empty when not recognised.
  std::string recognised_by = {};  ///< What of the file shows the format, for people; or empty.
  RowCounts rows;
  ReadingCounts readings;
  RowCounts register_reads = {};  ///< Those of `rows` that are reads of registers, not days.
  FindingCounts finding_counts{};
  std::vector<Finding> findings;  ///< The first of them by line, up to the cap.

  bool operator==(const DeliveryReport&) const = default;
};

/// The description of a file layout by which a file was read.
struct Feed {
  std::string name;
  ContentHash hash{};  ///< SHA-256 of the description.
  bool operator==(const Feed&) const = default;
};

/// One file received.
struct Delivery {
  DeliveryId id;
  std::string source;  ///< Where it came from: an absolute path, `s3://BUCKET/KEY`, `stdin`, ...
  ContentHash content{};
  std::uint64_t bytes = 0;  ///< As received.
  Instant delivered_at;     ///< Modification time of a file, receipt of an upload; never later than
                            ///< received_at.
  Instant received_at;      ///< When meterline began to take it in, by its own clock.
  Unit unit = Unit::unknown;  ///< Of readings whose file names none: the load's or the store's.
  std::string zone = {};      ///< TimeZone::text() of days whose file names none; empty: unknown.
  std::optional<Feed> feed = {};
  /// The number of the reader that read it (formats::reader_number): a newer reader may read more
  /// of the same bytes. 0: nobody read it.
  std::uint32_t reader = 0;
  std::string object_version = {};  ///< The object's version id in S3, where it has one.
  /// What the source calls these bytes, the ETag in S3: of one source, equal tags mean equal bytes.
  /// Empty where it has no such name.
  std::string content_tag = {};

  /// Of its days that state no time of their own.
  Version version() const {
    return {.stated = delivered_at, .received = received_at, .tie = tie_of(content)};
  }
  bool operator==(const Delivery&) const = default;
};

/// A source longer than this is refused.
inline constexpr std::size_t source_bytes_max = 4096;

}  // namespace meterline
