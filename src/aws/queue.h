#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aws/session.h"
#include "core/result.h"

namespace meterline::aws {

/// A message as SQS delivered it this time.
struct Message {
  std::string id;
  std::string receipt;  ///< Names this receipt of it; a later one has another.
  std::string body;
  int receives = 1;  ///< How often it was received, this time included.
};

struct ReceiveOptions {
  int messages_max = 10;               ///< 1 to 10.
  std::chrono::seconds wait{20};       ///< 0 to 20: how long to wait for the first one.
  std::chrono::seconds visibility{0};  ///< Hidden from others for so long; 0: the queue's own.
};

inline constexpr std::size_t attribute_bytes_max = 8192;  ///< Of a value; longer ones are cut.

/// One queue of SQS.
///
/// Threads: may be used from many threads at once.
class Queue {
 public:
  virtual ~Queue() = default;

  /// Empty when none came in time.
  virtual Result<std::vector<Message>> receive(const ReceiveOptions& options) = 0;

  /// Hides a message for `visibility` from now on; 0: others may have it at once.
  virtual Result<void> change_visibility(const std::string& receipt,
                                         std::chrono::seconds visibility) = 0;
  virtual Result<void> remove(const std::string& receipt) = 0;

  /// Names of attributes are A-Z a-z 0-9 _ - . and their values texts; empty values are left out.
  virtual Result<void> send(const std::string& body,
                            const std::map<std::string, std::string>& attributes) = 0;
};

/// `url` as SQS has it: `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
std::unique_ptr<Queue> make_queue(std::shared_ptr<Session> session, std::string url);

}  // namespace meterline::aws
