#include "formats/ase_xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "formats/mdff_text.h"
#include "formats/xml_parser.h"

namespace meterline::formats {
namespace {

constexpr std::string_view interval_data = "CSVIntervalData";
constexpr std::string_view consumption_data = "CSVConsumptionData";

/// Gives on what is said by the lines of a file as said by those of a piece of it.
class ShiftedSink final : public DaySink {
 public:
  ShiftedSink(DaySink& sink, std::int64_t lines_more) : sink_(sink), lines_more_(lines_more) {}

  void on_day(const ReadingDay& day, int rejected_readings, const Row& row) override {
    sink_.on_day(day, rejected_readings, shifted(row));
  }
  void on_read(const RegisterRead& read, const Row& row) override {
    sink_.on_read(read, shifted(row));
  }
  void on_rejected_row(const Row& row) override { sink_.on_rejected_row(shifted(row)); }
  void on_finding(Finding finding) override {
    finding.line += lines_more_;
    sink_.on_finding(std::move(finding));
  }

 private:
  Row shifted(Row row) const {
    row.line += lines_more_;
    return row;
  }

  DaySink& sink_;
  const std::int64_t lines_more_;
};

/// Reads one file from its first piece to its last.
class AseXmlFile final : public XmlParser {
 public:
  AseXmlFile() : XmlParser("aseXML") {}

  std::int64_t parse(const Piece& piece, DaySink& sink);

 private:
  void on_start(const XmlName& name, const char** attributes) override;
  void on_end(const XmlName& name) override;
  void on_text(std::string_view text) override;
  void finish();

  DaySink* sink_ = nullptr;    ///< During a call.
  std::int64_t lines_ = 0;     ///< Of the pieces before.
  bool ends_with_cr_ = false;  ///< The piece before.
  bool is_over_ = false;       ///< The end has been told.
  bool has_csv_ = false;
  std::optional<MdffText> csv_;  ///< Of the element that is open.
};

std::int64_t AseXmlFile::parse(const Piece& piece, DaySink& sink) {
  ShiftedSink by_file(sink, piece.first_line - 1 - lines_);
  sink_ = &by_file;
  give(start(piece.text, piece.is_last), false);
  if (piece.is_last && !fault()) give({}, true);
  if (!is_over_ && (piece.is_last || fault())) {
    is_over_ = true;
    finish();
  }
  const auto lines = count_lines(piece.text, ends_with_cr_);
  lines_ += lines;
  sink_ = nullptr;
  return lines;
}

void AseXmlFile::on_start(const XmlName& name, const char** /*attributes*/) {
  if (csv_) return fail("an element stands inside of the CSV, which is text only");
  const bool is_nem12 = name.local == interval_data;
  if (!is_nem12 && name.local != consumption_data) return;
  csv_.emplace(is_nem12);
}

void AseXmlFile::on_text(std::string_view text) {
  if (csv_) csv_->add(text, position().line, *sink_);
}

void AseXmlFile::on_end(const XmlName& /*name*/) {
  if (!csv_) return;
  csv_->end(*sink_);
  has_csv_ = has_csv_ || csv_->has_rows();
  csv_.reset();
}

void AseXmlFile::finish() {
  if (csv_) csv_->finish(*sink_);
  has_csv_ = has_csv_ || (csv_ && csv_->has_rows());
  if (fault())
    sink_->on_finding(
        {.line = fault()->line,
         .column = static_cast<int>(std::min<std::int64_t>(fault()->column, 1'000'000'000)),
         .code = FindingCode::broken_off,
         .text = fmt::format("{}; records before it are read, and nothing behind", fault()->text),
         .excerpt = ""});
  if (has_csv_) return;
  if (!fault())
    sink_->on_finding({.line = 1,
                       .code = FindingCode::bad_block,
                       .text = fmt::format("the message has no {} or {} with records, so there is "
                                           "nothing to store",
                                           interval_data, consumption_data),
                       .excerpt = ""});
  // A file of which nothing can be stored is refused: as one row, which is rejected.
  sink_->on_rejected_row({.line = 1});
}

class AseXml final : public Parser {
 public:
  /// Pieces come in order, one at a time.
  std::int64_t parse(const Piece& piece, DaySink& sink) const override {
    return file_->parse(piece, sink);
  }

 private:
  std::unique_ptr<AseXmlFile> file_ = std::make_unique<AseXmlFile>();
};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

bool is_ase_xml(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  if (!head.starts_with('<') || has(head, "<html") || has(head, "<HTML")) return false;
  return has(head, "urn:aseXML:") || has(head, "<aseXML") || has(head, "<CSVIntervalData") ||
         has(head, "<CSVConsumptionData");
}

Result<Opened> open_ase_xml(const Piece& first, const ReadOptions& /*options*/) {
  Opened opened{.parser = std::make_unique<AseXml>(),
                .recognised_by = "its start is XML that names aseXML or its elements of CSV"};
  opened.findings.push_back({.line = first.first_line,
                             .code = FindingCode::not_standard,
                             .text = "the file is an aseXML message around the CSV, and no meter "
                                     "data file; all CSV in it is read",
                             .excerpt = ""});
  return opened;
}

}  // namespace meterline::formats
