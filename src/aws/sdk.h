#pragma once

#include <meterline_aws.h>

#include <string>
#include <string_view>
#include <utility>

#include "aws/session.h"

/// For the files of this layer only.
namespace meterline::aws {

namespace sdk = drivers::aws;

class Session {
 public:
  explicit Session(rust::Box<sdk::Session> made) : made_(std::move(made)) {}

  const sdk::Session& sdk() const { return *made_; }

 private:
  rust::Box<sdk::Session> made_;
};

inline rust::Str str(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace meterline::aws
