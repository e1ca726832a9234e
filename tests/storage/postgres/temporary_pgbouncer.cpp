#include "tests/storage/postgres/temporary_pgbouncer.hpp"

#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <pqxx/connection>
#include <stdexcept>

namespace quell::storage {

namespace {
constexpr int first_port = 6432;
int made = 0;
}  // namespace

TemporaryPgbouncer::TemporaryPgbouncer(TemporaryPostgres& server, const std::string& user)
    : server_(server), port_(first_port + made++) {
  const std::string folder = server.folder().string();
  const std::string conf = folder + "/pgbouncer" + std::to_string(port_) + ".ini";
  std::ofstream(conf) << "[databases]\n* = host=" << folder << " user=" << user
                      << "\n[pgbouncer]\nunix_socket_dir = " << folder
                      << "\nlisten_port = " << port_
                      << "\nauth_type = any\npool_mode = transaction\nmax_client_conn = 500"
                         "\ndefault_pool_size = "
                      << sessions << "\n";
  process_ = server.spawn({"/usr/sbin/pgbouncer", conf});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (true) {
    try {
      const pqxx::connection up(url("postgres"));
      return;
    } catch (const pqxx::failure&) {
      int status = 0;
      if (waitpid(process_, &status, WNOHANG) != 0 || std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error("pgbouncer does not start, see " + folder + "/log");
    }
  }
}

TemporaryPgbouncer::~TemporaryPgbouncer() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

std::string TemporaryPgbouncer::url(const std::string& database,
                                    const std::string& parameters) const {
  std::string text = server_.url(database, "port=" + std::to_string(port_));
  if (!parameters.empty()) text += "&" + parameters;
  return text;
}

}  // namespace quell::storage
