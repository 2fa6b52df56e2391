#include "events/dead_letters.h"

#include <map>

#include "core/text.h"

namespace meterline::events {
namespace {

/// Values of attributes are XML characters: what is none becomes U+FFFD.
std::string attribute_of(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto lead = static_cast<unsigned char>(text.front());
    const bool is_control = lead < 0x20 && lead != '\t' && lead != '\n' && lead != '\r';
    const std::string_view piece =
        length == 0 || is_control ? std::string_view("\uFFFD") : text.substr(0, length);
    if (out.size() + piece.size() > aws::attribute_bytes_max) break;
    out += piece;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace

DeadLetters::DeadLetters(std::unique_ptr<aws::Queue> queue, telemetry::Log& log,
                         DeadLetterOptions options)
    : queue_(std::move(queue)), log_(log), options_(std::move(options)) {}

Result<void> DeadLetters::send(const DeadLetter& letter) {
  const auto& [end, reason, object] = letter.result;
  auto sent =
      queue_ == nullptr
          ? Result<void>(fail(Errc::invalid_argument, "there is no --dead-letter-queue"))
          : queue_->send(std::string(letter.body), {{"reason", attribute_of(reason)},
                                                    {"source", attribute_of(options_.source)},
                                                    {"requestId", attribute_of(letter.request_id)},
                                                    {"object", attribute_of(object)}});
  if (!sent) {
    log_.error("not sent to the dead letters: " + sent.error().message,
               {{"requestId", letter.request_id}, {"object", object}, {"reason", reason}});
    return sent;
  }
  log_.error("sent to the dead letters",
             {{"requestId", letter.request_id}, {"object", object}, {"reason", reason}});
  if (options_.on_letter) options_.on_letter();
  return {};
}

}  // namespace meterline::events
