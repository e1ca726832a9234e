#include "actors/effects/syscall_filter.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace quell::syscall_filter {

namespace {
#if defined(__x86_64__)
constexpr std::uint32_t processor = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t processor = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t processor = 0;
#endif
constexpr std::uint32_t first_of_x32 = 0x40000000;

constexpr std::uint32_t refused[] = {
    // Into other processes: their memory, registers, descriptors and resources.
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_process_madvise,
    // Into the kernel.
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
    // Keys that outlive a program.
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    // Another view of the system, in which other rules hold.
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_setns,
    SYS_unshare,
    SYS_open_by_handle_at,
    SYS_fanotify_init,
};
constexpr std::uint32_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                         CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr sock_filter load(std::size_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
}
// Goes on behind the next `skipped` instructions unless the value is as said.
constexpr sock_filter unless(std::uint16_t test, std::uint32_t value, std::uint8_t skipped) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | test), 0, skipped, value};
}
constexpr sock_filter answer(std::uint32_t value) {
  return {BPF_RET | BPF_K, 0, 0, value};
}
constexpr sock_filter refuse(int error) {
  return answer(SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error) & SECCOMP_RET_DATA));
}
constexpr std::size_t first_argument = offsetof(seccomp_data, args);  // its low half: little-endian

struct Filter {
  std::array<sock_filter, 32 + 2 * std::size(refused)> lines{};
  std::uint16_t size = 0;
  constexpr void add(sock_filter line) { lines[size++] = line; }
};

constexpr Filter make() {
  Filter filter;
  // A program of another processor's numbers, as 32 bits beside 64, is not looked into: none of it.
  filter.add(load(offsetof(seccomp_data, arch)));
  filter.add({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, processor});
  filter.add(refuse(ENOSYS));
  filter.add(load(offsetof(seccomp_data, nr)));
#if defined(__x86_64__)
  filter.add(unless(BPF_JGE, first_of_x32, 1));
  filter.add(refuse(ENOSYS));
#endif
  for (const std::uint32_t number : refused) {
    filter.add(unless(BPF_JEQ, number, 1));
    filter.add(refuse(EPERM));
  }
  // Its flags are in memory, where no filter looks; libraries fall back on clone.
  filter.add(unless(BPF_JEQ, SYS_clone3, 1));
  filter.add(refuse(ENOSYS));
  filter.add(unless(BPF_JEQ, SYS_clone, 4));
  filter.add(load(first_argument));
  filter.add(unless(BPF_JSET, new_namespaces, 1));
  filter.add(refuse(EPERM));
  filter.add(answer(SECCOMP_RET_ALLOW));
  // The limits of others: of the server, or the mark of another job's program.
  filter.add(unless(BPF_JEQ, SYS_prlimit64, 3));
  filter.add(load(first_argument));
  filter.add({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0});
  filter.add(refuse(EPERM));
  filter.add(answer(SECCOMP_RET_ALLOW));
  return filter;
}
constexpr Filter the_filter = make();
}  // namespace

bool is_known_here() {
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  return processor != 0 && ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool put() {
  const sock_fprog program{the_filter.size, const_cast<sock_filter*>(the_filter.lines.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

}  // namespace quell::syscall_filter
