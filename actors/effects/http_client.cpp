#include "actors/effects/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <unordered_map>

#include "actors/effects/resolver.hpp"
#include "actors/effects/socket_watch.hpp"
#include "actors/effects/transfer.hpp"
#include "runtime/base/assert.hpp"

namespace quell {

namespace {

void init_library() {
  static std::once_flag once;
  std::call_once(once, [] { QUELL_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

}  // namespace

// Lives on the IO thread. Handlers that wait long hold it weakly, so that it ends with its client.
class HttpClient::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(boost::asio::io_context& io, HttpClientSettings settings);
  ~Core();

  void begin(OpId id, HttpCall call, std::shared_ptr<HttpSink> sink);
  void abort(OpId id);
  void pause(OpId id);
  void resume(OpId id);
  void stop();

  template <class Work>
  void post(Work work) {
    boost::asio::post(
        io_, [self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
  }

  std::atomic<OpId> last_id{0};
  std::atomic<std::size_t> open{0};

 private:
  using Transfers = std::unordered_map<OpId, std::unique_ptr<Transfer>>;

  void refuse(const std::shared_ptr<HttpSink>& sink, Error why);
  void resolved(OpId id, Result<std::vector<IpAddress>> answer);
  void connect(Transfer& transfer, std::vector<IpAddress> addresses);
  void end(Transfers::iterator which, HttpEndKind kind, std::optional<Error> error);
  void arm(Transfer& transfer);
  void check_time(OpId id);
  void act(curl_socket_t fd, int ready);
  void collect();
  void set_timer(long wait_ms);
  void arm_timer();

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long wait_ms, void* self);

  boost::asio::io_context& io_;
  const std::size_t max_concurrent_;
  OutboundGate gate_;
  std::shared_ptr<Resolver> resolver_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point armed_ =
      due_;              // when the timer really fires, never after due_
  bool kicked_ = false;  // libcurl is due at once and will be called
  bool stopped_ = false;
  std::unique_ptr<SocketWatch> watch_;
  CURLM* multi_;
  Transfers transfers_;
};

HttpClient::Core::Core(boost::asio::io_context& io, HttpClientSettings settings)
    : io_(io),
      max_concurrent_(settings.max_concurrent),
      gate_{AddressFilter(std::move(settings.allow), std::move(settings.own)),
            std::move(settings.may_connect), std::move(settings.ca_file),
            [this](int fd) { watch_->want(fd, false, false); }},
      resolver_(settings.resolver ? std::move(settings.resolver) : make_dns_resolver(io)),
      timer_(io) {
  init_library();
  multi_ = curl_multi_init();
  QUELL_ASSERT(multi_ != nullptr);
  watch_ = std::make_unique<SocketWatch>(io, [this](int fd, bool readable, bool writable) {
    const auto keep = shared_from_this();
    act(fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
  });
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Core::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Core::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
}

HttpClient::Core::~Core() {
  // Only when the loop was abandoned with calls in it: nobody is left to be told.
  for (auto& [id, transfer] : transfers_) {
    transfer->forbid();
    if (transfer->lookup) resolver_->cancel(*transfer->lookup);
    if (transfer->added) curl_multi_remove_handle(multi_, transfer->easy);
  }
  transfers_.clear();
  curl_multi_cleanup(multi_);
}

void HttpClient::Core::refuse(const std::shared_ptr<HttpSink>& sink, Error why) {
  HttpEnd end;
  end.kind = HttpEndKind::refused;
  end.error = std::move(why);
  --open;
  sink->on_closed(std::move(end));
}

void HttpClient::Core::begin(OpId id, HttpCall call, std::shared_ptr<HttpSink> sink) {
  if (stopped_) return refuse(sink, {ErrorCode::draining, "the client is stopped"});
  if (transfers_.size() >= max_concurrent_)
    return refuse(sink, {ErrorCode::overloaded,
                         fmt::format("{} outbound calls are open already", max_concurrent_)});
  if (const auto line = check_request_line(call.method, call.headers); !line.ok())
    return refuse(sink, line.error());
  auto url = read_outbound_url(call.url);
  if (!url.ok()) return refuse(sink, url.error());

  auto made =
      std::make_unique<Transfer>(io_, id, std::move(call), std::move(*url), std::move(sink), gate_);
  Transfer& transfer = *made;
  transfers_.emplace(id, std::move(made));
  arm(transfer);
  if (transfer.url.literal) return connect(transfer, {*transfer.url.literal});
  transfer.lookup = resolver_->resolve(
      transfer.url.host, [weak = weak_from_this(), id](Result<std::vector<IpAddress>> answer) {
        if (const auto self = weak.lock()) self->resolved(id, std::move(answer));
      });
}

void HttpClient::Core::resolved(OpId id, Result<std::vector<IpAddress>> answer) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  found->second->lookup.reset();
  if (!answer.ok()) return end(found, HttpEndKind::failed, answer.error());
  connect(*found->second, std::move(*answer));
}

void HttpClient::Core::connect(Transfer& transfer, std::vector<IpAddress> addresses) {
  const auto self = transfers_.find(transfer.id);
  std::string_view why = "no address";
  std::erase_if(addresses, [&](const IpAddress& address) {
    const std::string_view refusal = gate_.filter.why_refused(address);
    if (!refusal.empty()) why = refusal;
    return !refusal.empty();
  });
  if (addresses.empty())
    return end(self, HttpEndKind::refused,
               Error{ErrorCode::refused_address, fmt::format("'{}': {}", transfer.url.host, why)});
  if (!gate_.open())
    return end(self, HttpEndKind::refused,
               Error{ErrorCode::outbound_failed, "this node may not connect now"});
  transfer.sink->on_permit();
  if (const auto ready = transfer.prepare(std::move(addresses)); !ready.ok())
    return end(self, HttpEndKind::failed, ready.error());
  QUELL_ASSERT(curl_multi_add_handle(multi_, transfer.easy) == CURLM_OK);
  transfer.added = true;
}

// The only end of a call: the handle leaves libcurl, which closes the socket; then the sink is
// told.
void HttpClient::Core::end(Transfers::iterator which, HttpEndKind kind,
                           std::optional<Error> error) {
  QUELL_ASSERT(which != transfers_.end());
  const std::unique_ptr<Transfer> transfer = std::move(which->second);
  transfers_.erase(which);
  transfer->timer.cancel();
  if (transfer->lookup) resolver_->cancel(*transfer->lookup);
  transfer->lookup.reset();
  if (kind != HttpEndKind::done) transfer->forbid();
  if (transfer->added) QUELL_ASSERT(curl_multi_remove_handle(multi_, transfer->easy) == CURLM_OK);
  transfer->added = false;
  HttpEnd end = transfer->close(kind, std::move(error));
  --open;
  transfer->sink->on_closed(std::move(end));
}

void HttpClient::Core::abort(OpId id) {
  const auto found = transfers_.find(id);
  if (found != transfers_.end()) end(found, HttpEndKind::aborted, {});
}

void HttpClient::Core::pause(OpId id) {
  const auto found = transfers_.find(id);
  if (found != transfers_.end()) found->second->paused = true;
}

void HttpClient::Core::resume(OpId id) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end() || !found->second->paused) return;
  Transfer& transfer = *found->second;
  transfer.paused = false;
  transfer.last_byte = std::chrono::steady_clock::now();
  arm(transfer);
  // Hands over what libcurl has kept, from within this call. A fault it meets is reported by the
  // multi.
  if (transfer.added) curl_easy_pause(transfer.easy, CURLPAUSE_CONT);
}

void HttpClient::Core::stop() {
  stopped_ = true;
  while (!transfers_.empty()) end(transfers_.begin(), HttpEndKind::aborted, {});
}

void HttpClient::Core::arm(Transfer& transfer) {
  transfer.timer.expires_at(transfer.next_deadline(std::chrono::steady_clock::now()));
  transfer.timer.async_wait([weak = weak_from_this(), id = transfer.id](const auto& fault) {
    if (fault) return;
    if (const auto self = weak.lock()) self->check_time(id);
  });
}

// The timer is not moved at every byte: when it fires it looks how much time is really left.
void HttpClient::Core::check_time(OpId id) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  auto late = found->second->overdue(std::chrono::steady_clock::now());
  if (!late) return arm(*found->second);
  end(found, HttpEndKind::failed, std::move(late));
}

void HttpClient::Core::act(curl_socket_t fd, int ready) {
  int running = 0;
  QUELL_ASSERT(curl_multi_socket_action(multi_, fd, ready, &running) == CURLM_OK);
  collect();
}

void HttpClient::Core::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // the message dies with the handle's removal
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    const auto which = transfers_.find(transfer->id);
    if (transfer->fault) {
      const auto [kind, error] = *transfer->fault;
      end(which, kind, error);
    } else {
      auto error = transfer->describe(code);
      const HttpEndKind kind = error ? HttpEndKind::failed : HttpEndKind::done;
      end(which, kind, std::move(error));
    }
  }
}

// libcurl moves its timer at nearly every step. Moving Asio's along would be a system call each
// time, so a timer that fires too early is let fire, and looks again.
void HttpClient::Core::set_timer(long wait_ms) {
  using Time = std::chrono::steady_clock;
  due_ = wait_ms < 0 ? Time::time_point::max() : Time::now() + Millis{wait_ms};
  if (wait_ms == 0 && !kicked_) {
    kicked_ = true;
    boost::asio::post(io_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->kicked_ = false;
      self->act(CURL_SOCKET_TIMEOUT, 0);
    });
  }
  if (wait_ms > 0 && due_ < armed_) arm_timer();
}

void HttpClient::Core::arm_timer() {
  armed_ = due_;
  timer_.expires_at(armed_);
  timer_.async_wait([weak = weak_from_this()](const auto& fault) {
    const auto self = weak.lock();
    if (fault || !self) return;
    self->armed_ = std::chrono::steady_clock::time_point::max();
    if (self->due_ <= std::chrono::steady_clock::now())
      self->act(CURL_SOCKET_TIMEOUT, 0);
    else if (self->due_ != self->armed_)
      self->arm_timer();
  });
}

int HttpClient::Core::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  static_cast<Core*>(self)->watch_->want(fd, what == CURL_POLL_IN || what == CURL_POLL_INOUT,
                                         what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
  return 0;
}

int HttpClient::Core::on_timer(CURLM*, long wait_ms, void* self) {
  static_cast<Core*>(self)->set_timer(wait_ms);
  return 0;
}

HttpClient::HttpClient(boost::asio::io_context& io, HttpClientSettings settings)
    : core_(std::make_shared<Core>(io, std::move(settings))) {}

HttpClient::~HttpClient() {
  stop();
}

HttpClient::OpId HttpClient::start(HttpCall call, std::shared_ptr<HttpSink> sink) {
  QUELL_ASSERT(sink != nullptr);
  const OpId id = ++core_->last_id;
  ++core_->open;
  core_->post([id, call = std::move(call), sink = std::move(sink)](Core& core) mutable {
    core.begin(id, std::move(call), std::move(sink));
  });
  return id;
}

void HttpClient::abort(OpId op) {
  core_->post([op](Core& core) { core.abort(op); });
}

void HttpClient::pause(OpId op) {
  core_->post([op](Core& core) { core.pause(op); });
}

void HttpClient::resume(OpId op) {
  core_->post([op](Core& core) { core.resume(op); });
}

std::size_t HttpClient::open() const {
  return core_->open;
}

void HttpClient::stop() {
  core_->post([](Core& core) { core.stop(); });
}

}  // namespace quell
