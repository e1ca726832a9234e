// The database over TLS: what libpq's parameters in the store's address promise is kept. A real
// server with a certificate of a test authority.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/storage/postgres/postgres_database.hpp"

namespace quell::storage {
namespace {

int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  QUELL_ASSERT(bind(probe, reinterpret_cast<sockaddr*>(&at), size) == 0);
  QUELL_ASSERT(getsockname(probe, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  close(probe);
  return ntohs(at.sin_port);
}

// A server whose certificate is for the name db.test, from an authority of its own.
class TlsServer {
 public:
  static TlsServer& shared() {
    static TlsServer one;
    return one;
  }
  std::string file(const std::string& name) const { return (server_.folder() / name).string(); }
  // As a client on the network says it.
  std::string url(const std::string& host, const std::string& parameters) const {
    return "postgres://quell@" + host + ":" + std::to_string(port_) +
           "/postgres?hostaddr=127.0.0.1&" + parameters;
  }
  std::string ask(const std::string& sql) { return server_.ask("postgres", sql); }

 private:
  TlsServer() : port_(free_port()), server_({}, {}, port_) {
    for (const char* name : {"ca", "stranger"}) make_authority(name);
    openssl({"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", "/CN=db.test", "-addext", "subjectAltName=DNS:db.test", "-keyout",
             file("server.key"), "-out", file("server.csr")});
    openssl({"x509", "-req", "-in", file("server.csr"), "-CA", file("ca.crt"), "-CAkey",
             file("ca.key"), "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out",
             file("server.crt")});
    for (const char* what : {"cert", "key"})
      server_.run("postgres", "ALTER SYSTEM SET ssl_" + std::string(what) + "_file = '" +
                                  file("server." + std::string(what[0] == 'c' ? "crt" : "key")) +
                                  "'");
    server_.run("postgres", "ALTER SYSTEM SET ssl = on");
    server_.crash();
    server_.start();
  }
  void make_authority(const std::string& name) {
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=" + name, "-keyout", file(name + ".key"), "-out",
             file(name + ".crt")});
  }
  void openssl(std::vector<std::string> command) {
    command.insert(command.begin(), "/usr/bin/openssl");
    server_.run_program(command);
  }

  int port_;
  TemporaryPostgres server_;
};

class PostgresTls : public testing::Test {
 protected:
  static std::string verified_by(const std::string& authority) {
    return "sslmode=verify-full&sslrootcert=" + server().file(authority);
  }
  static TlsServer& server() { return TlsServer::shared(); }
  // Everything of this store that is connected, and whether all of it is encrypted.
  static void expect_encrypted() {
    EXPECT_EQ(server().ask("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                           " WHERE application_name LIKE 'quell %'"),
              "t");
  }
  static std::string refusal(const std::string& url) {
    const auto store = open_store(url, {});
    if (store.ok()) return {};
    EXPECT_EQ(store.error().code, ErrorCode::store_unavailable);
    return store.error().detail;
  }
};

TEST_F(PostgresTls, VerifyFullWorksWithTheRightHostAndAuthority) {
  const auto store = open_store(server().url("db.test", verified_by("ca.crt")), {});
  ASSERT_TRUE(store.ok()) << to_string(store.error());
  const auto writer = (*store)->open_writer();
  const auto reader = (*store)->open_reader();
  const auto hints = (*store)->open_hints();
  ASSERT_TRUE(writer.ok() && reader.ok() && hints.ok());
  ASSERT_TRUE((*reader)->counts("").ok());
  ASSERT_TRUE((*writer)->upkeep(Instant{Millis{1}}).ok());
  expect_encrypted();
}

TEST_F(PostgresTls, VerifyFullRefusesAnotherHost) {
  const std::string why = refusal(server().url("other.test", verified_by("ca.crt")));
  EXPECT_NE(why.find("does not match host name"), std::string::npos) << why;
}

TEST_F(PostgresTls, VerifyFullRefusesAnUnknownAuthority) {
  const std::string why = refusal(server().url("db.test", verified_by("stranger.crt")));
  EXPECT_NE(why.find("certificate verify failed"), std::string::npos) << why;
}

TEST_F(PostgresTls, RequireEncryptsWithoutAskingWho) {
  const auto store = open_store(server().url("other.test", "sslmode=require"), {});
  ASSERT_TRUE(store.ok()) << to_string(store.error());
  const auto writer = (*store)->open_writer();
  ASSERT_TRUE(writer.ok());
  expect_encrypted();
}

TEST_F(PostgresTls, RequireRefusesAServerThatSpeaksNone) {
  const TemporaryPostgres plain({}, {}, free_port());
  const std::string why = refusal("postgres://quell@127.0.0.1:" +
                                  plain.socket_file().substr(plain.socket_file().rfind('.') + 1) +
                                  "/postgres?sslmode=require");
  EXPECT_NE(why.find("server does not support SSL"), std::string::npos) << why;
}

}  // namespace
}  // namespace quell::storage
