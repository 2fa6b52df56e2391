#pragma once

#include <string_view>

#include "core/result.h"
#include "formats/parser.h"

namespace meterline::formats {

/// aseXML, the messages of Australia's market, around NEM12 and NEM13: docs/formats/nem12.md. The
/// text of each CSVIntervalData is a file of NEM12, that of each CSVConsumptionData one of NEM13,
/// and is read as such a file is, by the lines of the XML. Source: AEMO, aseXML schemas,
/// MeterDataNotification.
inline constexpr std::string_view ase_xml_name = "asexml";
inline constexpr Cut ase_xml_cut = {.has_quotes = false, .is_anywhere = true};

/// Whether a text that begins so is XML that names aseXML, or one of these elements.
bool is_ase_xml(std::string_view head);

/// See Format::open. Tells that a meter data file has no XML around it by the standard.
Result<Opened> open_ase_xml(const Piece& first, const ReadOptions& options);

}  // namespace meterline::formats
