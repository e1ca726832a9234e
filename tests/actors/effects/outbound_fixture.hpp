// A small world for tests of outbound calls: a server that does what a test says, a name server, a
// sink that remembers what it was told, and the loop that the client runs on.
#pragma once

#include <boost/asio.hpp>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "actors/effects/http_client.hpp"
#include "actors/effects/resolver.hpp"

namespace quell::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using namespace std::chrono_literals;

constexpr auto patience = 20s;  // how long a test waits before it calls something lost

class Loop {
 public:
  Loop() : guard_(io.get_executor()), thread_([this] { io.run(); }) {}
  ~Loop() {
    guard_.reset();
    thread_.join();
  }
  void settle() {  // everything posted until now has run
    std::promise<void> done;
    asio::post(io, [&] { done.set_value(); });
    done.get_future().wait();
  }
  asio::io_context io{1};

 private:
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::thread thread_;
};

// One connection, read and written by a thread of its own.
class Peer {
 public:
  explicit Peer(tcp::socket& socket) : socket_(socket) {}
  std::string read_head() {
    std::string text;
    boost::system::error_code fault;
    asio::read_until(socket_, asio::dynamic_buffer(text), "\r\n\r\n", fault);
    return text;
  }
  std::size_t read_some() {
    std::array<char, 4096> buffer;
    boost::system::error_code fault;
    return socket_.read_some(asio::buffer(buffer), fault);
  }
  void write(const std::string& text) {
    boost::system::error_code fault;
    asio::write(socket_, asio::buffer(text), fault);
  }
  std::size_t wait_gone() {  // how many bytes came before the other side went away
    std::size_t all = 0;
    for (std::size_t got; (got = read_some()) != 0;) all += got;
    return all;
  }
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }
  tcp::socket& socket() { return socket_; }

 private:
  tcp::socket& socket_;
};

class Server {
 public:
  using Script = std::function<void(Peer&)>;
  explicit Server(Script script)
      : script_(std::move(script)), acceptor_(io_, {asio::ip::make_address("127.0.0.1"), 0}) {
    thread_ = std::thread([this] { accept(); });
  }
  ~Server() {
    boost::system::error_code fault;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    stopping_ = true;
    tcp::socket(io_).connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), port_), fault);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (auto& socket : sockets_) ::shutdown(socket->native_handle(), SHUT_RDWR);
    }
    for (auto& peer : peers_) peer.join();
  }
  std::string url(const std::string& path = "/", const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + path;
  }
  std::uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }
  bool wait_ended(int count) {  // scripts that ran to their end
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return ended_ >= count; });
  }

 private:
  void accept() {
    while (true) {
      boost::system::error_code fault;
      auto socket = std::make_shared<tcp::socket>(io_);
      acceptor_.accept(*socket, fault);
      if (stopping_ || fault) return;
      ++accepted_;
      const std::lock_guard lock(mutex_);
      sockets_.push_back(socket);
      peers_.emplace_back([this, socket] {
        Peer peer(*socket);
        script_(peer);
        const std::lock_guard inner(mutex_);
        if (socket->is_open()) ::shutdown(socket->native_handle(), SHUT_RDWR);
        ++ended_;
        changed_.notify_all();
      });
    }
  }
  Script script_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = acceptor_.local_endpoint().port();
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  int ended_ = 0;
  std::vector<std::shared_ptr<tcp::socket>> sockets_;
  std::vector<std::thread> peers_;
  std::thread thread_;
};

// A listener whose queue is full: the kernel drops further SYNs and connects hang.
class FullListener {
 public:
  FullListener() : acceptor_(io_) {
    const tcp::endpoint any(asio::ip::make_address("127.0.0.1"), 0);
    acceptor_.open(any.protocol());
    acceptor_.bind(any);
    acceptor_.listen(0);
    port_ = acceptor_.local_endpoint().port();
    for (int i = 0; i < 8; ++i) {
      fillers_.push_back(std::make_unique<tcp::socket>(io_));
      fillers_.back()->open(any.protocol());
      fillers_.back()->non_blocking(true);
      // Asio's own connect would wait for the answer, which is the one thing that must not come.
      const tcp::endpoint where = acceptor_.local_endpoint();
      ::connect(fillers_.back()->native_handle(), where.data(),
                static_cast<socklen_t>(where.size()));
    }
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::vector<std::unique_ptr<tcp::socket>> fillers_;
  std::uint16_t port_ = 0;
};

class Recorder final : public HttpSink {
 public:
  void on_permit() override {
    note([&] { ++permits; });
  }
  void on_head(HttpHead value) override {
    note([&] { head = std::move(value), ++heads; });
  }
  void on_chunk(std::string piece) override {
    note([&] { chunks += piece, ++pieces; });
  }
  void on_closed(HttpEnd value) override {
    note([&] { end = std::move(value), ++closes; });
  }
  template <class Claim>
  bool wait(Claim claim) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return claim(*this); });
  }
  bool wait_closed() {
    return wait([](Recorder& self) { return self.closes > 0; });
  }
  int permits = 0, heads = 0, pieces = 0, closes = 0;
  HttpHead head;
  std::string chunks;
  HttpEnd end;

 private:
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

// Answers from a list per name, one entry per question; a name without entries is never answered.
class ScriptedResolver final : public Resolver {
 public:
  explicit ScriptedResolver(asio::io_context& io) : io_(io) {}
  void say(const std::string& host, std::vector<std::string> addresses) {
    std::vector<IpAddress> list;
    for (const auto& text : addresses) list.push_back(*IpAddress::parse(text));
    script_[host].push_back(std::move(list));
  }
  Ticket resolve(const std::string& host, Answer answer) override {
    ++asked;
    auto& list = script_[host];
    if (!list.empty()) {
      asio::post(io_,
                 [answer = std::move(answer), addresses = list.front()] { answer(addresses); });
      list.erase(list.begin());
    }
    return static_cast<Ticket>(asked.load());
  }
  void cancel(Ticket) override { ++cancelled; }
  std::atomic<int> asked{0}, cancelled{0};

 private:
  asio::io_context& io_;
  std::map<std::string, std::vector<std::vector<IpAddress>>> script_;
};

// Answers A questions for the names it knows with 127.0.0.1, AAAA with nothing, others not at all.
class NameServer {
 public:
  explicit NameServer(std::vector<std::string> known)
      : known_(std::move(known)), socket_(io_, {asio::ip::make_address("127.0.0.1"), 0}) {
    receive();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~NameServer() {
    io_.stop();
    thread_.join();
  }
  DnsSettings settings() const {
    DnsSettings dns;
    dns.servers = {"127.0.0.1:" + std::to_string(socket_.local_endpoint().port())};
    return dns;
  }
  bool wait_asked(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return asked_ >= count; });
  }
  int asked_a() const { return asked_a_; }

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(packet_), from_, [this](auto fault, std::size_t size) {
      if (fault) return;
      answer(size);
      receive();
    });
  }
  void answer(std::size_t size) {
    std::string name;
    std::size_t at = 12;
    for (; at < size && packet_[at] != 0; at += packet_[at] + std::size_t{1})
      name += (name.empty() ? "" : ".") +
              std::string(packet_.begin() + static_cast<long>(at) + 1,
                          packet_.begin() + static_cast<long>(at) + 1 + packet_[at]);
    const bool wants_a = packet_[at + 2] == 1;
    if (wants_a) ++asked_a_;
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) {
      std::vector<unsigned char> reply(packet_.begin(),
                                       packet_.begin() + static_cast<long>(at) + 5);
      reply[2] = 0x81, reply[3] = 0x80;
      reply[6] = 0, reply[7] = wants_a ? 1 : 0;
      std::fill(reply.begin() + 8, reply.begin() + 12, static_cast<unsigned char>(0));
      if (wants_a)
        for (int byte : {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1})
          reply.push_back(static_cast<unsigned char>(byte));
      boost::system::error_code fault;
      socket_.send_to(asio::buffer(reply), from_, 0, fault);
    }
    const std::lock_guard lock(mutex_);
    ++asked_;
    changed_.notify_all();
  }
  std::vector<std::string> known_;
  asio::io_context io_;
  udp::socket socket_;
  udp::endpoint from_;
  std::array<unsigned char, 512> packet_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  int asked_ = 0;
  std::atomic<int> asked_a_{0};
  std::thread thread_;
};

inline HttpClientSettings local_settings() {
  HttpClientSettings settings;
  settings.allow = {Cidr::parse("127.0.0.1").value()};
  return settings;
}

inline HttpCall get(std::string url) {
  HttpCall call;
  call.url = std::move(url);
  return call;
}

}  // namespace quell::test
