#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "source/byte_source.h"

namespace meterline::cli {

/// What the paths of an ingest name, in their order: files, folders with all below them, `-` for
/// standard input, `s3://BUCKET/PREFIX`.
Result<std::vector<source::Incoming>> incoming_of(const std::vector<std::string>& paths);

using BatchVisitor = std::function<Result<void>(std::vector<source::Incoming> batch)>;

/// Lists objects, a batch of at most `batch_max` at a time.
using ObjectLister = std::function<Result<void>(std::size_t batch_max, const BatchVisitor& visit)>;

/// Of all objects below `urls`; nothing is asked of S3 before it is called. `invalid_argument` for
/// what is no `s3://BUCKET/PREFIX`.
Result<ObjectLister> objects_below(const std::vector<std::string>& urls);

}  // namespace meterline::cli
