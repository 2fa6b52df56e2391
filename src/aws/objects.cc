#include "aws/objects.h"

#include <algorithm>
#include <utility>

#include "aws/sdk.h"
#include "core/crc32c.h"
#include "core/guarded.h"
#include "core/try.h"

namespace meterline::aws {
namespace {

constexpr std::int64_t micros_per_second = 1'000'000;

ObjectFacts facts_of(const sdk::ObjectFacts& from) {
  return {
      .bytes = from.bytes,
      .etag = std::string(from.etag),
      .version_id = std::string(from.version_id),
      .last_modified = {.micros = from.modified_s * micros_per_second},
  };
}

class ObjectBytes : public source::ByteSource {
 public:
  explicit ObjectBytes(rust::Box<sdk::ObjectReader> reader) : reader_(std::move(reader)) {}

  Result<std::size_t> read(std::span<char> into) override {
    return guarded([&] {
      return reader_->read({reinterpret_cast<std::uint8_t*>(into.data()), into.size()});
    });
  }

 private:
  rust::Box<sdk::ObjectReader> reader_;
};

class S3 : public Objects {
 public:
  explicit S3(std::shared_ptr<Session> session) : session_(std::move(session)) {}

  Result<void> list(const std::string& bucket, const std::string& prefix,
                    const std::function<Result<void>(const ListedObject&)>& visit) override {
    METERLINE_TRY(auto listing,
                  guarded([&] { return session_->sdk().list(str(bucket), str(prefix)); }));
    while (true) {
      METERLINE_TRY(const auto page, guarded([&] { return listing->next_page(); }));
      if (page.empty()) return {};
      for (const auto& object : page)
        METERLINE_CHECK(visit({.key = std::string(object.key), .facts = facts_of(object.facts)}));
    }
  }

  Result<OpenObject> open(const ObjectName& name, const GetOptions& options) override {
    METERLINE_TRY(
        auto reader, guarded([&] {
          return session_->sdk().get({
              .bucket = name.bucket,
              .key = name.key,
              .version_id = name.version_id,
              .if_match = options.if_match,
              .range_bytes = options.range_bytes,
              .ranges_in_flight = static_cast<std::size_t>(std::max(options.ranges_in_flight, 1)),
          });
        }));
    OpenObject open{.facts = facts_of(reader->facts()), .bytes = nullptr};
    open.bytes = std::make_unique<ObjectBytes>(std::move(reader));
    return open;
  }

 private:
  std::shared_ptr<Session> session_;
};

sdk::PutRequest request_of(const ObjectName& name, std::uint32_t crc) {
  return {.bucket = name.bucket, .key = name.key, .crc32c = crc};
}

}  // namespace

std::string ObjectName::text() const { return "s3://" + bucket + "/" + key; }

std::unique_ptr<Objects> make_objects(std::shared_ptr<Session> session) {
  return std::make_unique<S3>(std::move(session));
}

Result<void> put_object(const Session& session, const ObjectName& name,
                        const std::filesystem::path& file, std::uint32_t crc32c) {
  return guarded([&] { session.sdk().put_file(request_of(name, crc32c), str(file.native())); });
}

Result<void> put_object(const Session& session, const ObjectName& name, std::string_view bytes) {
  return guarded([&] {
    session.sdk().put_bytes(request_of(name, crc32c(bytes)),
                            {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  });
}

Result<void> remove_object(const Session& session, const ObjectName& name) {
  return guarded([&] { session.sdk().remove_object(str(name.bucket), str(name.key)); });
}

}  // namespace meterline::aws
