// A PostgreSQL of the test's own: made in a temporary folder, reached by a socket in it, gone with
// the process. It runs as an unprivileged user when the test runs as root.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace quell::storage {

class TemporaryPostgres {
 public:
  // `folder`: where the cluster is made; in memory when that is possible and nothing is given.
  // `settings`: more lines of postgresql.conf.
  // `tcp_port`: it listens on loopback too, if not 0.
  explicit TemporaryPostgres(std::filesystem::path folder = {},
                             const std::vector<std::string>& settings = {}, int tcp_port = 0);
  // A standby that streams from `primary` under this name, and can be read from.
  TemporaryPostgres(const TemporaryPostgres& primary, const std::string& name);
  ~TemporaryPostgres();
  TemporaryPostgres(const TemporaryPostgres&) = delete;
  TemporaryPostgres& operator=(const TemporaryPostgres&) = delete;

  // One for the whole process, started by the first who asks.
  static TemporaryPostgres& shared();

  std::string url(const std::string& database, const std::string& parameters = {}) const;
  std::string socket_file() const {
    return (folder_ / (".s.PGSQL." + std::to_string(port_))).string();
  }
  const std::filesystem::path& folder() const { return folder_; }
  void create_database(const std::string& name);
  void drop_database(const std::string& name);
  void run(const std::string& database, const std::string& sql);
  // One row of one column, as text.
  std::string ask(const std::string& database, const std::string& sql);
  // As `pg_ctl stop -m immediate`. A child of the server that was stopped does not hear of it: it
  // is killed behind the order, or the server would wait for it.
  void crash(pid_t stopped_child = 0);
  void start();
  void promote();  // a standby: from now on it takes writes
  // Where the server's programs are (pg_dump, …).
  static std::filesystem::path programs();
  // As the server's user; dies with us, and writes to the server's log.
  pid_t spawn(const std::vector<std::string>& command) const;
  void run_program(const std::vector<std::string>& command) const;  // to its end, which is good

 private:
  void make_folder(std::filesystem::path where);
  void guard();
  void make_cluster(const std::vector<std::string>& settings);

  std::filesystem::path folder_;
  int port_ = 5432;  // names the socket too
  int alive_ = -1;
  pid_t guardian_ = 0, server_ = 0;
};

}  // namespace quell::storage
