#include "actors/effects/transfer.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "actors/effects/socket_address.hpp"
#include "runtime/base/assert.hpp"

namespace quell {

namespace {

bool says(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) {
    return header.first.size() == name.size() &&
           curl_strnequal(header.first.c_str(), name.data(), name.size()) != 0;
  });
}

constexpr int goodbye_bytes = 64;

// After a close the kernel goes on sending what it has accepted, also for a process that was
// killed: work after the end. A socket that resets throws the rest away instead, and the other side
// hears of it.
void set_reset_on_close(int fd, bool yes) {
  const linger how{yes ? 1 : 0, 0};
  QUELL_ASSERT(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &how, sizeof how) == 0);
}

// The options of a handle fail only when memory is out or libcurl is not the one we were built for.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  QUELL_ASSERT(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

}  // namespace

Transfer::Transfer(boost::asio::io_context& io, HttpClient::OpId op, HttpCall what,
                   OutboundUrl where, std::shared_ptr<HttpSink> to, const OutboundGate& gate)
    : id(op),
      call(std::move(what)),
      url(std::move(where)),
      sink(std::move(to)),
      timer(io),
      last_byte(std::chrono::steady_clock::now()),
      gate_(gate),
      started_(last_byte) {}

Transfer::~Transfer() {
  if (easy != nullptr) curl_easy_cleanup(easy);
  curl_slist_free_all(header_list_);
  curl_slist_free_all(resolve_list_);
}

Result<void> Transfer::prepare(std::vector<IpAddress> pinned) {
  QUELL_ASSERT(easy == nullptr && !pinned.empty());
  pinned_ = std::move(pinned);
  easy = curl_easy_init();
  if (easy == nullptr || !set_lists()) return Error{ErrorCode::internal, "out of memory"};
  set_request();
  set_callbacks();
  return {};
}

bool Transfer::set_lists() {
  const auto add = [](curl_slist*& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list, line.c_str());
    if (longer == nullptr) return false;
    list = longer;
    return true;
  };
  bool ok = true;
  for (const auto& [name, value] : call.headers)
    ok = ok && add(header_list_, value.empty() ? name + ";" : name + ": " + value);
  // What libcurl would add by itself and nobody asked for.
  ok = ok && add(header_list_, "Expect:");
  if (!says(call.headers, "content-type")) ok = ok && add(header_list_, "Content-Type:");
  if (!url.literal) {
    // "+": the pin ages out of the cache, which all handles share, instead of staying for ever.
    std::string pin = fmt::format("+{}:{}:", url.host, url.port);
    for (std::size_t i = 0; i < pinned_.size(); ++i) {
      if (i != 0) pin += ',';
      const std::string text = pinned_[i].text();
      pin += pinned_[i].is_v4() ? text : "[" + text + "]";
    }
    ok = ok && add(resolve_list_, pin);
  }
  return ok;
}

void Transfer::set_request() {
  set(easy, CURLOPT_URL, url.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);  // each hop is a call of its own, judged anew
  set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(easy, CURLOPT_PROXY, "");  // the filter would only see the proxy's address
  set(easy, CURLOPT_NOPROXY, "*");
  set(easy, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  // A connection that served a call before may be dead, and libcurl would then send again by
  // itself.
  set(easy, CURLOPT_FRESH_CONNECT, 1L);
  set(easy, CURLOPT_FORBID_REUSE, 1L);
  set(easy, CURLOPT_BUFFERSIZE, 8'192L);  // it is allocated for each call, and most calls are small
  set(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16'384L);
  // Our own timer ends the call, with names and pauses counted as we mean them.
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, long{std::numeric_limits<int>::max()});
  // With a directory of certificates libcurl cannot share what it has read: each connection would
  // parse the system's whole bundle again, some 15 ms of the loop's time.
  set(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  if (!gate_.ca_file.empty()) set(easy, CURLOPT_CAINFO, gate_.ca_file.c_str());
  set(easy, CURLOPT_HTTPHEADER, header_list_);
  if (resolve_list_ != nullptr) set(easy, CURLOPT_RESOLVE, resolve_list_);
  if (!says(call.headers, "accept-encoding")) set(easy, CURLOPT_ACCEPT_ENCODING, "");

  const bool sends =
      !call.body.empty() || call.method == "POST" || call.method == "PUT" || call.method == "PATCH";
  if (call.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (sends) {
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    set(easy, CURLOPT_POSTFIELDS, call.body.data());  // not copied: the call owns it
    set(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  } else {
    set(easy, CURLOPT_HTTPGET, 1L);
    set(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  }
}

void Transfer::set_callbacks() {
  set(easy, CURLOPT_PRIVATE, static_cast<void*>(this));
  set(easy, CURLOPT_ERRORBUFFER, fault_text_.data());
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open);
  set(easy, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(easy, CURLOPT_CLOSESOCKETFUNCTION, &Transfer::on_close);
  set(easy, CURLOPT_CLOSESOCKETDATA, static_cast<void*>(this));
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_head_line);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(easy, CURLOPT_PREREQFUNCTION, &Transfer::on_request);
  set(easy, CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(easy, CURLOPT_NOPROGRESS, 0L);
  set(easy, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(easy, CURLOPT_XFERINFODATA, static_cast<void*>(this));
}

Transfer::Time Transfer::next_deadline(Time now) const {
  Time next = started_ + call.total_timeout;
  if (!connected_) next = std::min(next, started_ + call.connect_timeout);
  // It may get connected in the meantime, so the limit on silence counts from now at the earliest.
  if (!paused) next = std::min(next, (connected_ ? last_byte : now) + call.idle_timeout);
  return next;
}

std::optional<Error> Transfer::overdue(Time now) const {
  const auto late = [](const char* what, Millis limit) {
    return Error{ErrorCode::outbound_failed, fmt::format("{} within {} ms", what, limit.count())};
  };
  if (now >= started_ + call.total_timeout) return late("not done", call.total_timeout);
  if (!connected_ && now >= started_ + call.connect_timeout)
    return late("not connected", call.connect_timeout);
  if (connected_ && !paused && now >= last_byte + call.idle_timeout)
    return late("not a byte", call.idle_timeout);
  return {};
}

void Transfer::forbid() {
  forbidden_ = true;
}

HttpEnd Transfer::close(HttpEndKind kind, std::optional<Error> error) {
  QUELL_ASSERT(!added && !lookup);
  HttpEnd end;
  if (easy != nullptr) {
    curl_off_t body_in = 0, body_out = 0;
    long head_in = 0, head_out = 0;
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &body_in);
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &body_out);
    curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &head_in);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &head_out);
    end.bytes_in = static_cast<std::uint64_t>(body_in + head_in);
    end.bytes_out = static_cast<std::uint64_t>(body_out + head_out);
    curl_easy_cleanup(easy);
    easy = nullptr;
  }
  // The promise of on_closed: no socket of this call is open. libcurl closed it when the handle
  // left.
  QUELL_ASSERT(std::none_of(sockets_.begin(), sockets_.end(), is_open));
  end.kind = kind;
  end.error = std::move(error);
  end.head = std::move(head_);
  end.body = std::move(body_);
  end.connected = connected_;
  return end;
}

std::optional<Error> Transfer::describe(CURLcode code) const {
  if (code == CURLE_OK) return {};
  const char* text = fault_text_[0] != '\0' ? fault_text_.data() : curl_easy_strerror(code);
  return Error{ErrorCode::outbound_failed, text};
}

void Transfer::fail(HttpEndKind kind, ErrorCode code, std::string detail) {
  if (!fault) fault.emplace(kind, Error{code, std::move(detail)});
}

curl_socket_t Transfer::open_socket(const curl_sockaddr& address) {
  if (forbidden_) return CURL_SOCKET_BAD;
  if (!gate_.open()) {
    fail(HttpEndKind::refused, ErrorCode::outbound_failed, "this node may not connect now");
    return CURL_SOCKET_BAD;
  }
  // The name was judged before; this judges what will really be connected to, whoever resolved it.
  const auto where = ip_of(&address.addr);
  if (!where || std::find(pinned_.begin(), pinned_.end(), *where) == pinned_.end() ||
      !gate_.filter.allows(*where)) {
    fail(HttpEndKind::refused, ErrorCode::refused_address,
         fmt::format("{} was not the address that was allowed", where ? where->text() : "this"));
    return CURL_SOCKET_BAD;
  }
  const int fd = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  set_reset_on_close(fd, true);
  struct stat status {};
  QUELL_ASSERT(::fstat(fd, &status) == 0);
  sockets_.push_back({fd, status.st_ino});
  gate_.on_socket(fd);
  return fd;
}

// libcurl 7.88 closes a socket that is still connecting by itself, without asking on_close. So the
// proof is taken from the system: the number is free, or it belongs to another socket by now.
bool Transfer::is_open(const Socket& socket) {
  struct stat status {};
  return ::fstat(socket.fd, &status) == 0 && status.st_ino == socket.inode;
}

// The other side has all of it. Under TLS the goodbye is a record of its own, which may be on its
// way behind a reply that is whole.
bool Transfer::has_arrived(int fd) const {
  int unconfirmed = 0;
  if (::ioctl(fd, TIOCOUTQ, &unconfirmed) != 0) return false;
  const bool may_say_goodbye = url.tls && head_complete_ && !forbidden_ && !fault;
  return unconfirmed <= (may_say_goodbye ? goodbye_bytes : 0);
}

void Transfer::close_socket(curl_socket_t fd) {
  if (has_arrived(fd)) set_reset_on_close(fd, false);
  ::close(fd);
  std::erase_if(sockets_, [fd](const Socket& socket) { return socket.fd == fd; });
}

std::size_t Transfer::take_head_line(std::string_view line) {
  last_byte = std::chrono::steady_clock::now();
  const std::size_t size = line.size();
  head_bytes_ += size;
  if (head_bytes_ > call.max_head) {
    fail(HttpEndKind::failed, ErrorCode::outbound_failed,
         fmt::format("the reply's head is larger than {} bytes", call.max_head));
    return 0;
  }
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (head_complete_) return size;  // trailers: anyone may write there, nobody reads them
  if (line.empty()) return show_head() ? size : 0;
  if (line.substr(0, 5) == "HTTP/") {
    head_ = {};
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    head_.status = static_cast<int>(status);
    return size;
  }
  const bool folded = line.front() == ' ' || line.front() == '\t';
  const auto trim = [](std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return std::string(text);
  };
  if (folded) {
    if (!head_.headers.empty()) head_.headers.back().second += " " + trim(line);
    return size;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && colon != 0)
    head_.headers.emplace_back(std::string(line.substr(0, colon)), trim(line.substr(colon + 1)));
  return size;
}

bool Transfer::show_head() {
  if (head_.status < 200) return true;  // 100 and 103 come before the reply
  head_complete_ = true;
  if (!forbidden_) sink->on_head(head_);
  return true;
}

std::size_t Transfer::take_body(std::string_view piece) {
  if (forbidden_) return 0;
  if (paused) return CURL_WRITEFUNC_PAUSE;  // libcurl keeps the piece and reads no further
  last_byte = std::chrono::steady_clock::now();
  body_bytes_ += piece.size();
  if (body_bytes_ > call.max_body) {
    fail(HttpEndKind::failed, ErrorCode::outbound_failed,
         fmt::format("the reply's body is larger than {} bytes", call.max_body));
    return 0;
  }
  if (call.stream)
    sink->on_chunk(std::string(piece));
  else
    body_.append(piece);
  return piece.size();
}

curl_socket_t Transfer::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  return static_cast<Transfer*>(self)->open_socket(*address);
}

int Transfer::on_close(void* self, curl_socket_t fd) {
  static_cast<Transfer*>(self)->close_socket(fd);
  return 0;
}

std::size_t Transfer::on_head_line(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->take_head_line({data, size * count});
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->take_body({data, size * count});
}

// The last moment before the request is written: the connection, and TLS on it, are ready.
int Transfer::on_request(void* data, char*, char*, int, int) {
  auto& self = *static_cast<Transfer*>(data);
  if (self.forbidden_) return CURL_PREREQFUNC_ABORT;
  if (!self.gate_.open()) {
    self.fail(HttpEndKind::refused, ErrorCode::outbound_failed, "this node may not connect now");
    return CURL_PREREQFUNC_ABORT;
  }
  self.connected_ = true;
  self.last_byte = std::chrono::steady_clock::now();
  return CURL_PREREQFUNC_OK;
}

int Transfer::on_progress(void* data, curl_off_t, curl_off_t in, curl_off_t, curl_off_t out) {
  auto& self = *static_cast<Transfer*>(data);
  if (in + out != self.bytes_moved_) {
    self.bytes_moved_ = in + out;
    self.last_byte = std::chrono::steady_clock::now();
  }
  return self.forbidden_ ? 1 : 0;
}

}  // namespace quell
