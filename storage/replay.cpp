#include "storage/replay.hpp"

#include <algorithm>
#include <optional>
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

  // What is steered in a document's name and the document go together here too: between them it
  // would be steered again.
  void named() {
    steered_.resize(batch_.steers.size());
    written_.resize(batch_.docs.size());
    for (std::size_t i = 0; i < batch_.steers.size(); ++i)
      if (batch_.steers[i].only_at && !steered_[i]) named(*batch_.steers[i].only_at);
  }

  template <class Op, class Answer>
  void each(std::vector<Op> Batch::*ops, std::vector<Answer> Outcome::*answers) {
    for (const Op& op : batch_.*ops) {
      if (const Answer* known = known_answer((out.*answers).size(), Answer{})) {
        (out.*answers).push_back(*known);
        continue;
      }
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
  void named(const DocAt& name) {
    Batch part = empty();
    std::vector<std::size_t> steers, docs;
    for (std::size_t i = 0; i < batch_.steers.size(); ++i)
      if (batch_.steers[i].only_at == name) steers.push_back(i);
    for (std::size_t i = 0; i < batch_.docs.size(); ++i) {
      const DocOp& doc = batch_.docs[i];
      if ((doc.kind == name.kind && doc.id == name.id && doc.if_version == name.version) ||
          doc.only_with == name.id)
        docs.push_back(i);
    }
    for (const std::size_t i : steers) part.steers.push_back(batch_.steers[i]);
    for (const std::size_t i : docs) part.docs.push_back(batch_.docs[i]);
    Outcome done;
    try {
      done = apply_(part);
      note(part, done);
    } catch (const Fault& fault) {
      if (!fault.is_data()) throw;
      const std::string& why = fault.error().detail;
      for (const SteerOp& op : part.steers) done.steers.push_back(nothing(op, SteerResult{}, why));
      for (const DocOp& op : part.docs) done.docs.push_back(nothing(op, DocResult{}, why));
    }
    for (std::size_t i = 0; i < steers.size(); ++i) steered_[steers[i]] = done.steers.at(i);
    for (std::size_t i = 0; i < docs.size(); ++i) written_[docs[i]] = done.docs.at(i);
  }

  const SteerResult* known_answer(std::size_t at, const SteerResult&) const {
    return steered_.at(at) ? &*steered_[at] : nullptr;
  }
  const DocResult* known_answer(std::size_t at, const DocResult&) const {
    return written_.at(at) ? &*written_[at] : nullptr;
  }
  template <class Answer>
  const Answer* known_answer(std::size_t, const Answer&) const {
    return nullptr;
  }

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

  std::vector<std::optional<SteerResult>> steered_;
  std::vector<std::optional<DocResult>> written_;
  int parts_ = 0;
  bool anyone_asked_ = false;
  const Batch& batch_;
  const std::function<Outcome(const Batch&)>& apply_;
};

}  // namespace

Outcome one_by_one(const Batch& batch, const std::function<Outcome(const Batch&)>& apply) {
  Replay replay(batch, apply);
  replay.named();
  each_verb([&replay](auto ops, auto answers, VerbTraits) {
    if constexpr (std::is_null_pointer_v<decltype(answers)>)
      replay.each(ops);
    else
      replay.each(ops, answers);
  });
  return std::move(replay.out);
}

}  // namespace quell::storage
