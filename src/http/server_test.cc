#include "http/server.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <future>
#include <memory>
#include <new>
#include <semaphore>
#include <source_location>
#include <stdexcept>
#include <thread>

#include "api/problem.h"
#include "source/expand.h"
#include "source/packer.h"
#include "testing/http_client.h"
#include "testing/temp_folder.h"

namespace meterline::http {
namespace {

using namespace std::chrono_literals;
using meterline::testing::Client;
using meterline::testing::patience;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Says what it was asked: `METHOD TARGET BYTES:SUM`, the last of the body's bytes.
api::Response echo(const api::Request& request) {
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;
  std::array<char, 1000> piece{};
  if (request.body) {
    auto source = *request.body();
    for (std::size_t count = 1; count > 0; bytes += count) {
      count = *source->read(piece);
      for (std::size_t i = 0; i < count; ++i) sum += static_cast<unsigned char>(piece.at(i));
    }
  }
  return {.status = 200,
          .content_type = "text/plain",
          .body = fmt::format("{} {} {}:{}", request.method, request.target.text(), bytes, sum),
          .headers = {}};
}

ServerOptions small_options() {
  ServerOptions options;
  options.port = 0;
  options.threads = 2;
  options.upload_threads = 1;
  return options;
}

/// Wants every body.
std::unique_ptr<Server> served(ServerOptions options = small_options(), Handler handler = echo) {
  auto server =
      start(std::move(options), [inner = std::move(handler)](const api::Request& request) {
        return request.body_is_to_come ? api::Response{.status = 100} : inner(request);
      });
  if (!server) throw std::runtime_error(server.error().message);
  return *std::move(server);
}

std::string request_for(std::string_view target, std::string_view more_headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", target, more_headers);
}

std::string upload_of(std::string_view body, std::string_view more_headers = "") {
  return fmt::format("POST /u HTTP/1.1\r\nHost: localhost\r\n{}Content-Length: {}\r\n\r\n{}",
                     more_headers, body.size(), body);
}

TEST(Server, AnswersOneRequestAfterTheOther) {
  const auto server = served();
  Client client(server->port());
  EXPECT_EQ(client.say(request_for("/a?b=c")).answer(), "200 GET /a?b=c 0:0");
  EXPECT_EQ(client.say(upload_of("\x01\x02")).answer(), "200 POST /u 2:3");
  EXPECT_EQ(client.say(request_for("/d")).answer(), "200 GET /d 0:0");
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const auto server = served();
  Client client(server->port());
  client.say(request_for("/1") + upload_of("\x05") + request_for("/3") + "GET /4 HTT");
  EXPECT_EQ(client.answer(), "200 GET /1 0:0");
  EXPECT_EQ(client.answer(), "200 POST /u 1:5");
  EXPECT_EQ(client.answer(), "200 GET /3 0:0");
  EXPECT_EQ(client.say("P/1.1\r\nHost: a\r\n\r\n").answer(), "200 GET /4 0:0");
}

TEST(Server, ClosesWhenItIsAskedTo) {
  const auto server = served();
  EXPECT_THAT(Client(server->port()).say(request_for("/a", "Connection: close\r\n")).rest(),
              HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(Client(server->port()).say("GET /a HTTP/1.0\r\n\r\n").rest(),
              StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(Server, NamesEachRequest) {
  const auto server = served();
  Client client(server->port());
  const auto named = request_for("/a", "X-Request-Id: mine-1\r\n");
  EXPECT_THAT(client.say(named).head(), HasSubstr("X-Request-Id: mine-1\r\n"));
  EXPECT_THAT(Client(server->port()).say("no HTTP\r\n\r\n").rest(), HasSubstr("X-Request-Id: "));
}

TEST(Server, AnswersHeadWithTheLengthOnly) {
  const auto server = served();
  Client client(server->port());
  client.say("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.head(), HasSubstr("Content-Length: 11\r\n"));  // HEAD /a 0:0
  EXPECT_EQ(client.say(request_for("/b")).answer(), "200 GET /b 0:0");
}

TEST(Server, WaitsForTheBodyAfterContinue) {
  const auto server = served();
  Client client(server->port());
  client.say("POST /u HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.say("\x07").answer(), "200 POST /u 1:7");
}

TEST(Server, SpoolsLargeBodies) {
  const meterline::testing::TempFolder folder;
  ServerOptions options = small_options();
  options.spool_folder = folder.path();
  const auto server = served(std::move(options));
  Client client(server->port());
  for (const std::size_t bytes :
       {body_chunk_bytes - 1, body_chunk_bytes, body_chunk_bytes + 1, std::size_t{3'000'000}})
    EXPECT_EQ(client.say(upload_of(std::string(bytes, '\x01'))).answer(),
              fmt::format("200 POST /u {0}:{0}", bytes));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Server, TakesChunkedBodies) {
  const auto server = served();
  Client client(server->port());
  client.say("POST /u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.say("2\r\n\x01\x02\r\n");
  client.say(fmt::format("{:x}\r\n{}\r\n", 200'000, std::string(200'000, '\x01')));
  EXPECT_EQ(client.say("0\r\n\r\n").answer(), "200 POST /u 200002:200003");
}

TEST(Server, SaysWhenTheSpoolCannotBeWritten) {
  ServerOptions options = small_options();
  options.spool_folder = "/nonexistent/folder";
  const auto server = served(std::move(options));
  Client client(server->port());
  EXPECT_THAT(client.say(upload_of(std::string(body_chunk_bytes + 1, 'a'))).answer(),
              StartsWith("503 "));
}

/// Each case: bytes that are refused, and the start of the answer. The connection is closed.
void refused(std::string_view bytes, std::string_view want,
             std::source_location at = std::source_location::current()) {
  const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  ServerOptions options = small_options();
  options.body_bytes_max = 1000;
  const auto server = served(std::move(options));
  Client client(server->port());
  const std::string answer = client.say(bytes).rest();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(want)));
  EXPECT_THAT(answer, HasSubstr("application/problem+json"));
  EXPECT_EQ(Client(server->port()).say(request_for("/")).answer(), "200 GET / 0:0");
}

TEST(Server, RefusesWhatIsNoHttp) {
  refused("hello\r\n\r\n", "400");
  refused(std::string_view("\x16\x03\x01\x02\x00", 5), "400");  // TLS.
  refused("GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", "400");
  refused("GET / HTTP/1.1\r\n\r\n", "400");
  refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400");
  refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "400");
  refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "400");
  refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400");
  refused(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
      "0\r\n\r\n",
      "400");
  refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "400");
  refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501");
  refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501");
  refused(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n",
      "501");
  refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400");
  for (const char* host : {":x", "[", "[::1", "a:b", "a b"})
    refused(fmt::format("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", host), "400");
  refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 1\r\n\r\na", "417");
}

TEST(Server, RefusesWhatIsTooLarge) {
  refused(request_for("/", "A: " + std::string(20'000, 'a') + "\r\n"), "431");
  refused(request_for("/" + std::string(20'000, 'a')), "431");
  refused(upload_of(std::string(1001, 'a')), "413");
  refused(upload_of(std::string(3'000'000, 'a')), "413");  // Still told, with input unread.
  refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
          "413");
  refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
              std::string(1001, 'a') + "\r\n0\r\n\r\n",
          "413");
  refused(
      fmt::format("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body_chunk_bytes + 1),
      "413");
}

constexpr std::string_view chunked =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(Server, RefusesChunkExtensionsAndTrailersWithoutEnd) {
  const std::string much(100'000, 'a');
  refused(fmt::format("{}1;{}", chunked, much), "431");
  refused(fmt::format("{}0;{}", chunked, much), "431");
  refused(fmt::format("{}0\r\nA: {}", chunked, much), "431");
  std::string many(chunked);
  for (int i = 0; i < 100; ++i) many += fmt::format("1;{}\r\nx\r\n", std::string(300, 'a'));
  refused(many, "431");
  std::string fields = fmt::format("{}0\r\n", chunked);
  for (int i = 0; i < 3000; ++i) fields += fmt::format("A{}: b\r\n", i);
  refused(fields, "431");
}

TEST(Server, TakesShortChunkExtensionsAndTrailers) {
  const auto server = served();
  Client client(server->port());
  for (int i = 0; i < 100; ++i)  // However many requests: it counts for each.
    ASSERT_EQ(client
                  .say(fmt::format("{}1;a={}\r\nx\r\n0;b\r\nC: d\r\n\r\n", chunked,
                                   std::string(1000, 'a')))
                  .answer(),
              "200 POST / 1:120");
}

TEST(Server, TakesBodiesUpToTheLimit) {
  ServerOptions options = small_options();
  options.body_bytes_max = 1000;
  const auto server = served(std::move(options));
  EXPECT_EQ(Client(server->port()).say(upload_of(std::string(1000, '\x01'))).answer(),
            "200 POST /u 1000:1000");
}

TEST(Server, ClosesConnectionsThatDawdle) {
  ServerOptions options = small_options();
  options.header_timeout = 100ms;
  options.body_timeout = 100ms;
  options.idle_timeout = 100ms;
  const auto server = served(std::move(options));
  EXPECT_EQ(Client(server->port()).rest(), "");
  EXPECT_EQ(Client(server->port()).say("GET / HTTP/1.1\r\nHost: ").rest(), "");
  EXPECT_EQ(Client(server->port())
                .say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
                .rest(),
            "");
  Client idle(server->port());
  EXPECT_EQ(idle.say(request_for("/")).answer(), "200 GET / 0:0");
  EXPECT_EQ(idle.rest(), "");
}

TEST(Server, ClosesASlowHeaderHoweverBusyItLooks) {
  ServerOptions options = small_options();
  options.header_timeout = 200ms;
  const auto server = served(std::move(options));
  Client client(server->port());
  client.say("GET / HTTP/1.1\r\n");
  std::promise<void> closed;
  auto drip = std::async(std::launch::async, [&, told = closed.get_future()] {
    while (told.wait_for(10ms) == std::future_status::timeout) client.say("A: b\r\n");
  });
  EXPECT_EQ(client.rest(), "");
  closed.set_value();
}

TEST(Server, RefusesConnectionsBeyondTheLimit) {
  ServerOptions options = small_options();
  options.connections_max = 1;
  const auto server = served(std::move(options));
  {
    Client first(server->port());
    EXPECT_EQ(first.say(request_for("/1")).answer(), "200 GET /1 0:0");
    const auto refused = Client(server->port()).say(request_for("/2")).rest();
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(refused, HasSubstr("Retry-After: 10\r\n"));
    EXPECT_EQ(first.say(request_for("/3")).answer(), "200 GET /3 0:0");
  }
  // The server hears of the closing some time later.
  std::string answer;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (answer != "200 GET /4 0:0" && std::chrono::steady_clock::now() < deadline)
    answer = Client(server->port()).say(request_for("/4")).answer();
  EXPECT_EQ(answer, "200 GET /4 0:0");
}

TEST(Server, CompressesForThoseWhoTakeIt) {
  const auto server = served(small_options(), [](const api::Request& request) {
    static_cast<void>(request);
    return api::Response{.status = 200,
                         .content_type = "text/plain",
                         .body = std::string(5'000'000, 'a'),
                         .headers = {}};
  });
  Client client(server->port());
  EXPECT_EQ(client.say(request_for("/")).answer().size(), 5'000'004U);
  EXPECT_LT(client.say(request_for("/", "Accept-Encoding: gzip\r\n")).answer().size(), 10'000U);
}

TEST(Server, SurvivesAHandlerThatThrows) {
  const auto server = served(small_options(), [](const api::Request& request) {
    if (request.target.text() == "/huge") throw std::bad_alloc();
    if (request.target.text() == "/fault") throw std::runtime_error("a secret");
    return echo(request);
  });
  Client client(server->port());
  EXPECT_THAT(client.say(request_for("/huge")).answer(), StartsWith("500 "));
  const auto answer = client.say(request_for("/fault")).answer();
  EXPECT_THAT(answer, StartsWith("500 "));
  EXPECT_EQ(answer.find("secret"), std::string::npos);
  EXPECT_EQ(client.say(request_for("/small")).answer(), "200 GET /small 0:0");
}

/// A handler that holds POST until it is released.
class Gate {
 public:
  Handler handler() {
    return [this](const api::Request& request) {
      if (request.method == "POST") {
        reached_.set_value();
        released_.get_future().wait();
      }
      return echo(request);
    };
  }
  void await_request() { reached_.get_future().wait(); }
  void release() { released_.set_value(); }

 private:
  std::promise<void> reached_;
  std::promise<void> released_;
};

TEST(Server, AnswersQuestionsDuringALongUpload) {
  Gate gate;
  const auto server = served(small_options(), gate.handler());
  Client uploader(server->port());
  uploader.say(upload_of("a"));
  gate.await_request();
  EXPECT_EQ(Client(server->port()).say(request_for("/q")).answer(), "200 GET /q 0:0");
  gate.release();
  EXPECT_EQ(uploader.answer(), "200 POST /u 1:97");
}

Effort effort_of(const api::Request& request) {
  if (request.target.text().starts_with("/small")) return Effort::quick;
  return request.target.text().starts_with("/long") ? Effort::lengthy : Effort::brief;
}

TEST(Server, AnswersQuickRequestsWhileTheOthersWait) {
  std::promise<void> reached;
  std::promise<void> released;
  ServerOptions options = small_options();
  options.threads = 1;
  options.effort_of = effort_of;
  const auto server = served(std::move(options), [&](const api::Request& request) {
    if (request.target.text() == "/slow") {
      reached.set_value();
      released.get_future().wait();
    }
    return echo(request);
  });
  Client patient(server->port());
  patient.say(request_for("/slow"));
  reached.get_future().wait();
  Client waiting(server->port());
  waiting.say(request_for("/other"));
  EXPECT_EQ(Client(server->port()).say(request_for("/small")).answer(), "200 GET /small 0:0");
  released.set_value();
  EXPECT_EQ(patient.answer(), "200 GET /slow 0:0");
  EXPECT_EQ(waiting.answer(), "200 GET /other 0:0");
}

TEST(Server, AnswersQuickRequestsLikeAllOthers) {
  ServerOptions options = small_options();
  options.effort_of = effort_of;
  const auto server = served(std::move(options), [](const api::Request& request) {
    if (request.target.text() == "/small/error") throw std::bad_alloc();
    return echo(request);
  });
  Client client(server->port());
  client.say(request_for("/small/1") + request_for("/2") +
             "HEAD /small/3 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.answer(), "200 GET /small/1 0:0");
  EXPECT_EQ(client.answer(), "200 GET /2 0:0");
  EXPECT_THAT(client.head(), HasSubstr("Content-Length: 17\r\n"));  // HEAD /small/3 0:0
  EXPECT_EQ(client.say("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\x07").answer(),
            "200 POST /small 1:7");
  EXPECT_THAT(client.say(request_for("/small/error")).answer(), StartsWith("500 "));
  EXPECT_THAT(client.say(request_for("/small/4", "Connection: close\r\n")).rest(),
              HasSubstr("Connection: close\r\n"));
}

/// However many are sent ahead, no more than one is being answered.
TEST(Server, AnswersThousandsOfQuickRequestsSentAhead) {
  ServerOptions options = small_options();
  options.effort_of = effort_of;
  const auto server = served(std::move(options));
  constexpr int count = 1500;
  std::string all;
  for (int i = 0; i < count; ++i) all += request_for(fmt::format("/small/{}", i));
  Client client(server->port());
  client.say(all);
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(client.answer(), fmt::format("200 GET /small/{} 0:0", i));
}

/// Tells when a request has come, and holds it until it is told to stop.
class Patient {
 public:
  Handler handler() {
    return [this](const api::Request& request) {
      if (!request.target.text().starts_with("/long")) return echo(request);
      reached_.release();
      while (!*request.stop) std::this_thread::yield();
      stopped_.release();
      return api::problem(503, "stopped on request");
    };
  }
  void await_requests(int count) {
    for (int i = 0; i < count; ++i) reached_.acquire();
  }
  void await_stops(int count) {
    for (int i = 0; i < count; ++i) stopped_.acquire();
  }

 private:
  std::counting_semaphore<> reached_{0};
  std::counting_semaphore<> stopped_{0};
};

ServerOptions one_thread_options() {
  ServerOptions options = small_options();
  options.threads = 1;
  options.effort_of = effort_of;
  return options;
}

TEST(Server, StopsWorkForAClientThatIsGone) {
  Patient patient;
  const auto server = served(one_thread_options(), patient.handler());
  {
    Client client(server->port());
    client.say(request_for("/long"));
    patient.await_requests(1);
    client.say(request_for("/sent/ahead"));  // Seen nevertheless.
  }
  patient.await_stops(1);
}

TEST(Server, ForgetsWhatWaitsForAClientThatIsGone) {
  Patient patient;
  Usage usage;
  ServerOptions options = one_thread_options();
  options.usage = &usage;
  const auto server = served(options, patient.handler());
  auto first = std::make_unique<Client>(server->port());
  first->say(request_for("/long/1"));
  patient.await_requests(1);
  Client(server->port()).say(request_for("/long/2"));
  while (usage.lengthy_waiting == 0) std::this_thread::yield();
  first.reset();
  patient.await_stops(1);
  while (usage.connections > 0) std::this_thread::yield();  // The second ended as well.
}

TEST(Server, AnswersBriefQuestionsBesideLongOnes) {
  Patient patient;
  const auto server = served(one_thread_options(), patient.handler());
  Client first(server->port());
  first.say(request_for("/long/1"));
  patient.await_requests(1);
  Client second(server->port());
  second.say(request_for("/long/2"));
  EXPECT_EQ(Client(server->port()).say(request_for("/q")).answer(), "200 GET /q 0:0");
}

TEST(Server, RefusesQuestionsThatFindNoRoomToWait) {
  Patient patient;
  Usage usage;
  ServerOptions options = one_thread_options();
  options.usage = &usage;
  options.lengthy_waiting_max = 1;
  const auto server = served(options, patient.handler());
  Client first(server->port());
  first.say(request_for("/long/1"));
  patient.await_requests(1);
  Client second(server->port());
  second.say(request_for("/long/2"));
  while (usage.lengthy_waiting == 0) std::this_thread::yield();
  Client third(server->port());
  const std::string head = third.say(request_for("/long/3")).head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(head, HasSubstr("Retry-After: 10\r\n"));
  EXPECT_THAT(head, HasSubstr("Connection: keep-alive\r\n"));
}

TEST(Server, AnswersInTimeThatItTakesTooLong) {
  Patient patient;
  ServerOptions options = one_thread_options();
  options.answer_timeout = 50ms;
  const auto server = served(options, patient.handler());
  Client client(server->port());
  const std::string head = client.say(request_for("/long")).head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(head, HasSubstr("Retry-After: 10\r\n"));
}

TEST(Server, DecidesByTheHeaderBeforeTheBodyComes) {
  const meterline::testing::TempFolder folder;
  Usage usage;
  ServerOptions options = small_options();
  options.usage = &usage;
  options.spool_folder = folder.path();
  const auto server = start(std::move(options), [](const api::Request& request) {
    if (request.target.text() == "/u" && request.body_is_to_come)
      return api::Response{.status = 100};
    if (!request.body_is_to_come) return echo(request);
    return api::problem(404, fmt::format("{} bytes to come", request.body_bytes));
  });
  ASSERT_TRUE(server);
  const auto port = (*server)->port();
  const std::string no = "POST /no HTTP/1.1\r\nHost: a\r\n{}Content-Length: 1000000\r\n\r\n";
  for (const char* expect : {"", "Expect: 100-continue\r\n"}) {
    const std::string answer = Client(port).say(fmt::format(fmt::runtime(no), expect)).rest();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 ")) << expect;
    EXPECT_THAT(answer, HasSubstr("1000000 bytes to come"));
  }
  EXPECT_THAT(
      Client(port).say("POST /no HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").rest(),
      HasSubstr("0 bytes to come"));
  EXPECT_EQ(Client(port).say(upload_of("\x01")).answer(), "200 POST /u 1:1");
  EXPECT_EQ(usage.temporary.used(), 0U);
}

TEST(Server, BodiesInFilesHaveOneBudget) {
  const meterline::testing::TempFolder folder;
  Usage usage(1'000'000);
  ServerOptions options = small_options();
  options.usage = &usage;
  options.spool_folder = folder.path();
  const auto server = served(std::move(options));
  Client slow(server->port());
  slow.say("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 900001\r\n\r\n")
      .say(std::string(900'000, '\x01'));
  while (usage.temporary.used() < 800'000) std::this_thread::yield();
  const std::string answer =
      Client(server->port()).say(upload_of(std::string(300'000, 'a'))).rest();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 10\r\n"));
  EXPECT_EQ(slow.say("\x01").answer(), "200 POST /u 900001:900001");
  EXPECT_EQ(Client(server->port()).say(upload_of(std::string(300'000, '\x01'))).answer(),
            "200 POST /u 300000:300000");
}

Handler large_answers(std::size_t bytes) {
  return [bytes](const api::Request& request) {
    if (!request.target.text().starts_with("/large")) return echo(request);
    return api::Response{.status = 200,
                         .content_type = "text/plain",
                         .body = std::string(bytes, 'a'),
                         .headers = {}};
  };
}

TEST(Server, AnswersThatNobodyReadsHaveABudget) {
  constexpr std::size_t bytes = 20'000'000;  // More than the system takes.
  Usage usage(0, 50'000'000);
  ServerOptions options = small_options();
  options.effort_of = effort_of;
  options.usage = &usage;
  const auto server = served(std::move(options), large_answers(bytes));
  std::deque<Client> readers;
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(readers.emplace_back(server->port()).say(request_for("/large")).head(),
                StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Client(server->port()).say(request_for("/large")).answer(), StartsWith("503 "));
  EXPECT_EQ(Client(server->port()).say(request_for("/small")).answer(), "200 GET /small 0:0");
  EXPECT_THAT(Client(server->port()).say(request_for("/long")).answer(), StartsWith("503 "))
      << "not even begun";
  readers.pop_front();
  while (usage.answers.used() > bytes + bytes / 2) std::this_thread::yield();
  EXPECT_EQ(Client(server->port()).say(request_for("/large")).answer().size(), bytes + 4);
}

TEST(Server, AnAnswerAboveTheBudgetTakesAllOfIt) {
  Usage usage(0, 1'000'000);
  ServerOptions options = small_options();
  options.usage = &usage;
  const auto server = served(std::move(options), large_answers(3'000'000));
  EXPECT_EQ(Client(server->port()).say(request_for("/large")).answer().size(), 3'000'004U);
}

TEST(Server, AWholeAnswerHasADeadline) {
  Usage usage;
  ServerOptions options = small_options();
  options.write_timeout_whole = 100ms;
  options.usage = &usage;
  const auto server = served(std::move(options), large_answers(20'000'000));
  Client reader(server->port());
  reader.say(request_for("/large"));
  EXPECT_THAT(reader.head(), StartsWith("HTTP/1.1 200 "));
  while (usage.answers.used() > 0) std::this_thread::yield();
  EXPECT_LT(reader.rest().size(), 20'000'000U);
}

TEST(Server, AWholeBodyHasADeadline) {
  ServerOptions options = small_options();
  options.body_timeout_whole = 200ms;
  const auto server = served(std::move(options));
  Client client(server->port());
  client.say("POST /u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::promise<void> closed;
  auto drip = std::async(std::launch::async, [&, told = closed.get_future()] {
    while (told.wait_for(10ms) == std::future_status::timeout) client.say("1\r\nx\r\n");
  });
  EXPECT_EQ(client.rest(), "");
  closed.set_value();
}

/// An answer in parts: x, so many as its path says; then perhaps a failure.
api::Response streamed(const api::Request& request) {
  const std::size_t bytes = std::stoul(request.target.text().substr(1));
  const bool fails = request.target.text().ends_with("!");
  api::Response response{.content_type = "text/plain", .body = {}};
  response.stream = [bytes, fails](const api::BodySink& sink) -> Result<void> {
    const std::string piece(1000, 'x');
    for (std::size_t left = bytes; left > 0; left -= std::min(left, piece.size()))
      if (auto sent = sink(std::string_view(piece).substr(0, left)); !sent) return sent;
    if (fails) return fail(Errc::unavailable, "no node answers");
    return {};
  };
  return response;
}

/// What chunks hold; ends with `...` where the last is missing.
std::string joined(std::string_view chunks) {
  std::string text;
  for (;;) {
    const auto line = chunks.find("\r\n");
    if (line == std::string_view::npos) return text + "...";
    const std::size_t bytes = std::stoul(std::string(chunks.substr(0, line)), nullptr, 16);
    chunks.remove_prefix(line + 2);
    if (bytes == 0) return text;
    if (chunks.size() < bytes + 2) return text + "...";
    text += chunks.substr(0, bytes);
    chunks.remove_prefix(bytes + 2);
  }
}

TEST(Server, SendsAnswersInPartsWhileTheyAreMade) {
  const auto server = served(small_options(), streamed);
  for (const std::size_t bytes : {0, 1, 262'143, 5'000'000}) {
    Client client(server->port());
    client.say(request_for(fmt::format("/{}", bytes), "Connection: close\r\n"));
    EXPECT_THAT(client.head(), HasSubstr("Transfer-Encoding: chunked"));
    EXPECT_TRUE(joined(client.rest()) == std::string(bytes, 'x')) << bytes;

    Client older(server->port());
    older.say(fmt::format("GET /{} HTTP/1.0\r\n\r\n", bytes));
    EXPECT_THAT(older.head(), ::testing::Not(HasSubstr("Transfer-Encoding")));
    EXPECT_TRUE(older.rest() == std::string(bytes, 'x')) << bytes;
  }
  Client client(server->port());
  client.say("HEAD /7 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.head(), HasSubstr("Transfer-Encoding: chunked"));
  client.say(request_for("/3", "Connection: close\r\n"));
  EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(joined(client.rest()), "xxx");
}

/// What can be read of packed bytes.
std::string text_in(std::string_view packed) {
  const auto content = source::expand(source::make_memory_source(packed)).value();
  std::string text;
  std::array<char, 1000> piece{};
  for (;;) {
    const auto count = content.bytes->read(piece);
    if (!count || *count == 0) return text;
    text.append(piece.data(), *count);
  }
}

TEST(Server, SendsPackedPartsAsTheyAreMade) {
  std::promise<void> read;
  const auto server = served(small_options(), [&](const api::Request&) {
    api::Response response{.content_type = "text/plain", .body = {}};
    response.stream = [&](const api::BodySink& sink) -> Result<void> {
      if (auto sent = sink(std::string(source::pack_step_bytes, 'x')); !sent) return sent;
      read.get_future().wait();
      return sink("end");
    };
    return response;
  });
  Client client(server->port());
  client.say(request_for("/", "Accept-Encoding: zstd\r\nConnection: close\r\n"));
  EXPECT_THAT(client.head(), HasSubstr("Content-Encoding: zstd\r\n"));
  std::string packed = client.chunk();  // While the stream waits to be read.
  EXPECT_EQ(text_in(packed).size(), source::pack_step_bytes);
  read.set_value();
  packed += client.chunk();
  EXPECT_EQ(client.chunk(), "");
  EXPECT_EQ(text_in(packed), std::string(source::pack_step_bytes, 'x') + "end");
}

TEST(Server, CutsOffAnAnswerInPartsThatFails) {
  const auto server = served(small_options(), streamed);
  Client client(server->port());
  client.say(request_for("/600000!"));
  EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(joined(client.rest()), ::testing::EndsWith("..."));
}

TEST(Server, EndsAnswersInPartsThatNobodyReads) {
  auto options = small_options();
  options.stream_threads = 1;
  options.write_timeout = 100ms;
  const auto server = served(std::move(options), streamed);
  Client idle(server->port());
  idle.say(request_for("/1000000000"));
  EXPECT_THAT(idle.head(), StartsWith("HTTP/1.1 200"));
  Client next(server->port());  // Waits for the thread, which the first loses.
  next.say(request_for("/5", "Connection: close\r\n"));
  EXPECT_THAT(next.head(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(joined(next.rest()), "xxxxx");
}

TEST(Server, StopsAfterTheRequestsInFlight) {
  Gate gate;
  const auto server = served(small_options(), gate.handler());
  Client uploader(server->port());
  Client idle(server->port());
  EXPECT_EQ(idle.say(request_for("/")).answer(), "200 GET / 0:0");
  uploader.say(upload_of("a") + request_for("/too-late"));
  gate.await_request();
  auto stopped = std::async(std::launch::async, [&] { return server->stop(patience); });
  EXPECT_EQ(idle.rest(), "");  // Closed at once.
  EXPECT_FALSE(Client(server->port()).connected());
  gate.release();
  const std::string answer = uploader.rest();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("POST /u 1:97"));
  EXPECT_TRUE(stopped.get());
  EXPECT_TRUE(server->stop(0ms)) << "again";
}

TEST(Server, ClosesWhatIsNotAnsweredInTime) {
  Gate gate;
  const auto server = served(small_options(), gate.handler());
  Client uploader(server->port());
  uploader.say(upload_of("a"));
  gate.await_request();
  EXPECT_FALSE(server->stop(1ms));
  EXPECT_EQ(uploader.rest(), "");
  gate.release();
}

TEST(Server, NamesThePortThatIsTaken) {
  const auto server = served();
  ServerOptions options = small_options();
  options.port = server->port();
  const auto second = start(options, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unavailable);
  EXPECT_EQ(second.error().message,
            fmt::format("port {} on 127.0.0.1 is in use; choose another with --listen "
                        "127.0.0.1:PORT",
                        server->port()));
}

TEST(Server, RefusesAddressesThatAreNone) {
  for (const char* address : {"localhost", "192.0.2.1", "1.2.3", ""}) {
    ServerOptions options = small_options();
    options.address = address;
    const auto server = start(options, echo);
    ASSERT_FALSE(server) << address;
    EXPECT_EQ(server.error().code, Errc::invalid_argument) << server.error().message;
  }
}

}  // namespace
}  // namespace meterline::http
