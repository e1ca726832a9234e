#include "http/api/views/operation_view.hpp"

#include "http/api/views/views.hpp"

namespace quell::http {

namespace {

constexpr int counted_states = static_cast<int>(JobState::gone);

void append_group(std::string& out, const auto& group) {
  ObjectWriter one(out);
  one.text("queue", group.first.queue);
  one.text("kind", group.first.kind);
  one.text_or_null("host", group.first.host);
  one.text_or_null("model", group.first.model);
  one.number("n", group.second.n);
  one.number("running", group.second.running);
  one.number("input_tokens", group.second.input_tokens);
  one.number("output_tokens", group.second.output_tokens);
  if (group.second.cost)
    one.real("cost", *group.second.cost);
  else
    one.null("cost");
}

void append_sampled(std::string& out, const storage::FoundByFilter& job) {
  ObjectWriter one(out);
  one.text("job_id", job.job.text());
  one.text("status", to_string(job.state));
  one.text("queue", job.queue);
  one.text("kind", job.kind);
}

}  // namespace

std::string operation_path(const Uuid& id) {
  return "/api/v1/operations/" + id.text();
}

void append_operation(std::string& out, const Operation& operation) {
  ObjectWriter view(out);
  view.text("operation_id", operation.id.text());
  view.text("verb", to_string(operation.verb));
  view.text("state", to_string(operation.state));
  view.text_or_null("paused_by", operation.paused_by);
  view.flag("stopping", operation.is_stopping && !is_over(operation.state));
  view.text("filter", operation.filter_text);
  view.text_or_null("project", operation.project);
  view.text("who", operation.who);
  view.text_or_null("reason", operation.reason);
  view.time("at", operation.at);
  view.time("created_before", operation.filter.created_before);
  view.time("ended", operation.ended);
  view.number("total", operation.expected);
  view.number("done", operation.handled);
  view.real("per_second", static_cast<double>(static_cast<std::int64_t>(per_second(operation))));
  if (operation.per_second_max > 0)
    view.number("max_per_second", operation.per_second_max);
  else
    view.null("max_per_second");
  const std::optional<Millis> left = time_left(operation);
  if (left)
    view.number("eta_s", (left->count() + 999) / 1000);
  else
    view.null("eta_s");
  {
    ObjectWriter counts(view.key("counts"));
    for (const auto& [name, n] : operation.counts) counts.number(name, n);
  }
  if (operation.verb == OperationVerb::erase) view.text("delete_id", operation.id.text());
  view.json("receipt", operation.receipt);
}

void append_count(ObjectWriter& view, const FilterCount& count) {
  view.number("total", count.total);
  {
    ObjectWriter counts(view.key("counts"));
    const auto add = [&](JobState state) {
      const auto at = count.by_state.find(state);
      counts.number(to_string(state), at == count.by_state.end() ? 0 : at->second);
    };
    add(JobState::running);
    for (int state = 0; state < counted_states; ++state)
      if (static_cast<JobState>(state) != JobState::running) add(static_cast<JobState>(state));
  }
  append_list(view.key("groups"), count.groups,
              [](std::string& out, const auto& group) { append_group(out, group); });
  view.flag("groups_are_cut", count.groups_are_cut);
  std::vector<storage::FoundByFilter> sample = count.running;
  for (const storage::FoundByFilter& job : count.others)
    if (sample.size() < preview_sample_max) sample.push_back(job);
  append_list(view.key("sample"), sample, append_sampled);
}

}  // namespace quell::http
