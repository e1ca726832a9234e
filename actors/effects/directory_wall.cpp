#include "actors/effects/directory_wall.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <filesystem>

namespace quell {

namespace {
// Of later kernels than the headers that we are built with.
constexpr std::uint64_t access_truncate = std::uint64_t{1} << 14;
constexpr std::uint64_t scope_signal = std::uint64_t{1} << 1;
struct RulesetAttributes {
  std::uint64_t handled_fs = 0, handled_net = 0, scoped = 0;
};
constexpr int since_refer = 2, since_truncate = 3, since_net = 4, since_scope = 6;

constexpr std::uint64_t on_files =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
// Listing is not among them: Landlock hides no name from stat either, and a program that may not
// list `/` is of little use.
constexpr std::uint64_t in_directories =
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
    LANDLOCK_ACCESS_FS_REFER;

std::uint64_t file_rights(int version) {
  return version >= since_truncate ? on_files | access_truncate : on_files;
}

// What was made in the last moments may share its time with what is made next.
bool is_fresh(const timespec& changed) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t age =
      (now.tv_sec - changed.tv_sec) * 1'000'000'000 + now.tv_nsec - changed.tv_nsec;
  return age < 50'000'000;
}

bool grant(int ruleset, int directory, const char* name, std::uint64_t files) {
  const OwnedFd entry{::openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  struct stat status {};
  if (!entry || ::fstat(entry.get(), &status) != 0) return true;  // gone again: nothing to grant
  if (S_ISLNK(status.st_mode)) return true;                       // its target has a way of its own
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(status.st_mode) ? files | in_directories : files;
  rule.parent_fd = entry.get();
  return ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}
}  // namespace

int DirectoryWall::version() {
  const long found =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return found >= since_refer ? static_cast<int>(found) : 0;  // the first forbids all renaming
}

DirectoryWall::DirectoryWall(const std::vector<std::string>& hidden) {
  if (hidden.empty() || version() == 0) return;
  std::set<std::filesystem::path> ends;  // a directory comes before what is in it
  for (const std::string& path : hidden) {
    std::error_code unknown;
    const auto real = std::filesystem::weakly_canonical(std::filesystem::absolute(path), unknown);
    if (unknown || !real.has_relative_path()) {
      fault_ = path + " cannot be closed to programs";
      return;
    }
    ends.insert(real);
  }
  for (const auto& end : ends) {
    std::filesystem::path above = end.root_path();
    for (const auto& name : end.relative_path()) {
      if (ends.contains(above)) break;  // hidden with what it lies in
      way_[above.string()].next.insert(name.string());
      above /= name;
    }
  }
  mounts_.reset(::open("/proc/self/mounts", O_RDONLY | O_CLOEXEC));
}

int DirectoryWall::ruleset() {
  if (way_.empty()) return -1;
  if ((!ruleset_ || !is_as_seen()) && !build()) ruleset_.reset();
  return ruleset_.get();
}

bool DirectoryWall::is_as_seen() {
  pollfd mounts{mounts_.get(), POLLPRI, 0};
  if (!is_settled_ || (::poll(&mounts, 1, 0) > 0 && mounts.revents != 0)) return false;
  for (const auto& [path, step] : way_) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || status.st_mtim.tv_sec != step.changed.tv_sec ||
        status.st_mtim.tv_nsec != step.changed.tv_nsec)
      return false;
  }
  return true;
}

bool DirectoryWall::build() {
  const int has = version();
  RulesetAttributes wanted;
  wanted.handled_fs = file_rights(has) | in_directories;
  if (has >= since_scope) wanted.scoped = scope_signal;
  std::size_t known = sizeof wanted.handled_fs;
  if (has >= since_net) known += sizeof wanted.handled_net;
  if (has >= since_scope) known = sizeof wanted;
  ruleset_.reset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &wanted, known, 0)));
  fault_.clear();
  is_settled_ = true;
  bool done = static_cast<bool>(ruleset_);
  for (auto& [path, step] : way_) done = done && grant_beside(path, step);
  if (!done)
    fault_ =
        std::string("the data directory cannot be closed to programs: ") + std::strerror(errno);
  return done;
}

bool DirectoryWall::grant_beside(const std::string& path, Step& step) {
  DIR* listing = ::opendir(path.c_str());
  if (listing == nullptr) return errno == EACCES;  // then nothing is granted there
  const int here = ::dirfd(listing);
  struct stat status {};
  ::fstat(here, &status);
  step.changed = status.st_mtim;
  if (is_fresh(step.changed)) is_settled_ = false;
  const std::uint64_t files = file_rights(version());
  bool done = true;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || step.next.contains(name)) continue;
    done = done && grant(ruleset_.get(), here, entry->d_name, files);
  }
  const int error = errno;
  ::closedir(listing);
  errno = error;
  return done;
}

bool DirectoryWall::close_behind(int ruleset) {
  return ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

}  // namespace quell
