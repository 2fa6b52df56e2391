#include "cli/question_parts.h"

namespace meterline::cli {

Result<std::optional<Flow>> flow_option(const std::string& text) {
  if (text.empty()) return std::optional<Flow>();
  const auto flow = parse_flow(text);
  if (!flow)
    return fail(Errc::invalid_argument,
                fmt::format("--flow: want consumption, generation, reactive or other, got \"{}\"",
                            excerpt_of(text)));
  return flow;
}

Result<std::optional<Unit>> answer_unit_option(const std::string& text) {
  if (text.empty()) return std::optional<Unit>();
  const auto unit = parse_unit(text);
  if (!unit)
    return fail(Errc::invalid_argument,
                fmt::format("--unit: want Wh, kWh, MWh, kvarh, ..., got \"{}\"", excerpt_of(text)));
  return unit;
}

std::string text_of(const std::optional<Sum>& sum) { return sum ? sum->text() : "-"; }

std::string title_of(const Channel& channel) {
  std::string title = channel.name;
  if (channel.name != text_of(channel.flow)) title += fmt::format(" ({})", text_of(channel.flow));
  if (channel.unit != Unit::unknown) title += fmt::format(", {}", text_of(channel.unit));
  return title;
}

std::string readings_of(const query::Total& total) {
  return fmt::format("{}/{}", total.readings, total.expected);
}

Result<MeterId> meter_argument(const std::string& text) {
  const auto meter = MeterId::parse(text);
  if (!meter)
    return fail(
        Errc::invalid_argument,
        fmt::format("METER: want 1 to 64 of `A-Z a-z 0-9 _ - . :`, got \"{}\"", excerpt_of(text)));
  return *meter;
}

Result<void> check_one_meter(const std::string& group) {
  if (group.empty()) return {};
  return fail(Errc::invalid_argument, "give either METER or --group, not both");
}

}  // namespace meterline::cli
