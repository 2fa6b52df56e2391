#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/date.h"
#include "core/finding.h"
#include "core/instant.h"
#include "core/result.h"

namespace meterline::api {

/// A longer path and query are refused.
inline constexpr std::size_t target_bytes_max = 8192;

/// A request target cut in two, still percent-encoded. The absolute form of RFC 9112 (3.2.2)
/// loses its scheme and host.
struct RawTarget {
  std::string_view path;
  std::string_view query;  ///< Without the `?`.
};
RawTarget split_target(std::string_view target);

/// The segments of a path, each percent-decoded once after the split, so that an encoded `/`
/// stays inside its segment. `/` is no segment. Errors: `invalid_argument` for a bad `%`.
Result<std::vector<std::string>> decode_path(std::string_view path);

/// The text with all but unreserved characters (RFC 3986, 2.3) percent-encoded.
std::string percent_encode(std::string_view text);

/// The parameters of a query, decoded once; `+` is a space.
class Parameters {
 public:
  Parameters() = default;
  /// Errors: `invalid_argument` for a bad `%`.
  static Result<Parameters> parse(std::string_view query);

  /// `invalid_argument` for a parameter that is not in `known`, or given more than once.
  Result<void> allow_only(std::initializer_list<std::string_view> known) const;

  /// Empty when it is not there; `invalid_argument` when it is there more than once.
  Result<std::optional<std::string>> find(std::string_view name) const;

  /// As find(), read by `read`; what that does not take is `invalid_argument`, with `wanted`
  /// in the message.
  template <class T>
  Result<std::optional<T>> find_as(std::string_view name, std::string_view wanted,
                                   std::optional<T> (*read)(std::string_view)) const;

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

tl::unexpected<Error> bad_parameter(std::string_view name, std::string_view wanted,
                                    std::string_view got);

template <class T>
Result<std::optional<T>> Parameters::find_as(std::string_view name, std::string_view wanted,
                                             std::optional<T> (*read)(std::string_view)) const {
  const auto text = find(name);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::optional<T>();
  std::optional<T> value = read(**text);
  if (!value) return bad_parameter(name, wanted, **text);
  return value;
}

/// The page sizes of lists.
inline constexpr std::size_t page_limit_max = 1000;
inline constexpr std::size_t page_limit_default = 100;

/// `limit`: 1 to page_limit_max.
Result<std::size_t> page_limit(const Parameters& parameters,
                               std::size_t by_default = page_limit_default);

/// `dd-MM-yyyy` and nothing else: the date of the first customer's contract.
std::optional<Date> parse_day_first(std::string_view text);

}  // namespace meterline::api
