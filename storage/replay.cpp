#include "storage/replay.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "runtime/law/law_sentences.hpp"
#include "runtime/policy/webhook_outbox.hpp"
#include "storage/durable.hpp"
#include "storage/fault.hpp"

namespace quell::storage {

namespace {

std::vector<MarkedJob> nothing(const MarkOp& op, const std::vector<MarkedJob>&,
                               const std::string& why) {
  std::vector<MarkedJob> answers;
  for (const JobId& job : op.jobs) {
    MarkedJob& answer = answers.emplace_back();
    answer.job = job;
    answer.answer = MarkAnswer::refused;
    answer.refusal = why;
  }
  return answers;
}

EnqueueResult nothing(const EnqueueOp&, EnqueueResult refused, const std::string& why) {
  const auto says = [&](std::string_view law) { return why.find(law) != std::string::npos; };
  const bool is_taken = says(law::has_tomb) || says(law::is_there);
  refused.answer = is_taken ? EnqueueAnswer::id_taken : EnqueueAnswer::refused;
  if (!is_taken) refused.refusal = why;
  return refused;
}

SteerResult nothing(const SteerOp&, SteerResult refused, const std::string&) {
  refused.answer = SteerAnswer::refused;
  return refused;
}

DocResult nothing(const DocOp&, DocResult refused, const std::string&) {
  refused.by_law = true;
  return refused;
}

// Of every other operation the default answer says that nothing happened.
template <class Op, class Answer>
Answer nothing(const Op&, Answer none, const std::string&) {
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
        note(single, one);
        for (auto&& answer : one.*answers) (out.*answers).push_back(std::move(answer));
      } catch (const Fault& fault) {
        if (!fault.is_data()) throw;
        (out.*answers).push_back(nothing(op, Answer{}, fault.error().detail));
      }
    }
  }

  template <class Op>
  void each(std::vector<Op> Batch::*ops) {
    for (const Op& op : batch_.*ops) {
      Batch single = empty();
      (single.*ops).push_back(op);
      try {
        note(single, apply_(single));
      } catch (const Fault& fault) {
        if (!fault.is_data()) throw;
      }
    }
  }

  Outcome out;

 private:
  void note(const Batch& single, const Outcome& one) {
    out.has_deliveries = out.has_deliveries || one.has_deliveries;
    out.news_told = out.news_told || one.news_told;
    if (!is_asked_how_durable(single)) return;
    out.durability = std::exchange(anyone_asked_, true) ? std::min(out.durability, one.durability)
                                                        : one.durability;
  }

  Batch empty() {
    Batch single;
    single.writer = batch_.writer;
    single.listeners = batch_.listeners;
    single.tells_news = batch_.tells_news;
    single.outbox_id = notice_id("", "part " + std::to_string(++parts_), Uuid{}, batch_.outbox_id);
    return single;
  }

  int parts_ = 0;
  bool anyone_asked_ = false;
  const Batch& batch_;
  const std::function<Outcome(const Batch&)>& apply_;
};

}  // namespace

Outcome one_by_one(const Batch& batch, const std::function<Outcome(const Batch&)>& apply) {
  Replay replay(batch, apply);
  each_verb([&replay](auto ops, auto answers, VerbTraits) {
    if constexpr (std::is_null_pointer_v<decltype(answers)>)
      replay.each(ops);
    else
      replay.each(ops, answers);
  });
  return std::move(replay.out);
}

}  // namespace quell::storage
