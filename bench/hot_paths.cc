// The hot paths, one after the other, each in a dump of callgrind of its own; bench/instructions.py
// runs it under valgrind and counts.
//   hot_paths FILE STORE     FILE: a wide CSV file of make_files; STORE: a folder to be made
#include <valgrind/callgrind.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/day_sink.h"
#include "formats/wide_csv.h"
#include "ingest/ingest.h"
#include "query/consumption.h"
#include "source/byte_source.h"
#include "store/packed_day.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"

namespace {

using namespace meterline;
using testing::must;

constexpr int questions = 100;

/// Runs `work` and puts what it took into a dump with this name.
template <class Work>
void count(const char* name, const Work& work) {
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  work();
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
}

class KeepingSink final : public formats::DaySink {
 public:
  void on_day(const ReadingDay& day, int /*rejected_readings*/,
              const formats::Row& /*row*/) override {
    if (keep) days.push_back(day);
  }
  void on_read(const RegisterRead& /*read*/, const formats::Row& row) override {
    throw std::runtime_error("a register read: " + std::string(row.text));
  }
  void on_rejected_row(const formats::Row& row) override {
    throw std::runtime_error("rejected: " + std::string(row.text));
  }
  void on_finding(Finding finding) override { throw std::runtime_error(finding.text); }

  bool keep = true;
  std::vector<ReadingDay> days;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path);
  return text.str();
}

/// Returns the days of the file.
std::vector<ReadingDay> parse(std::string_view text) {
  const auto header_end = text.find('\n');
  const auto csv = must(formats::WideCsv::create(text.substr(0, header_end), Unit::kWh)).parser;
  KeepingSink sink;
  const formats::Piece rows{.text = text.substr(header_end + 1), .first_line = 2};
  csv.parse(rows, sink);
  sink.keep = false;
  count("parse", [&] { csv.parse(rows, sink); });
  return std::move(sink.days);
}

void pack_and_unpack(const std::vector<ReadingDay>& days) {
  std::vector<std::string> packed(days.size());
  const auto pack = [&] {
    for (std::size_t i = 0; i < days.size(); ++i) {
      packed[i].clear();
      store::pack_day(days[i], packed[i]);
    }
  };
  pack();
  count("pack", pack);
  ReadingDay day;
  count("unpack", [&] {
    for (const auto& bytes : packed)
      if (!store::unpack_day(bytes, day)) throw std::runtime_error("a packed day was refused");
  });
}

void ingest_text(std::string_view text, store::Store& store) {
  const source::Incoming incoming{.source = "hot_paths",
                                  .delivered_at = {.micros = 1'600'000'000'000'000},
                                  .bytes = text.size(),
                                  .open = [text]() -> Result<std::unique_ptr<source::ByteSource>> {
                                    return source::make_memory_source(text);
                                  }};
  const auto record = ingest::load(incoming, store, {.unit = Unit::kWh, .threads = 1});
  if (record.report.state != DeliveryState::stored) throw std::runtime_error(record.report.reason);
}

void ask(const std::vector<ReadingDay>& days, const store::Store& store) {
  const auto day = [&] {
    for (std::size_t i = 0; i < questions; ++i) {
      const auto& asked = days[i * days.size() / questions];
      if (!must(query::daily_sum(store, asked.meter, asked.date)))
        throw std::runtime_error("a day is unknown");
    }
  };
  const DateRange year{Date::parse("2019-01-01").value(), Date::parse("2019-12-31").value()};
  const auto series = [&] {
    for (std::size_t i = 0; i < questions; ++i)
      must(query::consumption(store,
                              {.meter = days[i * days.size() / questions].meter, .dates = year}));
  };
  const auto readings = [&] {
    for (std::size_t i = 0; i < questions; ++i) {
      const auto& asked = days[i * days.size() / questions];
      must(query::consumption(store, {.meter = asked.meter,
                                      .dates = {asked.date, asked.date},
                                      .resolution = query::Resolution::interval}));
    }
  };
  day();
  count("day-question", day);
  readings();
  count("readings-question", readings);
  series();
  count("year-question", series);
}

void run(const std::string& file, const std::string& folder) {
  const auto text = text_of(file);
  const auto days = parse(text);
  pack_and_unpack(days);
  const auto store = must(store::open_rocksdb_store({.folder = folder}));
  count("ingest", [&] { ingest_text(text, *store); });
  ask(days, *store);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: hot_paths FILE STORE\n";
    return 2;
  }
  try {
    run(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "hot_paths: " << error.what() << '\n';
    return 1;
  }
}
