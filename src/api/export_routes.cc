// Tables in bulk: what `meterline export readings|days|months` writes, sent while it is made.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/problem.h"
#include "api/question.h"
#include "core/try.h"
#include "tables/store_table.h"
#include "tables/table.h"
#include "tables/wide_table.h"

namespace meterline::api {
namespace {

using tables::TableFormat;

constexpr std::string_view csv_type = "text/csv";
constexpr std::string_view parquet_type = "application/vnd.apache.parquet";
constexpr std::string_view arrow_type = "application/vnd.apache.arrow.file";

struct Form {
  TableFormat format;
  std::string_view content_type;
  std::string_view ending;
};
constexpr std::array forms = {Form{TableFormat::csv, "text/csv; charset=utf-8", "csv"},
                              Form{TableFormat::parquet, parquet_type, "parquet"},
                              Form{TableFormat::arrow, arrow_type, "arrow"}};

/// `format`, or what the Accept header prefers.
Result<std::optional<Form>> read_form(const Call& call) {
  METERLINE_TRY(const auto named, call.parameters.find_as("format", tables::table_format_names,
                                                          tables::parse_table_format));
  if (!named) {
    const auto place = preferred(call.request, {csv_type, parquet_type, arrow_type});
    return place ? std::optional<Form>(forms.at(*place)) : std::nullopt;
  }
  return std::optional<Form>(*std::find_if(
      forms.begin(), forms.end(), [&](const Form& form) { return form.format == *named; }));
}

/// `meters`, ids with commas between them, as a selection has them.
Result<std::optional<std::vector<MeterId>>> read_meters(const Parameters& parameters) {
  METERLINE_TRY(const auto text, parameters.find("meters"));
  if (!text) return std::optional<std::vector<MeterId>>();
  std::vector<MeterId> meters;
  for (std::string_view rest = *text;;) {
    const auto id = rest.substr(0, rest.find(','));
    auto meter = MeterId::parse(id);
    if (!meter)
      return bad_parameter("meters", fmt::format("ids, each {}, with commas", meter_wanted), id);
    meters.push_back(*std::move(meter));
    if (id.size() == rest.size()) break;
    rest.remove_prefix(id.size() + 1);
  }
  std::sort(meters.begin(), meters.end());
  meters.erase(std::unique(meters.begin(), meters.end()), meters.end());
  return std::optional(std::move(meters));
}

/// What is written, and from which store. It keeps what the store needs.
class Export {
 public:
  Export(const Call& call, tables::TableOf table, TableFormat format,
         tables::TableSelection selection)
      : store_(call.context.store),
        visible_(call.visible),
        table_(table),
        format_(format),
        selection_(std::move(selection)),
        stop_(call.request.stop) {}

  /// Makes it a table with a row for each day.
  Result<void> widen() {
    METERLINE_TRY(layout_, tables::WideLayout::of(store_, selection_, stop_));
    return {};
  }
  Result<void> write(const BodySink& sink) const {
    METERLINE_TRY(const auto writer,
                  tables::open_table(
                      format_, layout_ ? layout_->columns() : tables::columns_of(table_), sink));
    const tables::TableHooks hooks{.stop = stop_};
    METERLINE_CHECK(layout_
                        ? tables::write_wide_table(store_, *layout_, selection_, *writer, hooks)
                        : tables::write_store_table(store_, table_, selection_, *writer, hooks));
    return writer->finish();
  }

 private:
  const store::Store& store_;
  const std::shared_ptr<const store::VisibleStore> visible_;
  const tables::TableOf table_;
  const TableFormat format_;
  const tables::TableSelection selection_;
  const StopFlag stop_;
  std::shared_ptr<const tables::WideLayout> layout_;  ///< Null: of the long form.
};

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  return text == "false" ? std::optional(false) : std::nullopt;
}

/// `wide`, which not every table can be.
Result<bool> read_wide(const Parameters& parameters, TableFormat format, tables::TableOf table) {
  METERLINE_TRY(const auto wide, parameters.find_as("wide", "true or false", parse_bool));
  if (!wide.value_or(false)) return false;
  METERLINE_CHECK(tables::check_wide(format, table));
  return true;
}

/// Where a program was built without one of the formats, it says so before it begins.
Result<void> check_is_there(TableFormat format, tables::TableOf table) {
  const auto nowhere = [](std::string_view) { return Result<void>(); };
  METERLINE_CHECK(tables::open_table(format, tables::columns_of(table), nowhere));
  return {};
}

}  // namespace

Result<Response> get_export(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only(
      {"table", "from", "to", "meters", "group", "format", "asOf", "wide"}));
  METERLINE_TRY(const auto form, read_form(call));
  if (!form)
    return problem(406, fmt::format("Accept: this answer comes as {}, {} or {}", csv_type,
                                    parquet_type, arrow_type));
  METERLINE_TRY(const auto table,
                call.parameters.find_as("table", tables::table_of_names, tables::parse_table_of));
  if (!table)
    return fail(Errc::invalid_argument,
                fmt::format("table is missing: want {}", tables::table_of_names));
  METERLINE_TRY(const auto dates, read_dates(call.parameters));
  if (dates.to < dates.from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", dates.to.text(), dates.from.text()));
  METERLINE_TRY(auto meters, read_meters(call.parameters));
  METERLINE_TRY(const auto as_of, call.parameters.find_as("asOf", instant_wanted, Instant::parse));
  METERLINE_TRY(const bool is_wide, read_wide(call.parameters, form->format, *table));
  METERLINE_CHECK(check_is_there(form->format, *table));
  METERLINE_TRY(const auto name, call.parameters.find("table"));

  Response response{.content_type = std::string(form->content_type), .body = {}};
  response.headers["Content-Disposition"] =
      fmt::format("attachment; filename=\"{}-{}-{}.{}\"", *name, dates.from.text(), dates.to.text(),
                  form->ending);
  response.headers["Vary"] = "Accept";
  tables::TableSelection selection{
      .dates = dates, .meters = std::move(meters), .as_of = as_of.value_or(Instant::end_of_time())};
  const auto wanted = std::make_shared<Export>(call, *table, form->format, std::move(selection));
  if (is_wide) METERLINE_CHECK(wanted->widen());
  response.stream = [wanted](const BodySink& sink) { return wanted->write(sink); };
  return response;
}

}  // namespace meterline::api
