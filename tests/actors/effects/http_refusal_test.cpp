// What must never leave the machine: calls to its own network, requests within requests, and
// anything after the node lost its right to act.
#include <gtest/gtest.h>

#include "actors/effects/http_client.hpp"
#include "actors/effects/outbound_url.hpp"
#include "tests/actors/effects/outbound_fixture.hpp"
#include "tests/actors/effects/own_certificate.hpp"

namespace quell {
namespace {

using namespace test;

void answer(Peer& peer) {
  if (!peer.read_head().empty()) peer.write("HTTP/1.1 204 No Content\r\n\r\n");
}

HttpEnd end_of(HttpClient& client, HttpCall call) {
  const auto sink = std::make_shared<Recorder>();
  client.start(std::move(call), sink);
  EXPECT_TRUE(sink->wait_closed());
  return sink->end;
}

TEST(OutboundUrl, SeesTheAddressBehindEverySpelling) {
  const std::pair<const char*, const char*> spellings[] = {
      {"http://127.0.0.1/", "127.0.0.1"},
      {"http://2130706433/", "127.0.0.1"},
      {"http://0x7f000001/", "127.0.0.1"},
      {"http://0X7F.1/", "127.0.0.1"},
      {"http://0177.0.0.1/", "127.0.0.1"},
      {"http://017700000001/", "127.0.0.1"},
      {"http://127.1/", "127.0.0.1"},
      {"http://127.0.0.1./", "127.0.0.1"},
      {"http://%31%32%37.0.0.1/", "127.0.0.1"},
      {"http://0/", "0.0.0.0"},
      {"http://[::1]/", "::1"},
      {"http://[0:0:0:0:0:0:0:1]:80/", "::1"},
      {"http://[::ffff:127.0.0.1]/", "127.0.0.1"},
      {"http://[::ffff:7f00:1]/", "127.0.0.1"},
      {"http://[64:ff9b::127.0.0.1]/", "64:ff9b::7f00:1"},
      {"https://2852039166:8443/latest", "169.254.169.254"},
      {"http://0xa9.0376.43518/", "169.254.169.254"},
  };
  for (const auto& [text, address] : spellings) {
    const auto url = read_outbound_url(text);
    ASSERT_TRUE(url.ok()) << text << ": " << url.error().detail;
    ASSERT_TRUE(url->literal) << text;
    EXPECT_EQ(url->literal->text(), address) << text;
  }
}

TEST(OutboundUrl, KeepsNamesPortsAndPaths) {
  const auto url = read_outbound_url("HTTPS://Example.COM.:444/a/../b?c=%20d#e");
  ASSERT_TRUE(url.ok());
  EXPECT_FALSE(url->literal);
  EXPECT_EQ(url->port, 444);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->url, "https://" + url->host + ":444/b?c=%20d");
}

TEST(OutboundUrl, RefusesWhatIsNoPlainHttpUrl) {
  for (const char* text : {"",
                           "example.com",
                           "ftp://example.com/",
                           "file:///etc/passwd",
                           "gopher://x/",
                           "http://",
                           "http:///",
                           "http://user:pass@example.com/",
                           "http://user@127.0.0.1/",
                           "http://a b/",
                           "http://example.com/\r\nX: y",
                           "http://example.com/\tx",
                           "http://example.com:0/",
                           "http://example.com:65536/",
                           "http://example.com:x/",
                           "http://1.2.3.4.5/",
                           "http://999.1.1.1/",
                           "http://[::1/",
                           "http://[fe80::1%25eth0]/",
                           "http://exa\x01mple/",
                           "http://a%0d%0ab/",
                           "http://bücher.example/",
                           "http://127.0.0.1%00.example/"})
    EXPECT_FALSE(read_outbound_url(text).ok()) << text;
}

TEST(OutboundRequest, RefusesWhatCouldBecomeASecondRequest) {
  EXPECT_TRUE(check_request_line("GET", {{"X-Fine", "a\tb"}, {"Authorization", "Bearer é"}}).ok());
  for (const char* method : {"", "GET /", "GET\r\n", "G ET", "CONNECT", "TRACE"})
    EXPECT_FALSE(check_request_line(method, {}).ok()) << method;
  const std::pair<std::string, std::string> bad[] = {{"X", "a\r\nY: b"},
                                                     {"X", "a\nb"},
                                                     {"X", std::string("a\0b", 3)},
                                                     {"X\r\nY", "a"},
                                                     {"X:", "a"},
                                                     {"", "a"},
                                                     {"X Y", "a"},
                                                     {"Host", "other"},
                                                     {"host", "other"},
                                                     {"Content-Length", "0"},
                                                     {"Transfer-Encoding", "chunked"},
                                                     {"Connection", "x"}};
  for (const auto& header : bad)
    EXPECT_FALSE(check_request_line("GET", {header}).ok()) << header.first;
}

TEST(HttpRefusal, OfAnAddressThatIsNotPublicComesBeforeAnyConnect) {
  Server server(answer);
  Loop loop;
  HttpClient client(loop.io, {});
  for (const char* host : {"127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]",
                           "[::1]", "0", "localhost"}) {
    const HttpEnd end = end_of(client, get(server.url("/", host)));
    EXPECT_EQ(end.kind, HttpEndKind::refused) << host;
    ASSERT_TRUE(end.error) << host;
    EXPECT_EQ(end.error->code, ErrorCode::refused_address) << host;
  }
  // The accept queue is in order: an earlier connection would have been counted before this one.
  HttpClient allowed(loop.io, local_settings());
  EXPECT_EQ(run(allowed, get(server.url())).kind, HttpEndKind::done);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(HttpRefusal, OfANameThatPointsElsewhereTheSecondTime) {
  Server server(answer);
  Loop loop;
  HttpClientSettings settings = local_settings();
  const auto names = std::make_shared<ScriptedResolver>(loop.io);
  names->say("rebind.test", {"127.0.0.1"});
  names->say("rebind.test", {"127.0.0.2"});
  names->say("rebind.test", {"169.254.169.254", "10.0.0.1", "::1"});
  settings.resolver = names;
  HttpClient client(loop.io, settings);
  const std::string url = server.url("/", "rebind.test");
  EXPECT_EQ(end_of(client, get(url)).kind, HttpEndKind::done);
  for (int i = 0; i < 2; ++i) {
    const HttpEnd end = end_of(client, get(url));
    EXPECT_EQ(end.kind, HttpEndKind::refused);
    EXPECT_EQ(end.error->code, ErrorCode::refused_address);
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST(HttpRefusal, LeavesTheAllowedAddressesOfAName) {
  Server server(answer);
  Loop loop;
  HttpClientSettings settings = local_settings();
  const auto names = std::make_shared<ScriptedResolver>(loop.io);
  names->say("mixed.test", {"10.0.0.1", "127.0.0.1", "::1"});
  settings.resolver = names;
  HttpClient client(loop.io, settings);
  EXPECT_EQ(end_of(client, get(server.url("/", "mixed.test"))).kind, HttpEndKind::done);
}

TEST(HttpRefusal, WhenTheLeaseIsOverAtAnyStepSendsNothing) {
  std::atomic<std::size_t> bytes{0};
  Server server([&](Peer& peer) { bytes += peer.wait_gone(); });
  // The gate is asked after resolution, at the socket and before the request: it closes at each.
  for (int closes_at = 0; closes_at < 3; ++closes_at) {
    Loop loop;
    HttpClientSettings settings = local_settings();
    int asked = 0;
    settings.may_connect = [&] { return asked++ < closes_at; };
    HttpClient client(loop.io, settings);
    const HttpEnd end = end_of(client, get(server.url()));
    EXPECT_EQ(end.kind, HttpEndKind::refused) << closes_at;
    EXPECT_FALSE(end.connected);
  }
  EXPECT_TRUE(server.wait_ended(1));
  EXPECT_EQ(server.accepted(), 1);  // only the last of the three got as far as a connection
  EXPECT_EQ(bytes, 0u);
}

class TlsServer {
 public:
  TlsServer() : server_([this](Peer& peer) { serve(peer); }) {}
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(server_.port()) + "/";
  }
  const std::string& ca_file() const { return certificate_.file(); }
  std::atomic<int> requests{0};

 private:
  void serve(Peer& peer) {
    asio::ssl::stream<tcp::socket&> stream(peer.socket(), certificate_.context());
    boost::system::error_code fault;
    stream.handshake(asio::ssl::stream_base::server, fault);
    std::string text;
    if (!fault) asio::read_until(stream, asio::dynamic_buffer(text), "\r\n\r\n", fault);
    if (fault) return;
    ++requests;
    asio::write(stream, asio::buffer(std::string("HTTP/1.1 204 No Content\r\n\r\n")), fault);
  }
  OwnCertificate certificate_;
  Server server_;
};

TEST(HttpRefusal, OfACertificateThatNobodyVouchesFor) {
  TlsServer server;
  Loop loop;
  const auto names = std::make_shared<ScriptedResolver>(loop.io);
  for (int i = 0; i < 2; ++i) names->say("localhost", {"127.0.0.1"});
  names->say("other.test", {"127.0.0.1"});
  HttpClientSettings settings = local_settings();
  settings.resolver = names;
  HttpClient stranger(loop.io, settings);
  const HttpEnd unknown = run(stranger, get(server.url("localhost")));
  EXPECT_EQ(unknown.kind, HttpEndKind::failed);
  EXPECT_FALSE(unknown.connected);
  settings.ca_file = server.ca_file();
  HttpClient friendly(loop.io, settings);
  const HttpEnd known = run(friendly, get(server.url("localhost")));
  EXPECT_EQ(known.kind, HttpEndKind::done) << (known.error ? known.error->detail : "");
  EXPECT_EQ(run(friendly, get(server.url("other.test"))).kind, HttpEndKind::failed);
  EXPECT_EQ(server.requests, 1);
}

}  // namespace
}  // namespace quell
