#include "tests/storage/postgres/cutting_proxy.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace quell::storage {

namespace {

// At the end of a query, or with a question behind it: "READ COMMITTED" at its begin is no commit.
bool commits(std::string_view bytes) {
  return bytes.find(std::string_view("COMMIT\0", 7)) != std::string_view::npos ||
         bytes.find("COMMIT;") != std::string_view::npos;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

bool pass_on(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(std::string server_socket) : server_socket_(std::move(server_socket)) {
  std::string name = (std::filesystem::temp_directory_path() / "quell-cut-XXXXXX").string();
  if (!mkdtemp(name.data()) || pipe(stop_) != 0) throw std::runtime_error("no proxy");
  folder_ = name;
  listener_ = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of((folder_ / ".s.PGSQL.5432").string());
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener_, 16) != 0)
    throw std::runtime_error("the proxy cannot listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

CuttingProxy::~CuttingProxy() {
  close(stop_[1]);  // everybody who polls the other end wakes
  acceptor_.join();
  for (std::thread& relay : relays_) relay.join();
  close(listener_);
  close(stop_[0]);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void CuttingProxy::accept_all() {
  while (true) {
    std::array<pollfd, 2> ready{pollfd{listener_, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
    if (poll(ready.data(), ready.size(), -1) < 0 || ready[1].revents) return;
    const int client = accept(listener_, nullptr, nullptr);
    if (client >= 0) relays_.emplace_back([this, client] { relay(client); });
  }
}

void CuttingProxy::relay(int client) {
  const int server = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of(server_socket_);
  bool goes_on = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  bool cut_at_answer = false;
  std::array<char, 65'536> buffer;
  while (goes_on) {
    std::array<pollfd, 3> ready{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0},
                                pollfd{stop_[0], POLLIN, 0}};
    if (poll(ready.data(), ready.size(), -1) < 0 || ready[2].revents) break;
    for (const bool from_client : {true, false}) {
      if (!ready[from_client ? 0 : 1].revents || !goes_on) continue;
      const ssize_t got = recv(from_client ? client : server, buffer.data(), buffer.size(), 0);
      const std::string_view bytes(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      goes_on = !bytes.empty() && !(cut_at_answer && !from_client);
      if (from_client && commits(bytes)) {
        const Cut cut = cut_.exchange(Cut::never);
        if (cut == Cut::before_the_server_hears) goes_on = false;
        cut_at_answer = cut == Cut::after_the_server_answered;
      }
      if (goes_on) goes_on = pass_on(from_client ? server : client, bytes);
    }
  }
  close(client);
  close(server);
}

}  // namespace quell::storage
