// The heart of a delete, seen from the network: whatever a call is doing, an abort ends it once.
#include <gtest/gtest.h>

#include "actors/effects/http_client.hpp"
#include "tests/actors/effects/outbound_fixture.hpp"

namespace quell {
namespace {

using namespace test;

void expect_aborted_once(HttpClient& client, Loop& loop, HttpClient::OpId op, Recorder& sink) {
  client.abort(op);
  client.abort(op);
  ASSERT_TRUE(sink.wait_closed());
  loop.settle();
  EXPECT_EQ(sink.closes, 1);
  EXPECT_EQ(sink.end.kind, HttpEndKind::aborted);
  EXPECT_FALSE(sink.end.error);
  EXPECT_EQ(client.open(), 0u);
}

TEST(HttpAbort, WhileTheNameIsInQuestionHoldsNoConnection) {
  Loop loop;
  HttpClientSettings settings = local_settings();
  const auto resolver = std::make_shared<ScriptedResolver>(loop.io);
  settings.resolver = resolver;
  HttpClient client(loop.io, settings);
  const auto sink = std::make_shared<Recorder>();
  const auto op = client.start(get("http://never.test/"), sink);
  loop.settle();
  EXPECT_EQ(resolver->asked, 1);
  expect_aborted_once(client, loop, op, *sink);
  EXPECT_EQ(resolver->cancelled, 1);
  EXPECT_EQ(sink->permits, 0);
  EXPECT_FALSE(sink->end.connected);
}

TEST(HttpAbort, WithADeadNameServerDisturbsNoOtherCall) {
  NameServer names({"good.test"});
  Server server([](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  Loop loop;
  HttpClientSettings settings = local_settings();
  settings.resolver = make_dns_resolver(loop.io, names.settings());
  HttpClient client(loop.io, settings);
  const auto dead = std::make_shared<Recorder>();
  const auto op = client.start(get("http://dead.test/"), dead);
  ASSERT_TRUE(names.wait_asked(2));
  const auto good = std::make_shared<Recorder>();
  client.start(get(server.url("/", "good.test")), good);
  ASSERT_TRUE(good->wait_closed());
  EXPECT_EQ(good->end.head.status, 204);
  EXPECT_EQ(dead->closes, 0);
  expect_aborted_once(client, loop, op, *dead);
}

TEST(HttpAbort, WhileConnecting) {
  FullListener full;
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  const auto op = client.start(get(full.url()), sink);
  ASSERT_TRUE(sink->wait([](Recorder& self) { return self.permits == 1; }));
  loop.settle();
  loop.settle();
  expect_aborted_once(client, loop, op, *sink);
  EXPECT_FALSE(sink->end.connected);
}

TEST(HttpAbort, WhileTlsIsNegotiated) {
  std::promise<void> hello;
  Server server([&](Peer& peer) {
    peer.read_some();
    hello.set_value();
    peer.wait_gone();
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  const auto op =
      client.start(get("https://127.0.0.1:" + std::to_string(server.port()) + "/"), sink);
  hello.get_future().wait();
  expect_aborted_once(client, loop, op, *sink);
  EXPECT_FALSE(sink->end.connected);
  EXPECT_TRUE(server.wait_ended(1));
}

TEST(HttpAbort, WhileTheBodyIsSentLeavesTheRestUnsent) {
  constexpr std::size_t size = 64u << 20;
  std::promise<void> begun;
  std::promise<void> aborted;
  auto may_read = aborted.get_future().share();
  std::size_t received = 0;
  Server server([&, may_read](Peer& peer) {
    peer.read_head();
    begun.set_value();
    may_read.wait();
    received = peer.wait_gone();
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  HttpCall call = get(server.url());
  call.method = "POST";
  call.body.assign(size, 'x');
  const auto op = client.start(std::move(call), sink);
  begun.get_future().wait();
  expect_aborted_once(client, loop, op, *sink);
  aborted.set_value();
  EXPECT_TRUE(server.wait_ended(1));
  EXPECT_TRUE(sink->end.connected);
  EXPECT_LT(received, size);
}

TEST(HttpAbort, WhileWaitingForTheHead) {
  std::promise<void> asked;
  Server server([&](Peer& peer) {
    peer.read_head();
    asked.set_value();
    peer.wait_gone();
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  const auto op = client.start(get(server.url()), sink);
  asked.get_future().wait();
  expect_aborted_once(client, loop, op, *sink);
  EXPECT_TRUE(sink->end.connected);
  EXPECT_EQ(sink->end.head.status, 0);
  EXPECT_TRUE(server.wait_ended(1));
}

TEST(HttpAbort, InTheMiddleOfTheBodyBringsNoFurtherPiece) {
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome");
    peer.wait_gone();
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  HttpCall call = get(server.url());
  call.stream = true;
  const auto op = client.start(std::move(call), sink);
  ASSERT_TRUE(sink->wait([](Recorder& self) { return self.chunks == "some"; }));
  expect_aborted_once(client, loop, op, *sink);
  EXPECT_EQ(sink->end.head.status, 200);
  EXPECT_TRUE(server.wait_ended(1));
}

TEST(HttpAbort, OfAPausedStream) {
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome");
    peer.write(std::string(500'000, 'x'));
    peer.wait_gone();
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  HttpCall call = get(server.url());
  call.stream = true;
  const auto op = client.start(std::move(call), sink);
  ASSERT_TRUE(sink->wait([](Recorder& self) { return self.pieces > 0; }));
  client.pause(op);
  expect_aborted_once(client, loop, op, *sink);
  EXPECT_TRUE(server.wait_ended(1));
}

TEST(HttpAbort, AfterTheEndIsHarmless) {
  Server server([](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  for (int i = 0; i < 3; ++i) {
    const auto sink = std::make_shared<Recorder>();
    const auto op = client.start(get(server.url()), sink);
    ASSERT_TRUE(sink->wait_closed());
    client.abort(op);
    client.pause(op);
    client.resume(op);
    loop.settle();
    EXPECT_EQ(sink->closes, 1);
    EXPECT_EQ(sink->end.kind, HttpEndKind::done);
  }
}

// Aborts at every moment of a short call, found by trying, must leave nothing behind.
TEST(HttpAbort, AtAnyMomentEndsOnce) {
  Server server([](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    peer.write("k");
    peer.wait_gone();
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  int aborted = 0;
  for (int turns = 0; turns < 60; ++turns) {
    const auto sink = std::make_shared<Recorder>();
    const auto op = client.start(get(server.url()), sink);
    for (int i = 0; i < turns; ++i) loop.settle();
    client.abort(op);
    ASSERT_TRUE(sink->wait_closed());
    loop.settle();
    EXPECT_EQ(sink->closes, 1);
    if (sink->end.kind == HttpEndKind::aborted) ++aborted;
  }
  EXPECT_GT(aborted, 0);
  EXPECT_EQ(client.open(), 0u);
}

}  // namespace
}  // namespace quell
