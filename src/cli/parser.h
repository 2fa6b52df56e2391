#pragma once

/// Classes of CLI11, for headers that do not need to know them.
namespace CLI {  // NOLINT(readability-identifier-naming): named by CLI11.
class App;
class Option;
}  // namespace CLI
