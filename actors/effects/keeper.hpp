// The keeper: one single-threaded child that forks every program of every job, so that whole
// process trees can be killed and reaped, also when the server is killed with -9.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "actors/effects/owned_fd.hpp"
#include "runtime/clock.hpp"
#include "runtime/result.hpp"

namespace quell {

// One per process. Its end closes the socket; the keeper then kills and reaps all that is left and
// exits.
class Keeper {
 public:
  // Asserts that this process has one thread. The keeper holds <data_dir>/keeper.lock until nothing
  // of it is left; when an earlier keeper still holds it, the answer is store_locked (see
  // await_earlier_keeper).
  static Result<Keeper> fork_before_threads(const std::filesystem::path& data_dir);

  Keeper(Keeper&& other) noexcept;
  Keeper& operator=(Keeper&&) = delete;
  ~Keeper();  // waits up to 2 s for the keeper to be gone

  int socket() const { return socket_.get(); }
  pid_t pid() const { return pid_; }
  unsigned nonce() const { return nonce_; }  // the mark that all processes of this keeper carry

 private:
  Keeper(OwnedFd socket, pid_t pid, unsigned nonce);
  OwnedFd socket_;
  pid_t pid_ = -1;
  unsigned nonce_ = 0;
};

// Waits until no keeper of an earlier life holds the lock, and no process of it is left even if
// that keeper was itself killed: recovery re-queues nothing before. A keeper of this very process
// is not waited for.
Result<void> await_earlier_keeper(const std::filesystem::path& data_dir, Millis deadline);

}  // namespace quell
