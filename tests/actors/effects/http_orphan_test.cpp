// What the kernel does with a request whose sender is gone: nothing more. And what it does at an
// ordinary end: an ordinary goodbye.
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <utility>

#include "actors/effects/http_client.hpp"
#include "tests/actors/effects/outbound_fixture.hpp"
#include "tests/actors/effects/own_certificate.hpp"

namespace quell {
namespace {

using namespace test;

constexpr std::size_t body_size = 150'000;

enum class Line { plain, tls };
enum class End { killed, left };

// Of the connection to this port, what its sender's side has not seen arrive.
std::size_t unsent_to(std::uint16_t port) {
  std::ifstream table("/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues;
    words >> number >> local >> remote >> state >> queues;
    if (state == "01" && remote.size() == 13 && std::stoul(remote.substr(9), nullptr, 16) == port)
      return std::stoul(queues.substr(0, 8), nullptr, 16);
  }
  return 0;
}

// Takes one connection and reads nothing of it until it is told to.
class DeafServer {
 public:
  explicit DeafServer(Line line) : line_(line), server_([this](Peer& peer) { serve(peer); }) {
    // Under 1.3 the caller sends its body right after its last word of the handshake, and a piece
    // of it is read with that word. Under 1.2 it waits for ours: what it sends stays unread.
    certificate_.context().set_options(asio::ssl::context::no_tlsv1_3);
  }
  ~DeafServer() {  // a test that has failed before ends too
    if (!is_told_) may_read_.set_value();
  }

  HttpCall call() const {
    HttpCall call =
        get((line_ == Line::tls ? "https" : "http") + server_.url("/", "localhost").substr(4));
    call.method = "POST";
    call.body.assign(body_size, 'x');
    return call;
  }
  HttpClientSettings settings(Loop& loop) const {
    HttpClientSettings settings = local_settings();
    const auto names = std::make_shared<ScriptedResolver>(loop.io);
    names->say("localhost", {"127.0.0.1"});
    settings.resolver = names;
    settings.ca_file = certificate_.file();
    return settings;
  }
  // Everything has left the sender's process; most of it is with its kernel, for nobody reads.
  bool wait_all_with_the_kernel() {
    const int fd = connected_.get_future().get();
    for (const auto end = std::chrono::steady_clock::now() + patience;
         std::chrono::steady_clock::now() < end; std::this_thread::yield()) {
      int here = 0;
      ::ioctl(fd, FIONREAD, &here);
      const std::size_t there = unsent_to(server_.port());
      if (there > 0 && there + static_cast<std::size_t>(here) >= body_size) return true;
    }
    return false;
  }
  void read_on() {
    is_told_ = true;
    may_read_.set_value();
    ASSERT_TRUE(server_.wait_ended(1));
  }

  std::size_t received = 0;
  boost::system::error_code fault;  // how the connection ended

 private:
  void serve(Peer& peer) {
    tcp::socket& socket = peer.socket();
    asio::ssl::stream<tcp::socket&> stream(socket, certificate_.context());
    boost::system::error_code refused;
    if (line_ == Line::tls) stream.handshake(asio::ssl::stream_base::server, refused);
    connected_.set_value(socket.native_handle());
    may_read_.get_future().wait();
    std::array<char, 4096> buffer;
    while (!fault) received += socket.read_some(asio::buffer(buffer), fault);
  }

  const Line line_;
  bool is_told_ = false;
  OwnCertificate certificate_;
  std::promise<int> connected_;
  std::promise<void> may_read_;
  Server server_;
};

// Another process, which makes this call and has no other end than the one it is given.
class Caller {
 public:
  explicit Caller(const DeafServer& server) {
    EXPECT_EQ(::pipe(order_.data()), 0);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::close(order_[1]);
    Loop loop;
    HttpClient client(loop.io, server.settings(loop));
    client.start(server.call(), std::make_shared<Recorder>());
    char byte = 0;
    while (::read(order_[0], &byte, 1) != 1) {
    }
    ::_exit(75);
  }
  void end(End how) {
    if (how == End::killed)
      ::kill(pid_, SIGKILL);
    else
      EXPECT_EQ(::write(order_[1], "x", 1), 1);
    int status = 0;
    ASSERT_GT(::waitpid(std::exchange(pid_, 0), &status, 0), 0);
    EXPECT_TRUE(how == End::killed ? WIFSIGNALED(status) : WEXITSTATUS(status) == 75);
    for (const int fd : order_) ::close(fd);
  }
  ~Caller() {
    if (pid_ > 0) end(End::killed);
  }

 private:
  std::array<int, 2> order_{};
  pid_t pid_ = 0;
};

class HttpOrphan : public testing::TestWithParam<std::pair<Line, End>> {};
INSTANTIATE_TEST_SUITE_P(Ends, HttpOrphan,
                         testing::Values(std::pair(Line::plain, End::killed),
                                         std::pair(Line::plain, End::left),
                                         std::pair(Line::tls, End::killed),
                                         std::pair(Line::tls, End::left)),
                         [](const auto& one) {
                           return std::string(one.param.first == Line::tls ? "Tls" : "Plain") +
                                  (one.param.second == End::killed ? "Killed" : "Left");
                         });

TEST_P(HttpOrphan, OfAProcessThatIsGoneIsResetAndItsRestIsNeverSent) {
  DeafServer server(GetParam().first);
  Caller caller(server);
  ASSERT_TRUE(server.wait_all_with_the_kernel());
  caller.end(GetParam().second);
  server.read_on();
  EXPECT_EQ(server.fault, asio::error::connection_reset) << server.fault.message();
  EXPECT_LT(server.received, body_size);
}

// The job that made such a call has ended and may be deleted: nothing of it may go on.
TEST(HttpOrphanRest, OfARequestThatWasAnsweredUnreadIsDropped) {
  std::promise<void> over;
  std::size_t received = 0;
  boost::system::error_code fault;
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    over.get_future().wait();
    std::array<char, 4096> buffer;
    while (!fault) received += peer.socket().read_some(asio::buffer(buffer), fault);
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  HttpCall call = get(server.url());
  call.method = "POST";
  call.body.assign(40u << 20, 'x');  // more than the kernel takes, however long it is given
  client.start(std::move(call), sink);
  ASSERT_TRUE(sink->wait_closed());
  over.set_value();
  ASSERT_TRUE(server.wait_ended(1));
  EXPECT_EQ(sink->end.head.status, 413);
  EXPECT_EQ(fault, asio::error::connection_reset) << fault.message();
  EXPECT_LT(received, sink->end.bytes_out);
}

TEST(HttpOrphanRest, OfAnOrdinaryEndIsAnOrdinaryClose) {
  boost::system::error_code fault;
  Server server([&](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    std::array<char, 16> buffer;
    peer.socket().read_some(asio::buffer(buffer), fault);
  });
  Loop loop;
  HttpClient client(loop.io, local_settings());
  const auto sink = std::make_shared<Recorder>();
  client.start(get(server.url()), sink);
  ASSERT_TRUE(sink->wait_closed());
  ASSERT_TRUE(server.wait_ended(1));
  EXPECT_EQ(sink->end.body, "ok");
  EXPECT_EQ(fault, asio::error::eof) << fault.message();
}

TEST(HttpOrphanRest, OfAnOrdinaryEndUnderTlsIsAnOrdinaryGoodbye) {
  OwnCertificate certificate;
  boost::system::error_code fault;
  Server server([&](Peer& peer) {
    asio::ssl::stream<tcp::socket&> stream(peer.socket(), certificate.context());
    boost::system::error_code refused;
    stream.handshake(asio::ssl::stream_base::server, refused);
    std::string text;
    asio::read_until(stream, asio::dynamic_buffer(text), "\r\n\r\n", refused);
    asio::write(stream, asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
                refused);
    std::array<char, 16> buffer;
    stream.read_some(asio::buffer(buffer), fault);
  });
  Loop loop;
  HttpClientSettings settings = local_settings();
  const auto names = std::make_shared<ScriptedResolver>(loop.io);
  names->say("localhost", {"127.0.0.1"});
  settings.resolver = names;
  settings.ca_file = certificate.file();
  HttpClient client(loop.io, settings);
  const auto sink = std::make_shared<Recorder>();
  client.start(get("https://localhost:" + std::to_string(server.port()) + "/"), sink);
  ASSERT_TRUE(sink->wait_closed());
  ASSERT_TRUE(server.wait_ended(1));
  EXPECT_EQ(sink->end.body, "ok");
  EXPECT_EQ(fault, asio::error::eof) << fault.message();
}

}  // namespace
}  // namespace quell
