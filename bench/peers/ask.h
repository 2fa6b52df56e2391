// What the peers in C++ share: the key file and the clock of bench/peers/peer.py's `ask`.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

struct Options {
  std::string command;
  int minutes = 30;
  int decimals = 0;
  double seconds = 10;
  std::string store;
  std::vector<std::string> paths;
};

inline Options parse(int argc, char** argv) {
  Options options;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      words.push_back(word);
      continue;
    }
    if (++i == argc) throw std::invalid_argument(word + " wants a value");
    if (word == "--minutes")
      options.minutes = std::atoi(argv[i]);
    else if (word == "--decimals")
      options.decimals = std::atoi(argv[i]);
    else if (word == "--seconds")
      options.seconds = std::strtod(argv[i], nullptr);
    else if (word != "--threads")
      throw std::invalid_argument("unknown option " + word);
  }
  if (words.size() < 2) throw std::invalid_argument("want COMMAND STORE [PATH...]");
  options.command = words[0];
  options.store = words[1];
  options.paths.assign(words.begin() + 2, words.end());
  return options;
}

struct Key {
  std::string meter;
  std::string from;
  std::string to;  ///< exclusive
};

inline std::map<std::string, std::vector<Key>> read_keys(const std::string& path) {
  std::ifstream file(path);
  std::map<std::string, std::vector<Key>> keys;
  std::string question;
  for (Key key; file >> question >> key.meter >> key.from >> key.to;) keys[question].push_back(key);
  if (keys.empty()) throw std::runtime_error("no keys in " + path);
  return keys;
}

/// Of two dates, yyyy-MM-dd.
inline std::int64_t days_between(const std::string& from, const std::string& to) {
  const auto day = [](const std::string& text) {
    return std::chrono::sys_days(std::chrono::year(std::stoi(text)) / std::stoi(text.substr(5)) /
                                 std::stoi(text.substr(8)));
  };
  return (day(to) - day(from)).count();
}

/// In units of the last decimal, or a count.
using Answer = std::function<std::int64_t(const Key&)>;

/// Prints how long the answers took, the first of them, and the sum of all.
inline void ask(std::string_view question, const std::vector<Key>& keys, double seconds_max,
                const Answer& answer) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  constexpr std::size_t checked_keys = 20;
  constexpr double warming_share = 0.25;  // Of seconds_max, before the clock runs.
  std::ostringstream first;
  const auto warming = Clock::now();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i >= checked_keys && seconds_since(warming) > seconds_max * warming_share) break;
    const auto got = answer(keys[i]);
    if (i < checked_keys) first << (i == 0 ? "" : ",") << got;
  }

  std::vector<double> took;
  std::int64_t sum = 0;
  const auto begin = Clock::now();
  for (const auto& key : keys) {
    const auto at = Clock::now();
    sum += answer(key);
    took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - at).count());
    if (seconds_since(begin) > seconds_max) break;
  }
  std::sort(took.begin(), took.end());
  std::cout << "{\"question\":\"" << question << "\",\"asked\":" << took.size()
            << ",\"of\":" << keys.size() << ",\"median_us\":" << took[took.size() / 2]
            << ",\"p99_us\":" << took[took.size() * 99 / 100] << ",\"first\":[" << first.str()
            << "],\"sum\":" << (took.size() == keys.size() ? std::to_string(sum) : "null") << "}"
            << std::endl;
}

inline void ask_all(const Options& options,
                    const std::vector<std::pair<std::string, Answer>>& answers) {
  const auto keys = read_keys(options.paths.at(0));
  for (const auto& [question, answer] : answers)
    if (const auto found = keys.find(question); found != keys.end())
      ask(question, found->second, options.seconds, answer);
}

}  // namespace bench
