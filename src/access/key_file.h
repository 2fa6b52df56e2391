#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/caller.h"
#include "access/digest.h"
#include "core/instant.h"
#include "core/result.h"

namespace meterline::access {

inline constexpr std::size_t keys_max = 10'000;
inline constexpr std::size_t key_file_bytes_max = 16 << 20;
inline constexpr std::size_t key_name_bytes_max = 100;

/// What is kept of a key; the key itself is not.
struct KeyRecord {
  std::string id;  ///< The 12 hexadecimal digits that it begins with.
  std::string name;
  Digest hash{};  ///< Of the whole key.
  Scopes scopes;
  std::optional<std::vector<std::string>> meters;  ///< See Caller::see(); empty: all.
  Instant created_at;
  std::optional<Instant> expires_at;  ///< From then on it is nobody's.
  std::optional<Instant> revoked_at;

  bool is_valid_at(Instant now) const { return !revoked_at && (!expires_at || now < *expires_at); }
};

/// A key is `mlk_`, 12 digits that name it, `_`, and 64 digits that nobody can guess: 256 random
/// bits. Hexadecimal, in lower case.
inline constexpr std::string_view key_start = "mlk_";
inline constexpr std::size_t key_id_chars = 12;
inline constexpr std::size_t key_chars = 81;

/// The id that a text has if it is a key; empty where it is none.
std::optional<std::string_view> id_of_key(std::string_view text);

struct NewKey {
  std::string text;  ///< To be shown once.
  KeyRecord record;
};
/// Makes a key of random bits; the caller fills in who it is for.
Result<NewKey> make_key();

/// The file in which keys are kept: JSON, `{"version":1,"keys":[...]}`. Errors: `corrupt` names
/// what is wrong: nothing of such a file counts.
Result<std::vector<KeyRecord>> parse_keys(std::string_view text);
std::string text_of(const std::vector<KeyRecord>& keys);

/// Errors: `not_found`; `corrupt`; `refused` where others than the owner may write the file.
Result<std::vector<KeyRecord>> read_key_file(const std::filesystem::path& path);

/// Changes the file as a whole, or not at all; one process at a time, others wait. A file that is
/// not there has no keys and is made; only its owner may read it. The new file is durable when it
/// returns. Errors: those of `change`, which is called once, and of read_key_file().
Result<void> change_key_file(const std::filesystem::path& path,
                             const std::function<Result<void>(std::vector<KeyRecord>&)>& change);

/// When each key was used last, as servers write it beside the file of keys.
std::filesystem::path uses_path(const std::filesystem::path& keys);

}  // namespace meterline::access
