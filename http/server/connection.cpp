#include "http/server/connection.hpp"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <optional>
#include <type_traits>

#include "http/api/problem.hpp"
#include "runtime/base/assert.hpp"

namespace quell::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t read_chunk = 16 * 1024;
constexpr std::size_t linger_bytes = 256 * 1024;

bool has_policy(const Response& response) {
  for (const auto& [name, value] : response.headers)
    if (same_text(name, "Content-Security-Policy")) return true;
  return false;
}

std::string head_text(const Response& response, const ConnectionHost& home, bool keep_alive,
                      bool is_stream) {
  std::string head;
  head.reserve(640);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status,
                 reason_phrase(response.status));
  head.append("Date: ").append(home.date).append("\r\n").append(home.safety);
  if (!has_policy(response))
    head.append("Content-Security-Policy: ").append(strict_policy).append("\r\n");
  if (!response.content_type.empty() && (is_stream || !response.body.empty()))
    head.append("Content-Type: ").append(response.content_type).append("\r\n");
  for (const auto& [name, value] : response.headers)
    head.append(name).append(": ").append(value).append("\r\n");
  if (is_stream)
    head.append("Transfer-Encoding: chunked\r\n");
  else if (response.status != 204 && response.status != 304)
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body.size());
  head.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  return head;
}

template <class Stream>
class ConnectionOn;

// The answer to one request. Holds its session alive until the answer is given.
template <class Stream>
class Exchange final : public Responder {
 public:
  explicit Exchange(std::shared_ptr<ConnectionOn<Stream>> session) : session_(std::move(session)) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() override {
    if (!answered_.load())
      respond(problem_response({ErrorCode::internal, "The request was dropped unanswered."}));
  }
  void respond(Response response) override {
    if (!answered_.exchange(true)) session_->answer(std::move(response));
  }
  std::shared_ptr<EventSink> stream(Response head) override {
    if (answered_.exchange(true)) return nullptr;
    return session_->open_stream(std::move(head));
  }

 private:
  std::shared_ptr<ConnectionOn<Stream>> session_;
  std::atomic<bool> answered_{false};
};

template <class Stream>
class Tap final : public EventSink {
 public:
  explicit Tap(std::weak_ptr<ConnectionOn<Stream>> session) : session_(std::move(session)) {}
  void send(std::string piece) override {
    if (const auto session = session_.lock()) session->send_piece(std::move(piece));
  }
  void close() override {
    if (const auto session = session_.lock()) session->end_stream();
  }
  std::size_t unsent() const override {
    const auto session = session_.lock();
    return session ? session->unsent_.load() : 0;
  }
  bool is_open() const override {
    const auto session = session_.lock();
    return session && session->stream_open_.load();
  }

 private:
  std::weak_ptr<ConnectionOn<Stream>> session_;
};

template <class Stream>
class ConnectionOn final : public Connection,
                           public std::enable_shared_from_this<ConnectionOn<Stream>> {
 public:
  template <class... Args>
  ConnectionOn(ConnectionHost& home, std::string remote, Args&&... args)
      : stream_(std::forward<Args>(args)...), home_(home), remote_(std::move(remote)) {}

  void start() override {
    wait_until(home_.limits.header_time);
    if constexpr (is_plain) {
      read_more();
    } else {
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code fault) {
                                if (fault) return self->abort();
                                self->read_more();
                              });
    }
  }

  void check_time(SteadyTime now) override {
    if (over_ || phase_ == Phase::handle) return;
    if (phase_ == Phase::stream) {
      // A stream lives as long as its reader reads, but its end has to be taken some day.
      if (closing_ && now >= deadline_) abort();
      return;
    }
    if (phase_ == Phase::body && is_crawling(now)) deadline_ = now;
    if (now < deadline_) return;
    if (phase_ == Phase::head || phase_ == Phase::body) {
      // Only a request that has begun gets an answer; a connection that says nothing just ends.
      if (buffer_.size() == 0 && phase_ == Phase::head) return abort();
      return refuse({ErrorCode::request_timeout});
    }
    abort();
  }

  void drain() override {
    if (phase_ == Phase::idle || (phase_ == Phase::head && buffer_.size() == 0)) abort();
    if (phase_ == Phase::stream) end_stream();
  }

  void abort() override {
    if (over_) return;
    over_ = true;
    stream_open_ = false;
    error_code ignored;
    lowest().close(ignored);
  }

  bool is_over() const override { return over_; }
  const std::string& remote() const override { return remote_; }

  void answer(Response response) {
    if (home_.closed.load()) return;
    if (home_.io->get_executor().running_in_this_thread()) return write_answer(std::move(response));
    asio::post(*home_.io, [self = this->shared_from_this(), reply = std::move(response)]() mutable {
      self->write_answer(std::move(reply));
    });
  }

  std::shared_ptr<EventSink> open_stream(Response head) {
    if (home_.closed.load()) return nullptr;
    stream_open_ = true;
    asio::post(*home_.io, [self = this->shared_from_this(), first = std::move(head)]() mutable {
      self->start_stream(std::move(first));
    });
    return std::make_shared<Tap<Stream>>(this->shared_from_this());
  }

  void send_piece(std::string piece) {
    if (!stream_open_.load() || home_.closed.load()) return;
    unsent_ += piece.size();
    asio::post(*home_.io, [self = this->shared_from_this(), data = std::move(piece)]() mutable {
      self->pieces_.push_back(std::move(data));
      self->write_pieces();
    });
  }

  void end_stream() {
    if (!stream_open_.exchange(false) || home_.closed.load()) return;
    asio::post(*home_.io, [self = this->shared_from_this()] {
      self->ending_ = self->closing_ = true;
      self->wait_until(self->home_.limits.write_time);
      self->write_pieces();
    });
  }

 private:
  friend class Exchange<Stream>;
  friend class Tap<Stream>;
  enum class Phase { idle, head, body, handle, write, stream, linger };
  static constexpr bool is_plain = std::is_same_v<Stream, tcp::socket>;
  using Parser = beast::http::request_parser<beast::http::string_body>;

  tcp::socket& lowest() {
    if constexpr (is_plain)
      return stream_;
    else
      return stream_.next_layer();
  }

  void wait_until(Millis span) { deadline_ = steady_clock::now() + span; }

  bool is_crawling(SteadyTime now) const {
    const auto spent = std::chrono::duration_cast<std::chrono::seconds>(now - body_began_).count();
    return spent > 5 && body_bytes_ < static_cast<std::size_t>(spent) * home_.limits.slowest_body;
  }

  void read_more() {
    stream_.async_read_some(buffer_.prepare(read_chunk),
                            [self = this->shared_from_this()](error_code fault, std::size_t n) {
                              self->on_read(fault, n);
                            });
  }

  void on_read(error_code fault, std::size_t n) {
    if (over_) return;
    if (fault) return abort();
    buffer_.commit(n);
    if (phase_ == Phase::idle) {
      phase_ = Phase::head;
      wait_until(home_.limits.header_time);
    }
    if (phase_ == Phase::head) return take_head();
    if (phase_ == Phase::body) return body_bytes_ += n, take_body();
    if (phase_ == Phase::linger) return linger_on(n);
    if (phase_ == Phase::stream) {
      buffer_.consume(buffer_.size());  // whatever it is, it is not for us
      read_more();
    }
  }

  void take_head() {
    const auto bytes = buffer_.data();
    const std::string_view seen{static_cast<const char*>(bytes.data()), bytes.size()};
    const std::size_t end = seen.find("\r\n\r\n", searched_);
    if (end == std::string_view::npos) {
      if (const auto fault = too_long(seen, home_.limits.head)) return refuse(*fault);
      searched_ = seen.size() < 3 ? 0 : seen.size() - 3;
      return read_more();
    }
    searched_ = 0;
    Result<Head> head = read_head(std::string{seen.substr(0, end + 4)}, home_.limits.head);
    if (!head) return refuse(head.error());
    head_ = std::move(*head);
    head_.request.remote = remote_;
    begin_body();
  }

  void begin_body() {
    const Framing& framing = head_.framing;
    const bool has_body = framing.chunked || framing.content_length.value_or(0) > 0;
    const BodyRuling ruling = has_body ? home_.body_gate(head_.request) : BodyRuling{};
    const std::size_t limit = ruling.limit;
    const bool is_long = framing.content_length.value_or(0) > limit;
    if (ruling.is_of_a_stranger && (is_long || framing.chunked)) return hand_over_unread();
    if (is_long)
      return refuse({ErrorCode::body_too_large, fmt::format("This route takes {} bytes.", limit)});
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(home_.limits.head.header + 1024));
    parser_->body_limit(limit);
    parser_->eager(true);
    phase_ = Phase::body;
    body_began_ = steady_clock::now();
    deadline_ = body_began_ + home_.limits.body_time;
    body_bytes_ = buffer_.size();
    if (framing.expects_continue && has_body) {
      // 25 bytes fit any socket buffer that has nothing else in it, so nobody waits here.
      static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      return asio::async_write(stream_, asio::buffer(go_on.data(), go_on.size()),
                               [self = this->shared_from_this()](error_code fault, std::size_t) {
                                 if (fault) return self->abort();
                                 self->take_body();
                               });
    }
    take_body();
  }

  void take_body() {
    error_code fault;
    while (buffer_.size() > 0 && !parser_->is_done()) {
      const std::size_t used = parser_->put(buffer_.data(), fault);
      buffer_.consume(used);
      if (fault == beast::http::error::need_more) break;
      if (fault == beast::http::error::body_limit) return refuse({ErrorCode::body_too_large});
      if (fault) return refuse({ErrorCode::invalid_request, "The body's framing is broken."});
    }
    if (parser_->is_done()) return hand_over();
    // What the parser cannot consume yet is one chunk header; none needs this much.
    if (buffer_.size() > 4 * read_chunk)
      return refuse({ErrorCode::invalid_request, "A chunk header is too long."});
    read_more();
  }

  void hand_over() {
    Request request = std::move(head_.request);
    // Two readers saw this head. Where they differ, neither can be believed.
    if (parser_->get().target() != beast::string_view{request.target.data(), request.target.size()})
      return refuse({ErrorCode::invalid_request, "The request line is ambiguous."});
    request.body = std::move(parser_->get().body());
    parser_.reset();
    phase_ = Phase::handle;
    keep_alive_ = request.keep_alive && !home_.draining;
    is_head_ = request.method == "HEAD";
    home_.handler(std::move(request), std::make_shared<Exchange<Stream>>(this->shared_from_this()));
  }

  void hand_over_unread() {
    Request request = std::move(head_.request);
    request.body_is_unread = true;
    phase_ = Phase::handle;
    keep_alive_ = false;
    is_head_ = request.method == "HEAD";
    home_.handler(std::move(request), std::make_shared<Exchange<Stream>>(this->shared_from_this()));
  }

  // A refusal by the framing itself: the rest of what the peer says cannot be trusted.
  void refuse(const Problem& problem) {
    phase_ = Phase::handle;
    keep_alive_ = false;
    is_head_ = false;
    parser_.reset();
    Response response = problem_response(problem);
    response.headers.emplace_back("Cache-Control", "no-store");
    write_answer(std::move(response));
  }

  void write_answer(Response response) {
    if (over_ || phase_ != Phase::handle) return;
    phase_ = Phase::write;
    wait_until(home_.limits.write_time);
    if (response.close || home_.draining) keep_alive_ = false;
    out_head_ = head_text(response, home_, keep_alive_, false);
    out_body_ = is_head_ ? std::string{} : std::move(response.body);
    const std::array<asio::const_buffer, 2> out{asio::buffer(out_head_), asio::buffer(out_body_)};
    asio::async_write(stream_, out,
                      [self = this->shared_from_this()](error_code fault, std::size_t) {
                        self->on_written(fault);
                      });
  }

  void on_written(error_code fault) {
    if (over_) return;
    if (fault) return abort();
    if (!keep_alive_) return begin_linger();
    phase_ = Phase::idle;
    wait_until(home_.limits.idle_time);
    out_body_ = {};
    if (home_.draining) return abort();
    if (buffer_.size() == 0) return read_more();
    phase_ = Phase::head;  // pipelined
    wait_until(home_.limits.header_time);
    take_head();
  }

  // Closing while the peer still sends would reset the connection and lose our answer: say that no
  // more comes, and read what is under way for a moment.
  void begin_linger() {
    phase_ = Phase::linger;
    wait_until(Millis{1'000});
    error_code ignored;
    lowest().shutdown(tcp::socket::shutdown_send, ignored);
    buffer_.consume(buffer_.size());
    lingered_ = 0;
    linger_on(0);
  }

  void linger_on(std::size_t n) {
    lingered_ += n;
    if (lingered_ > linger_bytes) return abort();
    buffer_.consume(buffer_.size());
    lowest().async_read_some(buffer_.prepare(read_chunk),
                             [self = this->shared_from_this()](error_code fault, std::size_t more) {
                               self->on_read(fault, more);
                             });
  }

  void start_stream(Response head) {
    if (over_ || phase_ != Phase::handle) return abort();
    phase_ = Phase::stream;
    keep_alive_ = false;
    pieces_.push_front({});
    out_head_ = head_text(head, home_, false, true);
    writing_ = true;
    asio::async_write(stream_, asio::buffer(out_head_),
                      [self = this->shared_from_this()](error_code fault, std::size_t) {
                        self->on_piece_written(fault);
                      });
    read_more();  // only to notice that the reader has gone
  }

  void on_piece_written(error_code fault) {
    writing_ = false;
    if (over_) return;
    if (fault) return abort();
    unsent_ -= pieces_.front().size();
    pieces_.pop_front();
    write_pieces();
  }

  void write_pieces() {
    if (over_ || writing_ || phase_ != Phase::stream) return;
    if (pieces_.empty()) {
      if (!ending_) return;
      ending_ = false;
      out_head_ = "0\r\n\r\n";
      return asio::async_write(
          stream_, asio::buffer(out_head_),
          [self = this->shared_from_this()](error_code, std::size_t) { self->abort(); });
    }
    if (pieces_.front().empty()) return pieces_.pop_front(), write_pieces();
    writing_ = true;
    out_head_ = fmt::format("{:x}\r\n", pieces_.front().size());
    const std::array<asio::const_buffer, 3> out{
        asio::buffer(out_head_), asio::buffer(pieces_.front()), asio::buffer("\r\n", 2)};
    asio::async_write(stream_, out,
                      [self = this->shared_from_this()](error_code fault, std::size_t) {
                        self->on_piece_written(fault);
                      });
  }

  Stream stream_;
  ConnectionHost& home_;
  std::string remote_;
  beast::flat_buffer buffer_;
  std::size_t searched_ = 0;  // no empty line begins before this byte
  Head head_;
  std::optional<Parser> parser_;
  Phase phase_ = Phase::head;
  SteadyTime deadline_, body_began_;
  std::size_t body_bytes_ = 0, lingered_ = 0;
  bool keep_alive_ = true, is_head_ = false, over_ = false;
  std::string out_head_, out_body_;
  // Of a stream.
  std::deque<std::string> pieces_;
  bool writing_ = false, ending_ = false, closing_ = false;
  std::atomic<bool> stream_open_{false};
  std::atomic<std::size_t> unsent_{0};
};

std::string address_of(const tcp::socket& socket) {
  error_code fault;
  const auto peer = socket.remote_endpoint(fault);
  return fault ? std::string{"unknown"} : peer.address().to_string();
}

}  // namespace

std::shared_ptr<Connection> make_session(tcp::socket socket, ConnectionHost& home,
                                         asio::ssl::context* tls) {
  std::string remote = address_of(socket);
  if (tls == nullptr)
    return std::make_shared<ConnectionOn<tcp::socket>>(home, std::move(remote), std::move(socket));
  return std::make_shared<ConnectionOn<asio::ssl::stream<tcp::socket>>>(home, std::move(remote),
                                                                        std::move(socket), *tls);
}

}  // namespace quell::http
