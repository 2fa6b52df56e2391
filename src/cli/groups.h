#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/parser.h"
#include "cli/session.h"
#include "core/meter_filter.h"
#include "core/meter_id.h"
#include "core/result.h"
#include "store/store.h"
#include "store/visible/visible_store.h"

namespace meterline::cli {

/// The meters of a group: `group` is its name in the folder of groups, or a file with a `/` in its
/// path or an ending. Errors: `invalid_argument`; those of access::Groups::find().
Result<std::shared_ptr<const MeterFilter>> group_option(const Session& session,
                                                        const std::string& group);

/// A store that is asked about all of its meters, or about those of a group.
class AskedStore {
 public:
  /// Of all meters where `group` is empty. Errors: those of group_option() and of opening a store.
  static Result<AskedStore> open(const Session& session, const std::string& group);

  store::Store& operator*() const { return shown_ ? *shown_ : *all_; }
  store::Store* operator->() const { return &**this; }

 private:
  std::unique_ptr<store::Store> all_;
  std::shared_ptr<const MeterFilter> meters_;
  std::unique_ptr<store::VisibleStore> shown_;
};

/// The ids of a store's meters that a filter has, ascending; a name that is not known counts as
/// well. Errors: `too_large` for more than listed_meters_max.
Result<std::vector<MeterId>> ids_of(const store::Store& store, const MeterFilter& meters);

/// `--group`, of a question about all meters.
void add_group(CLI::App& verb, std::string& group);

struct GroupsVerb {
  std::string name;
  std::string file;  ///< Of `set`; `-`: standard input.
};
/// `meterline groups list`, `show`, `set` and `remove`: named lists of meters.
int list_groups(const Session& session);
int show_group(const GroupsVerb& verb, const Session& session);
int set_group(const GroupsVerb& verb, const Session& session);
int remove_group(const GroupsVerb& verb, const Session& session);
/// Their options, and where groups are. `verb` and `folder` must outlive the app.
void add_groups(CLI::App& app, GroupsVerb& verb, std::string& folder);

}  // namespace meterline::cli
