#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "cli/parser.h"
#include "cli/session.h"
#include "core/instant.h"
#include "core/result.h"

namespace meterline::cli {

struct BackupVerb {
  std::string place;     ///< A folder, or `s3://BUCKET/PREFIX`.
  std::size_t keep = 0;  ///< Backups that stay; 0: all.
  std::string backup;    ///< Its id; empty: the newest, or all of them to check.
  bool names_only = false;
};
/// `meterline store backup PLACE`: copies the store's files, while anybody uses it.
int backup_store(const BackupVerb& verb, const Session& session);
/// `meterline store backup list PLACE`. Exit 1 where one cannot be read.
int list_backups(const BackupVerb& verb, const Session& session);
/// `meterline store backup check PLACE`. Exit 1 where something is damaged.
int check_backups(const BackupVerb& verb, const Session& session);
/// `meterline store restore PLACE`: makes the store that --store names of a backup.
int restore_store(const BackupVerb& verb, const Session& session);

/// When the last backup in a place was made, as far as that can be told: what it finds holds for a
/// minute. From any thread. Errors: of the place's name.
Result<std::function<std::optional<Instant>()>> follow_backups(const std::string& place,
                                                               const Session& session);

/// Their verbs; `verb` must outlive the app.
void add_backup(CLI::App& store, BackupVerb& verb);

}  // namespace meterline::cli
