// `quell demo`: a server of its own, a full pool, a hundred jobs, one delete. Every claim is
// checked, and one that does not hold is exit code 1.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "actors/effects/keeper.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/server/serving.hpp"
#include "runtime/base/bounded_ordered_json.hpp"

namespace quell::cli {

namespace {

using std::chrono::steady_clock;

constexpr int pool_slots = 20, jobs = 100;

double millis_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

// What the demo says and checks; a call that fails ends it.
class Demo {
 public:
  Demo(std::string url, std::string token) : client_({std::move(url), std::move(token), {}}) {}

  Json call(const std::string& method, const std::string& path, const Json& body = {}) {
    const auto reply = client_.send(method, path, body.is_null() ? "" : body.dump());
    if (!reply || reply.value().status >= 400) {
      fmt::print("FAULT {} {}: {}\n", method, path,
                 reply ? reply.value().body : reply.error().detail);
      holds_ = false;
      return Json::object();
    }
    return ordered_json_of_ours(reply.value().body);
  }

  void check(bool claim, const std::string& text) {
    fmt::print("{} {}\n", claim ? "ok   " : "FAULT", text);
    holds_ = holds_ && claim;
  }
  bool holds() const { return holds_; }

  std::vector<std::string> fill() {
    Json body{{"jobs", Json::array()}};
    for (int i = 0; i < jobs; ++i)
      body["jobs"].push_back({{"kind", "sleep"}, {"args", {{"seconds", 600}}}});
    const Json reply = call("POST", "/api/v1/jobs/bulk-submit", body);
    return reply.value("job_ids", std::vector<std::string>{});
  }

  Json counts() {
    return call("GET", "/api/v1/jobs/counts?group_by=status").value("counts", Json());
  }

  bool wait_until_full() {
    for (int i = 0; i < 500; ++i) {
      const Json now = counts();
      if (now.is_object() && now.value("running", 0) == pool_slots &&
          now.value("queued", 0) == jobs - pool_slots)
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return false;
  }

  // Those that had not started when the delete came.
  std::vector<std::string> waiting(const std::vector<std::string>& ids) {
    std::vector<std::string> found;
    for (const std::string& id : ids)
      if (call("GET", "/api/v1/jobs/" + id).value("started_at", Json()).is_null())
        found.push_back(id);
    return found;
  }

  void delete_all(const std::vector<std::string>& ids) {
    const auto begin = steady_clock::now();
    const Json reply = call("POST", "/api/v1/jobs/bulk-delete", {{"job_ids", ids}});
    const double took = millis_since(begin);
    const Json counted = reply.value("counts", Json::object());
    const auto n = [&counted](const char* name) { return counted.value(name, -1); };
    fmt::print("\ndeleted {} killed {} dequeued {} slots_freed {}\n", n("deleted"), n("killed"),
               n("dequeued"), n("slots_freed"));
    fmt::print("the call took {:.1f} ms\n\n", took);
    check(n("deleted") == jobs && n("killed") == pool_slots && n("dequeued") == jobs - pool_slots &&
              n("slots_freed") == pool_slots,
          "20 runs stopped, 80 queue entries removed, 20 slots freed");
    check(reply.value("success", false), "nothing is pending, nothing failed");
    check(reply.contains("receipt") && reply["receipt"].is_object(), "the receipt is signed");
    outcomes_ = reply.value("outcomes", Json::array());
  }

  void probe() {
    const auto begin = steady_clock::now();
    const Json job = call("POST", "/api/v1/jobs", {{"kind", "noop"}});
    const Json end =
        call("GET", "/api/v1/jobs/" + job.value("job_id", "") + "?wait_for=final&timeout=10");
    fmt::print("      a job submitted behind them was done after {:.1f} ms\n", millis_since(begin));
    check(end.value("status", "") == "succeeded", "a job behind the full pool runs at once");
  }

  void check_nothing_started(const std::vector<std::string>& were_waiting) {
    std::size_t untouched = 0;
    for (const Json& outcome : outcomes_) {
      const std::string id = outcome.value("job_id", "");
      if (std::find(were_waiting.begin(), were_waiting.end(), id) == were_waiting.end()) continue;
      if (outcome.value("was", "") == "queued" && outcome.value("verdict", "") == "not_running")
        ++untouched;
    }
    check(untouched == were_waiting.size() && untouched == jobs - pool_slots,
          fmt::format("none of the {} queued jobs ever started", were_waiting.size()));
    const Json pools = call("GET", "/api/v1/pools").value("pools", Json::array());
    check(!pools.empty() && pools[0].value("free", 0) == pool_slots, "all 20 slots are free");
  }

  void check_gone(const std::vector<std::string>& ids) {
    int gone = 0;
    for (const std::string& id : ids) {
      const auto reply = client_.send("GET", "/api/v1/jobs/" + id);
      gone += reply && reply.value().status == 410 ? 1 : 0;
    }
    check(gone == jobs, "every one of them answers 410 Gone");
  }

 private:
  http::Client client_;
  Json outcomes_ = Json::array();
  bool holds_ = true;
};

Result<Settings> demo_settings(const std::string& dir) {
  SettingSources sources;
  sources.environment = {{"HOME", dir}};
  sources.flags = {{"data_dir", dir},
                   {"listen", "127.0.0.1:0"},
                   {"pool", fmt::format("default={}", pool_slots)}};
  return Settings::load(sources);
}

bool show(http::Serving& serving, const std::string& token) {
  Demo demo(serving.url(), token);
  fmt::print("A server of its own at {}, one pool of {} slots, {} jobs of 10 minutes.\n",
             serving.url(), pool_slots, jobs);
  const std::vector<std::string> ids = demo.fill();
  demo.check(ids.size() == jobs && demo.wait_until_full(), "20 run, 80 wait behind the full pool");
  const std::vector<std::string> waiting = demo.waiting(ids);
  demo.delete_all(ids);
  demo.probe();
  demo.check_nothing_started(waiting);
  demo.check_gone(ids);
  return demo.holds();
}

}  // namespace

int demo(const Arguments& args, Registry registry) {
  if (args.has("serve")) return demo_serve(args, std::move(registry));
  std::string dir = std::filesystem::temp_directory_path().string() + "/quell-demo-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr)
    return fail_with(ErrorCode::usage, "no temporary directory");
  const Result<Settings> settings = demo_settings(dir);
  if (!settings) return fail_with(settings.error().code, settings.error().detail);
  Result<Keeper> keeper = Keeper::fork_before_threads(dir, ProgramPolicy());
  if (!keeper) return fail_with(keeper.error().code, keeper.error().detail);
  bool held = false;
  {
    auto serving = http::Serving::start(settings.value(), std::move(registry),
                                        std::make_shared<Keeper>(std::move(*keeper)), {});
    if (!serving) return fail_with(serving.error().code, serving.error().detail);
    held = show(**serving, (*serving)->new_admin_token().value_or(""));
    (*serving)->stop(Millis{2'000});
  }
  std::error_code ignored;
  if (!args.has("keep")) std::filesystem::remove_all(dir, ignored);
  fmt::print("\n{}\n", held ? "Every claim held." : "A claim did NOT hold; see FAULT above.");
  return held ? 0 : 1;
}

}  // namespace quell::cli
