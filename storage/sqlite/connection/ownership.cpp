#include "storage/sqlite/connection/ownership.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace quell::storage::sqlite {

namespace {

std::string owner_written_in(int file) {
  char text[32] = {};
  const ssize_t size = pread(file, text, sizeof text - 1, 0);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string("unknown");
}

// The pid is for people; the lock itself is the truth.
void write_owner(int file) {
  const std::string pid = std::to_string(getpid());
  if (ftruncate(file, 0) == 0) static_cast<void>(!pwrite(file, pid.data(), pid.size(), 0));
}

}  // namespace

Result<std::unique_ptr<Ownership>> Ownership::take(const std::string& database_path) {
  const std::string path = database_path + ".lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0)
    return Error{ErrorCode::store_unavailable, fmt::format("{}: {}", path, std::strerror(errno))};
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    const Error locked{ErrorCode::store_locked,
                       fmt::format("process {} owns {}", owner_written_in(file), database_path)};
    ::close(file);
    return locked;
  }
  write_owner(file);
  return std::unique_ptr<Ownership>(new Ownership(file));
}

Ownership::~Ownership() {
  // The lock file stays: removing it would let two processes lock two files of one name.
  ::close(file_);
}

}  // namespace quell::storage::sqlite
