// What a program is given as its standard input, output and errors.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "actors/effects/owned_fd.hpp"

namespace quell {

// A file in memory instead of a pipe: nothing to pump, no SIGPIPE when the program does not read.
inline OwnedFd file_with(const std::string& data) {
  OwnedFd file{::memfd_create("stdin", MFD_CLOEXEC)};
  for (std::size_t put = 0; file && put < data.size();) {
    const ssize_t size = ::write(file.get(), data.data() + put, data.size() - put);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return OwnedFd{};
    put += static_cast<std::size_t>(size);
  }
  if (file) ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct ProgramPipe {
  OwnedFd read, write;
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read.reset(ends[0]);
    write.reset(ends[1]);
    return ::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;  // only our end: programs expect to block
  }
};

}  // namespace quell
