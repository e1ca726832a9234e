// `quell demo --serve`: the demo's world behind the console, until Ctrl-C; running, or as a picture
// in which every clock stands still.
#include <fmt/format.h>
#include <pthread.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "actors/effects/keeper.hpp"
#include "actors/fleet/shown_beside.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/demo_world.hpp"
#include "http/client/client.hpp"
#include "http/server/serving.hpp"
#include "runtime/base/bounded_ordered_json.hpp"
#include "runtime/base/wall_clock.hpp"

namespace quell::cli {

namespace {

using namespace std::chrono_literals;

// The moment of every picture: Tuesday, 1 December 2026, ten o'clock.
constexpr Instant moment_of_pictures{Millis{1'796'119'200'000}};
constexpr Millis between_jobs{1'200};

Result<Settings> settings_of_world(const std::string& dir, const std::string& listen) {
  std::string pools, queues;
  for (const DemoPool& pool : demo_pools)
    pools += fmt::format("{}{}={}", pools.empty() ? "" : ",", pool.name, pool.slots);
  for (const DemoKind& kind : demo_kinds)
    queues += fmt::format("{}{}:{}", queues.empty() ? "" : ",", kind.queue, kind.pool);
  SettingSources sources;
  sources.environment = {{"HOME", dir}};
  sources.flags = {{"data_dir", dir},     {"listen", listen},      {"pool", pools},
                   {"queue", queues},     {"archive", "true"},     {"node_name", "fra-console"},
                   {"spike_jobs", "100"}, {"delete_tries", "1000"}};
  return Settings::load(sources);
}

// What people do through the API once the world is served.
class Steward {
 public:
  Steward(std::string url, std::string token) : client_({std::move(url), std::move(token), {}}) {}

  Json call(const std::string& method, const std::string& path, const Json& body = {}) {
    const auto reply = client_.send(method, path, body.is_null() ? "" : body.dump());
    if (reply && reply.value().status < 400) return ordered_json_of_ours(reply.value().body);
    fault_ =
        fmt::format("{} {}: {}", method, path, reply ? reply.value().body : reply.error().detail);
    return Json::object();
  }
  const std::string& fault() const { return fault_; }

  void furnish() {
    for (const auto& [name, role] : {std::pair{"ci-bot", "operator"}, {"grafana", "viewer"}})
      call("POST", "/api/v1/tokens", {{"name", name}, {"role", role}});
    call("POST", "/api/v1/webhooks",
         {{"url", "https://pager.example/hook"},
          {"description", "wakes whoever is on call"},
          {"events", {"job.failed", "alert.raised"}}});
    call("POST", "/api/v1/webhooks",
         {{"url", "https://crm.example/jobs"},
          {"description", "keeps the customer's page true"},
          {"events", {"job.deleted"}}});
    call("POST", "/api/v1/queues/nightly/pause", Json::object());
    const Json preview =
        call("POST", "/api/v1/jobs/delete-preview", {{"filter", "tags=smoke-test"}});
    call("POST", "/api/v1/jobs/delete-by-filter",
         {{"filter", "tags=smoke-test"},
          {"confirm_token", preview.value("confirm_token", "")},
          {"expected_count", preview.value("count", 40)},
          {"reason", "left over from a smoke test"},
          {"confirm", true}});
    // Whoever looks at one gets the receipt that a crash would have swallowed.
    for (const Json& one :
         call("GET", "/api/v1/deletions?page_size=50").value("deletions", Json::array()))
      call("GET", "/api/v1/deletions/" + one.value("delete_id", ""));
  }

 private:
  http::Client client_;
  std::string fault_;
};

// Work that goes on for as long as people look.
class Soak {
 public:
  Soak(const std::string& url, const std::string& token, std::uint64_t seed)
      : steward_(url, token), dice_(seed), thread_([this](const std::stop_token& over) {
          while (!over.stop_requested()) {
            submit();
            std::this_thread::sleep_for(between_jobs);
          }
        }) {}

 private:
  void submit() {
    const DemoKind& kind = dice_.kind();
    steward_.call("POST", "/api/v1/jobs",
                  {{"kind", kind.name},
                   {"queue", kind.queue},
                   {"args", ordered_json_of_ours(demo_args(kind, dice_))},
                   {"tags", demo_tags(kind, dice_)}});
  }

  Steward steward_;
  Dice dice_;
  std::jthread thread_;
};

Result<std::vector<FleetNode>> fill(const std::string& dir, const WorldOptions& world) {
  storage::OpenOptions options;
  options.data_dir = dir;
  auto store = storage::open_store("sqlite:", options);
  if (!store) return store.error();
  auto writer = (*store)->open_writer();
  if (!writer) return writer.error();
  return live_a_day(**writer, world);
}

void tell_address(const std::string& url, const std::string& token, const WorldOptions& world) {
  fmt::print("The demo's world of seed {} is served at {}{}.\n\n    token  {}\n\n", world.seed, url,
             world.frozen ? ", and its clock stands still" : "", token);
  fmt::print("Open it, log in with the token, and delete something that runs.\n");
  if (!world.frozen)
    fmt::print("Eight of its nine workers are only rows; fra-console is the one that runs.\n");
  fmt::print("Ctrl-C ends it, and nothing of it stays.\n");
  std::fflush(stdout);
}

sigset_t end_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

int serve_in(const std::string& dir, const Arguments& args, Registry registry) {
  WorldOptions world;
  world.frozen = args.has("frozen");
  try {
    world.seed = std::stoull(args.get("seed", "7"));
  } catch (const std::exception&) {
    return fail_with(ErrorCode::usage, "--seed takes a whole number");
  }
  if (world.frozen) stop_wall_clock(moment_of_pictures);
  world.now = system_clock().now();
  const Result<Settings> settings = settings_of_world(dir, args.get("listen", "127.0.0.1:8080"));
  if (!settings) return fail_with(settings.error().code, settings.error().detail);
  Result<Keeper> keeper = Keeper::fork_before_threads(dir, ProgramPolicy());
  if (!keeper) return fail_with(keeper.error().code, keeper.error().detail);
  const sigset_t signals = end_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto workers = fill(dir, world);
  if (!workers) return fail_with(workers.error().code, workers.error().detail);
  http::NodeHooks hooks;
  hooks.take_work = !world.frozen;
  if (world.frozen) show_beside(*workers);
  auto serving =
      http::Serving::start(settings.value(), std::move(add_demo_kinds(registry)),
                           std::make_shared<Keeper>(std::move(*keeper)), std::move(hooks));
  if (!serving) return fail_with(serving.error().code, serving.error().detail);
  const std::string url = (*serving)->url(), token = (*serving)->new_admin_token().value_or("");
  Steward steward(url, token);
  steward.furnish();
  if (!steward.fault().empty()) return fail_with(ErrorCode::internal, steward.fault());
  {
    std::optional<Soak> soak;
    if (!world.frozen) soak.emplace(url, token, world.seed);
    tell_address(url, token, world);
    int signal = 0;
    sigwait(&signals, &signal);
  }
  (*serving)->stop(Millis{2'000});
  return 0;
}

}  // namespace

int demo_serve(const Arguments& args, Registry registry) {
  std::string dir = std::filesystem::temp_directory_path().string() + "/quell-demo-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr)
    return fail_with(ErrorCode::usage, "no temporary directory");
  const int code = serve_in(dir, args, std::move(registry));
  std::error_code ignored;
  if (!args.has("keep")) std::filesystem::remove_all(dir, ignored);
  return code;
}

}  // namespace quell::cli
