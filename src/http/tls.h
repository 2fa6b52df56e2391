#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/result.h"

namespace meterline::http {

/// Where a server's certificate and its key are: PEM; the certificate first, then those between it
/// and one that clients trust.
struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// What a server proves itself by, read again where its files change. TLS 1.2 and later.
///
/// Threads: every method may be called from any thread.
class Tls {
 public:
  /// Errors: `invalid_argument` names the file that is none, or that the two do not belong
  /// together.
  static Result<std::unique_ptr<Tls>> open(TlsFiles files);

  /// For a connection that begins now.
  std::shared_ptr<boost::asio::ssl::context> context() const;

  /// Reads the files again where they changed. The last ones stay where they cannot be used: the
  /// error says why, once for each change.
  Result<void> refresh();

 private:
  explicit Tls(TlsFiles files) : files_(std::move(files)) {}

  const TlsFiles files_;
  mutable std::mutex mutex_;
  std::string mark_;
  std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace meterline::http
