#include "http/tls.h"

#include <fmt/core.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "core/try.h"

namespace meterline::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using Context = std::shared_ptr<ssl::context>;

std::string mark_of(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return "none";
  return fmt::format("{} {} {}.{}", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

std::string mark_of(const TlsFiles& files) {
  return mark_of(files.certificate) + '/' + mark_of(files.key);
}

tl::unexpected<Error> unusable(const std::filesystem::path& path, std::string_view wanted,
                               const error_code& error) {
  return fail(Errc::invalid_argument,
              fmt::format("{}: want {}: {}", path.string(), wanted, error.message()));
}

/// Throws where OpenSSL has no memory.
Result<Context> read(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  auto* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(
      native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Of TLS 1.2, suites with forward secrecy and authenticated encryption (RFC 9325, 4.2).
  SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");
  error_code error;
  context->use_certificate_chain_file(files.certificate.string(), error);
  if (error) return unusable(files.certificate, "a certificate and its chain in PEM", error);
  context->use_private_key_file(files.key.string(), ssl::context::pem, error);
  if (error)
    return unusable(files.key, "the private key, without a password, of the certificate in PEM",
                    error);
  return context;
}

}  // namespace

Result<std::unique_ptr<Tls>> Tls::open(TlsFiles files) {
  std::unique_ptr<Tls> tls(new Tls(std::move(files)));
  METERLINE_CHECK(tls->refresh());
  return tls;
}

std::shared_ptr<ssl::context> Tls::context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

Result<void> Tls::refresh() {
  const std::string mark = mark_of(files_);
  {
    const std::lock_guard lock(mutex_);
    if (mark == mark_) return {};
    mark_ = mark;
  }
  METERLINE_TRY(auto context, read(files_));
  const std::lock_guard lock(mutex_);
  context_ = std::move(context);
  return {};
}

}  // namespace meterline::http
