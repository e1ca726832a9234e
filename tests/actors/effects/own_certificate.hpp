// A key and a certificate of its own making for `localhost`, for servers that speak TLS in a test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/ssl.hpp>
#include <cstdio>
#include <string>

namespace quell::test {

class OwnCertificate {
 public:
  OwnCertificate() : context_(boost::asio::ssl::context::tls_server) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_version(cert, 2);
    X509_set_pubkey(cert, key);
    X509_NAME* name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(cert, key, EVP_sha256());
    SSL_CTX_use_certificate(context_.native_handle(), cert);
    SSL_CTX_use_PrivateKey(context_.native_handle(), key);
    static std::atomic<int> number{0};
    file_ = testing::TempDir() + "outbound_ca_" + std::to_string(::getpid()) + "_" +
            std::to_string(++number) + ".pem";
    std::FILE* file = std::fopen(file_.c_str(), "w");
    PEM_write_X509(file, cert);
    std::fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  ~OwnCertificate() { std::remove(file_.c_str()); }
  OwnCertificate(const OwnCertificate&) = delete;
  OwnCertificate& operator=(const OwnCertificate&) = delete;

  boost::asio::ssl::context& context() { return context_; }
  const std::string& file() const { return file_; }  // what a client is to trust

 private:
  boost::asio::ssl::context context_;
  std::string file_;
};

}  // namespace quell::test
