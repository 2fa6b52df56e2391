#include "cli/event_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "aws/objects.h"
#include "aws/queue.h"
#include "cli/clock.h"
#include "core/channel.h"
#include "core/finding.h"
#include "core/try.h"

namespace meterline::cli {
namespace {

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

}  // namespace

events::EventLoadOptions EventParts::load_options(const EventOptions& options,
                                                  ingest::IngestOptions ingest,
                                                  const Settings& settings) {
  return {.ingest = std::move(ingest),
          .buckets = split_names(options.buckets),
          .on_delivery = [metrics = metrics_.get(), on_delivery = settings.on_delivery](
                             const DeliveryReport& report, std::chrono::microseconds took) {
            metrics->delivery(report, took);
            if (on_delivery) on_delivery(report);
          }};
}

Result<std::unique_ptr<EventParts>> EventParts::open(const EventOptions& options,
                                                     const Session& session,
                                                     const Settings& settings) {
  std::unique_ptr<EventParts> parts(new EventParts);
  ingest::IngestOptions ingest{.threads = settings.threads, .now = now};
  METERLINE_CHECK(read_file_options(options.files, ingest));
  METERLINE_TRY(parts->log_, open_log(options.log));
  parts->metrics_ =
      std::make_unique<telemetry::EmbeddedMetrics>(*parts->log_, settings.names.service);
  METERLINE_TRY(parts->aws_, aws::open_session());
  METERLINE_TRY(parts->store_, session.open_store(session.store_url, OpenMode::create));
  auto dead_letter_queue = options.dead_letter_queue.empty()
                               ? nullptr
                               : aws::make_queue(parts->aws_, options.dead_letter_queue);
  parts->dead_letters_ = std::make_unique<events::DeadLetters>(
      std::move(dead_letter_queue), *parts->log_,
      events::DeadLetterOptions{
          .source = settings.names.source,
          .on_letter = [metrics = parts->metrics_.get()] { metrics->dead_letter(); }});
  parts->load_ = std::make_unique<events::EventLoad>(
      aws::make_objects(parts->aws_), *parts->store_, *parts->log_,
      parts->load_options(options, std::move(ingest), settings));
  return parts;
}

}  // namespace meterline::cli
