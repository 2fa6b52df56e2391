#include "cli/withdraw.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "api/render.h"
#include "cli/clock.h"
#include "cli/exit_code.h"
#include "cli/table.h"
#include "core/try.h"
#include "ingest/withdrawal.h"

namespace meterline::cli {
namespace {

/// Of the system; in a container a user may have none.
std::string name_of_user() {
  const uid_t user = geteuid();
  passwd entry{};
  passwd* found = nullptr;
  constexpr std::size_t names_bytes = 16 << 10;
  std::vector<char> names(names_bytes);
  getpwuid_r(user, &entry, names.data(), names.size(), &found);
  if (found == nullptr || *found->pw_name == '\0') return fmt::format("user {}", user);
  return found->pw_name;
}

/// A file's source is its absolute path: a relative one is taken from here.
Result<DeliveryId> find_delivery(const store::Store& store, const WithdrawVerb& verb) {
  if (const auto id = DeliveryId::parse(verb.what)) return *id;
  auto found = ingest::delivery_of_source(store, verb.what, verb.kind);
  if (found || found.error().code != Errc::not_found) return found;
  std::error_code error;
  const auto path = std::filesystem::absolute(verb.what, error).lexically_normal().string();
  if (!error && path != verb.what) {
    auto of_path = ingest::delivery_of_source(store, path, verb.kind);
    if (of_path || of_path.error().code != Errc::not_found) return of_path;
  }
  return found;
}

std::string text_of(const ingest::WithdrawalAnswer& answer) {
  const auto& delivery = answer.record.delivery;
  const auto& report = answer.record.report;
  const auto& events = answer.record.events;
  const bool is_withdrawn = answer.record.is_withdrawn();
  std::string out = fmt::format("delivery {} of {}, delivered {}\n{} rows, {} readings\n",
                                delivery.id.text(), delivery.source, delivery.delivered_at.text(),
                                grouped(report.rows.stored), grouped(report.readings.stored));
  if (events.empty()) return out + "is not withdrawn; nothing was done\n";
  const auto& event = events.back();
  out += fmt::format("{}{} {} by {}{}{}\n", answer.changed ? "" : "was ",
                     meterline::text_of(event.kind), event.at.text(), event.who,
                     event.reason.empty() ? "" : ": ", event.reason);
  if (!answer.changed) return out + "nothing was done\n";
  if (!is_withdrawn) return out + "it counts from then on\n";
  return out + fmt::format(
                   "it does not count from then on; `meterline withdraw {} --undo` brings "
                   "it back\n",
                   delivery.id.text());
}

void print_withdrawal(const ingest::WithdrawalAnswer& answer, Output output) {
  switch (output) {
    case Output::json:
      print_line(api::withdrawal_json(answer));
      return;
    case Output::csv:
      print_text(api::deliveries_csv({answer.record}));
      return;
    case Output::table:
      print_text(text_of(answer));
  }
}

Result<int> try_withdraw(const WithdrawVerb& verb, const Session& session) {
  if (verb.kind == DeliveryEventKind::withdrawn && verb.reason.empty())
    return fail(Errc::invalid_argument,
                "--reason is missing: say why, it stays in the delivery's record");
  METERLINE_TRY(const auto store, session.open_store(session.store_url, OpenMode::change));
  METERLINE_TRY(const auto id, find_delivery(*store, verb));
  METERLINE_TRY(const auto answer,
                ingest::withdraw(*store, {.delivery = id,
                                          .kind = verb.kind,
                                          .now = now(),
                                          .who = verb.who.empty() ? name_of_user() : verb.who,
                                          .reason = verb.reason}));
  print_withdrawal(answer, session.output);
  return exit_ok;
}

}  // namespace

int withdraw(const WithdrawVerb& verb, const Session& session) {
  const auto done = try_withdraw(verb, session);
  return done ? *done : report_error(done.error());
}

}  // namespace meterline::cli
