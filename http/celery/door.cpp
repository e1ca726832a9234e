#include "http/celery/door.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "http/api/auth.hpp"
#include "http/api/rate_limit.hpp"
#include "http/celery/session.hpp"
#include "http/server/listener.hpp"
#include "http/server/server.hpp"
#include "http/server/tls_context.hpp"
#include "runtime/base/name.hpp"

namespace quell::http::celery {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr Millis sweep_period{250};

class OpenDoor final : public Door, public Loop {
 public:
  OpenDoor(DoorOptions options, std::shared_ptr<Attempts> attempts)
      : options_(std::move(options)),
        attempts_(std::move(attempts)),
        public_(io_),
        inner_(io_),
        sweeper_(io_),
        logins_(options_.login_per_minute, 0, 0) {}
  ~OpenDoor() override { stop(); }

  Result<void> open() {
    if (!options_.certificate.empty()) {
      auto tls = make_tls_context(options_.certificate, options_.key);
      if (!tls) return tls.error();
      tls_ = std::move(*tls);
    }
    if (!options_.listen.empty())
      if (Result<void> bound = public_.open(options_.listen, "--celery-listen"); !bound)
        return bound;
    if (Result<void> bound = inner_.open("127.0.0.1:0", "--celery-listen"); !bound) return bound;
    attempts_->set_door("127.0.0.1:" + std::to_string(inner_.port()));
    return {};
  }

  void start(Node& node, Auth* auth) override {
    node_ = &node;
    desk_.emplace(node, *this, options_.message_max);
    prepare(auth);
    asio::post(io_, [this] {
      desk_->begin();
      if (public_.is_open()) take_in(public_, public_home_, tls_);
      take_in(inner_, inner_home_, nullptr);
      sweep();
    });
    thread_ = std::thread([this] { run(); });
  }

  void stop() override {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      public_.close();
      inner_.close();
      for (const auto& session : sessions_) session->close();
      io_.stop();
    });
    thread_.join();
    sessions_.clear();
    desk_->close();
  }

  std::uint16_t port() const override { return public_.port(); }

  void post(std::function<void()> work) override { asio::post(io_, std::move(work)); }
  void after(Millis delay, std::function<void()> work) override {
    run_after(io_, delay, std::move(work));
  }

 private:
  // An attempt may send and write what its task does; what it is allowed ends with it.
  std::optional<Caller> admit_attempt(const std::string& password) const {
    const auto attempt = attempts_->find(password);
    if (!attempt) return std::nullopt;
    Caller caller;
    caller.project = attempt->project;
    caller.who = "job:" + attempt->job.text();
    caller.scopes = ScopeSet{Scope::jobs_write, Scope::jobs_read, Scope::jobs_exec};
    caller.attempt = attempt;
    return caller;
  }

  static std::optional<Caller> admit_client(Auth& auth, const std::string& user,
                                            const std::string& password) {
    const auto principal = auth.check(password, system_clock().now());
    if (!principal || !principal->scopes.has(Scope::jobs_read)) return std::nullopt;
    const bool names_project = !user.empty() && user != "admin" && user != "default";
    Caller caller;
    if (!principal->project.empty())
      caller.project = principal->project;
    else if (names_project)
      caller.project = user;
    if (names_project && (user != caller.project || !is_name(user))) return std::nullopt;
    caller.who = principal->who();
    caller.scopes = principal->scopes;
    return caller;
  }

  void prepare(Auth* auth) {
    for (SessionHome* home : {&public_home_, &inner_home_}) {
      home->desk = &*desk_;
      home->version = options_.version;
      home->still = [this, auth](const Caller& caller, const std::string& password) {
        if (caller.attempt) return attempts_->find(password).has_value();
        return auth != nullptr && auth->check(password, system_clock().now()).has_value();
      };
    }
    inner_home_.admit = [this](const std::string&, const std::string& password,
                               const std::string&) { return admit_attempt(password); };
    public_home_.admit = [this, auth](const std::string& user, const std::string& password,
                                      const std::string& remote) -> std::optional<Caller> {
      const auto now = std::chrono::steady_clock::now();
      if (auth == nullptr || !logins_.look(RatePolicy::read, remote, now).allowed)
        return std::nullopt;
      auto caller = admit_client(*auth, user, password);
      if (!caller) logins_.take(RatePolicy::read, remote, now);
      return caller;
    };
  }

  void run() {
    try {
      io_.run();
    } catch (...) {
      node_->fell("celery door", std::current_exception());
    }
  }

  void take_in(TcpListener& listener, SessionHome& home,
               const std::shared_ptr<asio::ssl::context>& tls) {
    listener.start([this, &home, tls](tcp::socket socket) { admit(std::move(socket), home, tls); });
  }

  void admit(tcp::socket socket, SessionHome& home,
             const std::shared_ptr<asio::ssl::context>& tls) {
    // The processes of tasks are as many as there are slots; strangers do not keep them out.
    error_code ignored;
    const std::string remote = socket.remote_endpoint(ignored).address().to_string();
    if (&home == &public_home_ && is_crowded(remote)) return;
    socket.set_option(tcp::no_delay(true), ignored);
    auto session = std::make_shared<Session>(make_stream(std::move(socket), tls), home,
                                             &home == &public_home_ ? remote : std::string());
    sessions_.push_back(session);
    session->start();
  }

  // As for HTTP: so many connections in all, and so many from one address.
  bool is_crowded(const std::string& remote) const {
    const auto same = [&remote](const auto& one) {
      return !one->is_over() && one->remote() == remote;
    };
    return sessions_.size() >= options_.connections ||
           (options_.connections_per_address > 0 &&
            std::count_if(sessions_.begin(), sessions_.end(), same) >=
                static_cast<std::ptrdiff_t>(options_.connections_per_address));
  }

  void sweep() {
    const auto now = std::chrono::steady_clock::now();
    for (const auto& session : sessions_) session->check_time(now);
    std::erase_if(sessions_, [](const auto& session) { return session->is_over(); });
    sweeper_.expires_after(sweep_period);
    sweeper_.async_wait([this](error_code fault) {
      if (!fault) sweep();
    });
  }

  DoorOptions options_;
  std::shared_ptr<Attempts> attempts_;
  Node* node_ = nullptr;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  TcpListener public_, inner_;
  asio::steady_timer sweeper_;
  RateLimit logins_;
  std::shared_ptr<asio::ssl::context> tls_;
  SessionHome public_home_, inner_home_;
  std::optional<Desk> desk_;
  std::vector<std::shared_ptr<Session>> sessions_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Door>> Door::bind(const DoorOptions& options,
                                         std::shared_ptr<Attempts> attempts) {
  auto door = std::make_unique<OpenDoor>(options, std::move(attempts));
  if (Result<void> opened = door->open(); !opened) return opened.error();
  return std::unique_ptr<Door>(std::move(door));
}

}  // namespace quell::http::celery
