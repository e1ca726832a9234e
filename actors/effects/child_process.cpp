#include "actors/effects/child_process.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <functional>
#include <unordered_map>

#include "actors/effects/fork_server_sink.hpp"
#include "actors/effects/keeper.hpp"
#include "actors/effects/keeper_wire.hpp"
#include "actors/effects/output_tail.hpp"
#include "actors/effects/program_files.hpp"
#include "runtime/base/assert.hpp"

namespace quell {

namespace {
namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;
// Programs asked for and not yet answered by the keeper: bounds the descriptors in flight, and lets
// a stop overtake all starts that are still here.
constexpr std::size_t in_flight_max = 32;
constexpr std::size_t drain_bytes_max = 4u << 20;
constexpr int fork_servers_max = 3;  // that one program is asked of
constexpr const char* keeper_has_died = "the keeper of programs has died";

// One series for the process: a second client of the same keeper must not meet the programs of the
// first.
std::atomic<std::uint64_t> last_id{0};

// Our end of a pipe that the program writes.
struct Source {
  Descriptor file;
  bool followed = false;  // a wait for more is under way
};

struct Op {
  std::uint64_t id = 0;
  bool by_fork_server = false;
  ExecCall call;
  std::shared_ptr<ExecSink> sink;
  Source out, err;
  OutputTail out_tail, err_tail;
  LineSplitter lines;
  bool paused = false;
  bool asked = false;             // the keeper knows of it
  bool answered = false;          // and has said how the start went
  bool stopped = false;           // asked for; what was not begun then is not begun any more
  std::uint64_t fork_server = 0;  // that is to be asked
  int fork_servers_gone = 0;      // that it was to be asked of
  Op(asio::io_context& io, std::uint64_t number, ExecCall c, std::shared_ptr<ExecSink> s)
      : id(number),
        by_fork_server(c.by == ExecCall::By::by_fork_server),
        call(std::move(c)),
        sink(std::move(s)),
        out{Descriptor(io)},
        err{Descriptor(io)},
        out_tail(call.max_output),
        err_tail(call.max_output) {}
};

Error refused(const std::string& why) {
  return Error{ErrorCode::invalid_field, why};
}
Error broken(const std::string& why) {
  return Error{ErrorCode::internal, why};
}
}  // namespace

class ChildProcesses::Core : public std::enable_shared_from_this<ChildProcesses::Core> {
 public:
  Core(asio::io_context& io, Keeper& keeper, std::function<void()> keeper_died,
       std::function<void(const std::string&)> fork_server_says)
      : io_(io),
        wire_(keeper.socket()),
        socket_(io, ::dup(keeper.socket())),
        tell_keeper_died_(std::move(keeper_died)),
        fork_server_says_(std::move(fork_server_says)) {}

  void start(OpId id, ExecCall call, std::shared_ptr<ExecSink> sink);
  void stop(OpId id, How how);
  void pause(OpId id, bool paused);
  void reload_fork_server();
  void shutdown();
  void listen();

  asio::io_context& io() { return io_; }
  std::atomic<std::size_t> open_count{0};

 private:
  using OpPtr = std::shared_ptr<Op>;
  using Stream = Source Op::*;
  void need_fork_server(Op& op);
  void start_fork_server(ExecCall server);
  std::string with_last_words(const std::string& fault) const;
  void ask_another(const OpPtr& op);
  void unpark();
  void pump();
  bool send_start(const OpPtr& op);
  void flush();
  void hear();
  void on(const keeper_wire::Started& message);
  void on(const keeper_wire::Ended& message);
  void answered(Op& op);
  void follow(const OpPtr& op, Stream stream);
  ssize_t read_some(Op& op, Stream stream);
  void drain(Op& op, Stream stream);
  void close(OpPtr op, ExecEnd end);
  void leave_when_empty();
  void keeper_died();

  asio::io_context& io_;
  keeper_wire::Wire wire_;
  Descriptor socket_;
  std::function<void()> tell_keeper_died_;
  std::function<void(const std::string&)> fork_server_says_;
  std::unordered_map<OpId, OpPtr> ops_;
  std::deque<OpPtr> pending_;
  std::vector<OpPtr> parked_;  // until the end of the fork server is told
  OpId fork_server_ = 0;
  std::shared_ptr<ForkServerSink> fork_server_sink_;
  std::size_t in_flight_ = 0;
  bool flushing_ = false;  // a flush is posted or waits for room
  bool keeper_gone_ = false;
  bool shut_ = false;
};

void ChildProcesses::Core::start(OpId id, ExecCall call, std::shared_ptr<ExecSink> sink) {
  auto op = std::make_shared<Op>(io_, id, std::move(call), std::move(sink));
  ops_.emplace(id, op);
  ExecEnd end;
  end.reaped = !keeper_gone_;  // nothing was started
  if (keeper_gone_) {
    end.error = broken(keeper_has_died);
  } else if (shut_) {
    end.error = Error{ErrorCode::draining, "no program is started any more"};
  } else if (op->call.argv.empty() || op->call.argv.front().empty()) {
    end.error = refused("argv is empty");
  }
  if (end.error) return close(op, std::move(end));
  if (op->by_fork_server) need_fork_server(*op);
  pending_.push_back(std::move(op));
  pump();
}

// Asked for before the child that needs it, so the keeper hears of it first.
void ChildProcesses::Core::need_fork_server(Op& op) {
  if (!ops_.contains(fork_server_)) start_fork_server(op.call);
  op.fork_server = fork_server_;
}

void ChildProcesses::Core::start_fork_server(ExecCall server) {
  server.by = ExecCall::By::as_fork_server;
  server.stdin_data.clear();
  fork_server_ = ++last_id;
  fork_server_sink_ = std::make_shared<ForkServerSink>(fork_server_says_);
  auto op = std::make_shared<Op>(io_, fork_server_, std::move(server), fork_server_sink_);
  ++open_count;
  ops_.emplace(fork_server_, op);
  pending_.push_back(std::move(op));
}

void ChildProcesses::Core::pump() {
  while (in_flight_ < in_flight_max && !pending_.empty() && !keeper_gone_) {
    const OpPtr op = pending_.front();
    pending_.pop_front();
    if (!ops_.contains(op->id)) continue;  // stopped before it was sent
    if (send_start(op)) continue;
    ExecEnd end;
    end.error = broken(std::string("start a program: ") + std::strerror(errno));
    end.reaped = true;
    close(op, std::move(end));
  }
}

bool ChildProcesses::Core::send_start(const OpPtr& op) {
  keeper_wire::Exec message{op->id, !op->call.stdin_data.empty(), {}};
  ProgramPipe out, err;
  if (!out.open() || !err.open()) return false;
  std::vector<OwnedFd> fds;
  if (message.with_stdin) {
    fds.push_back(file_with(op->call.stdin_data));
    if (!fds.back()) return false;
  }
  fds.push_back(std::move(out.write));
  fds.push_back(std::move(err.write));
  if (op->by_fork_server) {
    message.call = op->call;
    message.call.stdin_data.clear();
  } else {
    op->call.stdin_data.clear();
    message.call = std::move(op->call);
  }
  op->out.file.assign(out.read.release());
  op->err.file.assign(err.read.release());
  op->asked = true;
  ++in_flight_;
  wire_.put(message, std::move(fds));
  flush();
  follow(op, &Op::out);
  follow(op, &Op::err);
  return true;
}

// Posted, so that a thousand stops in one turn of the loop leave as one write.
void ChildProcesses::Core::flush() {
  if (std::exchange(flushing_, true)) return;
  asio::post(io_, [self = shared_from_this()] {
    self->flushing_ = false;
    if (!self->socket_.is_open()) return;
    if (self->wire_.flush() != keeper_wire::Wire::Flow::blocked)
      return;  // gone: hear() learns it too
    self->flushing_ = true;
    self->socket_.async_wait(Descriptor::wait_write, [self](boost::system::error_code error) {
      self->flushing_ = false;
      if (!error) self->flush();
    });
  });
}

void ChildProcesses::Core::stop(OpId id, How how) {
  const auto found = ops_.find(id);
  if (found == ops_.end()) return;
  if (!found->second->asked) {
    ExecEnd end;
    end.kind = ExecEnd::Kind::killed;
    end.code = SIGKILL;
    end.reaped = true;
    return close(found->second, std::move(end));
  }
  found->second->stopped = true;
  wire_.put(keeper_wire::Stop{id, how});
  flush();
}

// Without one the next task starts one, which reads the code as it is then.
void ChildProcesses::Core::reload_fork_server() {
  if (keeper_gone_ || !ops_.contains(fork_server_)) return;
  wire_.put(keeper_wire::Reload{});
  flush();
}

void ChildProcesses::Core::shutdown() {
  shut_ = true;
  std::vector<OpId> all;
  for (const auto& [id, op] : ops_) all.push_back(id);
  for (OpId id : all) stop(id, How::kill);
  leave_when_empty();
}

void ChildProcesses::Core::listen() {
  if (!socket_.is_open()) return;
  socket_.async_wait(Descriptor::wait_read,
                     [self = shared_from_this()](boost::system::error_code error) {
                       if (!error) self->hear();
                     });
}

void ChildProcesses::Core::hear() {
  const auto flow = wire_.fill();
  while (auto message = wire_.next()) {
    if (auto* started = std::get_if<keeper_wire::Started>(&*message)) on(*started);
    if (auto* ended = std::get_if<keeper_wire::Ended>(&*message)) on(*ended);
  }
  if (flow == keeper_wire::Wire::Flow::gone) return keeper_died();
  pump();
  listen();
}

void ChildProcesses::Core::on(const keeper_wire::Started& message) {
  const auto found = ops_.find(message.op);
  if (found == ops_.end()) return;  // asked for by an earlier client of this keeper
  const OpPtr op = found->second;
  answered(*op);
  op->call = {};
  op->sink->on_started(message.pid);
}

void ChildProcesses::Core::on(const keeper_wire::Ended& message) {
  const auto found = ops_.find(message.op);
  if (found == ops_.end()) return;
  const OpPtr op = found->second;
  answered(*op);
  if (op->by_fork_server && message.fault == keeper_wire::no_fork_server) return ask_another(op);
  ExecEnd end;
  end.kind = message.kind;
  end.code = message.code;
  end.reaped = true;
  if (message.kind == ExecEnd::Kind::failed) {
    end.error = refused(op->by_fork_server ? with_last_words(message.fault) : message.fault);
  }
  close(op, std::move(end));
  if (!parked_.empty()) unpark();
}

std::string ChildProcesses::Core::with_last_words(const std::string& fault) const {
  const std::string said = fork_server_sink_ ? fork_server_sink_->said() : std::string();
  return said.empty() ? fault : fault + ": " + said;
}

// Nothing was begun. The end of the fork server that is gone, and its last words, may still be on
// their way. A stop that the keeper knew nothing to do with is done by that: it is not repeated.
void ChildProcesses::Core::ask_another(const OpPtr& op) {
  if (op->stopped || shut_) {
    ExecEnd end;
    end.kind = ExecEnd::Kind::killed;
    end.code = SIGKILL;
    end.reaped = true;
    return close(op, std::move(end));
  }
  auto again = std::make_shared<Op>(io_, op->id, std::move(op->call), op->sink);
  again->fork_servers_gone = op->fork_servers_gone + 1;
  boost::system::error_code ignored;
  op->out.file.close(ignored);
  op->err.file.close(ignored);
  again->fork_server = op->fork_server;
  ops_[op->id] = again;
  parked_.push_back(std::move(again));
  unpark();
}

// Those whose fork server's end is told. Another may be there already, asked for by others.
void ChildProcesses::Core::unpark() {
  for (OpPtr& op : std::exchange(parked_, {})) {
    if (!ops_.contains(op->id)) continue;  // stopped meanwhile
    if (ops_.contains(op->fork_server)) {
      parked_.push_back(std::move(op));
      continue;
    }
    if (op->fork_servers_gone >= fork_servers_max) {
      ExecEnd end;
      end.error = refused(with_last_words(keeper_wire::no_fork_server));
      end.reaped = true;
      close(op, std::move(end));
      continue;
    }
    need_fork_server(*op);
    pending_.push_back(std::move(op));
  }
  pump();
}

void ChildProcesses::Core::answered(Op& op) {
  if (!std::exchange(op.answered, true)) --in_flight_;
}

void ChildProcesses::Core::follow(const OpPtr& op, Stream stream) {
  Source& source = (*op).*stream;
  if (source.followed || op->paused || !source.file.is_open()) return;
  source.followed = true;
  source.file.async_wait(Descriptor::wait_read,
                         [self = shared_from_this(), op, stream](boost::system::error_code error) {
                           Source& ready = (*op).*stream;
                           ready.followed = false;
                           if (error || op->paused || !ready.file.is_open()) return;
                           const ssize_t size = self->read_some(*op, stream);
                           if (size > 0 && !op->sink->wants_more()) op->paused = true;
                           if (size > 0 || (size < 0 && errno == EAGAIN))
                             return self->follow(op, stream);
                           boost::system::error_code ignored;
                           ready.file.close(ignored);
                         });
}

void ChildProcesses::Core::pause(OpId id, bool paused) {
  const auto found = ops_.find(id);
  if (found == ops_.end()) return;
  const OpPtr op = found->second;
  op->paused = paused;
  follow(op, &Op::out);
  follow(op, &Op::err);
}

ssize_t ChildProcesses::Core::read_some(Op& op, Stream stream) {
  std::array<char, 65536> bytes;
  const ssize_t size = ::read((op.*stream).file.native_handle(), bytes.data(), bytes.size());
  if (size <= 0) return size;
  const std::string_view text{bytes.data(), static_cast<std::size_t>(size)};
  if (stream == &Op::out) {
    op.out_tail.add(text);
    op.lines.add(text, [&](std::string line) { op.sink->on_stdout_line(std::move(line)); });
  } else {
    op.err_tail.add(text);
    op.sink->on_stderr(std::string{text});
  }
  return size;
}

// All writers are dead, so this ends at the end of file; bounded, in case one gave its pipe to a
// stranger.
void ChildProcesses::Core::drain(Op& op, Stream stream) {
  std::size_t drained = 0;
  while ((op.*stream).file.is_open() && drained < drain_bytes_max) {
    const ssize_t size = read_some(op, stream);
    if (size <= 0) break;
    drained += static_cast<std::size_t>(size);
  }
  boost::system::error_code ignored;
  (op.*stream).file.close(ignored);
}

void ChildProcesses::Core::close(OpPtr op, ExecEnd end) {
  drain(*op, &Op::out);
  drain(*op, &Op::err);
  op->lines.flush([&](std::string line) { op->sink->on_stdout_line(std::move(line)); });
  end.out = op->out_tail.take();
  end.err = op->err_tail.take();
  ops_.erase(op->id);
  --open_count;
  op->sink->on_closed(std::move(end));
  leave_when_empty();
}

// After shutdown the last close lets the io_context run dry.
void ChildProcesses::Core::leave_when_empty() {
  boost::system::error_code ignored;
  if (shut_ && ops_.empty()) socket_.close(ignored);
}

// Each guard ends its tree, which nobody is left to tell us of: nothing is proven, also not of what
// it was only asked for.
void ChildProcesses::Core::keeper_died() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  keeper_gone_ = true;
  if (shut_ && ops_.empty()) return;
  if (tell_keeper_died_) tell_keeper_died_();
  std::vector<OpPtr> all;
  for (const auto& [id, op] : ops_) all.push_back(op);
  pending_.clear();
  parked_.clear();
  for (const auto& op : all) {
    ExecEnd end;
    end.error = broken(keeper_has_died);
    close(op, std::move(end));
  }
}

ChildProcesses::ChildProcesses(asio::io_context& io, Keeper& keeper,
                               std::function<void()> keeper_died,
                               std::function<void(const std::string&)> fork_server_says)
    : core_(
          std::make_shared<Core>(io, keeper, std::move(keeper_died), std::move(fork_server_says))) {
  asio::post(io, [core = core_] { core->listen(); });
}

ChildProcesses::~ChildProcesses() {
  shutdown();
}

ChildProcesses::OpId ChildProcesses::start(ExecCall call, std::shared_ptr<ExecSink> sink) {
  const OpId id = ++last_id;
  ++core_->open_count;
  asio::post(core_->io(),
             [core = core_, id, call = std::move(call), sink = std::move(sink)]() mutable {
               core->start(id, std::move(call), std::move(sink));
             });
  return id;
}

void ChildProcesses::stop(OpId op, How how) {
  asio::post(core_->io(), [core = core_, op, how] { core->stop(op, how); });
}

void ChildProcesses::pause(OpId op, bool paused) {
  asio::post(core_->io(), [core = core_, op, paused] { core->pause(op, paused); });
}

void ChildProcesses::reload_fork_server() {
  asio::post(core_->io(), [core = core_] { core->reload_fork_server(); });
}

std::size_t ChildProcesses::open() const {
  return core_->open_count;
}

void ChildProcesses::shutdown() {
  asio::post(core_->io(), [core = core_] { core->shutdown(); });
}

}  // namespace quell
