// What the command line's client makes of servers that behave, and of those that do not.
#include "http/client/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <thread>

#include "http/client/server_url.hpp"
#include "tests/actors/effects/own_certificate.hpp"

namespace quell::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;

// Takes connections one after another, waits for a whole head and answers.
// Each script is one connection: an answer for each head; after the last it is closed.
class ScriptedServer {
 public:
  using Script = std::vector<std::string>;
  explicit ScriptedServer(std::vector<Script> scripts, test::OwnCertificate* own = nullptr)
      : own_(own), thread_([this, scripts = std::move(scripts)] {
          for (const Script& script : scripts) serve(script);
        }) {}
  ~ScriptedServer() { thread_.join(); }

  ClientOptions options() const {
    ClientOptions options;
    options.url = (own_ != nullptr ? "https" : "http") + std::string{"://localhost:"} +
                  std::to_string(acceptor_.local_endpoint().port());
    options.timeout = Millis{5'000};
    return options;
  }

 private:
  template <class Stream>
  void talk(Stream& stream, const Script& script) {
    boost::system::error_code fault;
    std::string text;
    for (const std::string& answer : script) {
      asio::read_until(stream, asio::dynamic_buffer(text), "\r\n\r\n", fault);
      if (fault) return;
      text.clear();
      asio::write(stream, asio::buffer(answer), fault);
    }
  }
  void serve(const Script& script) {
    tcp::socket socket = acceptor_.accept();
    if (own_ == nullptr) return talk(socket, script);
    asio::ssl::stream<tcp::socket&> stream(socket, own_->context());
    boost::system::error_code refused;
    stream.handshake(asio::ssl::stream_base::server, refused);
    if (!refused) talk(stream, script);
  }

  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  test::OwnCertificate* own_;
  std::thread thread_;
};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Said: Yes\r\n\r\nok";

TEST(HttpClientOfPeople, KeepsItsConnectionAndNamesHeadersInLowerCase) {
  ScriptedServer server({{ok, ok}});
  Client client(server.options());
  EXPECT_EQ(client.send("GET", "/a").value().body, "ok");
  EXPECT_EQ(client.send("DELETE", "/b", "{}").value().headers.at("x-said"), "Yes");
}

TEST(HttpClientOfPeople, AsksAgainWhereAKeptConnectionWasClosedButNeverPostsTwice) {
  ScriptedServer server({{ok}, {ok}, {ok}});
  Client client(server.options());
  EXPECT_TRUE(client.send("GET", "/1"));
  EXPECT_TRUE(client.send("GET", "/2"));  // the first connection is gone by now, or goes now
  const auto posted = client.send("POST", "/3");
  ASSERT_FALSE(posted);
  EXPECT_EQ(posted.error().code, ErrorCode::server_unreachable);
  EXPECT_TRUE(client.send("GET", "/4"));
}

TEST(HttpClientOfPeople, PassesOverTheAnswerThatOnlySaysThatOneComes) {
  ScriptedServer server({{"HTTP/1.1 100 Continue\r\n\r\n" + ok}});
  EXPECT_EQ(Client(server.options()).send("POST", "/", "{}").value().status, 200);
}

TEST(HttpClientOfPeople, ReadsNoBodyWhereThereIsNone) {
  ScriptedServer server(
      {{"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"}});
  Client client(server.options());
  EXPECT_EQ(client.send("GET", "/").value().status, 204);
  EXPECT_EQ(client.send("GET", "/").value().status, 304);
  EXPECT_EQ(client.send("HEAD", "/").value().body, "");
}

TEST(HttpClientOfPeople, SaysThatTheConnectionEndedBeforeTheAnswerDid) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "HTTP/1.1 20",
        "no HTTP at all\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    ScriptedServer server({{answer}});
    const auto reply = Client(server.options()).send("POST", "/");
    ASSERT_FALSE(reply) << answer;
    EXPECT_THAT(reply.error().detail, HasSubstr("ended before the answer did")) << answer;
  }
}

TEST(HttpClientOfPeople, HandsAStreamOverPieceByPieceUntilNobodyWantsMore) {
  ScriptedServer server(
      {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        "6\r\nsecond\r\n0\r\n\r\n"}});
  std::string came;
  EXPECT_TRUE(Client(server.options()).follow("/", {}, [&](std::string_view piece) {
    came += piece;
    return true;
  }));
  EXPECT_EQ(came, "firstsecond");
}

TEST(HttpClientOfPeople, KeepsTheBodyOfAStreamThatIsRefused) {
  ScriptedServer server({{"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nwhy?"}});
  const auto reply = Client(server.options()).follow("/", {}, [](auto) { return false; });
  EXPECT_EQ(reply.value().status, 403);
  EXPECT_EQ(reply.value().body, "why?");
}

TEST(HttpClientOfPeople, WaitsForASilentServerOnlySoLong) {
  asio::io_context io;
  tcp::acceptor silent(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  ClientOptions options;
  options.url = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  options.timeout = Millis{50};
  EXPECT_EQ(Client(options).send("GET", "/").error().code, ErrorCode::server_unreachable);
}

TEST(HttpClientOfPeople, SaysWhyACertificateIsNotTrusted) {
  test::OwnCertificate own, others;
  ScriptedServer server({{ok}, {ok}}, &own);
  ClientOptions options = server.options();
  options.ca_file = others.file();
  EXPECT_THAT(Client(options).send("GET", "/").error().detail,
              HasSubstr("self-signed certificate"));
  options.ca_file = own.file();
  EXPECT_EQ(Client(options).send("GET", "/").value().body, "ok");
}

TEST(HttpClientOfPeople, TrustsACertificateOnlyForItsName) {
  test::OwnCertificate own;
  ScriptedServer server({{ok}}, &own);
  ClientOptions options = server.options();
  options.ca_file = own.file();
  options.url.replace(options.url.find("localhost"), 9, "127.0.0.1");
  EXPECT_FALSE(Client(options).send("GET", "/"));
}

TEST(HttpClientOfPeople, ReadsWhereAServerIsFromItsUrl) {
  EXPECT_EQ(read_url("https://[::1]:9/x/").value().prefix, "/x");
  EXPECT_EQ(read_url("https://[::1]:9/x/").value().host, "::1");
  EXPECT_EQ(read_url("http://quell.example").value().port, "80");
  for (const char* wrong :
       {"quell.example", "ftp://quell.example", "http://", "http://:80", "http://h:"})
    EXPECT_EQ(read_url(wrong).error().code, ErrorCode::usage) << wrong;
}

}  // namespace
}  // namespace quell::http
