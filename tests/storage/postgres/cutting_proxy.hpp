// Stands between a client and PostgreSQL and cuts the connection at the moment that hurts: when the
// commit was sent, before or after the server has done it.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace quell::storage {

class CuttingProxy {
 public:
  explicit CuttingProxy(std::string server_socket);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  enum class Cut : int { never, before_the_server_hears, after_the_server_answered };
  // The next COMMIT that comes by, once.
  void cut_next_commit(Cut when) { cut_ = when; }
  // As the parameter `host` of an address.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  void accept_all();
  void relay(int client);

  std::filesystem::path folder_;
  std::string server_socket_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::atomic<Cut> cut_ = Cut::never;
  std::vector<std::thread> relays_;
  std::thread acceptor_;
};

}  // namespace quell::storage
