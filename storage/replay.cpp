#include "storage/replay.hpp"

#include "runtime/webhook_outbox.hpp"
#include "storage/fault.hpp"

namespace quell::storage {

namespace {

std::vector<MarkedJob> nothing(const MarkOp& op, const std::vector<MarkedJob>&) {
  std::vector<MarkedJob> answers;
  for (const JobId& job : op.jobs) {
    MarkedJob& answer = answers.emplace_back();
    answer.job = job;
    answer.answer = MarkAnswer::protected_job;  // "refused, unchanged"
  }
  return answers;
}

EnqueueResult nothing(const EnqueueOp&, EnqueueResult refused) {
  refused.answer = EnqueueAnswer::id_taken;  // the default would say that it was stored
  return refused;
}

SteerResult nothing(const SteerOp&, SteerResult refused) {
  refused.answer = SteerAnswer::refused;
  return refused;
}

// Of every other operation the default answer says that nothing happened.
template <class Op, class Answer>
Answer nothing(const Op&, Answer none) {
  return none;
}

class Replay {
 public:
  Replay(const Batch& batch, const std::function<Outcome(const Batch&)>& apply)
      : batch_(batch), apply_(apply) {}

  template <class Op, class Answer>
  void each(std::vector<Op> Batch::*ops, std::vector<Answer> Outcome::*answers) {
    for (const Op& op : batch_.*ops) {
      Batch single = empty();
      (single.*ops).push_back(op);
      try {
        Outcome one = apply_(single);
        out.told = out.told || one.told;
        for (auto&& answer : one.*answers) (out.*answers).push_back(std::move(answer));
      } catch (const Fault& fault) {
        if (!fault.is_data()) throw;
        (out.*answers).push_back(nothing(op, Answer{}));
      }
    }
  }

  template <class Op>
  void each(std::vector<Op> Batch::*ops) {
    for (const Op& op : batch_.*ops) {
      Batch single = empty();
      (single.*ops).push_back(op);
      try {
        out.told = apply_(single).told || out.told;
      } catch (const Fault& fault) {
        if (!fault.is_data()) throw;
      }
    }
  }

  Outcome out;

 private:
  Batch empty() {
    Batch single;
    single.writer = batch_.writer;
    single.listeners = batch_.listeners;
    single.news_id = notice_id("", "part " + std::to_string(++parts_), Uuid{}, batch_.news_id);
    return single;
  }

  int parts_ = 0;
  const Batch& batch_;
  const std::function<Outcome(const Batch&)>& apply_;
};

}  // namespace

Outcome one_by_one(const Batch& batch, const std::function<Outcome(const Batch&)>& apply) {
  Replay replay(batch, apply);
  replay.each(&Batch::marks, &Outcome::marks);
  replay.each(&Batch::verdicts, &Outcome::verdicts);
  replay.each(&Batch::tickets, &Outcome::tickets);
  replay.each(&Batch::forces, &Outcome::forces);
  replay.each(&Batch::steers, &Outcome::steers);
  replay.each(&Batch::flushes, &Outcome::flushes);
  replay.each(&Batch::finishes, &Outcome::finishes);
  replay.each(&Batch::delivery_ends, &Outcome::delivery_ends);
  replay.each(&Batch::starts, &Outcome::starts);
  replay.each(&Batch::beats, &Outcome::beats);
  replay.each(&Batch::burials, &Outcome::burials);
  replay.each(&Batch::roles, &Outcome::roles);
  replay.each(&Batch::calls);
  replay.each(&Batch::docs, &Outcome::docs);
  replay.each(&Batch::notices, &Outcome::notices);
  replay.each(&Batch::redeliveries, &Outcome::redeliveries);
  replay.each(&Batch::audits);
  replay.each(&Batch::seals, &Outcome::seals);
  replay.each(&Batch::dues, &Outcome::dues);
  replay.each(&Batch::enqueues, &Outcome::enqueues);
  replay.each(&Batch::claims, &Outcome::claims);
  replay.each(&Batch::delivery_claims, &Outcome::delivery_claims);
  return std::move(replay.out);
}

}  // namespace quell::storage
