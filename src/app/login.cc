#include "app/login.h"

#include "core/try.h"

namespace meterline::app {

Result<std::map<std::string, std::string>> read_login(const Environment& environment,
                                                      const ParameterReader& read) {
  std::map<std::string, std::string> login;
  for (const std::string name : {"METERLINE_CASSANDRA_USER", "METERLINE_CASSANDRA_PASSWORD"}) {
    if (auto value = environment(name); !value.empty()) {
      login.emplace(name, std::move(value));
      continue;
    }
    const auto variable = name + "_PARAMETER";
    const auto parameter = environment(variable);
    if (parameter.empty()) continue;
    auto value = read(parameter);
    if (!value) return fail(value.error().code, variable + ": " + value.error().message);
    login.emplace(name, *std::move(value));
  }
  return login;
}

}  // namespace meterline::app
