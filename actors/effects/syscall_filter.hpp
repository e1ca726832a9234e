// A short list of system calls that no job's program needs and attacks begin with, refused by
// seccomp.
#pragma once

namespace quell::syscall_filter {

bool is_known_here();  // the kernel filters, and we know the numbers of this processor

// In the program itself, after PR_SET_NO_NEW_PRIVS; safe between vfork and exec.
bool put();

}  // namespace quell::syscall_filter
