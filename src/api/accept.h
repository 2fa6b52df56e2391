#pragma once

#include <optional>
#include <string_view>

#include "source/packer.h"

namespace meterline::api {

/// An element of an Accept or Accept-Encoding header.
struct Accepted {
  std::string_view name;
  int weight = 1000;  ///< In thousandths (RFC 9110, 12.4.2); a malformed one counts as 0.
};

/// Takes the first element off the header, which is not empty.
Accepted take_accepted(std::string_view& header);

/// Whether an Accept-Encoding header takes gzip.
bool takes_gzip(std::string_view accept_encoding);

/// What an answer is packed with for an Accept-Encoding header: what has the higher weight there,
/// zstd where both have the same. `*` is taken for gzip, which everybody knows. Nothing where
/// neither is taken.
std::optional<source::Packing> packing_for(std::string_view accept_encoding);

}  // namespace meterline::api
