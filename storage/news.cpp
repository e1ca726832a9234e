#include "storage/news.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/base/bounded_json.hpp"
#include "runtime/policy/webhook_outbox.hpp"
#include "storage/steered.hpp"

namespace quell::storage {

namespace {

using nlohmann::json;

class Told {
 public:
  Told(const Batch& batch, const Outcome& outcome) : batch_(batch), outcome_(outcome) {}

  // Of one job in one commit the mark is the last that happens, whatever else was asked for; only a
  // restore of what is gone comes behind it.
  std::vector<News> all() {
    progress();
    ends();
    tasks();
    deletions();
    births();
    claims();
    return std::move(news_);
  }

 private:
  void job(std::string_view type, const JobId& id, const std::string& queue = {},
           std::string data = {}) {
    if (!type.empty()) news_.push_back({std::string(type), id, queue, std::move(data)});
  }

  // What a run had to show when its job was already to go was not written, and is not told.
  void progress() {
    for (std::size_t i = 0; i < outcome_.flushes.size(); ++i)
      if (const FlushOp& flush = batch_.flushes[i]; flush.progress && outcome_.flushes[i])
        job("job.progress", flush.job, {}, fmt::format("{{\"progress\":{:f}}}", *flush.progress));
  }

  // By the word of their run, or by no word of it.
  void ends() {
    for (std::size_t i = 0; i < outcome_.finishes.size(); ++i)
      if (const FinishResult& end = outcome_.finishes[i]; end.written)
        job(end_told_to_watchers(end.state), batch_.finishes[i].job);
    each_steered(batch_, outcome_, [this](const JobId& id, JobEvent of, const SteerResult& one) {
      if (one.answer == SteerAnswer::moved && one.state == JobState::cancelled)
        job(told_to_watchers(of), id, one.queue);
    });
    for (const RecoverResult& declared_dead : outcome_.recoveries)
      for (const auto& [id, state] : declared_dead.ended) job(end_told_to_watchers(state), id);
  }

  void task(std::string_view type, const Uuid& id) {
    news_.push_back({std::string(type), {}, {}, "{\"task_uuid\":\"" + id.text() + "\"}"});
  }

  void tasks() {
    for (std::size_t i = 0; i < outcome_.fires.size(); ++i)
      if (outcome_.fires[i].answer == FireAnswer::fired)
        task(task_fired_event, batch_.fires[i].task);
    for (std::size_t i = 0; i < outcome_.task_erases.size(); ++i)
      if (outcome_.task_erases[i]) task(task_deleted_event, batch_.task_erases[i].task);
  }

  void deletions() {
    const std::string_view deleted = told_to_watchers(JobEvent::erase);
    for (const auto& call : outcome_.marks)
      for (const MarkedJob& one : call) {
        if (one.answer == MarkAnswer::erased) job(deleted, one.job, one.queue);
        if (one.answer == MarkAnswer::held)
          job(told_to_watchers(JobEvent::mark), one.job, one.queue);
      }
    for (std::size_t i = 0; i < outcome_.verdicts.size(); ++i)
      if (outcome_.verdicts[i].answer == VerdictAnswer::erased)
        job(deleted, batch_.verdicts[i].job);
    for (std::size_t i = 0; i < outcome_.forces.size(); ++i)
      if (outcome_.forces[i].erased) job(deleted, batch_.forces[i].job);
    for (const RecoverResult& declared_dead : outcome_.recoveries)
      for (const auto& [id, result] : declared_dead.erased) job(deleted, id);
  }

  void births() {
    for (const FireResult& fire : outcome_.fires)
      for (std::size_t i = 0; i < fire.born.size(); ++i)
        job(told_to_watchers(JobEvent::fire), fire.born[i], fire.queues[i]);
    for (std::size_t i = 0; i < outcome_.restores.size(); ++i)
      if (outcome_.restores[i].answer == RestoreAnswer::restored)
        job(told_to_watchers(JobEvent::restore), batch_.restores[i].job, outcome_.restores[i].queue,
            "{\"restored\":true}");
    for (std::size_t i = 0; i < outcome_.enqueues.size(); ++i)
      if (outcome_.enqueues[i].answer == EnqueueAnswer::stored)
        job(told_to_watchers(batch_.enqueues[i].birth), batch_.enqueues[i].job.id,
            batch_.enqueues[i].job.queue);
  }

  void claims() {
    for (std::size_t i = 0; i < outcome_.claims.size(); ++i)
      for (const ClaimedJob& one : outcome_.claims[i])
        job(told_to_watchers(JobEvent::claim), one.job, batch_.claims[i].queue);
  }

  const Batch& batch_;
  const Outcome& outcome_;
  std::vector<News> news_;
};

std::string hint_of(const News& like, const json& jobs) {
  json one{{"type", like.type}};
  if (!like.queue.empty()) one["queue"] = like.queue;
  if (!like.data.empty()) one["data"] = like.data;
  if (!jobs.empty()) one["jobs"] = jobs;
  return std::string(news_hint) + one.dump(-1, ' ', true, json::error_handler_t::replace);
}

constexpr std::size_t bytes_a_job = 39;

}  // namespace

std::vector<News> news_of(const Batch& batch, const Outcome& outcome) {
  return Told(batch, outcome).all();
}

// What differs only in its job goes as one.
std::vector<std::string> hints_of_news(const std::vector<News>& news, std::size_t most) {
  std::vector<std::string> hints;
  for (std::size_t i = 0; i < news.size();) {
    const News& like = news[i];
    const std::size_t head = hint_of(like, {}).size() + sizeof(R"(,"jobs":[])");
    if (head + bytes_a_job > most) return {std::string(news_lost_hint)};
    const std::size_t room = (most - head) / bytes_a_job;
    json jobs = json::array();
    do {
      if (news[i].job) jobs.push_back(news[i].job->text());
      ++i;
    } while (like.job && i < news.size() && news[i].job && jobs.size() < room &&
             news[i].type == like.type && news[i].queue == like.queue && news[i].data == like.data);
    hints.push_back(hint_of(like, jobs));
  }
  return hints;
}

std::vector<News> news_in(std::string_view hint) {
  const json one = json_of_ours(hint.substr(news_hint.size()));
  if (!one.is_object()) return {};
  News like{one.value("type", ""), {}, one.value("queue", ""), one.value("data", "")};
  if (!one.contains("jobs")) return {std::move(like)};
  std::vector<News> all;
  for (const std::string& text : one.value("jobs", std::vector<std::string>{})) {
    like.job = Uuid::parse(text);
    all.push_back(like);
  }
  return all;
}

}  // namespace quell::storage
