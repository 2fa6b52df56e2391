#include "source/s3/s3_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/finding.h"
#include "core/try.h"

namespace meterline::source {
namespace {

constexpr std::string_view scheme = "s3://";
constexpr std::size_t bucket_chars_min = 3;
constexpr std::size_t bucket_chars_max = 63;
constexpr std::size_t key_bytes_max = 1024;

/// Amazon S3 User Guide, "General purpose buckets naming rules", and the capitals and `_` of old
/// buckets.
bool is_bucket_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  return name.size() >= bucket_chars_min && name.size() <= bucket_chars_max &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

/// A request that is refused says nothing against the file: it may be read once rights are mended.
Error failure_of(Error error) {
  if (error.code != Errc::not_found) error.code = Errc::unavailable;
  return error;
}

/// The bytes of an object, and what its response said of them.
class ObjectSource final : public ByteSource {
 public:
  explicit ObjectSource(aws::OpenObject object) : object_(std::move(object)) {}

  std::optional<Origin> origin() const override {
    return Origin{.delivered_at = object_.facts.last_modified,
                  .object_version = object_.facts.version_id,
                  .content_tag = object_.facts.etag};
  }
  Result<std::size_t> read(std::span<char> into) override {
    auto count = object_.bytes->read(into);
    if (!count) return tl::unexpected(failure_of(std::move(count).error()));
    return count;
  }

 private:
  aws::OpenObject object_;
};

/// Opens one object again and again, as long as it is the same.
class ObjectOpener {
 public:
  ObjectOpener(std::shared_ptr<aws::Objects> objects, aws::ObjectName name)
      : objects_(std::move(objects)), name_(std::move(name)) {}

  Result<std::unique_ptr<ByteSource>> open() {
    auto opened = first_ ? open_again(*first_) : objects_->open(name_);
    if (!opened) return tl::unexpected(failure_of(std::move(opened).error()));
    first_ = opened->facts;
    return std::make_unique<ObjectSource>(*std::move(opened));
  }

 private:
  Result<aws::OpenObject> open_again(const aws::ObjectFacts& first) {
    auto opened = objects_->open(name_, {.if_match = first.etag});
    if (!opened) {
      if (opened.error().code == Errc::not_found) return replaced();
      return opened;
    }
    const auto& now = opened->facts;
    if (now.etag != first.etag || now.bytes != first.bytes ||
        now.last_modified != first.last_modified)
      return replaced();
    return opened;
  }

  tl::unexpected<Error> replaced() const {
    return fail(
        Errc::unavailable,
        fmt::format("{} was replaced or removed while it was read; run it again", name_.text()));
  }

  const std::shared_ptr<aws::Objects> objects_;
  const aws::ObjectName name_;
  std::optional<aws::ObjectFacts> first_;
};

bool is_left_out(const aws::ListedObject& listed) {
  return listed.facts.bytes == 0 || listed.key.ends_with('/');
}

Incoming listed_delivery(const std::shared_ptr<aws::Objects>& objects, const std::string& bucket,
                         const aws::ListedObject& listed) {
  auto incoming = object_delivery(objects, {.bucket = bucket, .key = listed.key});
  incoming.delivered_at = listed.facts.last_modified;
  incoming.bytes = listed.facts.bytes;
  incoming.content_tag = listed.facts.etag;
  return incoming;
}

std::string text_of(const S3Url& url) {
  return fmt::format("{}{}/{}", scheme, url.bucket, url.prefix);
}

}  // namespace

Result<std::optional<S3Url>> parse_s3_url(std::string_view text) {
  if (!text.starts_with(scheme)) return std::optional<S3Url>();
  const auto rest = text.substr(scheme.size());
  const auto bucket = rest.substr(0, rest.find('/'));
  const auto prefix = rest.substr(std::min(rest.size(), bucket.size() + 1));
  if (!is_bucket_name(bucket) || prefix.size() > key_bytes_max)
    return fail(Errc::invalid_argument,
                fmt::format("want s3://BUCKET or s3://BUCKET/PREFIX with a bucket of {} to {} of "
                            "`a-z 0-9 . -` and a prefix of at most {} bytes, got \"{}\"",
                            bucket_chars_min, bucket_chars_max, key_bytes_max, excerpt_of(text)));
  return S3Url{.bucket = std::string(bucket), .prefix = std::string(prefix)};
}

Incoming object_delivery(std::shared_ptr<aws::Objects> objects, aws::ObjectName name) {
  auto source = name.text();
  const auto opener = std::make_shared<ObjectOpener>(std::move(objects), std::move(name));
  return {.source = std::move(source), .delivered_at = {}, .bytes = std::nullopt, .open = [opener] {
            return opener->open();
          }};
}

Result<void> visit_objects(const std::shared_ptr<aws::Objects>& objects, const S3Url& url,
                           std::size_t batch_max, const BatchVisitor& visit) {
  std::vector<Incoming> batch;
  METERLINE_CHECK(
      objects->list(url.bucket, url.prefix, [&](const aws::ListedObject& listed) -> Result<void> {
        if (is_left_out(listed)) return {};
        batch.push_back(listed_delivery(objects, url.bucket, listed));
        return batch.size() < batch_max ? Result<void>() : visit(std::exchange(batch, {}));
      }));
  return batch.empty() ? Result<void>() : visit(std::move(batch));
}

Result<std::vector<Incoming>> list_objects(const std::shared_ptr<aws::Objects>& objects,
                                           const S3Url& url) {
  std::vector<Incoming> all;
  const auto add = [&](std::vector<Incoming> one) -> Result<void> {
    if (all.size() == objects_max)
      return fail(Errc::too_large,
                  fmt::format("there are more than {} objects below {}, the most for one run; name "
                              "a longer prefix, or load what is missing with --sweep",
                              objects_max, text_of(url)));
    all.push_back(std::move(one.front()));
    return {};
  };
  METERLINE_CHECK(visit_objects(objects, url, 1, add));
  if (all.empty())
    return fail(Errc::invalid_argument, fmt::format("there are no objects below {}", text_of(url)));
  return all;
}

}  // namespace meterline::source
