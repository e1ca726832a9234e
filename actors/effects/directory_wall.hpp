// Hides directories and files from programs, by Landlock, which can only grant: what is beside the
// ways down to them is granted, piece by piece, and nothing on the way is.
#pragma once

#include <sys/stat.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/effects/owned_fd.hpp"

namespace quell {

class DirectoryWall {
 public:
  // The version of the kernel's Landlock; 0 when it has none that is of use here.
  static int version();

  // None to hide, or a kernel without Landlock: no wall.
  explicit DirectoryWall(const std::vector<std::string>& hidden);

  // For landlock_restrict_self in a child that is forked next. Looks again where something was made
  // since, because what is new beside the way must be granted too. -1: no wall is asked for, or it
  // cannot be made; see `fault`.
  int ruleset();
  const std::string& fault() const { return fault_; }  // empty: none

  // In the program itself, after PR_SET_NO_NEW_PRIVS; safe between vfork and exec.
  static bool close_behind(int ruleset);

 private:
  struct Step {
    std::set<std::string, std::less<>> next;  // names on the way down, which are not granted
    timespec changed = {};
  };
  bool is_as_seen();
  bool build();
  bool grant_beside(const std::string& path, Step& step);

  std::map<std::string, Step> way_;  // by the directory
  OwnedFd ruleset_, mounts_;
  bool is_settled_ = false;
  std::string fault_;
};

}  // namespace quell
