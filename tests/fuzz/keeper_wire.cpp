// What is put into the wire comes out of it, whole and in order, however the socket cuts it; and a
// message that has not come whole is not given out. Both ends are one program, so the input is a
// list of messages, not bytes.
#include "actors/effects/keeper_wire.hpp"

#include <fcntl.h>
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/property.hpp"

using namespace quell;
using namespace quell::keeper_wire;
using fuzz::hold;

namespace {

using Draw = FuzzedDataProvider;

Exec exec(Draw& draw) {
  Exec message{draw.ConsumeIntegral<std::uint64_t>(), draw.ConsumeBool()};
  for (int n = draw.ConsumeIntegralInRange(0, 4); n > 0; --n)
    message.call.argv.push_back(draw.ConsumeRandomLengthString(200));
  for (int n = draw.ConsumeIntegralInRange(0, 3); n > 0; --n) {
    std::string name = draw.ConsumeRandomLengthString(20);
    message.call.env.emplace_back(std::move(name), draw.ConsumeRandomLengthString(300));
  }
  message.call.cwd = draw.ConsumeRandomLengthString(30);
  message.call.rlimit_as = draw.ConsumeIntegral<std::uint64_t>();
  message.call.rlimit_nproc = draw.ConsumeIntegral<std::uint64_t>();
  // Now and then more than a socket takes at once.
  if (draw.ConsumeIntegralInRange(0, 15) == 0)
    message.call.argv.emplace_back(draw.ConsumeIntegralInRange<std::size_t>(0, 600'000), 'x');
  return message;
}

Message message(Draw& draw) {
  switch (draw.ConsumeIntegralInRange(0, 4)) {
    case 0:
      return exec(draw);
    case 1:
      return Stop{draw.ConsumeIntegral<std::uint64_t>()};
    case 2:
      return Started{draw.ConsumeIntegral<std::uint64_t>(), draw.ConsumeIntegral<int>()};
    case 3:
      return Reload{};
    default:
      return Ended{draw.ConsumeIntegral<std::uint64_t>(), ExecEnd::Kind::exited,
                   draw.ConsumeIntegral<int>(), draw.ConsumeRandomLengthString(100)};
  }
}

bool same(const Message& a, const Message& b) {
  if (a.index() != b.index()) return false;
  if (const auto* x = std::get_if<Exec>(&a)) {
    const auto& y = std::get<Exec>(b);
    return x->op == y.op && x->with_stdin == y.with_stdin && x->call.argv == y.call.argv &&
           x->call.env == y.call.env && x->call.cwd == y.call.cwd &&
           x->call.rlimit_as == y.call.rlimit_as && x->call.rlimit_nproc == y.call.rlimit_nproc;
  }
  if (const auto* x = std::get_if<Stop>(&a))
    return x->op == std::get<Stop>(b).op && x->how == std::get<Stop>(b).how;
  if (const auto* x = std::get_if<Started>(&a))
    return x->op == std::get<Started>(b).op && x->pid == std::get<Started>(b).pid;
  if (std::holds_alternative<Reload>(a)) return true;
  const auto& x = std::get<Ended>(a);
  const auto& y = std::get<Ended>(b);
  return x.op == y.op && x.kind == y.kind && x.code == y.code && x.fault == y.fault;
}

struct Sent {
  Message message;
  std::size_t fds;
};

// Takes what is whole; the descriptors of a message are there with it.
void take(Wire& wire, const std::vector<Sent>& sent, std::size_t& taken) {
  while (auto got = wire.next()) {
    hold(taken < sent.size(), "nothing comes that was not sent");
    hold(same(*got, sent[taken].message), "it is as it was sent");
    for (std::size_t n = sent[taken].fds; n > 0; --n)
      hold(wire.next_fd().get() >= 0, "its descriptors are there");
    ++taken;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Draw draw(data, size);
  int ends[2];
  hold(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a socket pair");
  const OwnedFd near{ends[0]}, far{ends[1]};
  Wire out(near.get()), in(far.get());
  std::vector<Sent> sent;
  std::size_t taken = 0;
  while (draw.remaining_bytes() > 0 && sent.size() < 40) {
    Sent one{message(draw), draw.ConsumeIntegralInRange<std::size_t>(0, 3)};
    std::vector<OwnedFd> fds;
    for (std::size_t n = 0; n < one.fds; ++n)
      fds.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    out.put(one.message, std::move(fds));
    sent.push_back(std::move(one));
    if (draw.ConsumeBool()) out.flush();
    if (draw.ConsumeBool()) {
      hold(in.fill() == Wire::Flow::done, "the other side lives");
      take(in, sent, taken);
    }
  }
  for (Wire::Flow flow = Wire::Flow::blocked; flow == Wire::Flow::blocked;) {
    flow = out.flush();
    hold(in.fill() == Wire::Flow::done, "the other side lives");
    take(in, sent, taken);
  }
  hold(taken == sent.size(), "all that was sent has come");
  hold(in.next_fd().get() < 0, "and no descriptor more");
  return 0;
}
