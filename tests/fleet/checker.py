"""total-delete: what was deleted must never act again, and what was not must not be lost.

Reads one history (clients, receiver, nemesis; see history.py) and the state in which everything ended (see final.py), and
knows nothing of how either came about: a hand-made history is judged like a real one."""
import hashlib

PROVEN = {"not_running", "not_started", "finished_first", "stopped", "reaped", "process_died"}
UNPROVEN = {"lease_expired", "not_confirmed"}
NEVER_RAN = {"not_running", "not_started"}
GONE = {"deleted", "already_gone"}
ENDS = {"succeeded", "failed", "cancelled"}

KINDS = {
    "effect_after": "a connection was made after a proven delete was answered",
    "bytes_after": "bytes of the job came after a proven delete was answered",
    "open_after": "a connection of the job was still open when a proven delete was answered",
    "webhook_after": "a message about the job went out or on after a proven delete was answered",
    "event_after": "an event of the job was told after the same node had answered that it is deleted",
    "ran_after_all": "a delete says that the job did not run, but that run had made its call",
    "claim_after": "the job was claimed after it was buried",
    "reborn": "a deleted job was stored again under its id",
    "false_delete": "a delete was answered, but the job is still there or came back",
    "no_tombstone": "a delete was answered, but there is no tombstone",
    "no_audit": "the audit does not tell of the delete, or not of this job",
    "two_deletes": "two calls that did not join both say that they deleted the job",
    "sums": "a reply does not add up, or is final while something is pending",
    "born_twice": "one job was stored twice",
    "lost": "a job that was acknowledged, and that nobody deleted, has no end",
    "vanished": "a job is gone although nobody asked for it",
    "stuck": "a delete is not finished after healing",
    "slots": "a pool is not whole again",
    "leftover": "rows of a job that is gone are still there",
    "crash": "a node ended in a way that nobody ordered",
    "fire_missed": "a due time of a schedule did not fire",
    "fire_doubled": "a schedule fired more often than its due times",
    "fire_after": "a schedule fired after its delete was answered",
    "task_stuck": "the delete of a schedule is not finished after healing",
    "false_loss": "a node told that the database had lost something, and it had not",
}


class Verdict:
    """What the checker found; `violations` is a list of (kind, subject, sentence)."""

    def __init__(self):
        self.violations = []
        self.unproven_effects = []
        self.figures = {}

    def add(self, kind, subject, detail=""):
        self.violations.append((kind, subject, f"{KINDS[kind]}: {subject} {detail}".rstrip()))

    def of(self, kind):
        return [subject for found, subject, _ in self.violations if found == kind]


class Connection:
    def __init__(self, accepted):
        self.accepted, self.job, self.closed = accepted, None, None
        self.hook = False  # brings a webhook about the job, not a call of it
        self.path = ""
        self.heard = []  # numbers of the events in which bytes came


class Seen:
    """The history, by job and by call."""

    def __init__(self, events):
        self.connections, self.by_job, self.marks = {}, {}, {}
        self.acknowledged, self.asked = set(), set()
        self.submits = []  # (when it was asked, jobs that it stored) of each acknowledged submit
        self.begun = {}    # op of a submit -> when it was asked
        self.told = {}     # job -> (seq, node, name) of its events
        self.again = 0     # submits of an id that was used before
        self.running_deletes = set()
        self.sums = []  # (op, status, counts, outcomes) of each delete reply
        self.replies = []  # (seq, op, job, outcome) of each delete reply, in order
        self.doors = {}    # op -> the node that answered it
        self.deleted_by = {}  # job -> calls that say that they deleted it, joined ones under the call they joined
        for event in events:
            getattr(self, "on_" + event["what"], self.on_other)(event)

    def on_other(self, event):
        pass

    def on_accepted(self, event):
        self.connections[event["seq"]] = Connection(event["seq"])

    def on_request(self, event):
        connection = self.connections[event["conn"]]
        connection.job, connection.path = event["job"], event["path"]
        connection.hook = event["path"].startswith("/hook/")
        connection.heard.append(event["seq"])
        self.by_job.setdefault(event["job"], []).append(connection)

    def on_bytes(self, event):
        self.connections[event["conn"]].heard.append(event["seq"])

    def on_closed(self, event):
        self.connections[event["conn"]].closed = event["seq"]

    def on_mark(self, event):
        self.marks[event["op"]] = event

    def on_event(self, event):
        self.told.setdefault(event["job"], []).append((event["seq"], event["node"], event["name"]))

    def on_again(self, event):
        self.again += 1

    def on_submit(self, event):
        if event["type"] == "invoke":
            self.begun[event["op"]] = event["seq"]
        if event["type"] == "ok":
            self.acknowledged.update(event["jobs"])
            self.submits.append((self.begun.get(event["op"], event["seq"]), event.get("stored", event["jobs"])))

    def on_delete(self, event):
        if event["type"] == "invoke":
            self.asked.update(event["jobs"])
        if event["type"] != "ok":
            return
        self.doors[event["op"]] = event.get("node", "server")
        self.sums.append((event["op"], event["status"], event["counts"], list(event["outcomes"].values())))
        for job, outcome in event["outcomes"].items():
            self.replies.append((event["seq"], event["op"], job, outcome))
            if outcome["outcome"] == "deleted":
                call = outcome["delete_id"] if outcome.get("joined") else event["delete_id"]
                self.deleted_by.setdefault(job, set()).add(call)
            if outcome.get("was") == "running" and outcome["outcome"] in ("deleted", "pending"):
                self.running_deletes.add(job)


def check(events, final):
    seen, out = Seen(events), Verdict()
    proven = proven_marks(seen, final, out)
    for job, mark in proven.items():
        check_silence(job, mark, seen, out)
    check_events(seen, out)
    check_never_ran(seen, final, out)
    check_submits(seen, out)
    check_deletes(seen, final, out)
    check_sums(seen, out)
    check_audit(final, out)
    check_witness(final, out)
    check_the_rest(seen, final, out)
    check_quiet(final, out)
    out.unproven_effects = effects_of_unproven(seen, final, proven)
    count(seen, final, proven, out)
    return out


def proven_marks(seen, final, out):
    """job -> the mark of the first reply that proves that it is gone."""
    first = {}
    for _, op, job, outcome in seen.replies:
        if job in first or outcome["outcome"] not in GONE:
            continue
        verdict = outcome.get("verdict") or final["tombs"].get(job, {}).get("verdict")
        if verdict not in PROVEN:
            continue
        if op in seen.marks:
            first[job] = seen.marks[op]
    return first


def check_silence(job, mark, seen, out):
    for connection in seen.by_job.get(job, []):
        where = f"(connection {connection.accepted}, reply marked at {mark['accepted']}/{mark['seq']})"
        if connection.hook:
            if connection.accepted > mark["accepted"] or connection.closed is None or connection.closed > mark["seq"]:
                out.add("webhook_after", job, where)
        elif connection.accepted > mark["accepted"]:
            out.add("effect_after", job, where)
        elif any(heard > mark["seq"] for heard in connection.heard):
            out.add("bytes_after", job, where)
        elif connection.closed is None or connection.closed > mark["seq"]:
            out.add("open_after", job, where)


def check_events(seen, out):
    """Of what the node that answered tells afterwards only the deletion itself may be about the job."""
    for _, op, job, outcome in seen.replies:
        if outcome["outcome"] not in GONE or op not in seen.marks:
            continue
        late = [name for seq, node, name in seen.told.get(job, [])
                if node == seen.doors[op] and seq > seen.marks[op]["seq"] and name != "job.deleted"]
        if late:
            out.add("event_after", job, str(late))


ONE_CALL = ("/slow/", "/llm/", "/wall/")  # what makes exactly one request in a run


def check_never_ran(seen, final, out):
    """Whoever reads `not_running` may submit a costly job again. The run that the delete met must not have called; the calls
    of runs before it (a node was lost, a provider failed) are nobody's secret. The database says how often it was claimed."""
    claims = {}
    for what, job in final["witness"]:
        claims[job] = claims.get(job, 0) + (what == "claim")
    for _, _, job, outcome in seen.replies:
        if outcome["outcome"] != "deleted" or outcome.get("verdict") not in NEVER_RAN or outcome.get("joined"):
            continue
        runs_before = claims.get(job, 0) - (outcome.get("was") == "running")
        calls = [c for c in seen.by_job.get(job, []) if not c.hook]
        if calls and (runs_before <= 0 or (calls[0].path.startswith(ONE_CALL) and len(calls) > runs_before)):
            out.add("ran_after_all", job, f"({outcome['verdict']}, was {outcome.get('was')}, {len(calls)} calls, {runs_before} runs before)")


def check_submits(seen, out):
    """Once a delete is answered its id is used up: whoever asks for it later is refused."""
    gone = {}
    for _, op, job, outcome in seen.replies:
        if outcome["outcome"] in GONE and op in seen.marks:
            gone.setdefault(job, seen.marks[op]["seq"])
    for asked, jobs in seen.submits:
        for job in jobs:
            if job in gone and asked > gone[job]:
                out.add("reborn", job, f"(asked at {asked}, deleted at {gone[job]})")


def check_deletes(seen, final, out):
    for job in {job for _, _, job, outcome in seen.replies if outcome["outcome"] == "deleted"}:
        if job in final["jobs"]:
            out.add("false_delete", job, f"({final['jobs'][job]})")
        if job not in final["tombs"]:
            out.add("no_tombstone", job)
    for job, calls in seen.deleted_by.items():
        if len(calls) > 1:
            out.add("two_deletes", job, str(sorted(calls)))


def check_sums(seen, out):
    for op, status, counts, outcomes in seen.sums:
        told = {name: sum(1 for one in outcomes if one["outcome"] == name) for name in ("deleted", "pending", "failed")}
        unproven = sum(1 for one in outcomes if one["outcome"] == "deleted" and one.get("verdict") in UNPROVEN)
        whole = (counts["distinct"] == counts["deleted"] + counts["already_gone"] + counts["pending"] + counts["failed"]
                 and counts["deleted"] == sum(counts[n] for n in ("killed", "dequeued", "finished_first", "at_rest", "unproven"))
                 and counts["distinct"] == len(outcomes) and all(counts[name] == told[name] for name in told)
                 and counts["unproven"] == unproven and status == (202 if counts["pending"] else 200))
        if not whole:
            out.add("sums", op, f"({status} {counts} {outcomes})")


def check_audit(final, out):
    """One row for each transaction that erased, with the number of its jobs and the digest of their list."""
    erased = {}
    for job, tomb in final["tombs"].items():
        erased.setdefault(tomb["delete_id"], []).append(f"{job} {tomb['was']} {tomb['verdict']}\n")
    for call, lines in erased.items():
        rows = final["audit"].get(call, [])
        digest = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
        whole = sum(row["jobs"] for row in rows) == len(lines) and (len(rows) != 1 or rows[0]["digest"] == digest)
        if not whole:
            out.add("no_audit", call, f"({len(lines)} jobs, rows {rows})")
    for call in final["audit"].keys() - erased.keys():
        out.add("no_audit", call, "(audited, but no tombstone)")


def check_witness(final, out):
    buried, born = set(), set()
    for what, job in final["witness"]:
        if what == "claim" and job in buried:
            out.add("claim_after", job)
        elif what == "birth" and job in buried:
            out.add("reborn", job)
        elif what == "birth" and job in born:
            out.add("born_twice", job)
        elif what == "tomb":
            buried.add(job)
        elif what == "birth":
            born.add(job)


def check_the_rest(seen, final, out):
    for job in seen.acknowledged:
        status = final["jobs"].get(job)
        if job in final["tombs"]:
            if job not in seen.asked:
                out.add("vanished", job)
        elif status is None or (status not in ENDS and status not in ("pending_delete", "delete_failed")):
            out.add("lost", job, f"({status})")


def check_quiet(final, out):
    for job, status in final["jobs"].items():
        if status in ("pending_delete", "delete_failed"):
            out.add("stuck", job, f"({status})")
    for table, job in final["tickets"]:
        out.add("stuck", job, f"(a row in {table})")
    for table, job in final["leftovers"]:
        out.add("leftover", job, f"(in {table})")
    for node, pool in final["pools"]:
        if not pool["free"] == pool["capacity"] == pool["expected"] or pool["used"]:
            out.add("slots", node, str(pool))
    for node, code, log in final["crashes"]:
        out.add("crash", node, f"(exit {code}) …{log}")
    for detail in final["losses"]:
        out.add("false_loss", "", detail)


def effects_of_unproven(seen, final, proven):
    """Deletes that say themselves that they prove nothing, and what was seen of them after the reply: told apart."""
    found = []
    for job, tomb in final["tombs"].items():
        if job in proven or tomb["verdict"] not in UNPROVEN:
            continue
        marks = [seen.marks[op] for _, op, other, outcome in seen.replies
                 if other == job and outcome["outcome"] in GONE and op in seen.marks]
        if marks and any(c.accepted > marks[0]["accepted"] or any(h > marks[0]["seq"] for h in c.heard)
                         for c in seen.by_job.get(job, [])):
            found.append(job)
    return found


def count(seen, final, proven, out):
    verdicts = {}
    for tomb in final["tombs"].values():
        verdicts[tomb["verdict"]] = verdicts.get(tomb["verdict"], 0) + 1
    unanswered = [op for _, op, _, outcome in seen.replies if outcome["outcome"] in GONE and op not in seen.marks]
    out.figures = {
        "jobs": len(seen.acknowledged | {job for what, job in final["witness"] if what == "birth"}),
        "acknowledged": len(seen.acknowledged),
        "deletes_of_running": len(seen.running_deletes & final["tombs"].keys()),
        "deleted": len(final["tombs"]),
        "proven": len(proven),
        "unproven": sum(n for verdict, n in verdicts.items() if verdict in UNPROVEN),
        "verdicts": verdicts,
        "calls_at_the_receiver": sum(not one.hook for made in seen.by_job.values() for one in made),
        "webhooks": sum(one.hook for made in seen.by_job.values() for one in made),
        "again": seen.again,
        "events": sum(len(told) for told in seen.told.values()),
        "never_ran": sum(verdicts.get(verdict, 0) for verdict in NEVER_RAN),
        "walls": sum(one.path.startswith("/wall/") for made in seen.by_job.values() for one in made),
        "unmarked_replies": len(unanswered),
        "ended": sum(1 for status in final["jobs"].values() if status in ENDS),
    }
