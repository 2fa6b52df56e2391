#include "access/caller.h"

#include <fmt/core.h>

#include <algorithm>

#include "access/groups.h"
#include "core/text.h"
#include "core/try.h"

namespace meterline::access {

std::string_view text_of(Scope scope) {
  switch (scope) {
    case Scope::read:
      return "read";
    case Scope::upload:
      return "upload";
    case Scope::admin:
      return "admin";
  }
  return "";
}

std::optional<Scope> parse_scope(std::string_view text) {
  const auto* const found = std::find_if(all_scopes.begin(), all_scopes.end(),
                                         [&](Scope scope) { return text_of(scope) == text; });
  return found == all_scopes.end() ? std::nullopt : std::optional(*found);
}

Result<void> Caller::see(std::span<const std::string> patterns) {
  meters = MeterFilter();
  group.clear();
  const bool has_group =
      std::any_of(patterns.begin(), patterns.end(),
                  [](const std::string& pattern) { return pattern.starts_with('@'); });
  if (!has_group) {
    METERLINE_TRY(meters, MeterFilter::parse(patterns));
    return {};
  }
  group = group_of_pattern(patterns.front());
  if (patterns.size() == 1 && !group.empty()) return {};
  return fail(Errc::invalid_argument,
              fmt::format("a group stands alone: want @NAME and no more, with a name of {}",
                          group_name_wanted));
}

tl::expected<std::string_view, Denial> bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.empty())
    return tl::unexpected(Denial{
        .reason = Denial::Reason::missing,
        .detail = "this server answers those it knows only: send Authorization: Bearer KEY"});
  if (!same_letters(authorization.substr(0, scheme.size()), scheme))
    return tl::unexpected(Denial{.detail = "Authorization: want Bearer KEY"});
  auto token = authorization.substr(scheme.size());
  token.remove_prefix(std::min(token.size(), token.find_first_not_of(' ')));
  return token;
}

}  // namespace meterline::access
