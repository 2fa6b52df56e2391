#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aws/session.h"
#include "core/instant.h"
#include "core/result.h"
#include "source/byte_source.h"

namespace meterline::aws {

/// An object, or one version of it.
struct ObjectName {
  std::string bucket;
  std::string key;         ///< As S3 has it: UTF-8, not escaped. Never a path on this machine.
  std::string version_id;  ///< Empty: the current version.

  std::string text() const;  ///< `s3://bucket/key`, without the version, not escaped.
  bool operator==(const ObjectName&) const = default;
};

/// What a response tells of the very bytes that it carries.
struct ObjectFacts {
  std::uint64_t bytes = 0;
  std::string etag;         ///< With its quotes.
  std::string version_id;   ///< Empty where the bucket keeps no versions.
  Instant last_modified{};  ///< To the second.
};

struct ListedObject {
  std::string key;
  ObjectFacts facts;  ///< Without a version id.
};

struct OpenObject {
  ObjectFacts facts;
  std::unique_ptr<source::ByteSource> bytes;
};

struct GetOptions {
  std::string if_match;  ///< An ETag that the object must still have; empty: any.
  /// Bytes of one request; an object that is longer comes as ranges, several at once, each
  /// guarded by the ETag of the first response.
  std::uint64_t range_bytes = 8 << 20;
  int ranges_in_flight = 4;
};

/// Objects of S3, read only.
///
/// Threads: may be used from many threads at once.
class Objects {
 public:
  virtual ~Objects() = default;

  /// All objects whose keys begin with `prefix`, ascending by the bytes of the key, page by page.
  /// An error from the visitor ends the listing and is returned.
  virtual Result<void> list(const std::string& bucket, const std::string& prefix,
                            const std::function<Result<void>(const ListedObject&)>& visit) = 0;

  /// Opens an object: the first response has come, and the rest follows as it is read, in memory
  /// of `range_bytes * ranges_in_flight`. A body that ends short, and what the SDK's own tries do
  /// not mend, is asked for again from where it ended, a bounded number of times. `unavailable`
  /// from a read when the object was replaced meanwhile; then it may be opened anew.
  virtual Result<OpenObject> open(const ObjectName& name, const GetOptions& options = {}) = 0;
};

std::unique_ptr<Objects> make_objects(std::shared_ptr<Session> session);

// Objects that are put and removed, from any thread.

/// Puts an object of at most 5 GiB in the place of what is there. Nobody reads a part of it. S3
/// refuses it where its bytes do not have this CRC-32C.
Result<void> put_object(const Session& session, const ObjectName& name,
                        const std::filesystem::path& file, std::uint32_t crc32c);
Result<void> put_object(const Session& session, const ObjectName& name, std::string_view bytes);
/// What is not there is removed, too. A bucket that keeps versions keeps this one.
Result<void> remove_object(const Session& session, const ObjectName& name);

}  // namespace meterline::aws
