#include "storage/sqlite/verbs/mark.hpp"

#include "storage/call_slices.hpp"

namespace quell::storage::sqlite {

namespace {

// Fewer jobs are done one by one for less.
constexpr std::size_t worth_a_set = 16;

}  // namespace

Mark::Mark(SqliteSession& session, Eraser& eraser, Tickets& tickets)
    : session_(session),
      eraser_(eraser),
      tickets_(tickets),
      call_(session.db,
            "INSERT INTO call (delete_id, who, reason, path, at, until) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING"),
      // Only the note is changed: a call that has its last word keeps it.
      slice_(session.db,
             "INSERT INTO call (delete_id, who, reason, path, at, until, counts)"
             " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (delete_id) DO UPDATE"
             " SET counts = replace(counts, ?, '|') WHERE instr(counts, ?) = 1"),
      note_(session.db, "SELECT counts FROM call WHERE delete_id = ?"),
      set_note_(session.db, "UPDATE call SET counts = ? WHERE delete_id = ?"),
      job_(session.db,
           "UPDATE OR ROLLBACK job SET state = 4, epoch = ?, delete_id = ?, attempt = ?, lost = ?, "
           "started = ?, node = coalesce(?, node)"
           " WHERE id = ?"),
      live_(session.db, "DELETE FROM live WHERE job = ?"),
      waiting_(session.db, "DELETE FROM delivery WHERE job = ? AND place = 0"),
      flying_(session.db,
              "SELECT id, node, life FROM delivery WHERE job = ? AND place = 1 ORDER BY id"),
      hold_deliveries_(session.db, "UPDATE delivery SET place = 3 WHERE job = ? AND place = 1"),
      options_(session.db, "SELECT meta FROM payload WHERE job = ?") {}

std::vector<MarkedJob> Mark::apply(const MarkOp& op) {
  if (op.keep_receipt) keep_call(op);
  eraser_.begin_marked();
  std::vector<MarkedJob> answers;
  answers.reserve(op.jobs.size());
  for (const JobId& job : op.jobs) answers.push_back(mark_one(job, op));
  eraser_.write_marked(op);
  if (op.keep_receipt) note_joined(op, answers);
  return answers;
}

void Mark::note_joined(const MarkOp& op, const std::vector<MarkedJob>& answers) {
  const std::vector<JobId> joined = joined_of(op, answers);
  if (joined.empty()) return;
  std::string counts;
  if (Rows row = note_.rows(op.delete_id); row.next()) counts = row.text(0);
  set_note_.run(with_joined(std::move(counts), joined), op.delete_id);
}

void Mark::keep_call(const MarkOp& op) {
  if (op.slices == 1)
    call_.run(op.delete_id, op.who, op.reason, op.path, op.now, op.tomb_until);
  else
    slice_.run(op.delete_id, op.who, op.reason, op.path, op.now, op.tomb_until, unmarked_after(op),
               marked_slice(op), unmarked_prefix);
}

MarkedJob Mark::mark_one(JobId job, const MarkOp& op) {
  MarkedJob answer;
  answer.job = job;
  const std::optional<JobHead> head = session_.look(job);
  if (!head) {
    if (const std::optional<TombstoneRow> tombstone = session_.tombstone(job)) {
      answer.answer = MarkAnswer::already_gone;
      answer.was = tombstone->was;
      answer.delete_id = tombstone->delete_id;
      answer.deleted_at = tombstone->at;
    }
    return answer;
  }
  if (is_other_project(op.project, head->project)) return answer;
  answer.was = head->state;
  answer.epoch = head->epoch;
  answer.queue = head->queue;
  answer.project = head->project;
  if (is_leaving(head->state)) {
    const std::optional<Ticket> first = tickets_.find(job);
    if (!first) throw Fault(Error{ErrorCode::store_corrupt, "a leaving job has no ticket"}, false);
    answer.answer = MarkAnswer::joined;
    answer.was = first->was;
    answer.delete_id = first->delete_id;
    answer.open = tickets_.open_holders(job);
  } else if (head->has & is_protected) {
    answer.answer = MarkAnswer::protected_job;
  } else if (std::string why = protection_of(job, *head, op); !why.empty()) {
    answer.answer = MarkAnswer::protected_job;
    answer.refusal = std::move(why);
  } else {
    mark(*head, op, answer);
  }
  return answer;
}

std::string Mark::protection_of(JobId job, const JobHead& head, const MarkOp& op) {
  if (!op.protection) return {};
  std::vector<std::string> tags;
  if (!op.protection->tags.empty() && (head.has & has_payload))
    if (Rows row = options_.rows(job); row.next()) tags = options_from_json(row.text(0)).tags;
  return quell::protection_of(op.protection, head.queue, tags);
}

void Mark::mark(const JobHead& head, const MarkOp& op, MarkedJob& answer) {
  collect_holders(head, answer);
  answer.delete_id = op.delete_id;
  answer.epoch = head.epoch + 1;
  if (op.in_summary) session_.outbox.in_summary(op, head.project);
  if (answer.open.empty()) return erase(head, op, answer);
  leave(head, op, answer);
  answer.answer = MarkAnswer::held;
  hold(head, op, answer);
}

void Mark::leave(const JobHead& head, const MarkOp& op, const MarkedJob& answer) {
  const std::optional<NodeId> runs_on =
      head.state == JobState::running ? std::optional(head.owner.node) : std::nullopt;
  job_.run(answer.epoch, op.delete_id, head.attempt, head.lost, head.started, runs_on, answer.job);
  if (!is_final(head.state)) live_.run(answer.job);
}

void Mark::erase(const JobHead& head, const MarkOp& op, MarkedJob& answer) {
  answer.answer = MarkAnswer::erased;
  answer.copy_until = op.copy_until.of(head.queue);
  JobHead marked = head;
  marked.epoch = answer.epoch;
  Erasure what{answer.job, op.delete_id, head.state,    answer.verdict,
               op.who,     op.now,       op.tomb_until, answer.copy_until};
  const bool is_plain = !answer.copy_until && !(head.has & (has_deliveries | has_doubts));
  if (is_plain && op.jobs.size() >= worth_a_set) return eraser_.add_marked(what, marked);
  leave(head, op, answer);
  bool waiting = false;
  if (head.has & has_doubts) answer.verdict = tickets_.joint_verdict(answer.job, waiting);
  what.verdict = answer.verdict;
  eraser_.erase(what, marked, Way::erase);
}

void Mark::collect_holders(const JobHead& head, MarkedJob& answer) {
  if (head.state == JobState::running)
    answer.open.push_back(Holder{HolderKind::run, answer.job, head.owner, head.epoch});
  if (!(head.has & has_deliveries)) return;
  for (Rows row = flying_.rows(answer.job); row.next();)
    answer.open.push_back(
        Holder{HolderKind::delivery, row.uuid(0), NodeLife{row.uuid(1), row.big(2)}, 0});
  answer.deliveries_removed = waiting_.run(answer.job);
}

void Mark::hold(const JobHead& head, const MarkOp& op, const MarkedJob& answer) {
  session_.tally.moved(head.project, head.queue, head.state, JobState::pending_delete);
  // In flight under a mark is a place of its own: the end of such a delivery matches nothing.
  if (head.has & has_deliveries) hold_deliveries_.run(answer.job);
  tickets_.open(answer.job, head, op, answer.open);
}

}  // namespace quell::storage::sqlite
