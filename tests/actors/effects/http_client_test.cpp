#include "actors/effects/http_client.hpp"

#include <gtest/gtest.h>

#include "tests/actors/effects/outbound_fixture.hpp"

namespace quell {
namespace {

using namespace test;

std::string reply(const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

HttpEnd run(HttpClient& client, HttpCall call) {
  const auto sink = std::make_shared<Recorder>();
  client.start(std::move(call), sink);
  EXPECT_TRUE(sink->wait_closed());
  EXPECT_EQ(sink->closes, 1);
  return sink->end;
}

TEST(HttpClient, BringsAWholeReply) {
  std::string seen;
  Server server([&](Peer& peer) {
    seen = peer.read_head();
    peer.write(reply("hello", "X-One: 1\r\nX-Empty:\r\n"));
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  HttpCall call = get(server.url("/a?b=c"));
  call.headers = {{"X-Asked", "yes"}, {"X-Blank", ""}};
  const HttpEnd end = run(client, call);
  EXPECT_EQ(end.kind, HttpEndKind::done);
  EXPECT_EQ(end.head.status, 200);
  EXPECT_EQ(end.body, "hello");
  EXPECT_TRUE(end.connected);
  EXPECT_GT(end.bytes_in, 5u);
  EXPECT_GT(end.bytes_out, 0u);
  ASSERT_EQ(end.head.headers.size(), 3u);
  EXPECT_EQ(end.head.headers[0], (std::pair<std::string, std::string>("X-One", "1")));
  EXPECT_EQ(end.head.headers[1], (std::pair<std::string, std::string>("X-Empty", "")));
  EXPECT_EQ(seen.rfind("GET /a?b=c HTTP/1.1\r\n", 0), 0u);
  EXPECT_NE(seen.find("X-Asked: yes\r\n"), std::string::npos);
  EXPECT_NE(seen.find("X-Blank:\r\n"), std::string::npos);
  EXPECT_EQ(client.open(), 0u);
}

TEST(HttpClient, SendsTheBodyWithTheMethodItWasGiven) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    std::string seen;
    Server server([&](Peer& peer) {
      seen = peer.read_head();
      while (seen.find("payload") == std::string::npos && peer.read_some() != 0) seen += "payload";
      peer.write(reply("ok"));
    });
    Loop loop;
    HttpClient client(loop.io, local_settings());
    HttpCall call = get(server.url());
    call.method = method;
    call.body = "payload";
    EXPECT_EQ(run(client, call).body, "ok") << method;
    EXPECT_EQ(seen.rfind(std::string(method) + " / HTTP/1.1\r\n", 0), 0u) << seen;
    EXPECT_NE(seen.find("Content-Length: 7\r\n"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("Content-Type"), std::string::npos) << seen;
  }
}

TEST(HttpClient, StreamsAReplyInOrder) {
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 100; ++i) peer.write("5\r\n" + std::to_string(10'000 + i) + "\r\n");
    peer.write("0\r\nX-Trailer: lies\r\n\r\n");
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  HttpCall call = get(server.url());
  call.stream = true;
  client.start(call, sink);
  ASSERT_TRUE(sink->wait_closed());
  std::string all;
  for (int i = 0; i < 100; ++i) all += std::to_string(10'000 + i);
  EXPECT_EQ(sink->chunks, all);
  EXPECT_EQ(sink->heads, 1);
  EXPECT_EQ(sink->head.headers.size(), 1u);  // neither the early hint nor the trailer
  EXPECT_EQ(sink->end.kind, HttpEndKind::done);
  EXPECT_TRUE(sink->end.body.empty());
}

TEST(HttpClient, APausedStreamKeepsItsBytesAndIsNotIdle) {
  std::promise<void> paused;
  auto go = paused.get_future().share();
  const std::string rest(200'000, 'x');
  Server server([&, go](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 200001\r\n\r\n1");
    go.wait();
    peer.write(rest);
  });
  Server silent([](Peer& peer) { peer.wait_gone(); });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  HttpCall call = get(server.url());
  call.stream = true;
  call.idle_timeout = 1s;
  const auto op = client.start(call, sink);
  ASSERT_TRUE(sink->wait([](Recorder& self) { return self.pieces == 1; }));
  client.pause(op);
  loop.settle();
  paused.set_value();
  // Another call with twice that patience measures the time for us.
  HttpCall clock = get(silent.url());
  clock.idle_timeout = 2s;
  EXPECT_EQ(run(client, clock).kind, HttpEndKind::failed);
  EXPECT_EQ(sink->pieces, 1);
  EXPECT_EQ(sink->closes, 0);
  client.resume(op);
  ASSERT_TRUE(sink->wait_closed());
  EXPECT_EQ(sink->end.kind, HttpEndKind::done);
  EXPECT_EQ(sink->chunks, "1" + rest);
}

TEST(HttpClient, UnpacksACompressedReplyAndCountsWhatItUnpacked) {
  // gzip of 10,000 zero bytes
  const unsigned char zeros[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x01, 0x0d, 0x00,
      0x00, 0x00, 0xc2, 0xa0, 0xf7, 0x4f, 0x6d, 0x0e, 0x37, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0xe0, 0xdf, 0x00, 0x2e, 0xca, 0x3b, 0x4d, 0x10, 0x27, 0x00, 0x00};
  const std::string packed(reinterpret_cast<const char*>(zeros), sizeof zeros);
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write(reply(packed, "Content-Encoding: gzip\r\n"));
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  HttpCall call = get(server.url());
  call.max_body = 10'000;
  EXPECT_EQ(run(client, call).body, std::string(10'000, '\0'));
  call.max_body = 9'999;
  const HttpEnd end = run(client, call);
  EXPECT_EQ(end.kind, HttpEndKind::failed);
  EXPECT_NE(end.error->detail.find("larger than 9999 bytes"), std::string::npos);
}

TEST(HttpClient, RefusesAHeadThatNeverEnds) {
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 200; ++i) peer.write("X-Line: " + std::string(100, 'x') + "\r\n");
    peer.wait_gone();
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  HttpCall call = get(server.url());
  call.max_head = 4'096;
  const HttpEnd end = run(client, call);
  EXPECT_EQ(end.kind, HttpEndKind::failed);
  EXPECT_NE(end.error->detail.find("larger than 4096 bytes"), std::string::npos);
  EXPECT_TRUE(server.wait_ended(1));
}

TEST(HttpClient, EndsACallThatIsTooSlow) {
  Server silent([](Peer& peer) { peer.wait_gone(); });
  FullListener full;
  Loop loop;
  HttpClient client(loop.io, local_settings());
  HttpCall idle = get(silent.url());
  idle.idle_timeout = 50ms;
  EXPECT_NE(run(client, idle).error->detail.find("not a byte within 50 ms"), std::string::npos);
  HttpCall total = get(silent.url());
  total.total_timeout = 50ms;
  EXPECT_NE(run(client, total).error->detail.find("not done within 50 ms"), std::string::npos);
  HttpCall connect = get(full.url());
  connect.connect_timeout = 50ms;
  const HttpEnd end = run(client, connect);
  EXPECT_NE(end.error->detail.find("not connected within 50 ms"), std::string::npos);
  EXPECT_FALSE(end.connected);
  EXPECT_TRUE(silent.wait_ended(2));
}

TEST(HttpClient, NeverFollowsARedirectByItself) {
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const HttpEnd end = run(client, get(server.url()));
  EXPECT_EQ(end.kind, HttpEndKind::done);
  EXPECT_EQ(end.head.status, 302);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(HttpClient, ReportsAConnectionThatBreaks) {
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    peer.reset();
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const HttpEnd end = run(client, get(server.url()));
  EXPECT_EQ(end.kind, HttpEndKind::failed);
  EXPECT_EQ(end.error->code, ErrorCode::outbound_failed);
  EXPECT_TRUE(end.connected);
  EXPECT_EQ(server.accepted(), 1);  // and it did not send again by itself
}

TEST(HttpClient, ReportsAServerThatIsNotThere) {
  std::string url;
  {
    Server gone([](Peer&) {});
    url = gone.url();
  }
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const HttpEnd end = run(client, get(url));
  EXPECT_EQ(end.kind, HttpEndKind::failed);
  EXPECT_FALSE(end.connected);
}

TEST(HttpClient, RefusesMoreCallsThanItMayHold) {
  Server silent([](Peer& peer) { peer.wait_gone(); });
  Loop loop;
  HttpClientSettings settings = local_settings();
  settings.max_concurrent = 1;
  HttpClient client(loop.io, settings);
  const auto first = std::make_shared<Recorder>();
  client.start(get(silent.url()), first);
  const HttpEnd end = run(client, get(silent.url()));
  EXPECT_EQ(end.kind, HttpEndKind::refused);
  EXPECT_EQ(end.error->code, ErrorCode::overloaded);
}

TEST(HttpClient, AbortsAllAndTakesNothingMoreOnceStopped) {
  Server silent([](Peer& peer) { peer.wait_gone(); });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  std::vector<std::shared_ptr<Recorder>> sinks;
  for (int i = 0; i < 10; ++i) {
    sinks.push_back(std::make_shared<Recorder>());
    client.start(get(silent.url()), sinks.back());
  }
  client.stop();
  for (const auto& sink : sinks) {
    ASSERT_TRUE(sink->wait_closed());
    EXPECT_EQ(sink->end.kind, HttpEndKind::aborted);
  }
  EXPECT_EQ(run(client, get(silent.url())).error->code, ErrorCode::draining);
  EXPECT_EQ(client.open(), 0u);
}

}  // namespace
}  // namespace quell
