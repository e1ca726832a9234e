#include "http/server/listener.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "http/server/server.hpp"

namespace quell::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr Millis descriptors_wait{50};
}  // namespace

Result<void> TcpListener::open(const std::string& address, std::string_view option) {
  std::string host;
  std::uint16_t port = 0;
  if (!split_address(address, host, port))
    return Error{ErrorCode::usage, fmt::format("{} wants HOST:PORT, not {}", option, address)};
  error_code fault;
  tcp::resolver resolver(acceptor_.get_executor());
  const auto found = resolver.resolve(
      host, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service, fault);
  if (fault || found.empty())
    return Error{ErrorCode::usage, "The address to listen on is not known here: " + host};
  const tcp::endpoint where = found.begin()->endpoint();
  acceptor_.open(where.protocol(), fault);
  if (!fault) acceptor_.set_option(asio::socket_base::reuse_address(true), fault);
  if (!fault) acceptor_.bind(where, fault);
  if (!fault) acceptor_.listen(1024, fault);
  if (fault)
    return Error{ErrorCode::usage,
                 fmt::format("Cannot listen on {}: {}", address, fault.message())};
  return {};
}

std::uint16_t TcpListener::port() const {
  error_code ignored;
  return is_open() ? acceptor_.local_endpoint(ignored).port() : std::uint16_t{0};
}

void TcpListener::start(Admit admit) {
  admit_ = std::move(admit);
  accept();
}

void TcpListener::close() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel(ignored);
}

void TcpListener::accept() {
  acceptor_.async_accept([this](error_code fault, tcp::socket socket) {
    if (!is_open() || fault == asio::error::operation_aborted) return;
    if (fault) {
      // Out of descriptors: the listening queue holds the caller until a connection ends.
      pause_.expires_after(descriptors_wait);
      pause_.async_wait([this](error_code cancelled) {
        if (!cancelled && is_open()) accept();
      });
      return;
    }
    accept();  // first: what the admission throws must not be the last that is heard
    admit_(std::move(socket));
  });
}

void run_after(asio::io_context& io, Millis delay, std::function<void()> work) {
  auto timer = std::make_shared<asio::steady_timer>(io);
  timer->expires_after(delay);
  timer->async_wait([timer, run = std::move(work)](error_code fault) {
    if (!fault) run();
  });
}

}  // namespace quell::http
