// "Do you run one of these jobs?", asked of every node of a fleet and answered by each from what it
// has in hand, not from the store: a question and its answers are documents that go by themselves.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "actors/node/node.hpp"
#include "actors/node_context.hpp"
#include "storage/reader.hpp"

namespace quell {

inline constexpr const char *run_question_kind = "run_question", *run_answer_kind = "run_answer";
// Of more jobs every run is told of.
inline constexpr std::size_t run_question_jobs_max = 1'000;

// The answering side: one for each node.
class RunAnswers {
 public:
  // What was not answered before is; the Foreman knows what runs.
  void answer(const std::vector<storage::Doc>& questions, const NodeContext& context);

 private:
  std::set<std::string> answered_;
};

// The asking side; it lives in the answers that it waits for.
class RunQuestion : public std::enable_shared_from_this<RunQuestion> {
 public:
  using Answer = std::function<void(Result<FleetRuns>)>;

  static void ask(std::shared_ptr<NodeContext> context, std::vector<JobId> jobs, Answer answer);
  RunQuestion(std::shared_ptr<NodeContext> context, std::vector<JobId> jobs, Answer answer);

 private:
  void ask_this_node();
  void ask_others();
  void look_later();
  void look();
  void add(const storage::NodeLife& node, const std::vector<JobId>& runs);

  std::shared_ptr<NodeContext> context_;
  std::vector<JobId> jobs_;
  Answer answer_;
  Uuid id_;
  std::optional<std::set<NodeId>> silent_;  // read once
  Millis until_;
  FleetRuns found_;
};

}  // namespace quell
