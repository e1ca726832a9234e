// Turns names into addresses without ever blocking the loop or outliving the question: libcurl's
// own resolver runs in a thread that an abort would have to wait for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"
#include "runtime/outbound/address_filter.hpp"

namespace boost::asio {
class io_context;
}

namespace quell {

// On the IO thread only. A test puts its own in place of c-ares.
class Resolver {
 public:
  using Ticket = std::uint64_t;
  using Answer = std::function<void(Result<std::vector<IpAddress>>)>;
  virtual ~Resolver() = default;
  virtual Ticket resolve(const std::string& host,
                         Answer answer) = 0;  // answers later, never within
  virtual void cancel(Ticket ticket) = 0;     // no answer comes after it
};

struct DnsSettings {
  std::vector<std::string> servers;  // "ip:port"; empty: the system's resolv.conf
  Millis timeout{2'000};             // of one try
  int tries = 3;
};

// c-ares: /etc/hosts first, then DNS. Questions for the same name share one lookup; the last one
// that is cancelled ends it, sockets and retries included.
std::shared_ptr<Resolver> make_dns_resolver(boost::asio::io_context& io, DnsSettings settings = {});

}  // namespace quell
