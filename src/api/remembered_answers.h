#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/api.h"
#include "core/delivery.h"
#include "core/instant.h"

namespace meterline::api {

/// Answers to requests that had an Idempotency-Key: the same request with the same key gets the
/// same answer, and is not carried out again. They are in the memory of this process only; what is
/// forgotten is carried out again, which for uploads is safe. Source:
/// draft-ietf-httpapi-idempotency-key-header-07 (2.6, 2.7).
///
/// Threads: every member may be called on any.
class RememberedAnswers {
 public:
  static constexpr std::int64_t kept_micros = std::int64_t{24} * 3600 * 1'000'000;  ///< 24 hours.
  static constexpr std::size_t answers_max = 10'000;
  static constexpr std::size_t bytes_max = 16 << 20;  ///< Of all; the oldest are forgotten first.
  static constexpr std::size_t answer_bytes_max = 1 << 20;  ///< A larger one is not kept.

 private:
  struct Entry;
  using Entries = std::map<std::string, Entry, std::less<>>;

 public:
  /// The duty to carry a request out. Others with its key are told to wait while it lives; without
  /// keep(), the key is then as if it had never been sent.
  class Turn {
   public:
    Turn(RememberedAnswers& all, Entries::iterator entry) : all_(all), entry_(entry) {}
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    void keep(const Response& answer);  ///< Call at most once.

   private:
    RememberedAnswers& all_;
    Entries::iterator entry_;
    bool is_kept_ = false;
  };

  struct Begun {
    std::unique_ptr<Turn> turn;  ///< Null: `answer` is there already.
    Response answer = {};  ///< What was remembered; or 409 for a key whose request is being carried
                           ///< out, 422 for one of another request.
  };
  /// `key` is that of a caller; the request is known by its hash.
  Begun begin(std::string key, const ContentHash& request, Instant now);

 private:
  struct Entry {
    ContentHash request = {};
    Instant began = {};
    std::optional<Response> answer = {};  ///< Empty while it is being carried out.
    std::size_t bytes = 0;
  };

  void forget_oldest();
  void keep(Entries::iterator entry, const Response& answer);

  std::mutex mutex_;
  Entries entries_;
  std::deque<Entries::iterator> kept_;  ///< The oldest first.
  std::size_t bytes_ = 0;               ///< Of those kept.
};

/// The key in an Idempotency-Key header: a string of RFC 8941 (3.3.3), or the same without its
/// quotes, as many clients send it; 1 to 255 visible characters of ASCII but `"`, `,` and `\`.
std::optional<std::string> parse_idempotency_key(std::string_view header);

}  // namespace meterline::api
