#include "aws/queue.h"

#include <utility>

#include "aws/sdk.h"
#include "core/guarded.h"
#include "core/try.h"

namespace meterline::aws {
namespace {

std::int32_t whole(std::chrono::seconds time) { return static_cast<std::int32_t>(time.count()); }

/// Cut between two characters of UTF-8.
std::string_view cut(std::string_view text) {
  if (text.size() <= attribute_bytes_max) return text;
  std::size_t end = attribute_bytes_max;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  while (end > 0 && continues(end)) --end;
  return text.substr(0, end);
}

Message message_of(const sdk::Message& from) {
  return {
      .id = std::string(from.id),
      .receipt = std::string(from.receipt),
      .body = std::string(from.body),
      .receives = from.receives,
  };
}

class Sqs : public Queue {
 public:
  Sqs(std::shared_ptr<Session> session, std::string url)
      : session_(std::move(session)), url_(std::move(url)) {}

  Result<std::vector<Message>> receive(const ReceiveOptions& options) override {
    METERLINE_TRY(const auto received, guarded([&] {
                    return session_->sdk().receive(str(url_),
                                                   {.messages_max = options.messages_max,
                                                    .wait_s = whole(options.wait),
                                                    .visibility_s = whole(options.visibility)});
                  }));
    std::vector<Message> messages;
    for (const auto& message : received) messages.push_back(message_of(message));
    return messages;
  }

  Result<void> change_visibility(const std::string& receipt,
                                 std::chrono::seconds visibility) override {
    return guarded(
        [&] { session_->sdk().change_visibility(str(url_), str(receipt), whole(visibility)); });
  }

  Result<void> remove(const std::string& receipt) override {
    return guarded([&] { session_->sdk().remove(str(url_), str(receipt)); });
  }

  Result<void> send(const std::string& body,
                    const std::map<std::string, std::string>& attributes) override {
    return guarded([&] {
      std::vector<sdk::Attribute> flat;
      for (const auto& [name, value] : attributes) {
        if (value.empty()) continue;
        const auto text = rust::String::lossy(value);
        const auto kept = cut({text.data(), text.size()});
        flat.push_back({.name = name, .value = rust::String(kept.data(), kept.size())});
      }
      session_->sdk().send(str(url_), str(body), {flat.data(), flat.size()});
    });
  }

 private:
  std::shared_ptr<Session> session_;
  std::string url_;
};

}  // namespace

std::unique_ptr<Queue> make_queue(std::shared_ptr<Session> session, std::string url) {
  return std::make_unique<Sqs>(std::move(session), std::move(url));
}

}  // namespace meterline::aws
