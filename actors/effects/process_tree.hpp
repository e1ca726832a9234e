// Finds and kills processes: below one of ours by ancestry, and by a mark that the kernel passes on
// at every fork and exec. Ancestry alone proves anything. The mark only helps: it says that a
// number still means the process it was read for, and finds what an earlier life may have left.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace quell::process_tree {

// The mark is the hard RLIMIT_RTTIME, which matters only to real-time threads: inherited, kept by
// exec, setsid and `env -i`, readable of any process of ours, and so large that it limits nothing.
// A program can lower its own, also to the mark of another job.
struct Mark {
  std::uint32_t nonce = 0;  // of the keeper, 30 bits
  std::uint32_t job = 0;
  bool operator==(const Mark&) const = default;
};
bool put_mark(Mark mark);                // on the calling process
std::optional<Mark> mark_of(pid_t pid);  // also of a zombie

// Appends the children of `parent` (all its threads) to `out`; false when the kernel does not tell.
bool children_of(pid_t parent, std::vector<pid_t>& out);
bool own_children(std::vector<pid_t>& out);  // of a process with one thread

// Kills every process below `root` that carries the mark, not `root` itself; says how many.
std::size_t kill_below(pid_t root, Mark mark);

// Kills every process of this machine that carries the mark of a keeper with this nonce, until none
// does or time is up. Those that erased it are not found.
bool hunt(std::uint32_t nonce, std::chrono::milliseconds deadline);
void kill_all_marked(std::uint32_t nonce);  // one round of hunt, no waiting

bool is_named(pid_t pid, const char* name);  // as `ps` shows it; false when there is none
bool is_held_still(pid_t pid);               // stopped by a signal or by one who traces it

}  // namespace quell::process_tree
