#include "actors/effects/program_start.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace quell {

namespace {
constexpr int report_fd = 3;

[[noreturn]] void give_up(const std::string& what, int error) {
  std::string sentence = what;
  if (error != 0) sentence.append(": ").append(std::strerror(error));
  // The reader is the keeper; if it is gone, nobody is left to tell.
  [[maybe_unused]] const ssize_t ignored = ::write(report_fd, sentence.data(), sentence.size());
  ::_exit(127);
}

// Descriptors 0 to 2 are the program's, 3 is the report, all others are closed: whatever a library
// of the server opened without O_CLOEXEC is not for jobs.
void arrange_descriptors(const ProgramStart& start, const OwnedFd& report) {
  OwnedFd nothing;
  int in = start.in.get();
  if (in < 0) {
    nothing.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    in = nothing.get();
  }
  // First out of the way of 0 to 3, then into place.
  std::array<int, 4> from{in, start.out.get(), start.err.get(), report.get()};
  for (int& fd : from) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
  for (int to = 0; to < 4; ++to) ::dup2(from[static_cast<std::size_t>(to)], to);
  ::fcntl(report_fd, F_SETFD, FD_CLOEXEC);
  ::close_range(4, ~0u, 0);
  nothing.release();  // its number may be the report's by now
}

// The keeper ignores and blocks signals; both would be inherited through exec.
void default_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void limit(__rlimit_resource resource, rlim_t soft, rlim_t hard, const char* name) {
  const rlimit value{soft, hard};
  if (::setrlimit(resource, &value) != 0) give_up(std::string("limit ") + name, errno);
}

void apply_limits(const ProgramStart& start) {
  const ExecCall& call = start.call;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  limit(RLIMIT_NOFILE, start.own_nofile, files.rlim_max, "nofile");
  if (call.rlimit_as != 0) limit(RLIMIT_AS, call.rlimit_as, call.rlimit_as, "as");
  // SIGXCPU at the limit, SIGKILL a second later for those that catch it.
  if (call.rlimit_cpu_s != 0) limit(RLIMIT_CPU, call.rlimit_cpu_s, call.rlimit_cpu_s + 1, "cpu");
  if (call.rlimit_nofile != 0)
    limit(RLIMIT_NOFILE, call.rlimit_nofile, call.rlimit_nofile, "nofile");
  if (call.rlimit_nproc != 0) limit(RLIMIT_NPROC, call.rlimit_nproc, call.rlimit_nproc, "nproc");
}

void become_user(const std::string& user) {
  if (user.empty()) return;
  if (::geteuid() != 0) give_up("cannot run as user " + user + ", the server is not root", 0);
  errno = 0;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) give_up("no user " + user, errno);
  // So that the program can open /dev/stdout, which is a pipe of root's.
  for (int fd : {1, 2})
    if (::fchown(fd, entry->pw_uid, entry->pw_gid) != 0) give_up("give the output away", errno);
  if (::initgroups(user.c_str(), entry->pw_gid) != 0 || ::setgid(entry->pw_gid) != 0 ||
      ::setuid(entry->pw_uid) != 0) {
    give_up("become user " + user, errno);
  }
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}
}  // namespace

void become_program(ProgramStart start, OwnedFd report) {
  arrange_descriptors(start, report);
  const ExecCall& call = start.call;
  default_signals();
  ::setsid();
  if (::setpriority(PRIO_PROCESS, 0, start.own_priority) != 0) give_up("priority", errno);
  // Where the mark cannot be put (a limit of that kind is set already) the tree is still found by
  // ancestry.
  process_tree::put_mark(start.mark);
  apply_limits(start);
  become_user(call.user);
  if (!call.cwd.empty() && ::chdir(call.cwd.c_str()) != 0) give_up("cwd " + call.cwd, errno);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // If the keeper is killed, its programs must not outlive it. Set last: a change of user clears
  // it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != start.keeper) ::_exit(127);

  std::vector<std::string> assignments;
  for (const auto& [name, value] : call.env) assignments.push_back(name + "=" + value);
  auto argv = pointers(call.argv);
  auto envp = pointers(assignments);
  environ = envp.data();  // execvp searches the PATH of the job, not of the server
  ::execvp(argv[0], argv.data());
  give_up(call.argv[0], errno);
}

}  // namespace quell
