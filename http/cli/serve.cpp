// `quell serve` and `quell worker`: from settings to a running node, with its API server or
// without, and down again.
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "actors/effects/keeper.hpp"
#include "actors/effects/kernel_walls.hpp"
#include "http/celery/host.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/log.hpp"
#include "http/cli/service_notice.hpp"
#include "http/cli/settings_source.hpp"
#include "http/cli/start_watch.hpp"
#include "http/server/serving.hpp"
#include "runtime/base/failpoint.hpp"

namespace quell::cli {

namespace {

constexpr Millis earlier_keeper_wait{30'000};

int refuse(const Error& error) {
  log_line(LogLevel::error, std::string{info(error.code).sentence} + " " + error.detail, "");
  flush_log();
  return info(error.code).exit_code;
}

// A keeper that outlives its killed server still ends that server's programs; it is waited for.
Result<std::shared_ptr<Keeper>> fork_keeper(const std::string& data_dir,
                                            const ProgramPolicy& policy) {
  std::error_code fault;
  const bool is_ours = std::filesystem::create_directories(data_dir, fault);
  if (fault) return Error{ErrorCode::usage, data_dir + ": " + fault.message()};
  if (is_ours) ::chmod(data_dir.c_str(), 0700);  // its owner has decided about any other
  auto keep = [](Result<Keeper> forked) -> Result<std::shared_ptr<Keeper>> {
    if (!forked) return forked.error();
    return std::make_shared<Keeper>(std::move(*forked));
  };
  auto keeper = keep(Keeper::fork_before_threads(data_dir, policy));
  if (keeper || keeper.error().code != ErrorCode::store_locked || is_served(data_dir))
    return keeper;
  if (Result<void> free = await_earlier_keeper(data_dir, earlier_keeper_wait); !free)
    return free.error();
  return keep(Keeper::fork_before_threads(data_dir, policy));
}

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

// While the drain takes its time, a second signal ends the process at once; what is durable is
// safe.
void watch_second_signal(const sigset_t& signals) {
  std::thread([signals] {
    int signal = 0;
    do sigwait(&signals, &signal);
    while (signal == SIGHUP);
    flush_log();
    _exit(128 + signal);
  }).detach();
}

// A node, and its API server if it has one.
struct Running {
  std::unique_ptr<http::celery::Door> celery;  // outlives what answers into it
  std::unique_ptr<http::Serving> serving;
  std::unique_ptr<Node> node;

  // Tasks say how they end through the door of Celery, so it closes behind them.
  bool stop(Millis deadline) {
    const bool clean = serving ? serving->stop(deadline) : node->stop(deadline);
    if (celery) celery->stop();
    return clean;
  }
  bool left_commit() const { return (serving ? serving->node() : *node).left_commit(); }
};

http::NodeHooks hooks() {
  http::NodeHooks hooks;
  hooks.log = &log_line;
  hooks.leave = [] {
    flush_log();
    _exit(lease_lost_exit);
  };
  hooks.on_fatal = [](const FatalFault&) {
    flush_log();
    _exit(own_fault_exit);
  };
  hooks.end = [] { kill(getpid(), SIGTERM); };
  return hooks;
}

// A worker serves the API only if it is told where: most of a fleet need not.
bool wants_door(const Arguments& args, const Settings& settings) {
  return args.verb == "serve" || settings.origin("listen").layer != SettingLayer::fallback;
}

Result<Running> begin(const Arguments& args, const Settings& settings, Registry registry,
                      std::shared_ptr<Keeper> keeper) {
  Running running;
  auto celery = http::celery::open_door(settings.values, registry);
  if (!celery) return celery.error();
  running.celery = std::move(*celery);
  if (wants_door(args, settings)) {
    auto serving = http::Serving::start(settings, std::move(registry), std::move(keeper), hooks());
    if (!serving) return serving.error();
    running.serving = std::move(*serving);
  } else {
    auto node = start_node(http::node_settings(settings.values, hooks()), std::move(registry),
                           std::move(keeper));
    if (!node) return node.error();
    running.node = std::move(*node);
  }
  if (running.celery && running.serving)
    running.celery->start(running.serving->node(), &running.serving->auth());
  else if (running.celery)
    running.celery->start(*running.node, nullptr);
  return running;
}

void greet(const Running& running, const SettingValues& values) {
  if (!running.serving) {
    log_line(LogLevel::info, "working", "\"pid\":" + std::to_string(getpid()));
    return tell_service("READY=1\nSTATUS=working");
  }
  http::Serving& serving = *running.serving;
  log_line(LogLevel::info, "serving at " + serving.url(), "\"pid\":" + std::to_string(getpid()));
  if (running.celery && running.celery->port() != 0)
    log_line(LogLevel::info,
             "Celery's clients reach this node at port " + std::to_string(running.celery->port()),
             "");
  if (serving.new_admin_token() && !values.data_dir.empty())
    log_line(LogLevel::info,
             "wrote the administrator's token to " + values.data_dir + "/admin.token", "");
  tell_service("READY=1\nSTATUS=serving at " + serving.url());
}

// Runs until a signal says to end.
void wait_for_end(const Running& running, const sigset_t& signals) {
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) return;
    (running.serving ? running.serving->node() : *running.node).reload_tasks();
    if (!running.serving) continue;
    const Result<void> reloaded = running.serving->reload_certificate();
    log_line(reloaded ? LogLevel::info : LogLevel::error,
             reloaded ? "reloaded the TLS certificate" : reloaded.error().detail, "");
  }
}

}  // namespace

// Who enables exec learns what stands between programs and the rest of this machine.
void tell_walls(const ProgramPolicy& policy, const std::vector<KernelWall>& walls) {
  if (!policy.runs_any()) return;
  log_line(LogLevel::info, "programs run as " + (policy.user ? policy.user->name : "this user"),
           "");
  for (const KernelWall& wall : walls)
    log_line(wall.given ? LogLevel::info : LogLevel::warning, "exec: " + wall.sentence, "");
}

// What we write is nobody else's to read, and the descriptors that the system grants are used:
// without the first a umask decides, without the second a few hundred callers leave none for jobs.
void take_what_is_ours() {
  ::umask(077);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const Arguments& args, Registry registry) {
  // Keys come into this memory: no core is written of it, and none but root looks in. Its keeper
  // and guards are forked from it.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const Result<Settings> settings = load_settings(args);
  if (!settings) return fail_with(settings.error().code, settings.error().detail);
  const SettingValues& values = settings.value().values;
  if (args.verb == "worker" && values.store.rfind("postgres", 0) != 0)
    return fail_with(ErrorCode::usage,
                     "a worker needs a store that others share: --store postgres://…");
  open_log(values.log_level, values.log_json);
  for (const std::string& warning : settings.value().warnings)
    log_line(LogLevel::warning, warning, "");
  if (const char* faults = std::getenv("QUELL_FAILPOINTS"); faults != nullptr && *faults != '\0') {
    if (Result<void> armed = arm_failpoints(faults); !armed) return refuse(armed.error());
    log_line(LogLevel::warning, "faults will be injected: QUELL_FAILPOINTS is set", "");
  }
  Result<ProgramPolicy> policy =
      program_policy(values, ::geteuid(), http::celery::runs_tasks(values));
  if (!policy) return refuse(policy.error());
  tell_walls(*policy, policy->runs_any() ? kernel_walls() : std::vector<KernelWall>());
  Result<std::shared_ptr<Keeper>> keeper = fork_keeper(values.data_dir, *policy);
  if (!keeper) return refuse(keeper.error());
  take_what_is_ours();  // not before: programs are no part of it

  // Blocked before the first thread, so that every thread inherits it and sigwait gets them all.
  const sigset_t signals = our_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::optional<StartWatch> watch(std::in_place, signals);
  Result<Running> running = begin(args, settings.value(), std::move(registry), std::move(*keeper));
  watch.reset();
  if (!running) return refuse(running.error());
  greet(*running, values);

  wait_for_end(*running, signals);
  log_line(LogLevel::info, "draining", "");
  tell_service("STOPPING=1");
  watch_second_signal(signals);
  const bool clean = running->stop(values.drain_timeout);
  if (!clean && running->left_commit()) {
    flush_log();
    _exit(lease_lost_exit);
  }
  if (!clean) {
    // A handler that never returns holds its thread; joining it would hang here for ever.
    log_line(LogLevel::error, "a run did not end; its job will be recovered at the next start", "");
    flush_log();
    _exit(own_fault_exit);
  }
  running->serving.reset();
  running->node.reset();
  log_line(LogLevel::info, "stopped", "");
  flush_log();
  return 0;
}

}  // namespace quell::cli
