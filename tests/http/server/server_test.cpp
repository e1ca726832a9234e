#include "http/server/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "tests/http/server/raw_socket.hpp"

namespace quell::http {
namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

// Answers with what it was asked; `/hold` is kept until the test lets it go.
class ServerTest : public testing::Test {
 protected:
  void SetUp() override { start({}); }

  void start(ServerLimits limits) {
    if (server_) server_->drain(Millis{0});
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.limits = limits;
    auto bound = Server::bind(options);
    ASSERT_TRUE(bound.ok());
    server_ = std::move(*bound);
    server_->start(
        [this](Request request, std::shared_ptr<Responder> responder) {
          if (request.path == "/hold") held_ = std::move(responder);
          if (request.path == "/stream")
            sink_ = responder->stream({200, "", "text/event-stream", {}, false});
          ++asked_;  // from here on the test may touch what was set above
          if (!responder || sink_ || request.path == "/drop") return;
          Response response;
          response.content_type = "text/plain";
          response.body =
              std::string{request.method} + " " + std::string{request.target} + " " + request.body;
          responder->respond(std::move(response));
        },
        [](const Request& request) {
          return BodyRuling{1000, request.path == "/stranger"};
        });
  }

  void TearDown() override {
    held_.reset();
    sink_.reset();
    server_->drain(Millis{0});
  }

  // Sends `bytes` on a fresh connection that the server is to close.
  std::string refused(const std::string& bytes) {
    RawSocket socket(server_->port());
    socket.send(bytes);
    bool closed = false;
    const std::string reply = socket.read_all(closed);
    EXPECT_TRUE(closed) << reply;
    return reply.substr(0, reply.find("\r\n"));
  }

  std::unique_ptr<Server> server_;
  std::atomic<int> asked_{0};
  std::shared_ptr<Responder> held_;
  std::shared_ptr<EventSink> sink_;
};

TEST(ServerLoop, TellsOfAThrowThatNobodyCaughtAndGoesOn) {
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  std::promise<std::string> told;
  options.on_fault = [&](const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& fault) {
      told.set_value(fault.what());
    }
  };
  const auto server = std::move(Server::bind(options)).value();
  server->start([](const Request&, const std::shared_ptr<Responder>&) {},
                [](const Request&) { return BodyRuling{}; });
  std::promise<void> next;
  server->post([] { throw std::runtime_error("as asked"); });
  server->post([&] { next.set_value(); });
  EXPECT_EQ(told.get_future().get(), "as asked");
  next.get_future().wait();
  server->drain(Millis{0});
}

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  RawSocket socket(server_->port());
  for (int i = 0; i < 3; ++i) {
    socket.send(get);
    EXPECT_NE(socket.read_until("GET / ").find("HTTP/1.1 200 OK"), std::string::npos);
  }
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  RawSocket socket(server_->port());
  socket.send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: "
      "2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  bool closed = false;
  const std::string all = socket.read_all(closed);
  EXPECT_TRUE(closed);
  const std::size_t one = all.find("GET /1 "), two = all.find("POST /2 hi"),
                    three = all.find("GET /3 ");
  ASSERT_NE(three, std::string::npos) << all;
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
}

TEST_F(ServerTest, ReadsARequestHoweverItIsCut) {
  const std::string text =
      "POST /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
  for (std::size_t cut = 1; cut < text.size(); cut += 7) {
    RawSocket socket(server_->port());
    socket.send(text.substr(0, cut));
    std::this_thread::yield();
    socket.send(text.substr(cut));
    bool closed = false;
    EXPECT_NE(socket.read_all(closed).find("POST /cut hello"), std::string::npos) << cut;
  }
}

TEST_F(ServerTest, ReadsChunkedBodiesAndIgnoresTrailers) {
  RawSocket socket(server_->port());
  socket.send(
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n"
      "2\r\nde\r\n0\r\n\r\n");
  EXPECT_NE(socket.read_until("POST /c abcde").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, ClosesOnEveryAmbiguousFraming) {
  for (const char* fields :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip",
        "Content-Length: 5\r\nContent-Length: 6", "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", " Folded: 1"})
    EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
                      "\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
              "HTTP/1.1 400 Bad Request")
        << fields;
  EXPECT_EQ(refused("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(refused("\x16\x03\x01\x02garbage\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(asked_, 0) << "nothing of it reached a handler";
}

TEST_F(ServerTest, ClosesOnBrokenChunks) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body : {"x\r\n", "-1\r\na", "3\r\nabcd\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n",
                           "ffffffffffffffffff\r\n"})
    EXPECT_NE(refused(start + body).find("HTTP/1.1 4"), std::string::npos) << body;
  EXPECT_EQ(asked_, 0);
}

TEST_F(ServerTest, HoldsItsSizeLimits) {
  EXPECT_EQ(refused("GET /" + std::string(4096, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"),
            "HTTP/1.1 414 URI Too Long");
  EXPECT_EQ(refused("GET /" + std::string(6000, 'a')), "HTTP/1.1 414 URI Too Long");
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(9000, 'a')),
            "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n"),
            "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                    std::string(1001, 'a') + "\r\n0\r\n\r\n"),
            "HTTP/1.1 413 Content Too Large");
  RawSocket fits(server_->port());
  fits.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'a'));
  EXPECT_NE(fits.read_until("aaa").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, SaysGoOnToThoseWhoAsk) {
  RawSocket socket(server_->port());
  socket.send("POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("ok");
  EXPECT_NE(socket.read_until("POST /e ok").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  RawSocket socket(server_->port());
  socket.send("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\nGET /n HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string first = socket.read_until("\r\n\r\n");
  EXPECT_EQ(first.find("HEAD /h"), std::string::npos);
  EXPECT_EQ(socket.read_until("GET /n ").substr(0, 8), "HTTP/1.1");
}

TEST_F(ServerTest, AnswersAStrangerWithoutReadingHisBody) {
  for (const char* framing : {"Content-Length: 16000000", "Transfer-Encoding: chunked"}) {
    RawSocket socket(server_->port());
    socket.send("POST /stranger HTTP/1.1\r\nHost: h\r\n" + std::string(framing) + "\r\n\r\n");
    bool closed = false;  // not one byte of the body was sent
    const std::string reply = socket.read_all(closed);
    EXPECT_NE(reply.find("POST /stranger "), std::string::npos) << framing << reply;
    EXPECT_NE(reply.find("Connection: close"), std::string::npos);
    EXPECT_TRUE(closed);
  }
  RawSocket socket(server_->port());
  socket.send("POST /stranger HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nshort");
  EXPECT_NE(socket.read_until("/stranger short").find("keep-alive"), std::string::npos);
}

TEST_F(ServerTest, EndsThoseWhoAreSlow) {
  ServerLimits limits;
  limits.header_time = limits.body_time = limits.idle_time = Millis{300};
  start(limits);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost:"), "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"),
            "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(refused(""), "") << "who says nothing gets no answer";
  RawSocket idle(server_->port());
  idle.send(get);
  idle.read_until("GET / ");
  bool closed = false;
  EXPECT_EQ(idle.read_all(closed), "");
  EXPECT_TRUE(closed);
}

TEST_F(ServerTest, SlowOnesDoNotHinderTheOthers) {
  std::vector<std::unique_ptr<RawSocket>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<RawSocket>(server_->port()));
    slow.back()->send("GET / HTTP/1.1\r\n");
  }
  RawSocket socket(server_->port());
  socket.send(get);
  EXPECT_NE(socket.read_until("GET / ").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, AnswersFromAnyThreadAndNeverTwice) {
  RawSocket socket(server_->port());
  socket.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  while (asked_ == 0) std::this_thread::yield();
  std::thread([this] {
    held_->respond({201, "once", "text/plain", {}, false});
    held_->respond({201, "twice", "text/plain", {}, false});
    held_.reset();
  }).join();
  socket.read_until("once");
  socket.send(get);
  EXPECT_EQ(socket.read_until("GET / ").find("twice"), std::string::npos);
}

TEST_F(ServerTest, AnswersForAHandlerThatForgot) {
  RawSocket socket(server_->port());
  socket.send("GET /drop HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(socket.read_until("\r\n").find("500"), std::string::npos);
}

TEST_F(ServerTest, StreamsPiecesAndNoticesThatTheReaderHasGone) {
  auto socket = std::make_unique<RawSocket>(server_->port());
  socket->send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  while (asked_ == 0) std::this_thread::yield();
  sink_->send("one");
  sink_->send("three");
  EXPECT_NE(socket->read_until("three\r\n").find("3\r\none\r\n5\r\nthree\r\n"), std::string::npos);
  socket.reset();
  while (sink_->is_open()) std::this_thread::yield();
}

TEST_F(ServerTest, EndsAStreamInOrder) {
  RawSocket socket(server_->port());
  socket.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  while (asked_ == 0) std::this_thread::yield();
  sink_->send("last");
  sink_->close();
  bool closed = false;
  const std::string all = socket.read_all(closed);
  EXPECT_TRUE(closed);
  EXPECT_NE(all.find("4\r\nlast\r\n0\r\n\r\n"), std::string::npos) << all;
}

TEST_F(ServerTest, DrainLetsBusyOnesFinish) {
  RawSocket busy(server_->port());
  RawSocket idle(server_->port());
  idle.send(get);
  idle.read_until("GET / ");
  busy.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  while (asked_ < 2) std::this_thread::yield();
  const std::uint16_t port = server_->port();
  std::thread drainer([this] { server_->drain(Millis{10'000}); });
  bool closed = false;
  idle.read_all(closed);
  EXPECT_TRUE(closed) << "idle ones are ended at once";
  held_->respond({200, "finished", "text/plain", {}, false});
  held_.reset();
  EXPECT_NE(busy.read_all(closed).find("finished"), std::string::npos);
  drainer.join();
  EXPECT_FALSE(RawSocket(port).is_open());
}

TEST_F(ServerTest, LimitsConnectionsWhenAsked) {
  ServerLimits limits;
  limits.connections_per_address = 2;
  start(limits);
  RawSocket a(server_->port()), b(server_->port());
  a.send(get);
  b.send(get);
  a.read_until("GET / ");
  b.read_until("GET / ");
  EXPECT_EQ(refused(get), "");
}

TEST(ServerAddress, KnowsWhatIsLoopback) {
  for (const char* inside : {"127.0.0.1:1", "localhost:1", "[::1]:1", "127.9.9.9:80"})
    EXPECT_TRUE(is_loopback(inside)) << inside;
  for (const char* outside : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "nonsense"})
    EXPECT_FALSE(is_loopback(outside)) << outside;
}

TEST(ServerAddress, RefusesWhatIsTaken) {
  auto first = Server::bind({"127.0.0.1:0", "", "", {}});
  ASSERT_TRUE(first.ok());
  const std::string taken = "127.0.0.1:" + std::to_string((*first)->port());
  EXPECT_FALSE(Server::bind({taken, "", "", {}}).ok());
  EXPECT_FALSE(Server::bind({"nonsense", "", "", {}}).ok());
  EXPECT_FALSE(Server::bind({"127.0.0.1:0", "/nowhere.pem", "/nowhere.key", {}}).ok());
}

}  // namespace
}  // namespace quell::http
