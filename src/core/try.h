#pragma once

/// METERLINE_TRY(declaration, expression): unwraps a Result or returns its error.
///   METERLINE_TRY(const auto days, store.read(range));
/// METERLINE_CHECK(expression): the same for a Result<void>.

#define METERLINE_CAT_(a, b) a##b
#define METERLINE_CAT(a, b) METERLINE_CAT_(a, b)
#define METERLINE_TRY_IMPL(name, declaration, expression)      \
  auto name = (expression);                                    \
  if (!name) return ::tl::unexpected(std::move(name).error()); \
  declaration = *std::move(name)
#define METERLINE_TRY(declaration, expression) \
  METERLINE_TRY_IMPL(METERLINE_CAT(result_on_line_, __LINE__), declaration, expression)
#define METERLINE_CHECK_IMPL(name, expression) \
  if (auto name = (expression); !name) return ::tl::unexpected(std::move(name).error())
#define METERLINE_CHECK(expression) \
  METERLINE_CHECK_IMPL(METERLINE_CAT(result_on_line_, __LINE__), expression)
