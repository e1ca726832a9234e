// Which processes belong to which job, when a program does all it can to get away (setsid, double
// fork, empty environment): by a mark that the kernel passes on at every fork and exec.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace quell::process_tree {

// The mark is the hard RLIMIT_RTTIME, which matters only to real-time threads: inherited, kept by
// exec, setsid and `env -i`, readable of any process of ours, and so large that it limits nothing.
// An unprivileged program can't raise it.
struct Mark {
  std::uint32_t nonce = 0;  // of the keeper, 30 bits
  std::uint32_t job = 0;
  bool operator==(const Mark&) const = default;
};
bool put_mark(Mark mark);                // on the calling process
std::optional<Mark> mark_of(pid_t pid);  // also of a zombie

// Appends the children of `parent` (all its threads) to `out`; false when the kernel does not tell.
bool children_of(pid_t parent, std::vector<pid_t>& out);

// Kills every process below `root` that carries the mark, not `root` itself; says how many.
std::size_t kill_below(pid_t root, Mark mark);

// Kills every process of this machine that a keeper with this nonce started, until none is left or
// time is up.
bool hunt(std::uint32_t nonce, std::chrono::milliseconds deadline);
void kill_all_marked(std::uint32_t nonce);  // one round of hunt, no waiting

}  // namespace quell::process_tree
