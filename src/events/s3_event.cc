#include "events/s3_event.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/finding.h"
#include "core/json.h"
#include "core/text.h"
#include "core/try.h"

namespace meterline::events {
namespace {

using boost::json::value;

constexpr std::size_t key_bytes_max = 1024;    ///< S3's own limit.
constexpr std::size_t bucket_bytes_max = 255;  ///< Old buckets; new ones have at most 63.
constexpr std::size_t version_bytes_max = 1024;
constexpr std::size_t etag_bytes_max = 128;

constexpr std::string_view wanted_event =
    "wanted a notification of S3 (\"Records\" with \"eventSource\": \"aws:s3\"), an event of "
    "EventBridge (\"source\": \"aws.s3\"), or one of them in a message of SNS";

/// How a key stands in the event.
enum class KeyForm { plain, form_encoded };

/// One event, before it is looked at.
struct RawEvent {
  std::optional<std::string_view> bucket;
  std::optional<std::string_view> key;
  std::optional<std::string_view> version_id;
  std::optional<std::int64_t> bytes;
  std::optional<std::string_view> etag;
};

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The text of a form field (application/x-www-form-urlencoded); empty for a bad `%`.
std::optional<std::string> decode_form(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
      const int low = high < 0 ? -1 : digit_of(text[i + 2]);
      if (low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool is_bucket_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return text.size() >= 3 && text.size() <= bucket_bytes_max && std::ranges::all_of(text, allowed);
}

Result<std::string> read_key(std::string_view text, KeyForm form) {
  const auto key = form == KeyForm::plain ? std::string(text) : decode_form(text);
  if (!key)
    return fail(Errc::refused,
                fmt::format("wanted a key with %XX escapes, got \"{}\"", excerpt_of(text)));
  if (key->empty() || key->size() > key_bytes_max || !is_utf8(*key))
    return fail(Errc::refused, fmt::format("wanted a key of 1 to {} bytes of UTF-8, got \"{}\"",
                                           key_bytes_max, excerpt_of(*key)));
  return *key;
}

Result<aws::ObjectName> read_name(const RawEvent& raw, KeyForm form) {
  if (!raw.bucket || !is_bucket_name(*raw.bucket))
    return fail(Errc::refused, fmt::format("wanted the name of a bucket, got \"{}\"",
                                           excerpt_of(raw.bucket.value_or(""))));
  METERLINE_TRY(auto key, read_key(raw.key.value_or(""), form));
  if (raw.version_id.value_or("").size() > version_bytes_max)
    return fail(Errc::refused, fmt::format("a version id has at most {} bytes", version_bytes_max));
  return aws::ObjectName{.bucket = std::string(*raw.bucket),
                         .key = std::move(key),
                         .version_id = std::string(raw.version_id.value_or(""))};
}

std::optional<std::uint64_t> size_of(const RawEvent& raw) {
  if (!raw.bytes || *raw.bytes < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*raw.bytes);
}

std::string etag_of(const RawEvent& raw) {
  const auto text = raw.etag.value_or("");
  if (text.empty() || text.size() > etag_bytes_max || text.find('"') != std::string_view::npos)
    return {};
  return '"' + std::string(text) + '"';
}

/// Adds an object that was created. What the console makes for a folder, and what has no bytes,
/// is nothing to load.
Result<void> take_created(const RawEvent& raw, KeyForm form, S3Event& event) {
  METERLINE_TRY(auto name, read_name(raw, form));
  const auto ignore = [&](std::string_view what) {
    event.ignored.push_back(fmt::format("s3://{}/{} {}", name.bucket, name.key, what));
  };
  if (name.key.ends_with('/'))
    ignore("names a folder");
  else if (raw.bytes == 0)
    ignore("is empty");
  else if (std::ranges::find(event.created, name, &CreatedObject::name) == event.created.end())
    event.created.push_back({.name = std::move(name), .bytes = size_of(raw), .etag = etag_of(raw)});
  return {};
}

Result<void> take_other(const RawEvent& raw, KeyForm form, std::string_view what, S3Event& event) {
  METERLINE_TRY(const auto name, read_name(raw, form));
  event.ignored.push_back(fmt::format("{} of s3://{}/{}", excerpt_of(what), name.bucket, name.key));
  return {};
}

Result<void> take_record(const value& record, S3Event& event) {
  const auto source = find_text(record, {"eventSource"});
  auto name = find_text(record, {"eventName"});
  // Stores that speak S3 name themselves here.
  if (!source || !source->ends_with(":s3") || !name)
    return fail(Errc::refused, std::string(wanted_event));
  if (name->starts_with("s3:")) name->remove_prefix(3);
  const RawEvent raw = {.bucket = find_text(record, {"s3", "bucket", "name"}),
                        .key = find_text(record, {"s3", "object", "key"}),
                        .version_id = find_text(record, {"s3", "object", "versionId"}),
                        .bytes = find_number(record, {"s3", "object", "size"}),
                        .etag = find_text(record, {"s3", "object", "eTag"})};
  if (name->starts_with("ObjectCreated:")) return take_created(raw, KeyForm::form_encoded, event);
  return take_other(raw, KeyForm::form_encoded, *name, event);
}

Result<void> take_event_bridge(const value& root, S3Event& event) {
  const auto type = find_text(root, {"detail-type"});
  if (!type) return fail(Errc::refused, "wanted a \"detail-type\"");
  const RawEvent raw = {.bucket = find_text(root, {"detail", "bucket", "name"}),
                        .key = find_text(root, {"detail", "object", "key"}),
                        .version_id = find_text(root, {"detail", "object", "version-id"}),
                        .bytes = find_number(root, {"detail", "object", "size"}),
                        .etag = find_text(root, {"detail", "object", "etag"})};
  if (*type == "Object Created") return take_created(raw, KeyForm::plain, event);
  return take_other(raw, KeyForm::plain, *type, event);
}

/// What SNS carries: as it sends it to a queue, or to a function.
std::optional<std::string_view> sns_message(const value& root) {
  if (find_text(root, {"Type"}) == "Notification") return find_text(root, {"Message"});
  const auto* records = find_member(root, {"Records"});
  const auto* list = records == nullptr ? nullptr : records->if_array();
  if (list == nullptr || list->size() != 1) return std::nullopt;
  if (find_text(list->front(), {"EventSource"}) != "aws:sns") return std::nullopt;
  return find_text(list->front(), {"Sns", "Message"});
}

Result<S3Event> read_event(const value& root) {
  S3Event event;
  if (find_text(root, {"source"}) == "aws.s3") {
    METERLINE_CHECK(take_event_bridge(root, event));
    return event;
  }
  if (find_text(root, {"Event"}) == "s3:TestEvent") {
    event.ignored.push_back(fmt::format("s3:TestEvent of bucket {}",
                                        excerpt_of(find_text(root, {"Bucket"}).value_or(""))));
    return event;
  }
  const auto* records = find_member(root, {"Records"});
  const auto* list = records == nullptr ? nullptr : records->if_array();
  if (list == nullptr || list->empty()) return fail(Errc::refused, std::string(wanted_event));
  if (list->size() > event_objects_max)
    return fail(Errc::refused, fmt::format("wanted at most {} records, there are {}",
                                           event_objects_max, list->size()));
  for (const value& record : *list) METERLINE_CHECK(take_record(record, event));
  return event;
}

}  // namespace

Result<S3Event> parse_s3_event(std::string_view json) {
  METERLINE_TRY(auto root, parse_json(json, event_bytes_max));
  if (const auto inner = sns_message(root)) {
    METERLINE_TRY(const auto enclosed, parse_json(*inner, event_bytes_max));
    return read_event(enclosed);
  }
  return read_event(root);
}

}  // namespace meterline::events
