// What <data_dir>/keeper.lock says: who keeps the programs of this directory, how many guards it
// has begun and how many were seen to their end. Its lock is shared by the keeper and every guard,
// so it is free only when all of them are gone; its figures say whether they went in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

#include "actors/effects/owned_fd.hpp"
#include "runtime/base/result.hpp"

namespace quell {

class KeeperRecord {
 public:
  static Result<KeeperRecord> open(const std::filesystem::path& data_dir);
  KeeperRecord(KeeperRecord&& other) noexcept;
  KeeperRecord& operator=(KeeperRecord&&) = delete;
  ~KeeperRecord();

  bool try_lock() const;  // held until the last process that has a copy closes it or ends
  void close_lock() { lock_.reset(); }
  int fd() const { return lock_.get(); }

  // What the last keeper wrote; 0: it ended in order.
  int keeper() const;
  unsigned nonce() const;
  // Each guard that it began was seen to its end, or the machine was started anew since.
  bool saw_every_end() const;

  void take(int keeper, unsigned nonce);  // the lock is ours
  void name_keeper(int keeper);
  void release();  // nothing is left
  void guard_begun();
  void guard_over();  // said by the guard itself: one that is killed does not
  void all_over();    // said by the keeper, which has seen the end of each

  // Programs of an earlier life may live, found by nobody. Stays until it is told.
  bool is_in_doubt() const;
  void set_doubt(bool doubt);

 private:
  struct Page;
  KeeperRecord(OwnedFd lock, Page* page) : lock_(std::move(lock)), page_(page) {}
  OwnedFd lock_;
  Page* page_ = nullptr;
};

}  // namespace quell
