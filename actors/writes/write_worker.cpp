#include "actors/writes/write_worker.hpp"

#include <caf/all.hpp>
#include <chrono>

#include "actors/control_actor.hpp"
#include "actors/messages.hpp"
#include "actors/send.hpp"

namespace quell {

namespace {

BatchApplied apply(storage::Writer& writer, const ApplyBatch& work) {
  const auto from = std::chrono::steady_clock::now();
  Result<storage::Outcome> outcome = writer.apply(*work.batch);
  return {work.writer, std::move(outcome),
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                from)};
}

class WriteWorker final : public ControlActor {
 public:
  WriteWorker(caf::actor_config& config, const ControlSeat& seat,
              std::shared_ptr<storage::Writer> writer)
      : ControlActor(config, seat), writer_(std::move(writer)) {}

  caf::behavior make_behavior() override {
    return {
        [this](const ApplyBatch& work) { tell(work.clerk, apply(*writer_, work)); },
    };
  }
  void on_exit() override { writer_.reset(); }

 private:
  std::shared_ptr<storage::Writer> writer_;
};

// Between a commit and the word of it a thread may be held up for any time. On the one scheduler of
// a deterministic test these are two steps, or a test could not put anything between them.
class SlowWriteWorker final : public ControlActor {
 public:
  SlowWriteWorker(caf::actor_config& config, const ControlSeat& seat,
                  std::shared_ptr<storage::Writer> writer)
      : ControlActor(config, seat), writer_(std::move(writer)) {}

  caf::behavior make_behavior() override {
    return {
        [this](const ApplyBatch& work) {
          clerk_ = work.clerk;
          send(this, apply(*writer_, work));
        },
        [this](BatchApplied& applied) { tell(clerk_, std::move(applied)); },
    };
  }
  void on_exit() override { writer_.reset(); }

 private:
  std::shared_ptr<storage::Writer> writer_;
  caf::weak_actor_ptr clerk_;
};

}  // namespace

caf::actor spawn_write_worker(caf::actor_system& system, std::shared_ptr<storage::Writer> writer,
                              const NodeContext& context) {
  constexpr auto place = ControlPlace::write_worker;
  if (context.own_threads)
    return spawn_control<WriteWorker>(system, place, context, std::move(writer));
  return spawn_control<SlowWriteWorker>(system, place, context, std::move(writer));
}

}  // namespace quell
