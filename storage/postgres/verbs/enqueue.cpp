#include "storage/postgres/verbs/enqueue.hpp"

#include <algorithm>
#include <unordered_map>

#include "runtime/base/assert.hpp"
#include "storage/postgres/working_set/side_rows.hpp"

namespace quell::storage::postgres {

namespace {

// What stands in the way of an id: a job, an open ticket, a tombstone.
constexpr Query look_at_ids{
    "ids_taken",
    "SELECT f.id, EXISTS (SELECT 1 FROM live WHERE live.job = f.id) OR"
    " EXISTS (SELECT 1 FROM job WHERE job.id = f.id) OR"
    " EXISTS (SELECT 1 FROM ticket WHERE ticket.job = f.id),"
    " (SELECT epoch FROM tomb WHERE tomb.id = f.id) FROM unnest($1::uuid[]) f(id)"};
constexpr Query look_at_keys{
    "keys_taken",
    "SELECT f.i, k.job, k.state FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY"
    " f(project, ukey, i), LATERAL ("
    " SELECT job, place AS state FROM live WHERE live.project = f.project AND live.ukey = f.ukey"
    " UNION ALL"
    " SELECT job, state FROM ticket WHERE ticket.project = f.project AND ticket.ukey = f.ukey) k"};
constexpr Query let_in{
    "tomb_restore",
    "UPDATE tomb SET restored_epoch = f.epoch FROM unnest($1::uuid[], $2::int[]) f(id, epoch)"
    " WHERE tomb.id = f.id AND tomb.epoch < f.epoch"};
constexpr Query add_jobs{
    "job_add",
    "INSERT INTO live (job, project, queue, kind, pk, place, epoch, attempt, lost, has, schedule,"
    " due, ukey, lkey) SELECT id, project, queue, kind, 9 - prio, place, epoch, 0, 0, has,"
    " schedule, due, ukey, lkey FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[],"
    " $5::smallint[], $6::int[], $7::int[], $8::text[], $9::smallint[], $10::bigint[],"
    " $11::bytea[], $12::text[])"
    " f(id, project, queue, kind, prio, epoch, has, schedule, place, due, ukey, lkey)"};
constexpr Query add_payload{"payload_add",
                            "INSERT INTO payload (job, args, meta, ukey) SELECT * FROM"
                            " unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[])"};

std::optional<Bytes> bytes_of(const std::optional<std::string>& text) {
  return text ? std::optional(Bytes{*text}) : std::nullopt;
}

void add_unless_empty(ArrayLiteral& array, const std::string& text) {
  if (text.empty())
    array.add(std::nullopt);
  else
    array.add(text);
}

int bits_of(const EnqueueOp& op, const std::string& meta) {
  const NewJob& job = op.job;
  int has = 0;
  if (!job.args.empty() || !meta.empty() || job.unique_key) has |= has_payload;
  if (!op.deliveries.empty()) has |= has_deliveries;
  if (job.options.is_protected) has |= is_protected;
  return has;
}

}  // namespace

// What is there already, and what this batch has added so far.
struct Enqueue::Known {
  struct Taken {
    bool taken = false;
    std::optional<int> tomb_epoch;
  };
  std::unordered_map<JobId, Taken> ids;
  std::map<std::pair<std::string, std::string>, std::pair<JobId, JobState>> keys;
};

void Enqueue::want(const Batch& batch, WorkingSet::Wanted& wanted) {
  for (const EnqueueOp& op : batch.enqueues)
    if (op.sender) wanted.jobs.push_back(op.sender->job);
}

// What this batch has done to the sender before counts: its entry is as that left it.
bool Enqueue::has_ended(const Sender& sender) {
  const JobEntry& job = rows_.at(sender.job);
  return !job.exists || job.state != JobState::running || job.epoch != sender.epoch;
}

void Enqueue::look_up(const std::vector<const EnqueueOp*>& ops, Known& known) {
  ArrayLiteral ids, projects, keys;
  std::vector<const NewJob*> with_key;
  for (const EnqueueOp* op : ops) {
    ids.add(op->job.id);
    if (!op->job.unique_key) continue;
    with_key.push_back(&op->job);
    projects.add(op->job.project);
    keys.add(Bytes{*op->job.unique_key});
  }
  if (ids.empty()) return;
  const Rows rows = session_.db.run(look_at_ids, ids);
  for (const Row row : rows) {
    Known::Taken& one = known.ids[row.uuid(0)];
    one.taken = row.yes(1);
    if (!row.is_null(2)) one.tomb_epoch = row.number(2);
  }
  if (with_key.empty()) return;
  const Rows taken = session_.db.run(look_at_keys, projects, keys);
  for (const Row row : taken) {
    const NewJob& job = *with_key.at(static_cast<std::size_t>(row.big(0) - 1));
    known.keys.try_emplace({job.project, *job.unique_key}, row.uuid(1),
                           static_cast<JobState>(row.number(2)));
  }
}

std::vector<EnqueueResult> Enqueue::apply(const std::vector<EnqueueOp>& ops) {
  std::vector<EnqueueResult> results(ops.size());
  const auto needs_care = [&](const EnqueueOp& op) {
    return session_.careful || op.job.unique_key || op.birth == JobEvent::restore;
  };
  Known known;
  std::vector<const EnqueueOp*> looked_up;
  for (const EnqueueOp& op : ops)
    if (needs_care(op)) looked_up.push_back(&op);
  look_up(looked_up, known);
  std::vector<Birth> all;
  all.reserve(ops.size());
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const EnqueueOp& op = ops[i];
    const NewJob& job = op.job;
    EnqueueResult& result = results[i];
    if (op.sender && has_ended(*op.sender)) {
      result.answer = EnqueueAnswer::sender_ended;
      continue;
    }
    Birth birth{&op, 0, JobState::queued, to_json(job.options)};
    if (needs_care(op)) {
      Known::Taken& id = known.ids[job.id];
      if (id.taken || (id.tomb_epoch && op.birth != JobEvent::restore)) {
        result.answer = EnqueueAnswer::id_taken;
        continue;
      }
      if (job.unique_key) {
        const auto key = known.keys.find({job.project, *job.unique_key});
        if (key != known.keys.end()) {
          result.answer = EnqueueAnswer::unique_conflict;
          std::tie(result.existing, result.existing_state) = key->second;
          continue;
        }
      }
      if (op.birth == JobEvent::restore) birth.epoch = id.tomb_epoch.value_or(0) + 1;
    }
    // Also of a job that needed no look: a later one of this batch may have the same id.
    if (!looked_up.empty()) known.ids[job.id].taken = true;
    const bool later = job.run_at && *job.run_at > op.now && op.birth != JobEvent::fire;
    result.state = birth.state = later ? JobState::scheduled : JobState::queued;
    if (job.unique_key) known.keys[{job.project, *job.unique_key}] = {job.id, result.state};
    all.push_back(std::move(birth));
  }
  if (!all.empty()) write(all);
  return results;
}

void Enqueue::write(const std::vector<Birth>& all) {
  const auto born = births();
  write_restored(all);
  ArrayLiteral id, project, queue, kind, prio, epoch, has, schedule, place, due, ukey, lkey;
  std::vector<int> bits;
  bits.reserve(all.size());
  for (const Birth& birth : all) {
    const NewJob& job = birth.op->job;
    QUELL_ASSERT(std::any_of(born.begin(), born.end(), [&](const quell::Birth& one) {
      return one.event == birth.op->birth && one.state == birth.state;
    }));
    bits.push_back(bits_of(*birth.op, birth.meta));
    id.add(job.id);
    project.add(job.project);
    queue.add(job.queue);
    kind.add(job.kind);
    prio.add(job.priority);
    epoch.add(birth.epoch);
    has.add(bits.back());
    add_unless_empty(schedule, job.options.schedule);
    add_unless_empty(lkey, job.options.limit_key);
    place.add(static_cast<int>(birth.state));
    due.add(birth.state == JobState::scheduled ? job.run_at : std::nullopt);
    ukey.add(bytes_of(job.unique_key));
    session_.tally.born(job.project, job.queue, birth.state);
    if (birth.state == JobState::queued) session_.came_in(job.queue, 9 - job.priority, job.id);
  }
  session_.db.write(add_jobs, id, project, queue, kind, prio, epoch, has, schedule, place, due,
                    ukey, lkey);
  write_payload(all, bits);
  write_deliveries(all);
}

void Enqueue::write_payload(const std::vector<Birth>& all, const std::vector<int>& has) {
  ArrayLiteral id, args, meta, ukey;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!(has[i] & has_payload)) continue;
    const NewJob& job = all[i].op->job;
    id.add(job.id);
    args.add(Bytes{job.args});
    meta.add(all[i].meta);
    ukey.add(bytes_of(job.unique_key));
  }
  if (!id.empty()) session_.db.write(add_payload, id, args, meta, ukey);
}

// The tombstone stays; only under this epoch or a later one does the law let the id in again. One
// that was written since it was looked at, by the delete of another restore, lets nothing in.
void Enqueue::write_restored(const std::vector<Birth>& all) {
  ArrayLiteral id, epoch;
  for (const Birth& birth : all) {
    if (birth.epoch == 0) continue;
    id.add(birth.op->job.id);
    epoch.add(birth.epoch);
  }
  if (!id.empty()) session_.db.write(let_in, id, epoch);
}

void Enqueue::write_deliveries(const std::vector<Birth>& all) {
  SideRows side(session_.db);
  for (const Birth& birth : all) side.deliveries(birth.op->job.id, birth.op->deliveries);
  side.write();
}

}  // namespace quell::storage::postgres
