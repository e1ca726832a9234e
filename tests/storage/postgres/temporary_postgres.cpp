#include "tests/storage/postgres/temporary_postgres.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <pqxx/connection>
#include <pqxx/errorhandler>
#include <pqxx/nontransaction>
#include <stdexcept>

namespace quell::storage {

namespace {

namespace fs = std::filesystem;

constexpr int spoiled = 127;

// PostgreSQL refuses to run as root.
const passwd* unprivileged() {
  if (geteuid() != 0) return nullptr;
  for (const char* name : {"postgres", "nobody"})
    if (const passwd* user = getpwnam(name)) return user;
  throw std::runtime_error("no unprivileged user to run PostgreSQL as");
}

fs::path default_folder() {
  const fs::path in_memory = "/dev/shm";
  return access(in_memory.c_str(), W_OK) == 0 ? in_memory : fs::temp_directory_path();
}

std::string encoded(const std::string& path) {
  std::string out;
  for (const char c : path) out += c == '/' ? std::string("%2F") : std::string(1, c);
  return out;
}

bool ends_within(pid_t process, int ms) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  pollfd ended{handle, POLLIN, 0};
  const bool has_ended = poll(&ended, 1, ms) > 0;
  close(handle);
  return has_ended;
}

}  // namespace

fs::path TemporaryPostgres::programs() {
  const fs::path versions = "/usr/lib/postgresql";
  fs::path newest;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(versions, none))
    if (fs::exists(entry.path() / "bin" / "initdb") && newest < entry.path()) newest = entry.path();
  if (newest.empty()) throw std::runtime_error("PostgreSQL's server is not installed");
  return newest / "bin";
}

TemporaryPostgres::TemporaryPostgres(fs::path folder, const std::vector<std::string>& settings,
                                     int tcp_port) {
  std::vector<std::string> lines = settings;
  if (tcp_port != 0) {
    port_ = tcp_port;
    lines.push_back("port = " + std::to_string(tcp_port));
    lines.emplace_back("listen_addresses = '127.0.0.1'");
  }
  make_folder(std::move(folder));
  make_cluster(lines);
  start();
}

TemporaryPostgres::TemporaryPostgres(const TemporaryPostgres& primary, const std::string& name) {
  make_folder({});
  run_program({(programs() / "pg_basebackup").string(), "-D", (folder_ / "data").string(), "-R",
               "-c", "fast", "-X", "stream", "-d",
               "host=" + primary.folder_.string() + " port=" + std::to_string(primary.port_) +
                   " user=quell application_name=" + name});
  std::ofstream conf(folder_ / "data" / "postgresql.conf", std::ios::app);
  conf << "port = 5432\nlisten_addresses = ''\nunix_socket_directories = '" << folder_.string()
       << "'\nwal_retrieve_retry_interval = 100ms\n";
  conf.close();
  start();
}

void TemporaryPostgres::make_folder(fs::path where) {
  if (where.empty()) where = default_folder();
  std::string name = (where / "quell-pg-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder for PostgreSQL");
  folder_ = name;
  if (const passwd* user = unprivileged())
    if (chown(name.c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("cannot give the folder away");
  guard();
}

TemporaryPostgres::~TemporaryPostgres() {
  crash();
  close(alive_);
  waitpid(guardian_, nullptr, 0);
}

// Takes the folder away when the other end of its input is closed, by us or by our death.
void TemporaryPostgres::guard() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  alive_ = ends[1];
  guardian_ = fork();
  if (guardian_ == 0) {
    setsid();  // what interrupts the test does not interrupt this
    dup2(ends[0], 0);
    execl("/bin/sh", "sh", "-c", "cat; while ! rm -rf \"$0\"; do sleep 0.1; done", folder_.c_str(),
          static_cast<char*>(nullptr));
    _exit(spoiled);
  }
  close(ends[0]);
}

TemporaryPostgres& TemporaryPostgres::shared() {
  static TemporaryPostgres one;
  return one;
}

// The child dies with us: nothing that a test does, a crash included, leaves a server behind.
pid_t TemporaryPostgres::spawn(const std::vector<std::string>& command) const {
  std::vector<char*> arguments;
  for (const std::string& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  const passwd* user = unprivileged();
  const std::string log = (folder_ / "log").string();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  if (user &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
    _exit(spoiled);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (getppid() != parent) _exit(spoiled);
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, 0);
  dup2(file, 1);
  dup2(file, 2);
  if (chdir("/") != 0) _exit(spoiled);
  execv(arguments[0], arguments.data());
  _exit(spoiled);
}

void TemporaryPostgres::run_program(const std::vector<std::string>& command) const {
  int status = 0;
  waitpid(spawn(command), &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error(command[0] + " failed, see " + (folder_ / "log").string());
}

void TemporaryPostgres::make_cluster(const std::vector<std::string>& settings) {
  run_program({(programs() / "initdb").string(), "-D", (folder_ / "data").string(), "-U", "quell",
               "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"});
  std::ofstream conf(folder_ / "data" / "postgresql.conf", std::ios::app);
  conf << "listen_addresses = ''\nunix_socket_directories = '" << folder_.string()
       << "'\nfsync = on\nmax_connections = 100\nshared_buffers = 128MB\n";
  for (const std::string& line : settings) conf << line << "\n";
}

void TemporaryPostgres::start() {
  server_ = spawn({(programs() / "postgres").string(), "-D", (folder_ / "data").string()});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (true) {
    try {
      ask("postgres", "SELECT 1");
      return;
    } catch (const pqxx::failure&) {
      if (ends_within(server_, 20) || std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error("PostgreSQL does not start, see " + (folder_ / "log").string());
    }
  }
}

void TemporaryPostgres::promote() {
  if (ask("postgres", "SELECT pg_promote(true, 60)") != "t")
    throw std::runtime_error("the standby was not promoted");
}

void TemporaryPostgres::crash(pid_t stopped_child) {
  if (server_ == 0) return;
  kill(server_, SIGQUIT);
  if (stopped_child != 0) kill(stopped_child, SIGKILL);
  waitpid(server_, nullptr, 0);
  server_ = 0;
}

std::string TemporaryPostgres::url(const std::string& database,
                                   const std::string& parameters) const {
  std::string text =
      "postgres:///" + database + "?host=" + encoded(folder_.string()) + "&user=quell";
  if (port_ != 5432) text += "&port=" + std::to_string(port_);
  if (!parameters.empty()) text += "&" + parameters;
  return text;
}

void TemporaryPostgres::create_database(const std::string& name) {
  run("postgres", "CREATE DATABASE " + name);
}

void TemporaryPostgres::drop_database(const std::string& name) {
  run("postgres", "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
}

void TemporaryPostgres::run(const std::string& database, const std::string& sql) {
  pqxx::connection db(url(database));
  pqxx::quiet_errorhandler quiet(db);
  pqxx::nontransaction(db).exec(sql);
}

std::string TemporaryPostgres::ask(const std::string& database, const std::string& sql) {
  pqxx::connection db(url(database));
  pqxx::quiet_errorhandler quiet(db);
  const pqxx::result rows = pqxx::nontransaction(db).exec(sql);
  return rows.empty() ? std::string() : std::string(rows[0][0].c_str());
}

}  // namespace quell::storage
