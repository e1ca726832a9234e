#include "actors/effects/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
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
#include <cstring>
#include <string>
#include <utility>
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

constexpr auto guards_have = std::chrono::seconds(2);  // to end their trees, their keeper dead

Error fault(const std::string& what) {
  return Error{ErrorCode::internal, what + ": " + std::strerror(errno)};
}

// The lock is ours, so the keeper is gone and its guards are, but some may have been killed. Then
// what their programs left is hunted by its mark, and as a program can erase that, a doubt remains.
Result<void> clear_remains(KeeperRecord& record, Millis deadline) {
  if (record.keeper() == 0) return {};
  if (!record.saw_every_end()) {
    record.set_doubt(true);
    if (!process_tree::hunt(record.nonce(), deadline)) {
      return Error{ErrorCode::store_locked,
                   "programs of keeper " + std::to_string(record.keeper()) + " are still alive"};
    }
  }
  record.release();
  return {};
}

Error held(const KeeperRecord& record) {
  return Error{ErrorCode::store_locked, "keeper " + std::to_string(record.keeper()) +
                                            " of an earlier server is still ending its programs"};
}

bool is_alive(int keeper) {
  return process_tree::is_named(keeper, "quell-keeper");
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

Keeper::Keeper(OwnedFd socket, pid_t pid, KeeperRecord record)
    : socket_(std::move(socket)), pid_(pid), record_(std::move(record)) {}

Keeper::Keeper(Keeper&& other) noexcept
    : socket_(std::move(other.socket_)),
      pid_(std::exchange(other.pid_, -1)),
      record_(std::move(other.record_)) {}

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

Result<Keeper> Keeper::fork_before_threads(const std::filesystem::path& data_dir,
                                           const ProgramPolicy& policy) {
  QUELL_ASSERT(threads_here() <= threads_max);
  std::vector<pid_t> children;
  if (!process_tree::children_of(::getpid(), children)) {
    return Error{ErrorCode::internal, "this kernel has no /proc/PID/task/TID/children"};
  }
  auto record = KeeperRecord::open(data_dir);
  if (!record.ok()) return record.error();
  if (!record->try_lock()) return held(*record);
  if (auto clear = clear_remains(*record, hunt_ms_max); !clear.ok()) return clear.error();

  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return fault("socketpair");
  }
  OwnedFd here{ends[0]}, there{ends[1]};
  std::uint32_t nonce = 0;
  if (::getrandom(&nonce, sizeof nonce, 0) != sizeof nonce) return fault("getrandom");
  nonce &= (1u << 30) - 1;
  record->take(::getpid(), nonce);
  const pid_t child = ::fork();
  if (child < 0) return fault("fork");
  if (child == 0) {
    here.release();  // closed with the rest
    keep_only(there.get(), record->fd());
    run_keeper(std::move(there), std::move(*record), nonce, policy);
  }
  forked_here = child;
  record->name_keeper(child);  // before the first program can be asked for
  record->close_lock();        // the keeper's copy holds it
  return Keeper{std::move(here), child, std::move(*record)};
}

Result<void> await_earlier_keeper(const std::filesystem::path& data_dir, Millis deadline) {
  const auto begin = std::chrono::steady_clock::now();
  const auto until = begin + deadline;
  auto record = KeeperRecord::open(data_dir);
  if (!record.ok()) return record.error();
  while (!record->try_lock()) {
    const int keeper = record->keeper();
    // Ours could only be forked because no earlier one was left.
    if (keeper != 0 && keeper == forked_here) return {};
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) return held(*record);
    // A guard that does not end by itself is held still by its program.
    if (now >= begin + guards_have && keeper != 0 && !is_alive(keeper))
      process_tree::kill_all_marked(record->nonce());
    ::poll(nullptr, 0, 2);
  }
  const auto left = until - std::chrono::steady_clock::now();
  return clear_remains(*record, std::max(Millis{0}, std::chrono::duration_cast<Millis>(left)));
}

}  // namespace quell
