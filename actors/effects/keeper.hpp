// The keeper: one single-threaded child below which every program of every job runs, each job under
// a guard of its own, so that whole process trees can be killed and reaped, also when the server is
// killed with -9.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "actors/effects/keeper_record.hpp"
#include "actors/effects/owned_fd.hpp"
#include "actors/effects/program_policy.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/result.hpp"

namespace quell {

// One per process. Its end closes the socket; the keeper then kills and reaps all that is left and
// exits.
class Keeper {
 public:
  // Asserts that this process has one thread. The keeper holds <data_dir>/keeper.lock until nothing
  // of it is left; when an earlier keeper still holds it, the answer is store_locked (see
  // await_earlier_keeper). Whatever is asked of it later, it runs programs by `policy` only.
  static Result<Keeper> fork_before_threads(const std::filesystem::path& data_dir,
                                            const ProgramPolicy& policy);

  Keeper(Keeper&& other) noexcept;
  Keeper& operator=(Keeper&&) = delete;
  ~Keeper();  // waits up to 2 s for the keeper to be gone

  int socket() const { return socket_.get(); }
  pid_t pid() const { return pid_; }

  // Programs of an earlier life may live, and nobody can find them: its keeper was killed and so
  // was a guard. What it left is then not proven dead. Stays so, over any number of lives, until
  // told.
  bool earlier_is_in_doubt() const { return record_.is_in_doubt(); }
  void doubt_is_told() { record_.set_doubt(false); }

 private:
  Keeper(OwnedFd socket, pid_t pid, KeeperRecord record);
  OwnedFd socket_;
  pid_t pid_ = -1;
  KeeperRecord record_;
};

// Waits until no keeper of an earlier life and none of its guards holds the lock, and hunts what is
// left if they were killed: recovery re-queues nothing before. A keeper of this very process is not
// waited for.
Result<void> await_earlier_keeper(const std::filesystem::path& data_dir, Millis deadline);

}  // namespace quell
