#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>

#include "api/problem.h"
#include "api/question.h"
#include "api/remembered_answers.h"
#include "api/render.h"
#include "api/routes.h"
#include "core/try.h"
#include "ingest/content_hash.h"

namespace meterline::api {
namespace {

constexpr std::string_view upload_prefix = "upload:";
constexpr std::size_t upload_name_bytes_max = 255;

/// Deliveries are read this many at a time, and lose their findings at once: a page of them
/// all would be large.
constexpr std::size_t deliveries_step = 50;

std::optional<std::string> parse_upload_name(std::string_view text) {
  const bool control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (text.empty() || text.size() > upload_name_bytes_max || control) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> parse_source(std::string_view text) {
  if (text.empty() || text.size() > source_bytes_max) return std::nullopt;
  return std::string(text);
}

std::optional<bool> parse_true(std::string_view text) {
  return text == "true" ? std::optional(true) : std::nullopt;
}

int status_of(DeliveryState state) {
  switch (state) {
    case DeliveryState::stored:
      return 201;
    case DeliveryState::skipped:
      return 200;
    case DeliveryState::refused:
      return 422;
    case DeliveryState::failed:
      return 503;
  }
  return 500;
}

/// Of the files of a zip together: what failed can be sent again, the others are then skipped.
DeliveryState state_of(const ingest::IngestTotals& totals) {
  if (totals.failed > 0) return DeliveryState::failed;
  if (totals.stored > 0) return DeliveryState::stored;
  return totals.refused > 0 ? DeliveryState::refused : DeliveryState::skipped;
}

Result<store::DeliveryRecord> find_delivery(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  const auto id = DeliveryId::parse(call.captured.front());
  if (id) {
    METERLINE_TRY(auto record, call.context.store.delivery(*id));
    if (record) return std::move(*record);
  }
  return fail(Errc::not_found, fmt::format("no delivery \"{}\": /v1/deliveries lists them",
                                           excerpt_of(call.captured.front())));
}

/// One more than `limit`, where there are so many, without findings.
Result<std::vector<store::DeliveryRecord>> read_page(const store::Store& store,
                                                     store::DeliveriesQuery query) {
  const std::size_t wanted = query.limit + 1;
  std::vector<store::DeliveryRecord> page;
  while (page.size() < wanted) {
    query.limit = std::min(wanted - page.size(), deliveries_step);
    METERLINE_TRY(auto step, store.deliveries(query));
    for (auto& record : step) {
      record.report.findings.clear();
      record.report.findings.shrink_to_fit();
      page.push_back(std::move(record));
    }
    if (step.size() < query.limit) break;
    query.after = page.back().delivery.id;
  }
  return page;
}

/// Whether it helps to wait: a store of this process may need to be started again.
bool goes_on_by_itself(const store::Store& store) {
  if (!store.traits().is_embedded) return true;
  const auto ready = store.ready();
  return ready || ready.error().code == Errc::unavailable;
}

source::Incoming incoming_of(const Call& call, const std::string& name) {
  return {.source = std::string(upload_prefix) + name,
          .delivered_at = call.context.now(),
          .bytes = call.request.body_bytes,
          .open = call.request.body};
}

constexpr std::string_view zone_wanted =
    "UTC, an offset like %2B10:00, a name of this machine's tz database like Europe/London, or "
    "unknown";

std::optional<TimeZone> zone_of_text(std::string_view text) {
  if (text == "unknown") return TimeZone();
  const auto zone = TimeZone::parse(text);
  return zone ? std::optional(*zone) : std::nullopt;
}

std::optional<std::string> parse_hint(std::string_view text) {
  constexpr std::size_t hint_bytes_max = 64;
  if (text.empty() || text.size() > hint_bytes_max) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> parse_stamp(std::string_view text) {
  return text == "start" || text == "end" ? std::optional(std::string(text)) : std::nullopt;
}

std::optional<IntervalLength> parse_step(std::string_view text) {
  for (const int minutes : {1, 5, 10, 15, 30, 60})
    if (text == std::to_string(minutes)) return IntervalLength::from_minutes(minutes);
  return std::nullopt;
}

/// By which feed the upload is read: one that the program carries, or as the server was told.
Result<ingest::FeedChoice> feed_of(const Call& call) {
  const auto& parameters = call.parameters;
  constexpr std::string_view hint_wanted = "1 to 64 bytes";
  METERLINE_TRY(const auto name, parameters.find_as("feed", hint_wanted, parse_hint));
  METERLINE_TRY(const auto meter, parameters.find_as("meter", hint_wanted, parse_hint));
  METERLINE_TRY(const auto stamp, parameters.find_as("stamp", "start or end", parse_stamp));
  METERLINE_TRY(const auto dates, parameters.find_as("dates", hint_wanted, parse_hint));
  METERLINE_TRY(const auto step,
                parameters.find_as("step", "1, 5, 10, 15, 30 or 60 minutes", parse_step));
  auto feed = call.context.ingest.feed;
  if (name == "auto") {
    feed = ingest::FeedChoice::automatic();
  } else if (name) {
    METERLINE_TRY(feed, ingest::FeedChoice::shipped(*name));
  }
  feed.take({.meter = meter.value_or(""),
             .stamp = stamp.value_or(""),
             .dates = dates.value_or(""),
             .step = step ? step->minutes() : 0});
  return feed;
}

/// What makes two uploads the same request: where they go, with all parameters, and every byte.
Result<ContentHash> hash_of(const Request& request) {
  ingest::Sha256 hash;
  hash.add(request.target.text());
  hash.add(std::string_view("\0", 1));
  METERLINE_TRY(const auto bytes, request.body());
  constexpr std::size_t piece_bytes = 64 << 10;
  std::string piece(piece_bytes, '\0');
  while (true) {
    METERLINE_TRY(const auto count, bytes->read(piece));
    if (count == 0) return hash.finish();
    hash.add(std::string_view(piece).substr(0, count));
  }
}

/// Whether such a meter is known makes no difference.
Response not_yours() {
  return problem(403,
                 "the file has meters that you may not see, so that it was not stored: leave out "
                 "their rows. Other files of a zip may be stored; to send them again is safe");
}

/// What is asked of a load.
struct LoadWish {
  source::Incoming incoming;
  ingest::IngestOptions options;
};

Result<LoadWish> read_wish(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({"source", "unit", "zone", "strict", "deliveredAt",
                                              "feed", "meter", "stamp", "dates", "step"}));
  METERLINE_TRY(
      const auto name,
      call.parameters.find_as("source", "a name of 1 to 255 bytes on one line", parse_upload_name));
  METERLINE_TRY(const auto unit, call.parameters.find_as("unit", unit_choices, parse_unit_choice));
  METERLINE_TRY(const auto zone, call.parameters.find_as("zone", zone_wanted, zone_of_text));
  METERLINE_TRY(auto feed, feed_of(call));
  METERLINE_TRY(const auto strict, call.parameters.find_as("strict", "true", parse_true));
  METERLINE_TRY(const auto delivered_at,
                call.parameters.find_as("deliveredAt", instant_wanted, Instant::parse));

  ingest::IngestOptions options = call.context.ingest;
  if (unit) options.unit = unit;
  if (zone) options.zone = *zone;
  options.feed = std::move(feed);
  if (strict) options.is_strict = true;
  auto incoming = incoming_of(call, name.value_or("upload"));
  if (delivered_at) incoming = source::redated(std::move(incoming), *delivered_at);
  return LoadWish{.incoming = std::move(incoming), .options = std::move(options)};
}

Result<Response> load(const Call& call, LoadWish wish) {
  std::vector<store::DeliveryRecord> records;
  const auto totals =
      ingest::load_all({std::move(wish.incoming)}, call.context.store, wish.options,
                       {.stop = call.request.stop}, [&](const store::DeliveryRecord& record) {
                         if (call.context.on_upload) call.context.on_upload(record.report);
                         records.push_back(record);
                       });
  if (records.empty()) return fail(Errc::cancelled, "stopped before it was read");
  if (call.visible != nullptr && call.visible->has_refused()) return not_yours();

  const bool is_one = records.size() == 1;
  Response response =
      json_response(is_one ? to_json(records.front())
                           : ingest_json({.records = records, .archives = {}, .totals = totals}));
  response.status = status_of(state_of(totals));
  if (response.status == 201 && is_one)
    response.headers["Location"] = "/v1/deliveries/" + records.front().delivery.id.text();
  if (response.status == 503 && goes_on_by_itself(call.context.store))
    response.headers["Retry-After"] = "10";
  return response;
}

Result<std::optional<std::string>> key_of(const Call& call) {
  const auto header = header_of(call.request, "idempotency-key");
  if (!call.request.headers.contains("idempotency-key")) return std::optional<std::string>();
  auto key = parse_idempotency_key(header);
  if (!key)
    return bad_parameter(
        "Idempotency-Key",
        R"(1 to 255 visible characters of ASCII but ", , and \, perhaps in quotes)", header);
  return key;
}

/// An answer that sending the file again would not change. What failed, or lacked a right, may be
/// tried again with the same key.
bool is_final(const Response& answer) {
  return answer.status == 200 || answer.status == 201 || answer.status == 422;
}

/// Nobody gets another caller's answers.
std::string callers_key(const Call& call, const std::string& key) {
  return (call.caller == nullptr ? std::string() : call.caller->who) + '\n' + key;
}

}  // namespace

Result<Response> post_delivery(const Call& call) {
  METERLINE_TRY(auto wish, read_wish(call));
  METERLINE_TRY(const auto key, key_of(call));
  if (call.request.body_is_to_come) return Response{.status = 100};
  if (!call.request.body || call.request.body_bytes == 0)
    return fail(Errc::invalid_argument,
                "the request has no body: send the file, like curl --data-binary @FILE URL");
  if (!key || call.context.uploaded == nullptr) return load(call, std::move(wish));
  METERLINE_TRY(const auto request, hash_of(call.request));
  const auto begun =
      call.context.uploaded->begin(callers_key(call, *key), request, call.context.now());
  if (!begun.turn) return begun.answer;
  METERLINE_TRY(auto answer, load(call, std::move(wish)));
  if (is_final(answer)) begun.turn->keep(answer);
  return answer;
}

Result<Response> get_deliveries(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only({"limit", "cursor", "source", "withdrawn"}));
  METERLINE_TRY(const auto limit, page_limit(call.parameters));
  METERLINE_TRY(const auto cursor, call.parameters.find_as("cursor", "\"next\" of the page before",
                                                           DeliveryId::parse));
  METERLINE_TRY(const auto source,
                call.parameters.find_as("source", "the source of a delivery, like upload:upload",
                                        parse_source));
  METERLINE_TRY(const auto withdrawn,
                call.parameters.find_as("withdrawn", "true, for only those", parse_true));
  METERLINE_TRY(auto records,
                read_page(call.context.store, {.source = source,
                                               .after = cursor,
                                               .limit = limit,
                                               .only = withdrawn ? store::DeliveriesOf::withdrawn
                                                                 : store::DeliveriesOf::all}));
  const bool more = records.size() > limit;
  if (more) records.pop_back();
  Response response = *format == Format::csv ? csv_response(deliveries_csv(records))
                                             : json_response(deliveries_json(records, more));
  if (more)
    response.headers["Link"] = fmt::format("</v1/deliveries?limit={}&cursor={}{}{}>; rel=\"next\"",
                                           limit, records.back().delivery.id.text(),
                                           source ? "&source=" + percent_encode(*source) : "",
                                           withdrawn ? "&withdrawn=true" : "");
  return response;
}

Result<Response> get_delivery(const Call& call) {
  METERLINE_TRY(const auto record, find_delivery(call));
  return json_response(to_json(record));
}

Result<Response> get_findings(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_TRY(const auto record, find_delivery(call));
  return *format == Format::csv ? csv_response(findings_csv(record))
                                : json_response(findings_json(record));
}

}  // namespace meterline::api
