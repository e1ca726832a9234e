#include "actors/effects/fork_server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace quell {

namespace {
// One fork takes milliseconds; while one is awaited, no job's end can be proven.
constexpr auto patience = std::chrono::seconds(5);
// As fork_server.py packs them.
enum class Asked : std::uint32_t { process = 0, reload = 1, go = 2 };
enum class Said : std::uint32_t { born = 0, ready = 1, may_go = 2, stays = 3 };
struct Request {
  std::uint64_t key;
  std::uint32_t keeper;
  Asked what;
};
struct Reply {
  std::uint64_t key;
  std::int32_t pid;
  Said what;
};
}  // namespace

void ForkServer::began(pid_t pid, std::uint32_t key, OwnedFd socket) {
  pid_ = pid;
  key_ = key;
  socket_ = std::move(socket);
  is_ready_ = false;
}

ForkServer::Unborn ForkServer::ended() {
  Unborn unborn;
  unborn.asked.assign(births_.begin(), births_.end());
  for (const Wish& wish : wishes_) unborn.not_asked.push_back(wish.key);
  births_.clear();
  wishes_.clear();
  early_.clear();
  socket_.reset();
  pid_ = 0;
  return unborn;
}

void ForkServer::ask(std::uint32_t key, std::array<OwnedFd, 3> fds) {
  wishes_.push_back({key, std::move(fds)});
  if (is_ready_) send_wishes();
}

// As many as it takes. The rest is sent when it has answered some of them; or it is gone, and they
// are told so at its end.
void ForkServer::send_wishes() {
  while (!wishes_.empty() && send(wishes_.front())) wishes_.pop_front();
}

bool ForkServer::take_back(std::uint32_t key) {
  return std::erase_if(wishes_, [key](const Wish& wish) { return wish.key == key; }) > 0;
}

bool ForkServer::send(const Wish& wish) {
  Request request{wish.key, static_cast<std::uint32_t>(::getpid()), Asked::process};
  iovec part{&request, sizeof request};
  std::array<int, 3> numbers{wish.fds[0].get(), wish.fds[1].get(), wish.fds[2].get()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof numbers)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* extra = CMSG_FIRSTHDR(&header);
  extra->cmsg_level = SOL_SOCKET;
  extra->cmsg_type = SCM_RIGHTS;
  extra->cmsg_len = CMSG_LEN(sizeof numbers);
  std::memcpy(CMSG_DATA(extra), numbers.data(), sizeof numbers);
  if (::sendmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof request)
    return false;
  if (births_.empty()) {
    early_.clear();
    last_answer_ = Monotonic::now();
  }
  births_.insert(wish.key);
  return true;
}

void ForkServer::reload() {
  if (is_ready_) say(static_cast<std::uint32_t>(Asked::reload));
}

void ForkServer::say(std::uint32_t what) {
  const Request request{0, static_cast<std::uint32_t>(::getpid()), static_cast<Asked>(what)};
  ::send(socket_.get(), &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::vector<ForkServer::Born> ForkServer::hear() {
  std::vector<Born> born;
  Reply reply{};
  while (::recv(socket_.get(), &reply, sizeof reply, MSG_DONTWAIT) == sizeof reply) {
    last_answer_ = Monotonic::now();
    if (reply.what == Said::may_go) {
      is_ready_ = false;  // what is asked from now on waits here, behind the word that sends it on
      say(static_cast<std::uint32_t>(Asked::go));
    }
    if (reply.what == Said::ready) is_ready_ = true;
    if (reply.what != Said::born) continue;
    const auto key = static_cast<std::uint32_t>(reply.key);
    if (births_.erase(key) > 0) born.push_back({key, reply.pid});
  }
  if (is_ready_) send_wishes();
  return born;
}

bool ForkServer::is_late(Monotonic::time_point now) const {
  return !births_.empty() && now > last_answer_ + patience;
}

void ForkServer::note_end(const siginfo_t& info) {
  if (!births_.empty()) early_[info.si_pid] = info;
}

std::optional<siginfo_t> ForkServer::early_end(pid_t pid) {
  const auto found = early_.find(pid);
  std::optional<siginfo_t> end;
  if (found == early_.end()) return end;
  end = found->second;
  early_.erase(found);
  return end;
}

}  // namespace quell
