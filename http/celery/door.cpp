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
#include "http/celery/session.hpp"
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
        sweeper_(io_) {}
  ~OpenDoor() override { stop(); }

  Result<void> open() {
    if (!options_.certificate.empty()) {
      auto tls = make_tls_context(options_.certificate, options_.key);
      if (!tls) return tls.error();
      tls_ = std::move(*tls);
    }
    if (!options_.listen.empty())
      if (Result<void> bound = listen(public_, options_.listen); !bound) return bound;
    if (Result<void> bound = listen(inner_, "127.0.0.1:0"); !bound) return bound;
    error_code ignored;
    attempts_->set_door("127.0.0.1:" + std::to_string(inner_.local_endpoint(ignored).port()));
    return {};
  }

  void start(Node& node, Auth* auth) override {
    node_ = &node;
    desk_.emplace(node, *this, options_.message_max);
    prepare(auth);
    asio::post(io_, [this] {
      desk_->begin();
      if (public_.is_open()) accept(public_, public_home_, tls_);
      accept(inner_, inner_home_, nullptr);
      sweep();
    });
    thread_ = std::thread([this] { run(); });
  }

  void stop() override {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      error_code ignored;
      public_.close(ignored);
      inner_.close(ignored);
      for (const auto& session : sessions_) session->close();
      io_.stop();
    });
    thread_.join();
    sessions_.clear();
    desk_->close();
  }

  std::uint16_t port() const override {
    error_code ignored;
    return public_.is_open() ? public_.local_endpoint(ignored).port() : std::uint16_t{0};
  }

  void post(std::function<void()> work) override { asio::post(io_, std::move(work)); }
  void after(Millis delay, std::function<void()> work) override {
    auto timer = std::make_shared<asio::steady_timer>(io_);
    timer->expires_after(delay);
    timer->async_wait([timer, work = std::move(work)](error_code fault) {
      if (!fault) work();
    });
  }

 private:
  Result<void> listen(tcp::acceptor& acceptor, const std::string& address) {
    std::string host;
    std::uint16_t port = 0;
    if (!split_address(address, host, port))
      return Error{ErrorCode::usage, "--celery-listen wants HOST:PORT, not " + address};
    error_code fault;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(
        host, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service, fault);
    if (fault || found.empty())
      return Error{ErrorCode::usage, "The address to listen on is not known here: " + host};
    const tcp::endpoint where = found.begin()->endpoint();
    acceptor.open(where.protocol(), fault);
    if (!fault) acceptor.set_option(asio::socket_base::reuse_address(true), fault);
    if (!fault) acceptor.bind(where, fault);
    if (!fault) acceptor.listen(1024, fault);
    if (fault)
      return Error{ErrorCode::usage, "Cannot listen on " + address + ": " + fault.message()};
    return {};
  }

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
    inner_home_.admit = [this](const std::string&, const std::string& password) {
      return admit_attempt(password);
    };
    public_home_.admit = [auth](const std::string& user, const std::string& password) {
      return auth == nullptr ? std::nullopt : admit_client(*auth, user, password);
    };
  }

  void run() {
    try {
      io_.run();
    } catch (...) {
      node_->fell("celery door", std::current_exception());
    }
  }

  void accept(tcp::acceptor& acceptor, SessionHome& home,
              const std::shared_ptr<asio::ssl::context>& tls) {
    acceptor.async_accept([this, &acceptor, &home, tls](error_code fault, tcp::socket socket) {
      if (fault == asio::error::operation_aborted || !acceptor.is_open()) return;
      if (fault)
        return after(Millis{50}, [this, &acceptor, &home, tls] { accept(acceptor, home, tls); });
      admit(std::move(socket), home, tls);
      accept(acceptor, home, tls);
    });
  }

  void admit(tcp::socket socket, SessionHome& home,
             const std::shared_ptr<asio::ssl::context>& tls) {
    // The processes of tasks are as many as there are slots; strangers do not keep them out.
    if (&home == &public_home_ && sessions_.size() >= options_.connections) return;
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto session = std::make_shared<Session>(make_stream(std::move(socket), tls), home);
    sessions_.push_back(session);
    session->start();
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
  tcp::acceptor public_, inner_;
  asio::steady_timer sweeper_;
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
