#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/render.h"
#include "api/routes.h"

namespace meterline::api {

inline constexpr std::string_view meter_wanted = "1-64 characters of A-Z a-z 0-9 _ - . :";
inline constexpr std::string_view date_wanted = "a date like 2019-01-31";
inline constexpr std::string_view instant_wanted =
    "a date like 2019-01-31, or a time like 2019-01-31T06:00:00Z (write a + as %2B)";

inline constexpr std::string_view units_wanted =
    "Wh, kWh, MWh, varh, kvarh, Mvarh, VAh, kVAh, MVAh, W, kW, MW, var, kvar, Mvar, VA, kVA, MVA "
    "or m3";

/// The parameters that questions about readings share; what is not given does not filter.
struct Filter {
  std::optional<std::string> channel;
  std::optional<Flow> flow;
  std::optional<Instant> as_of;
};
Result<Filter> read_filter(const Parameters& parameters);

/// What the next page of an answer is asked with beside its own parameters: `&group=NAME`, or
/// nothing.
std::string group_parameter(const Call& call);

/// `from` to `to`, or the one day `from`. `invalid_argument` without `from`.
Result<DateRange> read_dates(const Parameters& parameters);

/// Likewise where days need not be given; `invalid_argument` for `to` without `from`.
Result<std::optional<DateRange>> read_dates_if_given(const Parameters& parameters);

/// What questions for sums have in common.
struct Span {
  DateRange dates;
  query::Resolution resolution;
  std::optional<Unit> unit;
  Filter filter;
};

Result<Span> read_span(const Parameters& parameters,
                       query::Resolution by_default = query::Resolution::day);
/// The same of a question that may be about a group.
Result<Span> read_group_span(const Parameters& parameters);

/// The whole body; empty where there is none. Only where its length is limited before.
Result<std::string> read_body(const Request& request);

/// A meter id in the path; what cannot be one is a meter nobody knows: `not_found`.
Result<MeterId> meter_of(const Call& call);

/// An answer in the format that was asked for.
template <class Answer>
Response rendered(const Answer& answer, Format format) {
  return format == Format::csv ? csv_response(to_csv(answer)) : json_response(to_json(answer));
}

}  // namespace meterline::api
