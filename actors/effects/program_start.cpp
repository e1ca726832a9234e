#include "actors/effects/program_start.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "actors/effects/directory_wall.hpp"
#include "actors/effects/syscall_filter.hpp"

namespace quell {

namespace {
constexpr int report_fd = 3, ruleset_fd = 4;
constexpr char oom_score[] = "500";  // as if half of the machine's memory were theirs

iovec part(const char* text) {
  return {const_cast<char*>(text), std::strlen(text)};
}

[[noreturn]] void give_up(const char* what, const char* which, int error) {
  const char* why = error != 0 ? ::strerrordesc_np(error) : nullptr;
  const std::array<iovec, 4> sentence{part(what), part(which), part(why != nullptr ? ": " : ""),
                                      part(why != nullptr ? why : "")};
  // The reader is the keeper; if it is gone, nobody is left to tell.
  [[maybe_unused]] const ssize_t ignored = ::writev(report_fd, sentence.data(), sentence.size());
  ::_exit(127);
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
  if (::setrlimit(resource, &value) != 0) give_up("limit ", name, errno);
}

// The lower of the two that say something, and never more than we have ourselves.
void limit_both(__rlimit_resource resource, rlim_t asked, rlim_t most, const char* name) {
  rlimit own{};
  ::getrlimit(resource, &own);
  rlim_t value = own.rlim_max;
  if (most != 0) value = std::min(value, most);
  if (asked != 0) value = std::min(value, asked);
  if (asked != 0 || most != 0) limit(resource, value, value, name);
}

bool write_oom_score(const char* path) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, oom_score, sizeof oom_score - 1) > 0;
  ::close(file);
  return written;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}
}  // namespace

void offer_to_oom_killer(pid_t program) {
  write_oom_score(("/proc/" + std::to_string(program) + "/oom_score_adj").c_str());
}

PreparedStart::PreparedStart(ProgramStart start) : start_(std::move(start)) {
  for (const auto& [name, value] : start_.call.env) assignments_.push_back(name + "=" + value);
  argv_ = pointers(start_.call.argv);
  envp_ = pointers(assignments_);
}

// Descriptors 0 to 2 are the program's, 3 is the report, 4 the wall's, all others are closed:
// whatever a library of the server opened without O_CLOEXEC is not for jobs.
void PreparedStart::arrange_descriptors(int report) {
  int in = start_.in.get();
  if (in < 0) in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  // First out of the way of 0 to 4, then into place.
  std::array<int, 5> from{in, start_.out.get(), start_.err.get(), report, start_.ruleset};
  for (int& fd : from) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
  for (int to = 0; to <= ruleset_fd; ++to) ::dup2(from[static_cast<std::size_t>(to)], to);
  if (start_.ruleset < 0) ::close(ruleset_fd);
  for (int to = report_fd; to <= ruleset_fd; ++to) ::fcntl(to, F_SETFD, FD_CLOEXEC);
  ::close_range(ruleset_fd + 1, ~0u, 0);
}

void PreparedStart::apply_limits() const {
  const ExecCall& call = start_.call;
  const ProgramLimits& most = start_.terms.policy.limits;
  if (call.rlimit_nofile == 0) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    const rlim_t hard =
        most.open_files == 0 ? files.rlim_max : std::min<rlim_t>(files.rlim_max, most.open_files);
    limit(RLIMIT_NOFILE, std::min<rlim_t>(start_.terms.own_nofile, hard), hard, "nofile");
  } else {
    limit_both(RLIMIT_NOFILE, call.rlimit_nofile, most.open_files, "nofile");
  }
  if (call.rlimit_as != 0) limit(RLIMIT_AS, call.rlimit_as, call.rlimit_as, "as");
  // SIGXCPU at the limit, SIGKILL a second later for those that catch it.
  if (call.rlimit_cpu_s != 0) limit(RLIMIT_CPU, call.rlimit_cpu_s, call.rlimit_cpu_s + 1, "cpu");
  // What a program may write to, not what it maps: many map much more than they use.
  limit_both(RLIMIT_DATA, 0, most.data_bytes, "data");
  limit_both(RLIMIT_FSIZE, 0, most.file_bytes, "fsize");
  limit_both(RLIMIT_NPROC, call.rlimit_nproc, most.processes, "nproc");
  if (start_.terms.policy.walled) limit(RLIMIT_CORE, 0, 0, "core");
}

// By system calls of their own: the library's would tell the other threads, and there are none.
void PreparedStart::become_user() const {
  const std::optional<ProgramUser>& user = start_.terms.policy.user;
  if (!user) return;
  // So that the program can open /dev/stdout, which is a pipe of root's.
  for (int fd : {1, 2})
    if (::fchown(fd, user->uid, user->gid) != 0) give_up("give the output away", "", errno);
  if (::syscall(SYS_setgroups, user->groups.size(), user->groups.data()) != 0 ||
      ::syscall(SYS_setresgid, user->gid, user->gid, user->gid) != 0 ||
      ::syscall(SYS_setresuid, user->uid, user->uid, user->uid) != 0)
    give_up("become user ", user->name.c_str(), errno);
}

void PreparedStart::raise_walls() const {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!start_.terms.policy.walled) return;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (start_.ruleset >= 0 && !DirectoryWall::close_behind(ruleset_fd))
    give_up("close the data directory", "", errno);
  if (syscall_filter::is_known_here() && !syscall_filter::put())
    give_up("filter system calls", "", errno);
}

void PreparedStart::become_program(int report) {
  arrange_descriptors(report);
  const ExecCall& call = start_.call;
  const ProgramTerms& terms = start_.terms;
  default_signals();
  ::setsid();
  if (::setpriority(PRIO_PROCESS, 0, terms.own_priority) != 0) give_up("priority", "", errno);
  write_oom_score("/proc/self/oom_score_adj");
  if (terms.parts_ipc && ::unshare(CLONE_NEWIPC) != 0) give_up("part from IPC", "", errno);
  apply_limits();
  become_user();
  if (!call.cwd.empty() && ::chdir(call.cwd.c_str()) != 0) give_up("cwd ", call.cwd.c_str(), errno);
  raise_walls();
  // If its guard is killed, it must not outlive it. Set last: a change of user clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != start_.parent) ::_exit(127);

  environ = envp_.data();  // the PATH of the job is searched, not of the server
  ::execvp(argv_[0], argv_.data());
  give_up(argv_[0], "", errno);
}

}  // namespace quell
