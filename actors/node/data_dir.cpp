#include "actors/node/data_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

constexpr const char *births_file = "node.births", *acknowledged_file = "store.acknowledged";

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Of the machine, not of its network: a container's name, and the id that its system was given.
std::string host() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::string host = first_line("/etc/machine-id") + "/" + name.data();
  std::replace_if(
      host.begin(), host.end(), [](unsigned char c) { return c <= ' ' || c > '~'; }, '_');
  return host;
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
  if (const auto known = Uuid::parse(first_line(path_ + "/node.id"))) return *known;
  return new_node_id(ids);
}

Result<NodeId> DataDir::new_node_id(IdSource& ids) const {
  const NodeId fresh = ids.next();
  if (auto written = write("node.id", fresh.text() + "\n"); !written) return written.error();
  return fresh;
}

// Which lock is held, and on which host. A file's number may be another one's elsewhere, but not
// with the time at which it was made; a device's number may change with a boot.
std::string DataDir::place() const {
  struct statx lock {};
  if (::statx(fd_, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &lock) != 0) return {};
  const bool has_time = (lock.stx_mask & STATX_BTIME) != 0;
  const std::string made = has_time ? std::to_string(lock.stx_btime.tv_sec) + "." +
                                          std::to_string(lock.stx_btime.tv_nsec)
                                    : "on " + std::to_string(lock.stx_dev_minor);
  return host() + " " + std::to_string(lock.stx_ino) + " " + made;
}

Result<Births> DataDir::begin_birth(IdSource& ids) const {
  Births births;
  births.current =
      host() + " " + first_line("/proc/sys/kernel/random/boot_id") + " " + ids.next().text();
  std::ifstream file(path_ + "/" + births_file);
  std::string line;
  if (std::getline(file, line) && !line.empty() && line == place())
    while (std::getline(file, line)) births.earlier.push_back(line);
  std::string text = place() + "\n";
  for (const std::string& earlier : births.earlier) text += earlier + "\n";
  if (auto written = write(births_file, text + births.current + "\n"); !written)
    return written.error();
  return births;
}

Result<void> DataDir::keep_only(const std::string& birth) const {
  return write(births_file, place() + "\n" + birth + "\n");
}

std::string DataDir::acknowledged() const {
  std::ifstream file(path_ + "/" + acknowledged_file);
  return {std::istreambuf_iterator<char>(file), {}};
}

void DataDir::keep_acknowledged(const std::string& text) const {
  (void)write(acknowledged_file, text, false);  // a full disk is told where something depends on it
}

// Beside it first, so that a crash leaves the old one or the new one.
Result<void> DataDir::write(const std::string& name, const std::string& text, bool forced) const {
  const std::string path = path_ + "/" + name, fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fault(fresh);
  const bool written = ::write(fd, text.data(), text.size()) == std::ssize(text);
  const bool kept = written && (!forced || ::fsync(fd) == 0);
  ::close(fd);
  if (!kept || ::rename(fresh.c_str(), path.c_str()) != 0) return fault(fresh);
  return {};
}

}  // namespace quell
