#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "core/channel.h"
#include "core/date.h"
#include "core/instant.h"
#include "core/json_writer.h"
#include "query/portfolio.h"
#include "query/total.h"

namespace meterline::api {

// What answers have in common, as members of a JSON object that is open.

/// Null for a unit that is not known, and for an empty text.
std::optional<std::string_view> known(Unit unit);
std::optional<std::string_view> known(std::string_view text);

void write_dates(JsonWriter& json, const DateRange& dates);  ///< `from`, `to`
void write_as_of(JsonWriter& json, const std::optional<Instant>& as_of);
void write_question(JsonWriter& json, const DateRange& dates, query::Resolution resolution,
                    const std::optional<Instant>& as_of);
void write_channel(JsonWriter& json, const Channel& channel);
void write_quality(JsonWriter& json, const store::QualityCounts& quality);
void write_version(JsonWriter& json, const std::optional<Version>& version);
void write_total(JsonWriter& json, const query::Total& total);
void write_total(JsonWriter& json, const query::PortfolioTotal& all);
/// An object of its own, or null.
void write_total(JsonWriter& json, std::string_view name, const std::optional<query::Total>& total);

// The same for rows of CSV.

/// A whole row, with a line end.
void append_row(std::string& out, std::initializer_list<std::string_view> fields);
/// Fields with a comma behind each, for a row that goes on.
void append_fields(std::string& out, std::initializer_list<std::string_view> fields);

/// The columns that every total ends with, and their values, joined already.
constexpr std::string_view basis_header =
    "readings,expected,actual,substituted,estimated,missing,stated,received\n";
void append_basis(std::string& out, const query::Total& total);

template <class T>
std::string text_or_empty(const std::optional<T>& value) {
  return value ? value->text() : std::string();
}

}  // namespace meterline::api
