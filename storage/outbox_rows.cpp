#include "storage/outbox_rows.hpp"

#include <algorithm>

namespace quell::storage {

namespace {

Uuid summary_id(const std::string& receiver, const DeleteId& call) {
  return notice_id(receiver, "jobs.deleted", call, call);
}

}  // namespace

void OutboxRows::begin(const Batch& batch) {
  listeners_ = batch.listeners;
  id_ = batch.outbox_id;
  said_ = 0;
  told_ = false;
  groups_.clear();
  new_.clear();
}

std::vector<NewDelivery> OutboxRows::of_job(const JobMessage& outbox, std::string_view event,
                                            bool has_own_url, Instant at) {
  std::vector<NewDelivery> all;
  if (!listeners_) return all;
  for (std::string& receiver : webhook_receivers(*listeners_, outbox.project, event, has_own_url)) {
    const Uuid id =
        notice_id(receiver, std::string(event) + " " + std::to_string(++said_), outbox.job, id_);
    all.push_back(
        {id, std::move(receiver), std::string(event), job_message_body(event, at, outbox), at});
  }
  told_ = told_ || !all.empty();
  return all;
}

std::vector<NewDelivery> OutboxRows::of_task(const std::string& project, std::string_view event,
                                             const Uuid& task, const std::string& body,
                                             Instant at) {
  std::vector<NewDelivery> all;
  if (!listeners_ || listeners_->empty()) return all;
  for (std::string& one : listeners_->endpoints(project, event)) {
    const Uuid id = notice_id(one, std::string(event) + " " + std::to_string(++said_), task, id_);
    all.push_back({id, std::move(one), std::string(event), body, at});
  }
  told_ = told_ || !all.empty();
  return all;
}

OutboxRows::Group& OutboxRows::group(const DeleteId& call, const std::string& project, Instant at) {
  Group& one = groups_[{call, project}];
  one.at = std::max(one.at, at);
  return one;
}

void OutboxRows::in_summary(const MarkOp& call, const std::string& project) {
  if (!listeners_ || listeners_->empty()) return;
  Group& one = group(call.delete_id, project, call.now);
  one.opens = true;
  one.who = call.who;
  one.reason = call.reason;
}

void OutboxRows::erased(Erased job, Instant at) {
  if (!listeners_ || listeners_->empty()) return;
  Group& one = group(job.delete_id, job.project, at);
  one.unproven += proof_of(job.verdict) == Proof::unproven ? 1 : 0;
  one.jobs.push_back(std::move(job));
}

void OutboxRows::write(NoticeRows& rows) {
  if (groups_.empty()) return;
  std::vector<Uuid> ids;
  for (const auto& [key, group] : groups_)
    for (const std::string& one : listeners_->of_summaries(key.second))
      ids.push_back(summary_id(one, key.first));
  if (ids.empty()) return groups_.clear();
  const auto known = rows.find(ids);
  for (const auto& [key, group] : groups_) write_group(key, group, known, rows);
  if (!new_.empty()) rows.add(new_);
  groups_.clear();
  new_.clear();
}

std::string OutboxRows::summary(const Key& key, const Group& group) const {
  return deleted_summary_body(group.at, {key.first, group.jobs.size(), group.unproven, key.second,
                                         group.who, group.reason});
}

void OutboxRows::write_group(const Key& key, const Group& group, const std::map<Uuid, Known>& known,
                             NoticeRows& rows) {
  const bool nothing_yet = group.jobs.empty();
  told_ = told_ || !nothing_yet;
  std::vector<std::string> each;
  for (const std::string& one : listeners_->of_summaries(key.second)) {
    const Uuid id = summary_id(one, key.first);
    const auto at = known.find(id);
    if (at != known.end() && nothing_yet) continue;
    if (at != known.end() && at->second.waits) {
      rows.change(id, add_to_summary(at->second.body, group.at, group.jobs.size(), group.unproven),
                  group.at + summary_patience);
    } else if (at != known.end()) {  // it has gone out: these came late, and get one of their own
      new_.push_back({notice_id(one, "jobs.deleted", id_, key.first), one, "jobs.deleted",
                      summary(key, group), group.at});
    } else if (group.opens) {
      new_.push_back({id, one, "jobs.deleted", summary(key, group),
                      group.at + (nothing_yet ? notice_keep : summary_patience)});
    } else {
      each.push_back(one);
    }
  }
  write_each(key, group, each);
}

void OutboxRows::write_each(const Key& key, const Group& group,
                            const std::vector<std::string>& to) {
  for (const std::string& one :
       listeners_->endpoints(key.second, told_by_webhook(JobEvent::erase))) {
    if (std::find(to.begin(), to.end(), one) == to.end()) continue;
    for (const Erased& job : group.jobs)
      new_.push_back(
          {notice_id(one, told_by_webhook(JobEvent::erase), job.job, key.first), one,
           std::string(told_by_webhook(JobEvent::erase)),
           deleted_body(group.at, {key.first, job.job, job.was, job.verdict, key.second}),
           group.at});
  }
}

void OutboxRows::call_over(const CallOp& call, NoticeRows& rows) {
  if (!call.over || !listeners_ || listeners_->empty()) return;
  std::vector<Uuid> ids;
  for (const std::string& one : listeners_->of_any_project())
    ids.push_back(summary_id(one, call.delete_id));
  for (const auto& [id, known] : rows.find(ids)) {
    if (!known.waits || deleted_in_summary(known.body) == 0) continue;
    rows.change(id, known.body, *call.over);
    told_ = true;
  }
}

}  // namespace quell::storage
