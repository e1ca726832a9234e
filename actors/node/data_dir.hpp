// The data directory has one owner. Two nodes on one directory would each recover the other's
// running jobs.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/id.hpp"
#include "runtime/base/result.hpp"

namespace quell {

// The starts of the node that lives in a directory, each named by its host, that host's boot and a
// nonce. `earlier` are those whose process has ended for sure: they held the lock that is held now.
struct Births {
  std::string current;
  std::vector<std::string> earlier;
};

class DataDir {
 public:
  // Makes it if need be (0700) and locks it; a second owner gets `store_locked` with the first
  // one's pid.
  static Result<DataDir> open(const std::string& path);
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  ~DataDir();

  const std::string& path() const { return path_; }
  // The node's id: made once, kept in the directory.
  Result<NodeId> node_id(IdSource& ids) const;
  Result<NodeId> new_node_id(IdSource& ids) const;
  // Written before the start is known to anybody else. A copy of the directory has no earlier
  // starts: its lock is another file.
  Result<Births> begin_birth(IdSource& ids) const;
  Result<void> keep_only(const std::string& birth) const;
  // What the store had acknowledged to the node, as of a moment before its end. Not forced to the
  // disk: a machine that crashes says less.
  std::string acknowledged() const;
  void keep_acknowledged(const std::string& text) const;

 private:
  std::string place() const;
  Result<void> write(const std::string& name, const std::string& text, bool forced = true) const;
  DataDir(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

}  // namespace quell
