#include "http/session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "api/problem.h"
#include "core/stop.h"
#include "core/text.h"
#include "core/try.h"
#include "http/connection.h"
#include "http/metrics.h"
#include "http/outflow.h"
#include "http/spool.h"
#include "http/wire.h"

namespace meterline::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using telemetry::LogLevel;
using Clock = std::chrono::steady_clock;
using Parser = beast::http::request_parser<beast::http::buffer_body>;

/// How long to read on, unheeded, after the last answer: a connection closed with unread input
/// is reset, and the client may then lose the answer.
constexpr std::chrono::seconds linger_timeout{2};
constexpr std::size_t first_read_bytes = 4096;
constexpr unsigned http_1_1 = 11;  ///< As Beast writes it.
constexpr std::size_t logged_target_bytes_max = 200;
/// So often a session looks whether its client still waits for the answer that is being made.
constexpr std::chrono::milliseconds watch_interval{250};
constexpr const char* retry_after_s = "10";
constexpr std::string_view streams_taken =
    "as many long answers are being sent as may be at once: try again when one has ended";
constexpr std::string_view answers_unread =
    "large answers that others still read take all the room that there is for them: try again soon";

enum class State {
  idle,     ///< No complete header yet.
  busy,     ///< From the header to the end of the answer.
  leaving,  ///< Answered for the last time.
  closed,
};

/// There is too much to do now.
api::Response busy(std::string_view reason) {
  api::Response response = api::problem(503, reason);
  response.headers["Retry-After"] = retry_after_s;
  return response;
}

/// The status for a request that could not be read; 0 when nobody is there to be told.
int status_of(error_code failure) {
  using beast::http::error;
  if (failure == error::header_limit || failure == error::buffer_overflow) return 431;
  if (failure == error::body_limit) return 413;
  if (failure == error::end_of_stream || failure == error::partial_message) return 0;
  return failure.category() == make_error_code(error::bad_method).category() ? 400 : 0;
}

/// Those who look after the server ask often, and would fill the log.
bool is_probe(const api::Request& request) {
  const auto route = request.target.name();
  return route == "health" || route == "ready" || is_metrics(request);
}

class HttpSession : public Session, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(asio::ip::tcp::socket socket, asio::ssl::context* tls, Engine& engine, Lane& lane)
      : connection_(std::move(socket), tls),
        timer_(lane.io),
        engine_(engine),
        lane_(lane),
        options_(engine.options),
        buffer_(engine.options.header_bytes_max + first_read_bytes),
        answer_share_(&engine.usage.answers) {
    ++engine_.usage.connections;
  }
  ~HttpSession() override { --engine_.usage.connections; }
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void start() override {
    began_ = Clock::now();
    close_at(began_ + options_.header_timeout);
    if (!connection_.has_tls()) return await_request();
    connection_.async_handshake([self = shared_from_this()](error_code error) {
      if (error) return self->close();
      self->await_request();
    });
  }

  void refuse(const std::string& reason) override {
    if (connection_.has_tls()) return close();
    enter(State::busy);
    respond_and_leave(busy(reason));
  }

  void close_if_idle() override {
    if (state_ == State::idle || state_ == State::leaving) close();
  }

  void close() override {
    if (state_ == State::closed) return;
    enter(State::closed);
    stop_ = true;
    if (outflow_) outflow_->close();
    error_code ignored;
    connection_.socket().close(ignored);
    timer_.cancel();
    lane_.sessions.erase(shared_from_this());
  }

 private:
  void close_at(Clock::time_point deadline);
  void await_deadline();
  void on_timer();
  void await_request();
  void read_header();
  void parse_header();
  void on_header();
  std::optional<api::Response> objection() const;
  std::optional<api::Response> objection_to_encoding() const;
  void continue_to_body();
  void read_body();
  void on_body(std::size_t bytes);
  void spool(std::size_t bytes);
  void on_spooled(const Result<void>& spooled);
  api::Request take_header();
  void dispatch();
  void answer_elsewhere();
  void on_answered(api::Response response);
  void watch();
  void look_after_client();
  bool is_client_gone();
  api::Response answer(const api::Request& request) const;
  Result<void> make_body(const api::BodyStream& make, Outflow& outflow) const;
  void respond(api::Response response);
  bool begin_stream(const api::Response& response);
  void stream_on();
  void cut_off(const Error& failure);
  void respond_and_leave(api::Response response);
  std::array<asio::const_buffer, 2> next_piece() const;
  void write_at_once();
  void write_next();
  void on_piece(std::size_t bytes);
  void on_written();
  void log_answer(Clock::duration took) const;
  void leave();
  void end_sending();
  void discard_input();
  void on_error(error_code failure);
  std::string reason_of(int status, error_code failure) const;
  void enter(State state);

  /// A completion handler that closes the session on an error, and else calls `next`.
  template <class Next>
  auto then(Next next) {
    return [self = shared_from_this(), next](error_code error, std::size_t bytes) {
      if (error)
        self->on_error(error);
      else
        next(*self, bytes);
    };
  }

  Connection connection_;
  asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point timer_ends_ = Clock::time_point::max();
  Engine& engine_;
  Lane& lane_;
  const ServerOptions& options_;
  State state_ = State::idle;

  /// Read, not yet parsed: it may hold the start of a next request. It takes in no header, chunk
  /// extension or trailer of more than header_bytes_max and a little.
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_{std::in_place};  ///< Made anew for each request.
  std::uint64_t body_bytes_max_ = 0;
  std::uint64_t extension_bytes_ = 0;  ///< Of all chunks so far.
  /// Of each chunk: its size, its extension, and where to say that it is not taken.
  std::function<void(std::uint64_t, beast::string_view, error_code&)> on_chunk_ =
      [this](std::uint64_t, beast::string_view extension, error_code& refused) {
        extension_bytes_ += extension.size();
        if (extension_bytes_ > options_.header_bytes_max)
          refused = beast::http::error::buffer_overflow;
      };
  std::optional<Spool> spool_;  ///< Of a request with a body.
  std::string chunk_;
  api::Request request_;            ///< Not changed while is_answering_.
  std::string request_id_;          ///< Nor is this; empty until a header is read.
  std::atomic<bool> stop_ = false;  ///< Of request_; read by whoever answers it.
  bool is_answering_ = false;       ///< Another thread makes the answer, or soon will.
  bool is_late_ = false;            ///< It was told to stop at answer_ends_.
  Clock::time_point answer_ends_;
  Clock::time_point write_ends_;
  Clock::time_point began_;
  After after_ = After::keep_alive;
  Body body_ = Body::sent;

  WireResponse response_;
  BudgetShare answer_share_;  ///< Of response_.
  std::size_t head_written_ = 0;
  std::size_t body_written_ = 0;
  /// Of an answer that comes in parts, of which response_ has one; until its last is sent.
  std::shared_ptr<Outflow> outflow_;
  std::uint64_t streamed_bytes_ = 0;
};

/// The session is closed then, unless another deadline is set before. A deadline that moves on
/// costs nothing: the timer finds out when it ends.
void HttpSession::close_at(Clock::time_point deadline) {
  deadline_ = deadline;
  if (deadline_ < timer_ends_) await_deadline();
}

void HttpSession::await_deadline() {
  timer_ends_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->on_timer();
  });
}

void HttpSession::on_timer() {
  timer_ends_ = Clock::time_point::max();
  if (deadline_ <= Clock::now()) return is_answering_ ? look_after_client() : close();
  if (deadline_ < timer_ends_) await_deadline();
}

void HttpSession::enter(State state) {
  const bool was_busy = state_ == State::busy;
  state_ = state;
  if (state == State::busy && !was_busy) ++lane_.requests_in_flight;
  if (state == State::busy || !was_busy) return;
  --lane_.requests_in_flight;
  if (!engine_.stopping) return;
  const std::lock_guard lock(engine_.mutex);
  engine_.changed.notify_all();
}

void HttpSession::await_request() {
  if (engine_.stopping) return close();
  enter(State::idle);
  parser_.emplace();
  parser_->header_limit(options_.header_bytes_max);
  body_bytes_max_ = options_.body_bytes_max;
  parser_->body_limit(body_bytes_max_);
  after_ = After::close;
  body_ = Body::sent;
  if (buffer_.size() == 0) return read_header();
  // In turn with other connections, however many requests this one has sent ahead.
  asio::post(lane_.io, [self = shared_from_this()] {
    if (self->state_ != State::idle) return;
    self->began_ = Clock::now();
    self->parse_header();
  });
}

void HttpSession::read_header() {
  connection_.async_read_some(buffer_.prepare(first_read_bytes),
                              then([](HttpSession& self, std::size_t bytes) {
                                if (!self.parser_->got_some()) self.began_ = Clock::now();
                                self.buffer_.commit(bytes);
                                self.parse_header();
                              }));
}

void HttpSession::parse_header() {
  error_code failure;
  buffer_.consume(parser_->put(buffer_.data(), failure));
  if (failure == beast::http::error::need_more) {
    close_at(began_ + options_.header_timeout);
    return read_header();
  }
  if (failure) return on_error(failure);
  on_header();
}

void HttpSession::on_header() {
  enter(State::busy);
  const auto& header = parser_->get();
  if (header.keep_alive()) after_ = After::keep_alive;
  if (header.method() == beast::http::verb::head) body_ = Body::told;
  request_id_ = request_id_of(header["X-Request-Id"]);
  if (auto refused = objection()) return respond_and_leave(*std::move(refused));
  request_ = take_header();
  if (header.method() != beast::http::verb::post) {
    body_bytes_max_ = body_chunk_bytes;
    parser_->body_limit(body_bytes_max_);
  }
  if (parser_->is_done()) return dispatch();
  if (header.method() == beast::http::verb::post) {
    request_.body_is_to_come = true;
    auto refused = answer(request_);
    if (refused.status != 100) return respond_and_leave(std::move(refused));
    request_.body_is_to_come = false;
  }
  extension_bytes_ = 0;
  parser_->on_chunk_header(on_chunk_);
  spool_.emplace(options_.spool_folder, body_chunk_bytes, &engine_.usage.temporary);
  if (header.count(beast::http::field::expect) > 0) return continue_to_body();
  read_body();
}

/// Why the request is refused on sight of its header, if it is.
std::optional<api::Response> HttpSession::objection() const {
  using beast::http::field;
  const auto& header = parser_->get();
  if (header.count(field::host) != 1 && (header.version() == 11 || header.count(field::host) > 1))
    return api::problem(400, "a request needs one Host header");
  if (!host_of(header[field::host]))
    return api::problem(400,
                        "Host: want a name or an address, and perhaps a port, like "
                        "localhost:8080 or [::1]:8080");
  if (auto refused = objection_to_encoding()) return refused;
  if (header.count(field::expect) > 0 && lower(header[field::expect]) != "100-continue")
    return api::problem(417, "Expect: only 100-continue is understood");
  const auto length = parser_->content_length();
  if (header.method() != beast::http::verb::post && length && *length > body_chunk_bytes)
    return api::problem(413,
                        fmt::format("a {} takes no body of more than {} bytes",
                                    std::string_view(header.method_string()), body_chunk_bytes));
  return std::nullopt;
}

/// Whoever reads the end of a body at another place than we do takes the rest of it for a request.
std::optional<api::Response> HttpSession::objection_to_encoding() const {
  using beast::http::field;
  const auto& header = parser_->get();
  if (header.count(field::transfer_encoding) == 0) return std::nullopt;
  if (header.version() != 11)
    return api::problem(400, "Transfer-Encoding: there is none in HTTP/1.0");
  if (header.count(field::transfer_encoding) > 1 ||
      lower(header[field::transfer_encoding]) != "chunked")
    return api::problem(501,
                        "Transfer-Encoding: only chunked is understood, and nothing beside it");
  return std::nullopt;
}

void HttpSession::continue_to_body() {
  static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  close_at(Clock::now() + options_.write_timeout);
  asio::async_write(connection_, asio::buffer(interim),
                    then([](HttpSession& self, std::size_t) { self.read_body(); }));
}

void HttpSession::read_body() {
  chunk_.resize(body_chunk_bytes);
  auto& body = parser_->get().body();
  body.data = chunk_.data();
  body.size = chunk_.size();
  body.more = true;
  close_at(std::min(Clock::now() + options_.body_timeout, began_ + options_.body_timeout_whole));
  beast::http::async_read(connection_, buffer_, *parser_,
                          [self = shared_from_this()](error_code error, std::size_t) {
                            if (error && error != beast::http::error::need_buffer)
                              return self->on_error(error);
                            self->on_body(self->chunk_.size() - self->parser_->get().body().size);
                          });
}

void HttpSession::on_body(std::size_t bytes) {
  if (spool_->size() + bytes > body_chunk_bytes) return spool(bytes);
  on_spooled(spool_->append(std::string_view(chunk_).substr(0, bytes)));
}

void HttpSession::spool(std::size_t bytes) {
  close_at(Clock::time_point::max());
  asio::post(engine_.spooling, [self = shared_from_this(), bytes]() mutable {
    auto spooled = self->spool_->append(std::string_view(self->chunk_).substr(0, bytes));
    auto& io = self->lane_.io;
    asio::post(io, [session = std::move(self), result = std::move(spooled)] {
      session->on_spooled(result);
    });
  });
}

void HttpSession::on_spooled(const Result<void>& spooled) {
  if (state_ == State::closed) return;  // While the disk was at work.
  if (!spooled) return respond_and_leave(busy(spooled.error().message));
  if (!parser_->is_done()) return read_body();
  dispatch();
}

/// The request without its body. What follows the body's last chunk never gets in.
api::Request HttpSession::take_header() {
  const auto& header = parser_->get();
  api::Request request{.method = std::string(header.method_string()),
                       .target = std::string(header.target()),
                       .headers = {},
                       .body = {},
                       .body_bytes = parser_->content_length().value_or(0),
                       .stop = &stop_};
  for (const auto& field : header) {
    std::string& value = request.headers[lower(field.name_string())];
    if (!value.empty()) value += ", ";
    value += std::string_view(field.value());
  }
  return request;
}

void HttpSession::dispatch() {
  request_.body_bytes = spool_ ? spool_->size() : 0;
  if (request_.body_bytes > 0) request_.body = [spool = &*spool_] { return spool->open(); };
  stop_ = false;
  is_late_ = false;
  answer_elsewhere();
}

void HttpSession::answer_elsewhere() {
  const bool upload = parser_->get().method() == beast::http::verb::post;
  const Effort effort =
      !upload && options_.effort_of ? options_.effort_of(request_) : Effort::brief;
  if (effort == Effort::quick) return respond(answer(request_));
  const Budget& answers = engine_.usage.answers;
  if (effort == Effort::lengthy && answers.used() > answers.bytes_max() / 2)
    return respond(busy(answers_unread));
  const bool ends = !upload && options_.answer_timeout.count() > 0;
  answer_ends_ = ends ? began_ + options_.answer_timeout : Clock::time_point::max();
  chunk_ = {};
  is_answering_ = true;
  auto work = [self = shared_from_this()]() mutable {
    auto response = self->stop_ ? api::problem(503, "given up") : self->answer(self->request_);
    auto& io = self->lane_.io;
    asio::post(io, [session = std::move(self), answer = std::move(response)]() mutable {
      session->on_answered(std::move(answer));
    });
  };
  WorkQueue& queue = upload ? engine_.uploads : engine_.answers;
  if (effort == Effort::lengthy ? queue.add_long(work) : queue.add_brief(work)) return watch();
  is_answering_ = false;
  respond(busy("more is asked than can be answered now: try again soon"));
}

void HttpSession::on_answered(api::Response response) {
  is_answering_ = false;
  if (is_late_ && response.status == 503)
    response = busy(fmt::format(
        "there is no answer within {} seconds: ask for less at once, or when less is asked",
        std::chrono::duration_cast<std::chrono::seconds>(options_.answer_timeout).count()));
  respond(std::move(response));
}

void HttpSession::watch() { close_at(std::min(Clock::now() + watch_interval, answer_ends_)); }

void HttpSession::look_after_client() {
  if (is_client_gone()) return close();
  if (answer_ends_ <= Clock::now()) {
    is_late_ = true;
    stop_ = true;
    answer_ends_ = Clock::time_point::max();
  }
  watch();
}

/// Whether it has closed its side: seen however much it has sent ahead.
bool HttpSession::is_client_gone() {
  pollfd at{.fd = connection_.socket().native_handle(), .events = POLLRDHUP, .revents = 0};
  return poll(&at, 1, 0) > 0;
}

/// May run on a pool's thread, and touches nothing of the session that changes.
api::Response HttpSession::answer(const api::Request& request) const {
  try {
    api::Response response = engine_.handler(request);
    const auto encodings = request.headers.find("accept-encoding");
    compress(response, encodings == request.headers.end() ? "" : encodings->second);
    if (response.body.size() > answer_bytes_free) response.body.shrink_to_fit();
    return response;
  } catch (const std::bad_alloc&) {
    return api::problem(500, "not enough memory for the answer: ask for less at once");
  } catch (const std::exception& error) {
    engine_.tell(LogLevel::error, "a request failed",
                 {{"requestId", request_id_}, {"reason", error.what()}});
    return api::problem(500, "this request failed within the server, whose log says why");
  }
}

void HttpSession::respond(api::Response response) {
  if (state_ == State::closed) return;  // While the handler was at work.
  if (engine_.stopping) after_ = After::close;
  const auto bytes =
      std::min<std::uint64_t>(response.body.capacity(), engine_.usage.answers.bytes_max());
  if (body_ == Body::sent && bytes > answer_bytes_free && !answer_share_.grow(bytes))
    response = busy(answers_unread);
  if (request_id_.empty()) request_id_ = request_id_of({});  // Its header could not be read.
  const bool is_in_chunks = parser_->get().version() >= http_1_1;
  if (response.stream && body_ == Body::sent && !begin_stream(response))
    response = busy(streams_taken);
  if (response.stream && is_in_chunks) response.headers["Transfer-Encoding"] = "chunked";
  if (response.stream && !is_in_chunks) after_ = After::close;
  response.headers["X-Request-Id"] = request_id_;
  write_ends_ =
      Clock::now() + (outflow_ ? options_.stream_timeout_whole : options_.write_timeout_whole);
  response_ = to_wire(std::move(response), after_, body_);
  head_written_ = 0;
  body_written_ = 0;
  write_at_once();
}

void HttpSession::respond_and_leave(api::Response response) {
  after_ = After::close;
  respond(std::move(response));
}

/// The body is made on a thread for such; false: all of them are taken.
bool HttpSession::begin_stream(const api::Response& response) {
  const auto on_piece = [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self) asio::post(self->lane_.io, [self] { self->stream_on(); });
  };
  // What is packed comes in pieces that each stand for many bytes.
  const bool is_packed = response.headers.contains("Content-Encoding");
  const auto outflow = std::make_shared<Outflow>(on_piece, is_packed ? 1 : outflow_piece_bytes);
  auto work = [self = shared_from_this(), outflow, make = response.stream]() mutable {
    const auto made = self->make_body(make, *outflow);
    make = nullptr;
    outflow->end(made);
  };
  if (!engine_.streams.add_brief(std::move(work))) return false;
  outflow_ = outflow;
  streamed_bytes_ = 0;
  return true;
}

/// As answer().
Result<void> HttpSession::make_body(const api::BodyStream& make, Outflow& outflow) const {
  try {
    METERLINE_CHECK(check_stop(&stop_));
    return make([&](std::string_view piece) { return outflow.put(piece); });
  } catch (const std::exception& error) {
    return fail(Errc::unavailable, error.what());
  }
}

/// Sends the next part, once there is one.
void HttpSession::stream_on() {
  if (state_ == State::closed) return;
  auto piece = outflow_->take();
  is_answering_ = !piece;
  if (!piece) {
    answer_ends_ = write_ends_;
    return watch();
  }
  if (piece->failure) return cut_off(*piece->failure);
  streamed_bytes_ += piece->bytes.size();
  response_.body = parser_->get().version() >= http_1_1 ? to_chunk(piece->bytes, piece->is_last)
                                                        : std::move(piece->bytes);
  body_written_ = 0;
  if (piece->is_last) outflow_.reset();
  write_next();
}

/// The client gets an error of the connection: without one, HTTP/1.0 would take it for the end.
void HttpSession::cut_off(const Error& failure) {
  engine_.tell(LogLevel::error, "an answer was cut off",
               {{"requestId", request_id_},
                {"bytes", static_cast<std::int64_t>(streamed_bytes_)},
                {"reason", failure.message}});
  error_code ignored;
  connection_.socket().set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

std::array<asio::const_buffer, 2> HttpSession::next_piece() const {
  const std::string_view head(response_.head);
  const std::string_view body(response_.body);
  return {asio::buffer(head.substr(head_written_)),
          asio::buffer(body.substr(body_written_, write_chunk_bytes))};
}

/// As a rule the system takes the whole answer at once, and there is nothing to wait for.
void HttpSession::write_at_once() {
  if (connection_.has_tls()) return write_next();
  error_code error;
  const std::size_t bytes = connection_.socket().write_some(next_piece(), error);
  if (error && error != asio::error::would_block) return on_error(error);
  on_piece(bytes);
}

void HttpSession::write_next() {
  close_at(std::min(Clock::now() + options_.write_timeout, write_ends_));
  asio::async_write(connection_, next_piece(),
                    then([](HttpSession& self, std::size_t bytes) { self.on_piece(bytes); }));
}

void HttpSession::on_piece(std::size_t bytes) {
  const std::size_t of_head = std::min(bytes, response_.head.size() - head_written_);
  head_written_ += of_head;
  body_written_ += bytes - of_head;
  if (head_written_ < response_.head.size() || body_written_ < response_.body.size())
    write_next();
  else if (outflow_)
    stream_on();
  else
    on_written();
}

void HttpSession::on_written() {
  const auto now = Clock::now();
  log_answer(now - began_);
  response_ = {};
  streamed_bytes_ = 0;
  answer_share_.give_back();
  request_ = {};
  request_id_.clear();
  spool_.reset();
  if (after_ == After::close) return leave();
  close_at(now + options_.idle_timeout);
  await_request();
}

void HttpSession::log_answer(Clock::duration took) const {
  const LogLevel level = response_.status >= 500 ? LogLevel::warning : LogLevel::info;
  if (options_.log == nullptr || !options_.log->writes(level)) return;
  if (!parser_->is_header_done()) return;  // Why is told elsewhere.
  if (level == LogLevel::info && is_probe(request_)) return;
  const auto& header = parser_->get();
  const auto target = options_.logged_target == LoggedTarget::whole
                          ? std::string_view(header.target()).substr(0, logged_target_bytes_max)
                          : std::string_view();
  const auto bytes = std::max<std::uint64_t>(streamed_bytes_, response_.body.size());
  engine_.tell(
      level, "answered",
      {{"requestId", request_id_},
       {"client", connection_.client()},
       {"method", std::string_view(header.method_string())},
       {"route", request_.target.name()},
       {"target", target},
       {"status", response_.status},
       {"bytes", static_cast<std::int64_t>(bytes)},
       {"durationUs", std::chrono::duration_cast<std::chrono::microseconds>(took).count()}});
}

void HttpSession::leave() {
  enter(State::leaving);
  close_at(Clock::now() + linger_timeout);
  if (!connection_.has_tls()) return end_sending();
  connection_.async_shutdown([self = shared_from_this()](error_code) { self->end_sending(); });
}

void HttpSession::end_sending() {
  error_code ignored;
  connection_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  discard_input();
}

/// Below TLS, where there is any: nobody heeds what it says.
void HttpSession::discard_input() {
  chunk_.resize(first_read_bytes);
  connection_.socket().async_read_some(
      asio::buffer(chunk_), then([](HttpSession& self, std::size_t) { self.discard_input(); }));
}

void HttpSession::on_error(error_code failure) {
  const bool heard = state_ == State::idle || state_ == State::busy;
  const int status = heard ? status_of(failure) : 0;
  if (status == 0) return close();
  const std::string reason = reason_of(status, failure);
  engine_.tell(LogLevel::warning, "a request cannot be read",
               {{"client", connection_.client()}, {"status", status}, {"reason", reason}});
  enter(State::busy);
  respond_and_leave(api::problem(status, reason));
}

std::string HttpSession::reason_of(int status, error_code failure) const {
  if (status == 431)
    return fmt::format("the {} longer than {} bytes",
                       parser_->is_header_done()
                           ? "extensions of the body's chunks, or what follows the last one, are"
                           : "header is",
                       options_.header_bytes_max);
  if (status == 413) return fmt::format("the body is longer than {} bytes", body_bytes_max_);
  return "this is not a request of HTTP/1.1: " + failure.message();
}

}  // namespace

std::shared_ptr<Session> make_session(asio::ip::tcp::socket socket, Engine& engine, Lane& lane) {
  const auto tls = engine.options.tls == nullptr ? nullptr : engine.options.tls->context();
  return std::make_shared<HttpSession>(std::move(socket), tls.get(), engine, lane);
}

}  // namespace meterline::http
