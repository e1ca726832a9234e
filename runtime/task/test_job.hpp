// Tests a kind without a server: the world is a script. The handler runs until it waits, the test
// looks at what it asked for and answers by hand, or destroys the frame right there, as a delete
// would.
//
//   TestJob job(my_kind, R"({"url":"http://x/"})");
//   EXPECT_EQ(job.asked<HttpRequest>().url(), "http://x/");
//   job.answer(HttpReply(200, {}, "hello"));
//   EXPECT_EQ(job.result(), R"("hello")");
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/settings/settings.hpp"
#include "runtime/task/task.hpp"

namespace quell {

class TestJob final : public JobHost {
 public:
  explicit TestJob(Kind kind, std::string args = {});
  explicit TestJob(std::function<Task(JobContext)> run, std::string args = {});
  TestJob(const TestJob&) = delete;
  TestJob& operator=(const TestJob&) = delete;
  ~TestJob() override;

  // ---- before it starts; each starts nothing ----
  TestJob& attempt(int value) { return attempt_ = value, *this; }
  TestJob& remembered(RememberedSteps steps) {
    return steps_ = std::move(steps), had_steps_ = !steps_.empty(), *this;
  }
  TestJob& settings(SettingValues values) { return settings_ = std::move(values), *this; }
  TestJob& kinds(const Registry& registry) { return registry_ = &registry, *this; }
  // Destroys the frame at its n-th suspension (from 1) and throws `Destroyed` out of the call that
  // led there.
  TestJob& destroy_at(int suspension) { return destroy_at_ = suspension, *this; }
  struct Destroyed {};

  // ---- stepping; the first call starts the handler ----
  void start();
  bool done();
  std::string result();  // of a handler that returned; what it threw is thrown here
  // The oldest effect that waits for its answer; a test that asks for the wrong kind ends here.
  template <class R>
  const R& asked() {
    return std::get<R>(oldest().request);
  }
  template <class R>
  bool asks() {
    const Effect* effect = find_oldest();
    return effect != nullptr && std::holds_alternative<R>(effect->request);
  }
  bool waits() { return find_oldest() != nullptr; }
  // Each ends or feeds the oldest effect and lets the handler run on.
  void answer(EffectAnswer answer = {});
  void fail(std::string code, std::string detail, bool retryable = true);
  void head(HttpReply head);
  void piece(std::string bytes);
  // Runs an offload's work on this thread and answers.
  void run_offload();
  void destroy();  // as a delete does; what the frame held must be let go now

  // ---- what it did ----
  const std::vector<std::pair<double, std::string>>& progressed() const { return progress_; }
  const std::vector<std::string>& partials() const { return partials_; }
  const std::vector<std::string>& logged() const { return logs_; }
  const RememberedSteps& steps() const { return steps_; }
  int suspensions() const { return suspensions_; }
  int started() const { return static_cast<int>(last_id_); }  // effects, over the whole run
  int left_open() const;  // effects that neither ended nor were let go by the frame

  // ---- JobHost ----
  JobId job_id() const override { return id_; }
  int attempt() const override { return attempt_; }
  const std::string& args_text() const override { return args_; }
  const std::string& project() const override { return project_; }
  bool has_steps() const override { return had_steps_; }
  const Registry& registry() const override;
  const SettingValues& settings() const override { return settings_; }
  std::shared_ptr<EffectSlot> begin(EffectRequest request) override;
  void let_go(EffectSlot& slot) override;
  void consumed(EffectSlot&) override {}
  void progress(double fraction, std::string phase) override;
  void partial(std::string json) override { partials_.push_back(std::move(json)); }
  void log(std::string level, std::string text) override;
  void usage(std::string json) override { usage_ = std::move(json); }
  const std::string& used() const override { return usage_; }

 private:
  struct Effect {
    std::shared_ptr<EffectSlot> slot;
    EffectRequest request;
    bool let_go = false;
  };
  Effect& oldest();
  Effect* find_oldest();
  void resume(EffectSlot& slot);
  void after_turn();
  void answer_steps();

  Kind kind_;
  std::string args_, project_ = "default";
  JobId id_;
  int attempt_ = 1, destroy_at_ = 0, suspensions_ = 0;
  RememberedSteps steps_;
  std::map<std::uint64_t, Effect> open_;
  std::uint64_t last_id_ = 0;
  SettingValues settings_;
  const Registry* registry_ = nullptr;  // null: the standard kinds
  bool had_steps_ = false, stopped_ = false, started_ = false;
  std::vector<std::pair<double, std::string>> progress_;
  std::vector<std::string> partials_, logs_;
  std::string usage_;
  Task body_;  // last: destroyed first
};

// Plays `script` against a fresh job once for each suspension, and destroys the frame there. The
// script is an ordinary test of the whole run. Says how many suspensions there were, or what an
// abandoned frame left behind.
Result<int> destroyed_at_each_suspension(const Kind& kind, const std::string& args,
                                         const std::function<void(TestJob&)>& script);

}  // namespace quell
