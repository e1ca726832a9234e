// One outbound call as libcurl sees it: the easy handle, its options and its callbacks. Everything
// a callback touches lives here, so a call can be dropped at any moment without asking anyone.
#pragma once

#include <curl/curl.h>
#include <sys/types.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/effects/http_client.hpp"
#include "actors/effects/outbound_url.hpp"

namespace quell {

// What stands between a call and the network; one for all calls of a client.
struct OutboundGate {
  AddressFilter filter;
  std::function<bool()> may_connect;
  std::string ca_file;
  std::function<void(int fd)> on_socket;  // a socket was born; what was known of its number is void
  bool open() const { return !may_connect || may_connect(); }
};

class Transfer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Transfer(boost::asio::io_context& io, HttpClient::OpId id, HttpCall call, OutboundUrl url,
           std::shared_ptr<HttpSink> sink, const OutboundGate& gate);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Makes the easy handle; its connection can go to these addresses and to no other.
  Result<void> prepare(std::vector<IpAddress> pinned);

  Time next_deadline(Time now) const;            // when to look again
  std::optional<Error> overdue(Time now) const;  // a limit of time that has passed
  void forbid();                                 // from now on: no socket, no request, no chunk
  HttpEnd close(HttpEndKind kind, std::optional<Error> error);  // handle must be off the multi

  const HttpClient::OpId id;
  HttpCall call;
  const OutboundUrl url;
  const std::shared_ptr<HttpSink> sink;
  boost::asio::steady_timer timer;
  std::optional<std::uint64_t> lookup;  // the resolver's ticket while the name is in question
  bool added = false;                   // the easy handle is on the multi handle
  bool paused = false;
  Time last_byte;
  std::optional<std::pair<HttpEndKind, Error>> fault;  // why a callback of ours ended the transfer
  CURL* easy = nullptr;

  std::optional<Error> describe(CURLcode code) const;  // nothing: the reply is whole

 private:
  struct Socket {
    int fd;
    ino_t inode;
  };
  static bool is_open(const Socket& socket);
  void set_request();
  void set_callbacks();
  bool set_lists();
  curl_socket_t open_socket(const curl_sockaddr& address);
  bool has_arrived(int fd) const;
  void close_socket(curl_socket_t fd);
  std::size_t take_head_line(std::string_view line);
  std::size_t take_body(std::string_view piece);
  bool show_head();
  void fail(HttpEndKind kind, ErrorCode code, std::string detail);

  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address);
  static int on_close(void* self, curl_socket_t fd);
  static std::size_t on_head_line(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static int on_request(void* self, char*, char*, int, int);
  static int on_progress(void* self, curl_off_t, curl_off_t in, curl_off_t, curl_off_t out);

  const OutboundGate& gate_;
  const Time started_;
  std::vector<IpAddress> pinned_;
  curl_slist* header_list_ = nullptr;
  curl_slist* resolve_list_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> fault_text_{};
  HttpHead head_;
  bool head_complete_ = false;
  std::string body_;
  std::size_t head_bytes_ = 0, body_bytes_ = 0;
  curl_off_t bytes_moved_ = 0;
  bool connected_ = false;
  bool forbidden_ = false;
  std::vector<Socket> sockets_;
};

}  // namespace quell
