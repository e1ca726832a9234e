// The data directory has one owner. Two nodes on one directory would each recover the other's
// running jobs.
#pragma once

#include <string>

#include "runtime/id.hpp"
#include "runtime/result.hpp"

namespace quell {

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

 private:
  DataDir(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

}  // namespace quell
