#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/finding.h"
#include "formats/espi.h"

namespace meterline::formats::espi {

/// A token of XML, such as a tag or a comment, may be so long.
inline constexpr std::int64_t token_bytes_max = std::int64_t{1} << 20;
/// Elements inside of each other.
inline constexpr std::size_t depth_max = 64;
/// Different names of elements and attributes: each takes memory until the file ends.
inline constexpr std::size_t names_max = 4096;
/// The text of one element, as far as it is read.
inline constexpr std::size_t element_text_bytes_max = 4096;

/// Where and why a file cannot be read on.
struct Fault {
  std::int64_t line = 0;
  std::int64_t column = 0;
  std::string text;
};

/// Reads the entries of a feed out of a stream of text, which may be cut anywhere. XML is read by
/// expat; readings that are written as all of them are, element by element, by QuickReadings.
///
/// Threads: one at a time.
class FeedReader {
 public:
  struct Events {
    std::function<void(Entry&)> on_entry;  ///< May take from it.
    std::function<void(Finding)> on_finding;
    /// Readings that may be held beside those of the entry.
    std::function<std::size_t()> readings_left;
  };
  explicit FeedReader(Events events);
  ~FeedReader();
  FeedReader(const FeedReader&) = delete;
  FeedReader& operator=(const FeedReader&) = delete;

  /// What follows a fault is not read.
  void read(std::string_view text, bool is_last);

  const std::optional<Fault>& fault() const;
  /// The line of the entry that is being read; 0 if there is none.
  std::int64_t entry_line() const;
  /// Blocks that the entry which is being read has so far.
  const std::vector<Block>& unfinished() const;

 private:
  class Xml;
  std::unique_ptr<Xml> xml_;
};

}  // namespace meterline::formats::espi
