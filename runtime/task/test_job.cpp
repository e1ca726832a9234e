#include "runtime/task/test_job.hpp"

#include <algorithm>

namespace quell {

namespace {

Kind kind_of(std::function<Task(JobContext)> run) {
  Kind kind;
  kind.run = std::move(run);
  return kind;
}

bool is_of_the_store(const EffectRequest& request) {
  return std::holds_alternative<StepSaveRequest>(request) ||
         std::holds_alternative<StepLoadRequest>(request);
}

}  // namespace

TestJob::TestJob(Kind kind, std::string args) : kind_(std::move(kind)), args_(std::move(args)) {
  QUELL_ASSERT(kind_.run);
  id_.bytes.fill(7);
}

TestJob::TestJob(std::function<Task(JobContext)> run, std::string args)
    : TestJob(kind_of(std::move(run)), std::move(args)) {}

TestJob::~TestJob() = default;

void TestJob::start() {
  if (std::exchange(started_, true)) return;
  body_ = kind_.run(JobContext(*this));
  body_.start();
  after_turn();
}

bool TestJob::done() {
  start();
  return body_.done();
}

std::string TestJob::result() {
  QUELL_ASSERT(done());
  return body_.take();
}

TestJob::Effect* TestJob::find_oldest() {
  start();
  for (auto& [id, effect] : open_)
    if (!effect.let_go) return &effect;
  return nullptr;
}

TestJob::Effect& TestJob::oldest() {
  Effect* effect = find_oldest();
  QUELL_ASSERT(effect != nullptr);
  return *effect;
}

void TestJob::answer(EffectAnswer answer) {
  const auto slot = oldest().slot;
  open_.erase(slot->id);
  slot->answer = std::move(answer);
  resume(*slot);
}

void TestJob::fail(std::string code, std::string detail, bool retryable) {
  answer(EffectFailure{std::move(code), std::move(detail), retryable});
}

void TestJob::head(HttpReply head) {
  const auto slot = oldest().slot;
  slot->head = std::move(head);
  slot->has_head = true;
  resume(*slot);
}

void TestJob::piece(std::string bytes) {
  const auto slot = oldest().slot;
  slot->pieces.push_back(std::move(bytes));
  resume(*slot);
}

void TestJob::run_offload() {
  const auto work = asked<OffloadRequest>().work;
  work(std::stop_token());
  answer();
}

void TestJob::destroy() {
  start();
  stopped_ = true;  // the gate is closed before the destructors run
  if (kind_.on_stop) kind_.on_stop(JobContext(*this));
  body_.reset();
}

int TestJob::left_open() const {
  return static_cast<int>(std::count_if(open_.begin(), open_.end(),
                                        [](const auto& one) { return !one.second.let_go; }));
}

void TestJob::resume(EffectSlot& slot) {
  if (!slot.waiter) return;
  std::exchange(slot.waiter, {}).resume();
  after_turn();
}

void TestJob::after_turn() {
  if (body_.done()) return;
  if (++suspensions_ == destroy_at_) {
    destroy();
    throw Destroyed();
  }
  answer_steps();
}

// The store is no part of a kind's logic: it answers by itself, and is a suspension all the same.
void TestJob::answer_steps() {
  const Effect* effect = find_oldest();
  if (effect == nullptr || !is_of_the_store(effect->request)) return;
  if (const auto* save = std::get_if<StepSaveRequest>(&effect->request)) {
    steps_.emplace_back(save->name, save->result);
    return answer();
  }
  answer(steps_);
}

const Registry& TestJob::registry() const {
  static const Registry standard = [] {
    Registry registry;
    add_standard_kinds(registry);
    return registry;
  }();
  return registry_ != nullptr ? *registry_ : standard;
}

std::shared_ptr<EffectSlot> TestJob::begin(EffectRequest request) {
  auto slot = std::make_shared<EffectSlot>();
  slot->id = ++last_id_;
  if (stopped_) {
    slot->answer = EffectFailure{"state-conflict", "the run is being stopped", false};
    return slot;
  }
  Effect effect;
  effect.slot = slot;
  effect.request = std::move(request);
  open_.emplace(slot->id, std::move(effect));
  return slot;
}

void TestJob::let_go(EffectSlot& slot) {
  if (const auto at = open_.find(slot.id); at != open_.end()) at->second.let_go = true;
}

void TestJob::progress(double fraction, std::string phase) {
  progress_.emplace_back(fraction, std::move(phase));
}

void TestJob::log(std::string level, std::string text) {
  logs_.push_back(std::move(level) + ": " + text);
}

Result<int> destroyed_at_each_suspension(const Kind& kind, const std::string& args,
                                         const std::function<void(TestJob&)>& script) {
  for (int suspension = 1;; ++suspension) {
    TestJob job(kind, args);
    job.destroy_at(suspension);
    try {
      script(job);
      return suspension - 1;  // it came through: there is no such suspension
    } catch (const TestJob::Destroyed&) {
      if (job.left_open() > 0)
        return Error{ErrorCode::internal, "an effect was left open by the frame destroyed at " +
                                              std::to_string(suspension)};
    }
  }
}

}  // namespace quell
