#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "store/backup/place.h"

namespace meterline::app {

/// Backups at `s3://BUCKET/PREFIX`, in a bucket that is there. S3 has no locks: one process at a
/// time is to change such a place. Errors: `invalid_argument` for what is no such URL; those of
/// opening a session with AWS.
Result<std::unique_ptr<store::backup::Place>> open_s3_place(const std::string& url);

}  // namespace meterline::app
