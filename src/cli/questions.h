#pragma once

#include <string>

#include "cli/session.h"

namespace meterline::cli {

/// Options that questions share; empty means not given.
struct QuestionOptions {
  std::string from;
  std::string to;
  std::string group;  ///< Of questions about all meters: only those of this group.
  std::string resolution = "day";
  std::string unit;
  std::string channel;
  std::string flow;
  std::string as_of;
};

struct QueryVerb {
  std::string meter;
  QuestionOptions options;
};
/// `meterline query METER`: what a meter used. Exit 1 for an unknown meter. `meterline query
/// @FILE`: what each meter of a list used (read_meter_list()); exit 1 where one of them is unknown,
/// behind the answers about all others.
int query(const QueryVerb& verb, const Session& session);

/// `meterline profile METER`: what a day of a meter looks like.
int profile(const QueryVerb& verb, const Session& session);

struct TopVerb {
  QuestionOptions options;
  std::string order = "highest";
  std::size_t limit = 10;
};
/// `meterline top`: the meters that used the most, or the least.
int top(const TopVerb& verb, const Session& session);

/// `meterline portfolio`: what all meters used.
int portfolio(const QuestionOptions& options, const Session& session);

struct GapsVerb {
  std::string meter;  ///< Empty: of all meters.
  QuestionOptions options;
  std::string absent = "true";  ///< Of all meters: whether those without any day count.
  std::size_t limit = 100;      ///< Of all meters: show at most so many.
};
/// `meterline gaps`: which meters lack days; `meterline gaps METER`: which days a meter lacks.
int gaps(const GapsVerb& verb, const Session& session);

struct HistoryVerb {
  std::string meter;
  std::string date;
  std::string channel;
  std::string flow;
};
/// `meterline history METER DATE`: every version of a day, and what each changed.
int history(const HistoryVerb& verb, const Session& session);

struct RegistersVerb {
  std::string meter;
  std::string from;  ///< Empty: of all days.
  std::string to;
  std::string channel;
  std::string flow;
  std::string as_of;
  std::size_t limit = 100;  ///< Show at most so many reads.
};
/// `meterline registers METER`: what a meter's registers showed when they were read. Exit 1 for an
/// unknown meter.
int registers(const RegistersVerb& verb, const Session& session);

struct ChangesVerb {
  std::string since;
  std::string meter;  ///< Empty: of all meters, or of those of a group.
  std::string group;
  std::string from;  ///< Empty: of all days.
  std::string to;
  std::string channel;
  std::string flow;
  std::size_t limit = 100;  ///< Show at most so many days.
};
/// `meterline changes --since T [METER]`: days whose answer is another than it was then.
int changes(const ChangesVerb& verb, const Session& session);

struct ListVerb {
  std::string prefix;  ///< Of meter ids.
  std::string group;   ///< Empty: of any.
  std::size_t limit = 100;
};
/// `meterline meters`: the meters of the store, their channels and dates.
int meters(const ListVerb& verb, const Session& session);

}  // namespace meterline::cli
