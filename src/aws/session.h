#pragma once

#include <memory>
#include <string>

#include "core/result.h"

/// The services of AWS that meterline uses, behind plain interfaces. Only the files of this layer
/// see the SDK.
///
/// Errors of every call: `unavailable` for what may succeed later (throttled, 5xx, a cut
/// connection, after the SDK's own tries), `not_found` for a thing that is not there,
/// `refused` when AWS denies it or takes the request for wrong, `invalid_argument` when the set-up
/// lacks something, such as a region. Messages name the thing asked for and never a secret.
namespace meterline::aws {

/// Region, credentials, endpoints and the threads behind all clients. Region and credentials come
/// as for AWS's own tools: environment, profile, web identity, container, instance.
/// AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> lead elsewhere.
///
/// Threads: may be used from many threads at once.
class Session;

/// Makes no request. `region`: empty to take that of the environment or profile.
Result<std::shared_ptr<Session>> open_session(const std::string& region = {});

}  // namespace meterline::aws
