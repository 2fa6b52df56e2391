#include "cli/lambda.h"

#include <fmt/core.h>

#include <chrono>
#include <cstdlib>

#include "access/groups.h"
#include "api/api.h"
#include "api/remembered_answers.h"
#include "aws/parameters.h"
#include "aws/queue.h"
#include "aws/session.h"
#include "cli/exit_code.h"
#include "cli/tariffs.h"
#include "core/try.h"
#include "lambda/function_url.h"
#include "lambda/processor.h"
#include "lambda/runtime.h"

namespace meterline::cli {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string function_name() {
  auto name = variable("AWS_LAMBDA_FUNCTION_NAME");
  return name.empty() ? "lambda" : name;
}

/// Tells Lambda why there is no function, and the log as well.
int fail_init(lambda::Runtime& runtime, const Error& error) {
  if (const auto told =
          runtime.fail_init({.type = "Meterline.InitFailed", .message = error.message});
      !told)
    tell(fmt::format("meterline: {}\n", told.error().message));
  report_error(error);
  return exit_failed;
}

/// Answers invocations until Lambda is gone.
int serve(lambda::Runtime& runtime, const lambda::InvocationHandler& handler) {
  report_error(runtime.serve(handler));
  return exit_failed;
}

int not_on_lambda() {
  return report_error(
      {.code = Errc::invalid_argument,
       .message = "AWS_LAMBDA_RUNTIME_API is not set: this is the program of a function on AWS "
                  "Lambda, which sets it. `meterline worker` and `meterline serve` do the same "
                  "elsewhere"});
}

/// The HTTP API of a function, and all that it works on.
class ApiFunction {
 public:
  static Result<std::unique_ptr<ApiFunction>> open(const LambdaVerb& verb, const Session& session) {
    std::unique_ptr<ApiFunction> function(new ApiFunction);
    METERLINE_CHECK(read_file_options(verb.events.files, function->ingest_));
    METERLINE_TRY(function->log_, open_log(verb.events.log));
    METERLINE_CHECK(function->open_guard(verb.guard));
    METERLINE_TRY(function->tariffs_, read_tariffs(verb.tariffs));
    function->groups_.emplace(session.groups);
    METERLINE_TRY(function->store_, session.open_store(session.store_url, OpenMode::create));
    function->make_url(verb.uploads == "on" ? lambda::Uploads::on : lambda::Uploads::off);
    return function;
  }

  auto handle(const lambda::Invocation& invocation) {
    guard_->refresh_if_old();  // Between invocations nothing of a function runs.
    return url_->handle(invocation);
  }

 private:
  ApiFunction() = default;

  Result<void> open_guard(const GuardOptions& options) {
    METERLINE_TRY(guard_, Guard::open(
                              options, [this](std::string_view fault) { log_->error(fault, {}); },
                              [](const std::string& name) -> Result<std::string> {
                                METERLINE_TRY(const auto session, aws::open_session());
                                return aws::read_parameter(*session, name);
                              }));
    return {};
  }

  void make_url(lambda::Uploads uploads) {
    metrics_ = std::make_unique<telemetry::EmbeddedMetrics>(*log_, function_name());
    ingest_.now = [this] { return log_->now(); };
    context_.emplace(api::Context{.store = *store_,
                                  .ingest = ingest_,
                                  .now = [this] { return log_->now(); },
                                  .on_upload = {},
                                  .door = &guard_->door(),
                                  .tariffs = &tariffs_,
                                  .groups = &*groups_,
                                  .uploaded = &uploaded_});
    url_.emplace(
        lambda::FunctionUrl::Parts{
            .handler =
                [this](const api::Request& request) { return api::handle(request, *context_); },
            .log = *log_,
            .metrics = *metrics_,
            .limit_store = [this](auto time) { store_->answer_within(time); }},
        uploads);
  }

  ingest::IngestOptions ingest_;
  std::unique_ptr<telemetry::Log> log_;
  std::unique_ptr<Guard> guard_;
  std::unique_ptr<telemetry::EmbeddedMetrics> metrics_;
  std::unique_ptr<store::Store> store_;
  query::Tariffs tariffs_;
  std::optional<access::Groups> groups_;
  api::RememberedAnswers uploaded_;
  std::optional<api::Context> context_;
  std::optional<lambda::FunctionUrl> url_;
};

}  // namespace

int lambda_processor(const LambdaVerb& verb, const Session& session) {
  const auto address = variable("AWS_LAMBDA_RUNTIME_API");
  if (address.empty()) return not_on_lambda();
  lambda::Runtime runtime(address);
  auto parts = EventParts::open(
      verb.events, session,
      {.names = {.service = function_name(), .source = function_name()}, .on_delivery = {}});
  if (!parts) return fail_init(runtime, parts.error());
  const auto queue = verb.queue.empty() ? nullptr : aws::make_queue((*parts)->aws(), verb.queue);
  lambda::Processor processor(
      {.dead_letters = (*parts)->dead_letters(),
       .load = [&](auto id, auto message,
                   const auto& stop) { return (*parts)->load().load(id, message, stop); },
       .log = (*parts)->log(),
       .queue = queue.get(),
       .limit_store = [&](auto time) { (*parts)->store().answer_within(time); }},
      {.receives_max = verb.events.receives_max});
  return serve(runtime, [&](const auto& invocation) { return processor.process(invocation); });
}

int lambda_api(const LambdaVerb& verb, const Session& session) {
  const auto address = variable("AWS_LAMBDA_RUNTIME_API");
  if (address.empty()) return not_on_lambda();
  lambda::Runtime runtime(address);
  auto function = ApiFunction::open(verb, session);
  if (!function) return fail_init(runtime, function.error());
  return serve(runtime, [&](const auto& invocation) { return (*function)->handle(invocation); });
}

}  // namespace meterline::cli
