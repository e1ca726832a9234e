#include "actors/effects/keeper_wire.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <type_traits>

#include "runtime/base/assert.hpp"

namespace quell::keeper_wire {

namespace {
constexpr std::size_t fds_max = 3;

class Writer {
 public:
  template <class T>
  void number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(const std::string& value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_.append(value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Both ends are one program: a frame that does not parse is our own fault.
class Reader {
 public:
  Reader(const char* data, std::size_t size) : data_(data), left_(size) {}
  template <class T>
  void number(T& value) {
    QUELL_ASSERT(left_ >= sizeof value);
    std::memcpy(&value, data_, sizeof value);
    skip(sizeof value);
  }
  void text(std::string& value) {
    std::uint32_t size = 0;
    number(size);
    QUELL_ASSERT(left_ >= size);
    value.assign(data_, size);
    skip(size);
  }

 private:
  void skip(std::size_t size) { data_ += size, left_ -= size; }
  const char* data_;
  std::size_t left_;
};

void write(Writer& to, const Exec& message) {
  const ExecCall& call = message.call;
  to.number(message.op);
  to.number(message.with_stdin);
  to.number(call.by);
  to.number(static_cast<std::uint32_t>(call.argv.size()));
  for (const auto& word : call.argv) to.text(word);
  to.number(static_cast<std::uint32_t>(call.env.size()));
  for (const auto& [name, value] : call.env) to.text(name), to.text(value);
  to.text(call.cwd);
  for (auto limit : {call.rlimit_as, call.rlimit_cpu_s, call.rlimit_nofile, call.rlimit_nproc}) {
    to.number(limit);
  }
}
void write(Writer& to, const Stop& message) {
  to.number(message.op), to.number(message.how);
}
void write(Writer& to, const Started& message) {
  to.number(message.op), to.number(message.pid);
}
void write(Writer& to, const Ended& message) {
  to.number(message.op), to.number(message.kind), to.number(message.code), to.text(message.fault);
}

void write(Writer&, const Reload&) {}

void read(Reader& from, Exec& message) {
  ExecCall& call = message.call;
  std::uint32_t count = 0;
  from.number(message.op);
  from.number(message.with_stdin);
  from.number(call.by);
  from.number(count);
  call.argv.resize(count);
  for (auto& word : call.argv) from.text(word);
  from.number(count);
  call.env.resize(count);
  for (auto& [name, value] : call.env) from.text(name), from.text(value);
  from.text(call.cwd);
  for (auto* limit :
       {&call.rlimit_as, &call.rlimit_cpu_s, &call.rlimit_nofile, &call.rlimit_nproc}) {
    from.number(*limit);
  }
}
void read(Reader& from, Stop& message) {
  from.number(message.op), from.number(message.how);
}
void read(Reader& from, Started& message) {
  from.number(message.op), from.number(message.pid);
}
void read(Reader& from, Ended& message) {
  from.number(message.op), from.number(message.kind), from.number(message.code);
  from.text(message.fault);
}
void read(Reader&, Reload&) {}

template <class T>
Message read_as(Reader& from) {
  T message;
  read(from, message);
  return message;
}
}  // namespace

void Wire::put(const Message& message, std::vector<OwnedFd> fds) {
  QUELL_ASSERT(fds.size() <= fds_max);
  Writer body;
  body.number(static_cast<std::uint8_t>(message.index()));
  std::visit([&](const auto& one) { write(body, one); }, message);
  const std::string bytes = body.take();
  Writer frame;
  frame.text(bytes);
  if (fds.empty() && !out_.empty()) {
    out_.back().bytes.append(frame.take());
  } else {
    out_.push_back(Segment{frame.take(), 0, std::move(fds)});
  }
}

Wire::Flow Wire::flush() {
  while (!out_.empty()) {
    Segment& segment = out_.front();
    iovec part{segment.bytes.data() + segment.sent, segment.bytes.size() - segment.sent};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(fds_max * sizeof(int))> control{};
    if (!segment.fds.empty()) {
      header.msg_control = control.data();
      header.msg_controllen = CMSG_SPACE(segment.fds.size() * sizeof(int));
      cmsghdr* extra = CMSG_FIRSTHDR(&header);
      extra->cmsg_level = SOL_SOCKET;
      extra->cmsg_type = SCM_RIGHTS;
      extra->cmsg_len = CMSG_LEN(segment.fds.size() * sizeof(int));
      std::array<int, fds_max> numbers{};
      for (std::size_t i = 0; i < segment.fds.size(); ++i) numbers[i] = segment.fds[i].get();
      std::memcpy(CMSG_DATA(extra), numbers.data(), segment.fds.size() * sizeof(int));
    }
    const ssize_t sent = ::sendmsg(socket_, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? Flow::blocked : Flow::gone;
    segment.fds.clear();
    segment.sent += static_cast<std::size_t>(sent);
    if (segment.sent == segment.bytes.size()) out_.pop_front();
  }
  return Flow::done;
}

Wire::Flow Wire::fill() {
  in_.erase(0, std::exchange(in_taken_, 0));
  for (;;) {
    std::array<char, 65536> bytes;
    iovec part{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(64 * sizeof(int))> control;
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return Flow::done;
    if (size <= 0) return Flow::gone;
    in_.append(bytes.data(), static_cast<std::size_t>(size));
    for (cmsghdr* extra = CMSG_FIRSTHDR(&header); extra != nullptr;
         extra = CMSG_NXTHDR(&header, extra)) {
      const std::size_t count = (extra->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      std::vector<int> numbers(count);
      std::memcpy(numbers.data(), CMSG_DATA(extra), count * sizeof(int));
      for (int fd : numbers) in_fds_.emplace_back(fd);
    }
  }
}

std::optional<Message> Wire::next() {
  std::uint32_t size = 0;
  const std::size_t there = in_.size() - in_taken_;
  if (there < sizeof size) return std::nullopt;
  std::memcpy(&size, in_.data() + in_taken_, sizeof size);
  if (there < sizeof size + size) return std::nullopt;
  Reader from{in_.data() + in_taken_ + sizeof size, size};
  in_taken_ += sizeof size + size;
  std::uint8_t kind = 0;
  from.number(kind);
  switch (kind) {
    case 0:
      return read_as<Exec>(from);
    case 1:
      return read_as<Stop>(from);
    case 2:
      return read_as<Started>(from);
    case 3:
      return read_as<Ended>(from);
    default:
      return read_as<Reload>(from);
  }
}

OwnedFd Wire::next_fd() {
  if (in_fds_.empty()) return OwnedFd{};
  OwnedFd fd = std::move(in_fds_.front());
  in_fds_.pop_front();
  return fd;
}

}  // namespace quell::keeper_wire
