#include "actors/effects/process_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "actors/effects/owned_fd.hpp"

namespace quell::process_tree {

namespace {
constexpr std::uint64_t mark_bit = std::uint64_t{1} << 62;
// Of a task folder: itself, its parent and its only member. To list it takes four calls more.
constexpr nlink_t links_of_one_thread = 3;

// Signals the process that has this pid now, and only if it carries the mark: the pidfd is opened
// before the mark is read, so a pid that was reused in between is not hit.
template <class Wanted>
bool kill_if(pid_t pid, Wanted wanted) {
  OwnedFd handle{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  if (!handle) return false;
  const auto mark = mark_of(pid);
  if (!mark || !wanted(*mark)) return false;
  return ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0) == 0;
}

template <class Visit>
void each_number_in(const std::string& folder, Visit visit) {
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return;
  while (const dirent* entry = ::readdir(dir)) {
    pid_t number = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, number).ptr == end) visit(number);
  }
  ::closedir(dir);
}

// Its name and the letter of its state; none when there is no such process.
struct Stat {
  std::string name;
  char state = 'X';
};
Stat stat_of(pid_t pid) {
  OwnedFd file{::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC)};
  std::array<char, 512> text{};
  if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0) return {};
  const char* name_begin = std::strchr(text.data(), '(');
  const char* name_end = std::strrchr(text.data(), ')');
  if (name_begin == nullptr || name_end == nullptr) return {};
  return {std::string(name_begin + 1, name_end), name_end[2]};
}

bool is_zombie(pid_t pid) {
  const char state = stat_of(pid).state;
  return state == 'Z' || state == 'X';
}

bool read_children(const std::string& path, std::vector<pid_t>& out) {
  OwnedFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return false;
  std::array<char, 16384> text{};
  pid_t number = 0;
  for (;;) {
    const ssize_t size = ::read(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;  // half a list proves nothing
    if (size == 0) break;
    for (ssize_t i = 0; i < size; ++i) {
      const char c = text[static_cast<std::size_t>(i)];
      if (c >= '0' && c <= '9') {
        number = number * 10 + (c - '0');
      } else if (number != 0) {
        out.push_back(std::exchange(number, 0));
      }
    }
  }
  if (number != 0) out.push_back(number);
  return true;
}
}  // namespace

bool put_mark(Mark mark) {
  const std::uint64_t value = mark_bit | (std::uint64_t{mark.nonce} << 32) | mark.job;
  const rlimit limit{value, value};
  return ::setrlimit(RLIMIT_RTTIME, &limit) == 0;
}

std::optional<Mark> mark_of(pid_t pid) {
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_RTTIME, nullptr, &limit) != 0) return std::nullopt;
  const std::uint64_t value = limit.rlim_max;
  if ((value >> 62) != 1) return std::nullopt;
  Mark mark;
  mark.nonce = static_cast<std::uint32_t>((value & ~mark_bit) >> 32);
  mark.job = static_cast<std::uint32_t>(value);
  return mark;
}

bool children_of(pid_t parent, std::vector<pid_t>& out) {
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task";
  struct stat about {};
  if (::stat(tasks.c_str(), &about) == 0 && about.st_nlink == links_of_one_thread)
    return read_children(tasks + "/" + std::to_string(parent) + "/children", out);
  bool told = false;
  each_number_in(tasks, [&](pid_t thread) {
    told |= read_children(tasks + "/" + std::to_string(thread) + "/children", out);
  });
  return told;
}

bool own_children(std::vector<pid_t>& out) {
  return read_children("/proc/thread-self/children", out);
}

std::size_t kill_below(pid_t root, Mark mark) {
  std::vector<pid_t> open;
  children_of(root, open);
  std::size_t killed = 0;
  while (!open.empty()) {
    const pid_t pid = open.back();
    open.pop_back();
    // Its children are read first: once it is dead they hang elsewhere, and the next walk would
    // have to find them.
    children_of(pid, open);
    if (kill_if(pid, [&](const Mark& seen) { return seen == mark; })) ++killed;
  }
  return killed;
}

void kill_all_marked(std::uint32_t nonce) {
  each_number_in("/proc", [&](pid_t pid) {
    kill_if(pid, [&](const Mark& seen) { return seen.nonce == nonce; });
  });
}

bool hunt(std::uint32_t nonce, std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  // A program that forks between two reads of the list can hide from one round, hence two empty
  // ones in a row.
  for (int empty = 0; empty < 2;) {
    bool left = false;
    each_number_in("/proc", [&](pid_t pid) {
      const auto mark = mark_of(pid);
      if (mark && mark->nonce == nonce && !is_zombie(pid)) left = true;
    });
    empty = left ? 0 : empty + 1;
    if (!left) continue;
    kill_all_marked(nonce);
    if (std::chrono::steady_clock::now() >= until) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

bool is_named(pid_t pid, const char* name) {
  return stat_of(pid).name == name;
}

bool is_held_still(pid_t pid) {
  const char state = stat_of(pid).state;
  return state == 'T' || state == 't';
}

}  // namespace quell::process_tree
