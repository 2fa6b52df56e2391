#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

struct XML_ParserStruct;

namespace meterline::formats {

/// A token of XML, such as a tag or a comment, may be so long.
inline constexpr std::int64_t xml_token_bytes_max = std::int64_t{1} << 20;
/// Elements inside of each other.
inline constexpr std::size_t xml_depth_max = 64;
/// Different names of elements and attributes: each takes memory until the file ends.
inline constexpr std::size_t xml_names_max = 4096;

/// Where and why a file cannot be read on.
struct XmlFault {
  std::int64_t line = 0;
  std::int64_t column = 0;
  std::string text;
};

/// The name of an element; the namespace and the prefix may be missing.
struct XmlName {
  std::string_view space;
  std::string_view local;
  std::string_view prefix;
};

/// Line ends in the text, where a CR may stand at the end of the one before.
std::int64_t count_lines(std::string_view text, bool& ends_with_cr);

/// Reads XML out of a stream of text by expat, element by element. What follows a fault is not
/// read. A document type declaration is a fault, as it could have entities.
///
/// The text is UTF-8, or what its XML declaration says; one that says UTF-16 is taken for UTF-8,
/// as it was made so before (Utf8Maker), or never was of UTF-16.
///
/// Threads: one at a time.
class XmlParser {
 public:
  virtual ~XmlParser();
  XmlParser(const XmlParser&) = delete;
  XmlParser& operator=(const XmlParser&) = delete;

  const std::optional<XmlFault>& fault() const { return fault_; }

 protected:
  struct Position {
    std::int64_t line = 0;
    std::int64_t column = 0;
  };

  /// `format` is what is read, for people.
  explicit XmlParser(std::string_view format);

  virtual void on_start(const XmlName& name, const char** attributes) = 0;
  virtual void on_end(const XmlName& name) = 0;
  virtual void on_text(std::string_view text) = 0;
  /// Where the parser stands in the file: where what is told of begins.
  virtual Position position() const { return position_of_expat(); }

  /// What of the text may be given now: the start is held until its XML declaration is whole, and
  /// blanks before it are left out. Valid until the next call.
  std::string_view start(std::string_view text, bool is_last);
  /// Text of start() or behind it. At the end of the file `is_last` is set.
  void give(std::string_view text, bool is_last);
  void fail(std::string text);
  Position position_of_expat() const;
  /// Elements that are open, the innermost included whose start is being told of.
  std::size_t depth() const { return depth_; }
  /// Whether expat has told of all that it was given.
  bool is_even() const;

 private:
  static XmlParser& of(void* user) { return *static_cast<XmlParser*>(user); }
  void take_start(const char* raw_name, const char** attributes);
  void take_end(const char* raw_name);
  void note_name(std::string_view name);

  XML_ParserStruct* parser_;
  const std::string format_;
  std::optional<XmlFault> fault_;
  bool is_at_start_ = true;
  std::string start_;
  std::int64_t blank_lines_ = 0;  ///< Before the start.
  std::int64_t given_ = 0;        ///< Bytes, to expat.
  std::size_t depth_ = 0;
  std::optional<Position> end_;  ///< Where the last tag of all begins.
  std::set<std::string, std::less<>> names_;
};

}  // namespace meterline::formats
