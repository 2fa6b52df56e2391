#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/finding.h"
#include "formats/espi.h"
#include "formats/xml_parser.h"

namespace meterline::formats::espi {

/// The text of one element, as far as it is read.
inline constexpr std::size_t element_text_bytes_max = 4096;

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

  const std::optional<XmlFault>& fault() const;
  /// The line of the entry that is being read; 0 if there is none.
  std::int64_t entry_line() const;
  /// Blocks that the entry which is being read has so far.
  const std::vector<Block>& unfinished() const;

 private:
  class Xml;
  std::unique_ptr<Xml> xml_;
};

}  // namespace meterline::formats::espi
