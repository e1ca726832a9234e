#include "actors/effects/resolver.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "actors/effects/socket_watch.hpp"
#include "runtime/base/assert.hpp"

namespace quell {

namespace {

void init_library() {
  static std::once_flag once;
  std::call_once(once, [] { QUELL_ASSERT(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS); });
}

// Each name in question holds a socket or two. More names than this at once are no use but a flood.
constexpr std::size_t names_max = 4'096;

std::vector<IpAddress> read_addresses(const ares_addrinfo* info) {
  std::vector<IpAddress> found;
  for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family == AF_INET) {
      sockaddr_in address{};
      std::memcpy(&address, node->ai_addr, sizeof address);
      std::array<std::uint8_t, 4> bytes{};
      std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
      found.push_back(IpAddress::from_v4(bytes));
    } else if (node->ai_family == AF_INET6) {
      sockaddr_in6 address{};
      std::memcpy(&address, node->ai_addr, sizeof address);
      std::array<std::uint8_t, 16> bytes{};
      std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
      found.push_back(IpAddress::from_v6(bytes));
    }
    if (found.size() == 16) break;  // nobody needs more, and a reply must not grow our memory
  }
  return found;
}

// One name in question. It has a channel of its own because c-ares can cancel a channel but not a
// query.
struct Lookup {
  Lookup(boost::asio::io_context& io, std::string name) : host(std::move(name)), timer(io) {}
  ~Lookup() {
    if (channel != nullptr) ares_destroy(channel);  // calls `on_answer` and `on_socket` once more
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  std::string host;
  boost::asio::steady_timer timer;
  ares_channel channel = nullptr;
  SocketWatch* watch = nullptr;
  std::unordered_map<int, Lookup*>* sockets = nullptr;
  std::map<Resolver::Ticket, Resolver::Answer> waiting;
  std::optional<Result<std::vector<IpAddress>>> outcome;
};

void on_socket(void* data, ares_socket_t fd, int read, int write) {
  auto* lookup = static_cast<Lookup*>(data);
  if (read == 0 && write == 0)
    lookup->sockets->erase(fd);
  else
    (*lookup->sockets)[fd] = lookup;
  lookup->watch->want(fd, read != 0, write != 0);
}

void on_answer(void* data, int status, int, ares_addrinfo* info) {
  auto* lookup = static_cast<Lookup*>(data);
  std::vector<IpAddress> found;
  if (info != nullptr) {
    found = read_addresses(info);
    ares_freeaddrinfo(info);
  }
  if (status == ARES_EDESTRUCTION) return;
  if (status == ARES_SUCCESS && !found.empty())
    lookup->outcome = std::move(found);
  else
    lookup->outcome =
        Error{ErrorCode::outbound_failed,
              fmt::format("the name '{}' cannot be resolved: {}", lookup->host,
                          status == ARES_SUCCESS ? "no address" : ares_strerror(status))};
}

class DnsResolver final : public Resolver, public std::enable_shared_from_this<DnsResolver> {
 public:
  DnsResolver(boost::asio::io_context& io, DnsSettings settings)
      : io_(io),
        settings_(std::move(settings)),
        watch_(io, [this](int fd, bool read, bool write) { on_ready(fd, read, write); }) {
    init_library();
  }
  ~DnsResolver() override { lookups_.clear(); }

  Ticket resolve(const std::string& host, Answer answer) override {
    const Ticket ticket = ++last_ticket_;
    host_of_[ticket] = host;
    auto& lookup = lookups_[host];
    if (lookup) {
      lookup->waiting.emplace(ticket, std::move(answer));
      return ticket;
    }
    lookup = std::make_unique<Lookup>(io_, host);
    lookup->waiting.emplace(ticket, std::move(answer));
    begin(*lookup);
    return ticket;
  }

  void cancel(Ticket ticket) override {
    const auto host = host_of_.find(ticket);
    if (host == host_of_.end()) return;
    const auto found = lookups_.find(host->second);
    host_of_.erase(host);
    if (found == lookups_.end()) return;
    found->second->waiting.erase(ticket);
    // c-ares may be on the stack only through `on_ready`, which calls no one who could cancel.
    if (found->second->waiting.empty()) lookups_.erase(found);
  }

 private:
  void begin(Lookup& lookup) {
    lookup.watch = &watch_;
    lookup.sockets = &sockets_;
    ares_options options{};
    char order[] = "fb";  // the hosts file first, then DNS
    options.lookups = order;
    options.timeout = static_cast<int>(settings_.timeout.count());
    options.tries = settings_.tries;
    options.sock_state_cb = on_socket;
    options.sock_state_cb_data = &lookup;
    const int mask =
        ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    int status = lookups_.size() > names_max ? ARES_ENOMEM
                                             : ares_init_options(&lookup.channel, &options, mask);
    if (status != ARES_SUCCESS) lookup.channel = nullptr;
    if (status == ARES_SUCCESS && !settings_.servers.empty())
      status = ares_set_servers_ports_csv(
          lookup.channel, fmt::format("{}", fmt::join(settings_.servers, ",")).c_str());
    if (status == ARES_SUCCESS) {
      ares_addrinfo_hints hints{};
      hints.ai_family = AF_UNSPEC;
      hints.ai_socktype = SOCK_STREAM;
      ares_getaddrinfo(lookup.channel, lookup.host.c_str(), nullptr, &hints, on_answer, &lookup);
    } else {
      lookup.outcome =
          Error{ErrorCode::outbound_failed,
                fmt::format("the resolver cannot be set up: {}", ares_strerror(status))};
    }
    // An answer from the hosts file is there already; the caller learns it later all the same.
    boost::asio::post(io_, [weak = weak_from_this(), host = lookup.host] {
      if (const auto self = weak.lock()) self->settle(host);
    });
  }

  void on_ready(int fd, bool read, bool write) {
    const auto found = sockets_.find(fd);
    if (found == sockets_.end()) return;
    Lookup& lookup = *found->second;
    const auto self = shared_from_this();
    ares_process_fd(lookup.channel, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
    settle(std::string(lookup.host));
  }

  void on_timer(const std::string& host) {
    const auto found = lookups_.find(host);
    if (found == lookups_.end()) return;
    ares_process_fd(found->second->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    settle(host);
  }

  // Answers a lookup that has its outcome; otherwise sets the timer for its next retry.
  void settle(const std::string& host) {
    const auto found = lookups_.find(host);
    if (found == lookups_.end()) return;
    Lookup& lookup = *found->second;
    if (!lookup.outcome) {
      arm(lookup);
      return;
    }
    // Out of the tables first: an answer may ask for the same name again, or cancel a neighbour.
    done_.push_back(std::move(found->second));
    lookups_.erase(found);
    while (!lookup.waiting.empty()) {
      const auto next = lookup.waiting.begin();
      const Ticket ticket = next->first;
      const Answer answer = std::move(next->second);
      lookup.waiting.erase(next);
      if (host_of_.erase(ticket) != 0) answer(*lookup.outcome);
    }
    std::erase_if(done_, [&](const auto& each) { return each.get() == &lookup; });
  }

  void arm(Lookup& lookup) {
    timeval most{5, 0}, left{};
    ares_timeout(lookup.channel, &most, &left);
    lookup.timer.expires_after(std::chrono::seconds(left.tv_sec) +
                               std::chrono::microseconds(left.tv_usec) + Millis{1});
    lookup.timer.async_wait([weak = weak_from_this(), host = lookup.host](const auto& fault) {
      if (fault) return;
      if (const auto self = weak.lock()) self->on_timer(host);
    });
  }

  boost::asio::io_context& io_;
  DnsSettings settings_;
  SocketWatch watch_;
  std::unordered_map<int, Lookup*> sockets_;
  std::unordered_map<std::string, std::unique_ptr<Lookup>> lookups_;
  std::vector<std::unique_ptr<Lookup>> done_;  // being answered
  std::unordered_map<Ticket, std::string> host_of_;
  Ticket last_ticket_ = 0;
};

}  // namespace

std::shared_ptr<Resolver> make_dns_resolver(boost::asio::io_context& io, DnsSettings settings) {
  return std::make_shared<DnsResolver>(io, std::move(settings));
}

}  // namespace quell
