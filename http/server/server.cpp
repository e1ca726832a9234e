#include "http/server/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <condition_variable>
#include <ctime>
#include <map>
#include <mutex>
#include <thread>

#include "http/server/connection.hpp"
#include "http/server/listener.hpp"
#include "http/server/tls_context.hpp"
#include "runtime/base/failpoint.hpp"

namespace quell::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr Millis sweep_period{250};

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[parts.tm_wday], parts.tm_mday,
                     months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

class BeastServer final : public Server {
 public:
  explicit BeastServer(ServerOptions options)
      : options_(std::move(options)), io_(1), listener_(io_), sweeper_(io_) {}

  ~BeastServer() override { stop_thread(); }

  Result<void> open() {
    if (!options_.certificate.empty()) {
      if (Result<void> loaded = reload_certificate(); !loaded) return loaded.error();
    }
    if (Result<void> bound = listener_.open(options_.listen, "--listen"); !bound) return bound;
    port_ = listener_.port();
    return {};
  }

  Result<void> reload_certificate() override {
    auto fresh = make_tls_context(options_.certificate, options_.key);
    if (!fresh) return fresh.error();
    asio::post(io_, [this, fresh = std::move(*fresh)] { tls_ = fresh; });
    return {};
  }

  void start(Handler handler, BodyGate body_gate) override {
    home_.io = &io_;
    home_.limits = options_.limits;
    home_.handler = std::move(handler);
    home_.body_gate = std::move(body_gate);
    home_.date = http_date();
    home_.safety = safety_headers;
    if (!options_.certificate.empty()) home_.safety += tls_headers;
    listener_.start([this](tcp::socket socket) { admit(std::move(socket)); });
    sweep();
    thread_ = std::thread([this] { run(); });
  }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return count_.load(); }

  void post(std::function<void()> work) override { asio::post(io_, std::move(work)); }

  void after(Millis delay, std::function<void()> work) override {
    run_after(io_, delay, std::move(work));
  }

  void drain(Millis deadline) override {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      listener_.close();
      home_.draining = true;
      for (const auto& session : sessions_) session->drain();
    });
    std::unique_lock lock(mutex_);
    emptied_.wait_for(lock, deadline, [this] { return count_.load() == 0; });
    lock.unlock();
    stop_thread();
  }

 private:
  void run() {
    do {
      try {
        run_loop(io_, Failpoint::control_server);
      } catch (...) {
        if (!options_.on_fault) throw;
        options_.on_fault(std::current_exception());
      }
    } while (!io_.stopped());
  }

  void stop_thread() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      for (const auto& session : sessions_) session->abort();
      io_.stop();
    });
    thread_.join();
    home_.closed = true;
    sessions_.clear();
  }

  void admit(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto tls = tls_;
    auto session = make_session(std::move(socket), home_, tls.get());
    const auto& limits = options_.limits;
    const auto same = [&session](const auto& other) {
      return !other->is_over() && other->remote() == session->remote();
    };
    const bool full = limits.connections > 0 && sessions_.size() >= limits.connections;
    const bool crowd = limits.connections_per_address > 0 &&
                       std::count_if(sessions_.begin(), sessions_.end(), same) >=
                           static_cast<std::ptrdiff_t>(limits.connections_per_address);
    if (full || crowd) return session->abort();
    sessions_.push_back(session);
    count_ = sessions_.size();
    // A handshake refers to the context until its session ends, also across a reload.
    if (tls) contexts_[session] = tls;
    session->start();
  }

  void sweep() {
    const auto now = std::chrono::steady_clock::now();
    home_.date = http_date();
    for (const auto& session : sessions_) session->check_time(now);
    if (home_.draining)
      for (const auto& session : sessions_) session->drain();
    std::erase_if(sessions_, [this](const auto& session) {
      if (!session->is_over()) return false;
      contexts_.erase(session);
      return true;
    });
    {
      const std::lock_guard lock(mutex_);
      count_ = sessions_.size();
    }
    emptied_.notify_all();
    sweeper_.expires_after(home_.draining ? Millis{10} : sweep_period);
    sweeper_.async_wait([this](error_code fault) {
      if (!fault) sweep();
    });
  }

  ServerOptions options_;
  ConnectionHost home_;  // outlives what the context still holds when it is destroyed
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  TcpListener listener_;
  asio::steady_timer sweeper_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::map<std::shared_ptr<Connection>, std::shared_ptr<asio::ssl::context>> contexts_;
  std::vector<std::shared_ptr<Connection>> sessions_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable emptied_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace

Result<std::unique_ptr<Server>> Server::bind(const ServerOptions& options) {
  auto server = std::make_unique<BeastServer>(options);
  if (Result<void> opened = server->open(); !opened) return opened.error();
  return std::unique_ptr<Server>(std::move(server));
}

bool split_address(const std::string& listen, std::string& host, std::uint16_t& port) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return false;
  host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const char* end = listen.data() + listen.size();
  const auto [stop, fault] = std::from_chars(listen.data() + colon + 1, end, port);
  return !host.empty() && fault == std::errc{} && stop == end;
}

bool is_loopback(const std::string& listen) {
  std::string host;
  std::uint16_t port = 0;
  if (!split_address(listen, host, port)) return false;
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

}  // namespace quell::http
