// Can libcurl let go of a call in every phase, at once, and of ten thousand of them together? Asks
// the real client against servers of its own on loopback, and prints what it saw.
//   bench_outbound [--aborts 300] [--many 10000] [--good 500] [--calls 5000]
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <csignal>
#include <future>
#include <new>
#include <thread>

#include "actors/effects/http_client.hpp"
#include "actors/effects/resolver.hpp"
#include "bench/measure/run.hpp"

namespace {

using namespace quell;
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using Clock = std::chrono::steady_clock;
using bench::Better;

const auto loopback = asio::ip::make_address("127.0.0.1");

double ms_since(Clock::time_point from) {
  return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

// What the server's process tells this one.
struct Counts {
  std::atomic<int> accepted{0}, asked{0}, closed{0};
  std::atomic<std::uint16_t> silent{0}, deaf{0}, partial{0}, quick{0};
};

// silent: reads and never answers. deaf: never reads. partial: head and half a body. quick: a whole
// reply.
enum class Manner { silent, deaf, partial, quick };

class Held : public std::enable_shared_from_this<Held> {
 public:
  Held(tcp::socket socket, Manner manner, Counts& counts)
      : socket_(std::move(socket)), manner_(manner), counts_(counts) {}
  void begin() {
    ++counts_.accepted;
    if (manner_ == Manner::deaf)
      socket_.async_wait(tcp::socket::wait_error,
                         [self = shared_from_this()](auto) { ++self->counts_.closed; });
    else
      read();
  }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](auto fault, std::size_t) {
                              if (fault) {
                                ++self->counts_.closed;
                                return;
                              }
                              if (!std::exchange(self->asked_, true)) self->answer();
                              self->read();
                            });
  }
  void answer() {
    ++counts_.asked;
    boost::system::error_code fault;
    if (manner_ == Manner::partial)
      asio::write(socket_,
                  asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")),
                  fault);
    if (manner_ == Manner::quick)
      asio::write(socket_,
                  asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
                  fault);
  }
  tcp::socket socket_;
  Manner manner_;
  Counts& counts_;
  bool asked_ = false;
  std::array<char, 1024> buffer_;
};

struct Listener {
  Listener(asio::io_context& io, Manner how, Counts& shared)
      : acceptor(io, {loopback, 0}), manner(how), counts(shared) {
    acceptor.listen(4096);
    accept();
  }
  void accept() {
    acceptor.async_accept([this](auto fault, tcp::socket socket) {
      if (!fault) std::make_shared<Held>(std::move(socket), manner, counts)->begin();
      accept();
    });
  }
  tcp::acceptor acceptor;
  Manner manner;
  Counts& counts;
};

[[noreturn]] void serve(Counts& counts) {
  asio::io_context io{1};
  Listener silent(io, Manner::silent, counts), deaf(io, Manner::deaf, counts),
      partial(io, Manner::partial, counts), quick(io, Manner::quick, counts);
  counts.silent = silent.acceptor.local_endpoint().port();
  counts.deaf = deaf.acceptor.local_endpoint().port();
  counts.partial = partial.acceptor.local_endpoint().port();
  counts.quick = quick.acceptor.local_endpoint().port();
  io.run();
  std::_Exit(0);
}

// Knows every name that begins with `good`, says nothing of others.
class NameServer {
 public:
  explicit NameServer(asio::io_context& io) : socket_(io, {loopback, 0}) { receive(); }
  DnsSettings settings() const {
    DnsSettings dns;
    dns.servers = {fmt::format("127.0.0.1:{}", socket_.local_endpoint().port())};
    return dns;
  }

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(packet_), from_, [this](auto fault, std::size_t size) {
      if (fault) return;
      if (size > 17 && std::equal(packet_.begin() + 13, packet_.begin() + 17, "good")) answer();
      receive();
    });
  }
  void answer() {
    std::size_t at = 12;
    while (packet_[at] != 0) at += packet_[at] + std::size_t{1};
    const bool wants_a = packet_[at + 2] == 1;
    std::vector<unsigned char> reply(packet_.begin(), packet_.begin() + static_cast<long>(at) + 5);
    reply[2] = 0x81, reply[3] = 0x80, reply[6] = 0, reply[7] = wants_a ? 1 : 0;
    std::fill(reply.begin() + 8, reply.begin() + 12, static_cast<unsigned char>(0));
    if (wants_a)
      for (int byte : {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1})
        reply.push_back(static_cast<unsigned char>(byte));
    boost::system::error_code fault;
    socket_.send_to(asio::buffer(reply), from_, 0, fault);
  }
  udp::socket socket_;
  udp::endpoint from_;
  std::array<unsigned char, 512> packet_{};
};

class Probe final : public HttpSink {
 public:
  void on_permit() override { permits.fetch_add(1); }
  void on_head(HttpHead) override { heads.fetch_add(1); }
  void on_closed(HttpEnd end) override {
    at = Clock::now();
    kind = end.kind;
    closed = true;
    closed.notify_all();
    if (tally != nullptr) ++*tally;
  }
  std::atomic<int> permits{0}, heads{0};
  std::atomic<bool> closed{false};
  Clock::time_point at;
  HttpEndKind kind = HttpEndKind::failed;
  std::atomic<int>* tally = nullptr;
};

template <class Claim>
bool until(Claim claim, double most_ms = 30'000) {
  const auto from = Clock::now();
  while (!claim()) {
    if (ms_since(from) > most_ms) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

void print(const bench::Run& run, const std::string& what, const std::vector<double>& values) {
  run.figure(what + ", p50", bench::percentile(values, 0.5), "ms", Better::lower);
  run.figure(what + ", p99", bench::percentile(values, 0.99), "ms", Better::lower);
  run.figure(what + ", most", bench::percentile(values, 1), "ms", Better::lower);
}

void settle(asio::io_context& io) {
  std::promise<void> done;
  asio::post(io, [&] { done.set_value(); });
  done.get_future().wait();
}

// Processor time of the loop's thread: what an abort costs when nobody else wants the machine.
double loop_cpu_ms(asio::io_context& io) {
  std::promise<double> used;
  asio::post(io, [&] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    used.set_value(static_cast<double>(time.tv_sec) * 1e3 +
                   static_cast<double>(time.tv_nsec) / 1e6);
  });
  return used.get_future().get();
}

HttpCall call_of(const std::string& url) {
  HttpCall call;
  call.url = url;
  call.stream = true;
  return call;
}

struct Works {
  const bench::Run& run;
  Counts& counts;
  asio::io_context& io;
  HttpClient& client;

  std::string url(std::uint16_t port, const char* scheme = "http",
                  const char* host = "127.0.0.1") const {
    return fmt::format("{}://{}:{}/", scheme, host, port);
  }

  // `reached` says when a call is in the phase.
  template <class Reached>
  void phase(const char* name, const HttpCall& call, int rounds, Reached reached) {
    std::vector<double> took;
    for (int i = 0; i < rounds; ++i) {
      const auto probe = std::make_shared<Probe>();
      const int asked = counts.asked, accepted = counts.accepted;
      const auto op = client.start(call, probe);
      if (!until([&] { return reached(*probe, asked, accepted); })) {
        fmt::print("{}: the phase was not reached\n", name);
        return;
      }
      settle(io);
      const auto from = Clock::now();
      client.abort(op);
      probe->closed.wait(false);
      if (probe->kind == HttpEndKind::aborted)
        took.push_back(std::chrono::duration<double, std::milli>(probe->at - from).count());
    }
    print(run, name, took);
  }

  void phases() {
    const auto rounds = static_cast<int>(run.number("aborts", 300, 9));
    const auto settled = [&](Probe&, int, int) { return settle(io), true; };
    const auto permitted = [](Probe& probe, int, int) { return probe.permits > 0; };
    const auto was_asked = [&](Probe&, int asked, int) { return counts.asked > asked; };
    const auto was_accepted = [&](Probe&, int, int accepted) { return counts.accepted > accepted; };
    phase("abort while resolving (dead name server)", call_of("http://dead.test/"), rounds,
          settled);

    tcp::acceptor full(io);
    full.open(tcp::v4());
    full.bind({loopback, 0});
    full.listen(0);
    std::vector<std::unique_ptr<tcp::socket>> fillers;
    for (int i = 0; i < 8; ++i) {
      fillers.push_back(std::make_unique<tcp::socket>(io, tcp::v4()));
      fillers.back()->non_blocking(true);
      const tcp::endpoint where = full.local_endpoint();
      ::connect(fillers.back()->native_handle(), where.data(),
                static_cast<socklen_t>(where.size()));
    }
    phase("abort while connecting (full backlog)", call_of(url(full.local_endpoint().port())),
          rounds, permitted);
    phase("abort while TLS waits for the other side", call_of(url(counts.silent, "https")), rounds,
          was_asked);
    HttpCall sending = call_of(url(counts.deaf));
    sending.method = "POST";
    sending.body.assign(std::size_t{8} << 20, 'x');
    phase("abort while sending a body of 8 MiB", sending, rounds / 3, was_accepted);
    phase("abort while waiting for the head", call_of(url(counts.silent)), rounds, was_asked);
    phase("abort in the middle of a body", call_of(url(counts.partial)), rounds,
          [](Probe& probe, int, int) { return probe.heads > 0; });
  }

  void many(int wanted, bool tls_phase) {
    std::atomic<int> ended{0};
    std::vector<HttpClient::OpId> ops;
    std::vector<std::shared_ptr<Probe>> probes;
    const int closed_before = counts.closed, asked_before = counts.asked;
    const std::string target = tls_phase ? url(counts.silent, "https") : url(counts.partial);
    while (static_cast<int>(ops.size()) < wanted && ended == 0) {
      for (int i = 0; i < 250 && static_cast<int>(ops.size()) < wanted; ++i) {
        probes.push_back(std::make_shared<Probe>());
        probes.back()->tally = &ended;
        ops.push_back(client.start(call_of(target), probes.back()));
      }
      until(
          [&] { return counts.asked - asked_before >= static_cast<int>(ops.size()) || ended > 0; });
    }
    if (!tls_phase)
      until([&] {
        return std::all_of(probes.begin(), probes.end(),
                           [](auto& p) { return p->heads > 0 || p->closed; });
      });
    const int count = static_cast<int>(ops.size());
    if (ended > 0) fmt::print("only {} of {} could be opened\n", count - ended, wanted);
    const double cpu_before = loop_cpu_ms(io);
    const auto from = Clock::now();
    for (const auto op : ops) client.abort(op);
    const double posted = ms_since(from);
    until([&] { return ended >= count; });
    const double all_ended = ms_since(from);
    until([&] { return counts.closed - closed_before >= count; });
    const double all_seen = ms_since(from);
    const std::string what =
        fmt::format("{} calls {}", count, tls_phase ? "in the TLS handshake" : "in mid body");
    run.figure(what + ": aborts posted", posted, "ms", Better::lower);
    run.figure(what + ": all on_closed", all_ended, "ms", Better::lower);
    run.figure(what + ": server saw all closed", all_seen, "ms", Better::lower);
    run.figure(what + ": processor time of the loop", loop_cpu_ms(io) - cpu_before, "ms",
               Better::lower);
    std::vector<double> each;
    for (const auto& probe : probes)
      each.push_back(std::chrono::duration<double, std::milli>(probe->at - from).count());
    print(run, what + ": each, from the first abort() on", each);
  }

  std::vector<double> good_calls(int rounds) {
    std::vector<double> took;
    for (int i = 0; i < rounds; ++i) {
      const auto probe = std::make_shared<Probe>();
      const auto from = Clock::now();
      client.start(call_of(url(counts.quick, "http", "good.test")), probe);
      probe->closed.wait(false);
      if (probe->kind == HttpEndKind::done)
        took.push_back(std::chrono::duration<double, std::milli>(probe->at - from).count());
    }
    return took;
  }

  void dead_names() {
    const auto names = static_cast<int>(run.number("good", 500, 20));
    print(run, "good call by name, alone", good_calls(names));
    std::vector<std::shared_ptr<Probe>> dead;
    std::vector<HttpClient::OpId> ops;
    for (int i = 0; i < names; ++i) {
      dead.push_back(std::make_shared<Probe>());
      ops.push_back(client.start(call_of(fmt::format("http://dead{}.test/", i)), dead.back()));
    }
    settle(io);
    print(run, fmt::format("good call by name, {} dead names in question", names),
          good_calls(names));
    const auto from = Clock::now();
    for (const auto op : ops) client.abort(op);
    for (const auto& probe : dead) probe->closed.wait(false);
    run.figure(fmt::format("{} dead lookups aborted together", names), ms_since(from), "ms",
               Better::lower);
  }

  void rate(int calls, int together) {
    std::atomic<int> ended{0};
    const auto from = Clock::now();
    for (int i = 0; i < calls; ++i) {
      until([&] { return i - ended < together; });
      const auto probe = std::make_shared<Probe>();
      probe->tally = &ended;
      client.start(call_of(url(counts.quick)), probe);
    }
    until([&] { return ended >= calls; });
    run.figure(fmt::format("small calls, {} together, a connection each", together),
               calls / ms_since(from) * 1e3, "calls/s", Better::higher);
  }
};

int raise_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit more{65'536, 65'536};
  if (setrlimit(RLIMIT_NOFILE, &more) != 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(limit.rlim_cur);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Run run("outbound", argc, argv);
  const int files = raise_files();
  void* shared =
      mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& counts = *new (shared) Counts;
  // A process of its own, so that 10,000 connections are 10,000 files on each side and not 20,000
  // here.
  const pid_t server = fork();
  if (server == 0) serve(counts);
  until([&] { return counts.quick != 0; });

  asio::io_context names_io{1}, io{1};
  NameServer names(names_io);
  std::thread names_thread([&] { names_io.run(); });
  auto guard = asio::make_work_guard(io);
  std::thread loop([&] { io.run(); });
  {
    HttpClientSettings settings;
    settings.allow = {Cidr::parse("127.0.0.1").value()};
    settings.resolver = make_dns_resolver(io, names.settings());
    HttpClient client(io, settings);
    Works works{run, counts, io, client};
    fmt::print("open files allowed: {}\n", files);
    const int most = std::min(static_cast<int>(run.number("many", 10'000, 100)), files - 200);
    works.phases();
    works.dead_names();
    works.many(most, false);
    works.many(most, true);
    works.rate(static_cast<int>(run.number("calls", 5'000, 100)), 64);
    until([&] { return client.open() == 0; });
  }
  guard.reset();
  loop.join();
  names_io.stop();
  names_thread.join();
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
}
