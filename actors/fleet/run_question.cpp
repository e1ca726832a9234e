#include "actors/fleet/run_question.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "actors/node/reader_pool.hpp"
#include "actors/send.hpp"
#include "runtime/base/bounded_json.hpp"

namespace quell {

namespace {

constexpr Millis kept{60'000}, look_wait{50};
constexpr int looks_missed_max = 3;  // of a node that is slow

nlohmann::json texts(const std::vector<JobId>& jobs) {
  nlohmann::json out = nlohmann::json::array();
  for (const JobId& job : jobs) out.push_back(job.text());
  return out;
}

std::vector<JobId> jobs_in(const std::string& body) {
  std::vector<JobId> jobs;
  const nlohmann::json json = json_of_ours(body);
  if (!json.is_object()) return jobs;
  for (const nlohmann::json& one : json.value("jobs", nlohmann::json::array()))
    if (const auto id = Uuid::parse(one.is_string() ? one.get<std::string>() : ""))
      jobs.push_back(*id);
  return jobs;
}

std::vector<JobId> among(const std::vector<JobId>& runs, const std::vector<JobId>& asked) {
  if (asked.empty()) return runs;
  std::vector<JobId> some;
  const std::set<JobId> wanted(asked.begin(), asked.end());
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(some),
               [&](const JobId& job) { return wanted.contains(job); });
  return some;
}

}  // namespace

// ---- answering ----
void RunAnswers::answer(const std::vector<storage::Doc>& questions, const NodeContext& context) {
  std::set<std::string> open;
  for (const storage::Doc& question : questions) {
    open.insert(question.id);
    if (answered_.contains(question.id)) continue;
    auto told = [clerk = context.clerk, clock = context.clock, id = question.id,
                 node = context.self.node.text(),
                 asked = jobs_in(question.body)](const std::vector<JobId>& runs) {
      auto ops = std::make_shared<storage::Batch>();
      ops->docs.push_back({.kind = run_answer_kind,
                           .id = id + "/" + node,
                           .body = nlohmann::json{{"jobs", texts(among(runs, asked))}}.dump(),
                           .until = clock->now() + kept});
      tell(clerk, WriteOps{std::move(ops), {}});
    };
    tell(context.foreman, TellRuns{std::move(told)});
  }
  answered_ = std::move(open);
}

// ---- asking ----
RunQuestion::RunQuestion(std::shared_ptr<NodeContext> context, std::vector<JobId> jobs,
                         Answer answer)
    : context_(std::move(context)),
      jobs_(std::move(jobs)),
      answer_(std::move(answer)),
      id_(context_->ids->next()),
      until_(context_->clock->monotonic() + looks_missed_max * context_->settings->poll +
             Millis{1'000}) {
  if (jobs_.size() > run_question_jobs_max) jobs_.clear();
}

void RunQuestion::ask(std::shared_ptr<NodeContext> context, std::vector<JobId> jobs,
                      Answer answer) {
  std::make_shared<RunQuestion>(std::move(context), std::move(jobs), std::move(answer))
      ->ask_this_node();
}

void RunQuestion::ask_this_node() {
  tell(context_->foreman, TellRuns{[self = shared_from_this()](const std::vector<JobId>& runs) {
         self->add(self->context_->self, among(runs, self->jobs_));
         if (!self->context_->shared_store) return self->answer_(std::move(self->found_));
         self->ask_others();
       }});
}

void RunQuestion::ask_others() {
  auto ops = std::make_shared<storage::Batch>();
  ops->docs.push_back({.kind = run_question_kind,
                       .id = id_.text(),
                       .body = nlohmann::json{{"jobs", texts(jobs_)}}.dump(),
                       .until = context_->clock->now() + kept});
  tell(context_->clerk, WriteOps{std::move(ops), [self = shared_from_this()](
                                                     const Result<storage::Outcome>& outcome) {
                                   if (!outcome) return self->answer_(outcome.error());
                                   self->look();
                                 }});
}

void RunQuestion::look_later() {
  context_->timers->after(look_wait, [self = shared_from_this()] { self->look(); });
}

void RunQuestion::look() {
  context_->readers->run([self = shared_from_this()](storage::Reader& reader) {
    if (!self->silent_) {
      const auto nodes = reader.nodes();
      if (!nodes) return self->answer_(nodes.error());
      self->silent_.emplace();
      for (const storage::NodeView& node : *nodes)
        if (!node.gone && node.owner.node != self->context_->self.node)
          self->silent_->insert(node.owner.node);
    }
    const auto answers = reader.docs(run_answer_kind, "");
    if (!answers) return self->answer_(answers.error());
    const std::string own = self->id_.text() + "/";
    for (const storage::Doc& doc : *answers) {
      if (!doc.id.starts_with(own)) continue;
      const auto node = Uuid::parse(doc.id.substr(own.size()));
      if (node && self->silent_->erase(*node) > 0) self->add({*node, 0}, jobs_in(doc.body));
    }
    if (!self->silent_->empty() && self->context_->clock->monotonic() < self->until_)
      return self->look_later();
    self->found_.silent.assign(self->silent_->begin(), self->silent_->end());
    self->answer_(std::move(self->found_));
  });
}

void RunQuestion::add(const storage::NodeLife& node, const std::vector<JobId>& runs) {
  ++found_.answered;
  for (const JobId& job : runs) found_.runs.emplace_back(job, node.node);
}

}  // namespace quell
