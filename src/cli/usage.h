#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace meterline::cli {

/// Help of all verbs that are added to the application from now on: 80 columns wide, with defaults;
/// names of the environment only where all help is asked for.
void set_help(CLI::App& app);

/// Gives each verb an example of its use, below its help; behind the last verb.
void add_examples(CLI::App& app);

/// `store check` for a verb of a verb; empty where there is none.
std::string verb_of(const CLI::App& app);

/// Prints the help of a verb as `meterline VERB --help` does; of all for none. An exit code.
int show_help(const CLI::App& app, const std::vector<std::string>& verb);

/// Help and version are asked for; all else is wrong usage, and the message says what may have been
/// meant, in which line of a configuration file, and leads to the help. An exit code.
int end_parsing(const CLI::ParseError& error, const CLI::App& app);

/// The one of the words that somebody may have meant who wrote another; empty where none is near.
std::string_view likely_meant(std::string_view written, const std::vector<std::string>& words);

}  // namespace meterline::cli
