#include "actors/data_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace quell {

namespace {

Error fault(const std::string& path) {
  return {ErrorCode::store_unavailable, path + ": " + std::strerror(errno)};
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

Result<DataDir> DataDir::open(const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) {
    std::filesystem::create_directories(path, failed);
    if (failed) return Error{ErrorCode::store_unavailable, path + ": " + failed.message()};
    ::chmod(path.c_str(), 0700);
  }
  const std::string lock = path + "/node.lock";
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fault(lock);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const std::string owner = first_line(lock);
    ::close(fd);
    return Error{ErrorCode::store_locked, path + " belongs to the process " + owner};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    const Error error = fault(lock);
    ::close(fd);
    return error;
  }
  return DataDir(path, fd);
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

DataDir::~DataDir() {
  if (fd_ >= 0) ::close(fd_);
}

Result<NodeId> DataDir::node_id(IdSource& ids) const {
  const std::string path = path_ + "/node.id";
  if (const auto known = Uuid::parse(first_line(path))) return *known;
  const NodeId fresh = ids.next();
  std::ofstream file(path, std::ios::trunc);
  file << fresh.text() << "\n";
  file.flush();
  if (!file) return fault(path);
  return fresh;
}

}  // namespace quell
