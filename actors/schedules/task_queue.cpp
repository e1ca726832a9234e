#include "actors/schedules/task_queue.hpp"

#include "actors/node/reader_pool.hpp"
#include "actors/safeguards/held_tasks.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

class StoredTaskQueue final : public TaskQueue {
 public:
  explicit StoredTaskQueue(std::shared_ptr<NodeContext> context) : context_(std::move(context)) {}

  void publish(std::shared_ptr<storage::Batch> orders, Answer<storage::Outcome> answer) override {
    write(std::move(orders), std::move(answer));
  }

  void due(int most, bool leased_too, Answer<std::vector<storage::TaskMessage>> answer) override {
    const Instant by = leased_too ? storage::put_aside - Millis{1} : context_->clock->now();
    context_->readers->run([by, most, answer = std::move(answer)](storage::Reader& reader) {
      answer(reader.task_messages(std::nullopt, by, most));
    });
  }

  void lease(const storage::TaskMessage& message, Millis time, Answer<bool> answer) override {
    const Instant now = context_->clock->now();
    storage::TaskWordOp op{message, storage::TaskWord::lease, message.next_try, now};
    op.message.next_try = now + time;
    auto ops = std::make_shared<storage::Batch>();
    ops->task_words.push_back(std::move(op));
    write(std::move(ops), [answer = std::move(answer)](const Result<storage::Outcome>& outcome) {
      if (!outcome) return answer(outcome.error());
      answer(bool{outcome->task_words.front()});
    });
  }

  void acknowledge(const storage::TaskMessage& message, const std::string& detail,
                   bool was_approved, Answer<bool> answer) override {
    auto ops = std::make_shared<storage::Batch>();
    if (was_approved)
      ops->docs.push_back(
          {.kind = approved_task_kind, .id = message.task.text(), .body = std::nullopt});
    ops->task_erases.push_back({message.task, message.request_id, context_->clock->now(), detail});
    write(std::move(ops), [answer = std::move(answer)](const Result<storage::Outcome>& outcome) {
      if (!outcome) return answer(outcome.error());
      answer(bool{outcome->task_erases.front()});
    });
  }

  void put_back(storage::TaskMessage message, storage::TaskWord word) override {
    const Instant now = context_->clock->now();
    auto ops = std::make_shared<storage::Batch>();
    if (word == storage::TaskWord::give_up)
      ops->audits.push_back({now, message.who, "task.delete_failed", message.task.text(), "{}"});
    ops->task_words.push_back({std::move(message), word, {}, now});
    write(std::move(ops), {});
  }

 private:
  void write(std::shared_ptr<storage::Batch> ops,
             std::function<void(Result<storage::Outcome>)> answer) {
    tell_first(context_->clerk, WriteOps{std::move(ops), std::move(answer)});
  }

  std::shared_ptr<NodeContext> context_;
};

}  // namespace

std::unique_ptr<TaskQueue> make_task_queue(std::shared_ptr<NodeContext> context) {
  return std::make_unique<StoredTaskQueue>(std::move(context));
}

}  // namespace quell
