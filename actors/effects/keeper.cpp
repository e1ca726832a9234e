#include "actors/effects/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "actors/effects/keeper_process.hpp"
#include "actors/effects/process_tree.hpp"

namespace quell {

namespace {
#ifdef __SANITIZE_THREAD__
constexpr std::size_t threads_max = 2;  // the sanitizer has one of its own
#else
constexpr std::size_t threads_max = 1;
#endif
constexpr Millis hunt_ms_max{5000};
std::atomic<pid_t> forked_here{0};  // the keeper of this very process

// What the lock file says while a keeper lives, or after it was killed.
struct Holder {
  int keeper = 0;
  int server = 0;
  unsigned nonce = 0;
};
constexpr const char* holder_format = "keeper %d server %d nonce %u\n";

std::optional<Holder> read_holder(int lock) {
  std::array<char, 128> text{};
  if (::pread(lock, text.data(), text.size() - 1, 0) <= 0) return std::nullopt;
  Holder holder;
  if (std::sscanf(text.data(), holder_format, &holder.keeper, &holder.server, &holder.nonce) != 3) {
    return std::nullopt;
  }
  return holder;
}

void write_holder(int lock, const Holder& holder) {
  std::array<char, 128> text{};
  const int size = std::snprintf(text.data(), text.size(), holder_format, holder.keeper,
                                 holder.server, holder.nonce);
  [[maybe_unused]] const int cut = ::ftruncate(lock, 0);
  [[maybe_unused]] const ssize_t put =
      ::pwrite(lock, text.data(), static_cast<std::size_t>(size), 0);
}

Error fault(const std::string& what) {
  return Error{ErrorCode::internal, what + ": " + std::strerror(errno)};
}

Result<OwnedFd> open_lock(const std::filesystem::path& data_dir) {
  const auto path = data_dir / "keeper.lock";
  OwnedFd lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock) return fault("open " + path.string());
  return lock;
}

// The lock's holder was killed, or ended in order and left nothing to hunt.
Result<void> clear_remains(int lock, Millis deadline) {
  const auto before = read_holder(lock);
  if (before && !process_tree::hunt(before->nonce, deadline)) {
    return Error{ErrorCode::store_locked,
                 "programs of keeper " + std::to_string(before->keeper) + " are still alive"};
  }
  [[maybe_unused]] const int cut = ::ftruncate(lock, 0);
  return {};
}

Error held(int lock) {
  const auto holder = read_holder(lock);
  return Error{ErrorCode::store_locked, "keeper " + std::to_string(holder ? holder->keeper : 0) +
                                            " of an earlier server is still ending its programs"};
}

std::size_t threads_here() {
  std::size_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it{"/proc/self/task", error}, end; it != end; ++it)
    ++count;
  return count;
}

// Descriptors of the server stay in the server: a keeper that held a client's socket would keep it
// open.
void keep_only(int socket, int lock) {
  const OwnedFd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  ::dup2(nothing.get(), 0);
  ::dup2(nothing.get(), 1);
  const unsigned low = static_cast<unsigned>(std::min(socket, lock));
  const unsigned high = static_cast<unsigned>(std::max(socket, lock));
  if (low > 3) ::close_range(3, low - 1, 0);
  if (high > low + 1) ::close_range(low + 1, high - 1, 0);
  ::close_range(high + 1, ~0u, 0);
}
}  // namespace

Keeper::Keeper(OwnedFd socket, pid_t pid, unsigned nonce)
    : socket_(std::move(socket)), pid_(pid), nonce_(nonce) {}

Keeper::Keeper(Keeper&& other) noexcept
    : socket_(std::move(other.socket_)),
      pid_(std::exchange(other.pid_, -1)),
      nonce_(other.nonce_) {}

Keeper::~Keeper() {
  if (pid_ < 0) return;
  ::shutdown(socket_.get(), SHUT_RDWR);  // a client may still have a copy of it
  socket_.reset();
  // A program in an uninterruptible wait must not hang our end; the keeper stays with it and holds
  // the lock.
  const OwnedFd handle{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
  pollfd wait{handle.get(), POLLIN, 0};
  if (::poll(&wait, 1, 2000) > 0) ::waitpid(pid_, nullptr, 0);
}

Result<Keeper> Keeper::fork_before_threads(const std::filesystem::path& data_dir) {
  QUELL_ASSERT(threads_here() <= threads_max);
  std::vector<pid_t> children;
  if (!process_tree::children_of(::getpid(), children)) {
    return Error{ErrorCode::internal, "this kernel has no /proc/PID/task/TID/children"};
  }
  auto lock = open_lock(data_dir);
  if (!lock.ok()) return lock.error();
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) return held(lock->get());
  if (auto clear = clear_remains(lock->get(), hunt_ms_max); !clear.ok()) return clear.error();

  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return fault("socketpair");
  }
  OwnedFd here{ends[0]}, there{ends[1]};
  std::uint32_t nonce = 0;
  if (::getrandom(&nonce, sizeof nonce, 0) != sizeof nonce) return fault("getrandom");
  nonce &= (1u << 30) - 1;
  const pid_t child = ::fork();
  if (child < 0) return fault("fork");
  if (child == 0) {
    here.release();  // closed with the rest
    keep_only(there.get(), lock->get());
    run_keeper(std::move(there), std::move(*lock), nonce);
  }
  // Written before the first program can be asked for. Our copy of the lock closes here, the
  // keeper's stays.
  forked_here = child;
  write_holder(lock->get(), Holder{child, ::getpid(), nonce});
  return Keeper{std::move(here), child, nonce};
}

Result<void> await_earlier_keeper(const std::filesystem::path& data_dir, Millis deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  auto lock = open_lock(data_dir);
  if (!lock.ok()) return lock.error();
  while (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    const auto holder = read_holder(lock->get());
    // Ours could only be forked because no earlier one was left.
    if (holder && holder->keeper == forked_here) return {};
    if (std::chrono::steady_clock::now() >= until) return held(lock->get());
    ::poll(nullptr, 0, 2);
  }
  const auto left = until - std::chrono::steady_clock::now();
  return clear_remains(lock->get(), std::max(Millis{0}, std::chrono::duration_cast<Millis>(left)));
}

}  // namespace quell
