#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.h"
#include "cli/session.h"

namespace meterline::cli {

struct KeysVerb {
  std::string file = "meterline-keys.json";
  std::string id;       ///< Of `revoke`.
  std::string name;     ///< Of whom the key is for.
  std::string scopes;   ///< Joined by `,`.
  std::string meters;   ///< Patterns joined by `,`; empty: all.
  std::string expires;  ///< A day or a time; empty: never.
};

/// `meterline keys create`: makes a key and shows it, this once.
int create_key(const KeysVerb& verb, const Session& session);

/// `meterline keys list`: what there is to know of all keys, but the keys.
int list_keys(const KeysVerb& verb, const Session& session);

/// `meterline keys revoke ID`: from now on the key is nobody's. Exit 1 where there is none.
int revoke_key(const KeysVerb& verb, const Session& session);

struct AuditVerb {
  std::string file;
  std::string hash;   ///< Of `check`: a line's, that was kept elsewhere. May be empty.
  std::string meter;  ///< Of `hash`.
};

/// `meterline audit check FILE`: whether each line follows from the one before. Exit 1 where one
/// does not, which is named.
int check_audit(const AuditVerb& verb, const Session& session);

/// `meterline audit hash FILE METER`: what a meter is called in it.
int hash_audit_meter(const AuditVerb& verb, const Session& session);

/// The flags of both. The verbs must outlive the app.
void add_keys(CLI::App& app, KeysVerb& keys, AuditVerb& audit);

/// The parts of `a,b,c`, without empty ones.
std::vector<std::string> split_list(std::string_view text);

}  // namespace meterline::cli
