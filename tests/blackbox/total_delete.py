"""What must hold of deletes, whatever hurt the server meanwhile: one checker for every run that hurts it. It reads evidence that
was gathered from outside (the replies, the API, the store's own tables, a receiver's log) and names each breach by its invariant:

I1 no effect after a proven reply   I2 nothing deleted is claimed   I3 no resurrection   I4 slots: free + held = capacity
I5 one place per job   I6 whole or gone, nothing between   I7 replies and receipts are true   I8 repeats are harmless
I9 what was asked for ends   I10 others are left alone   I11 one audit record per delete

Not seen from here, because this tree has no such act yet: I12 schedules, I13 webhooks, I14 restore; I15 (old epochs) is the
store's conformance suite's and I16 (the spike alert) a property test's."""
import base64
import hashlib
import json
import pathlib
import re

SPEC = pathlib.Path(__file__).resolve().parents[2] / "runtime/spec"
VERDICTS = re.findall(r"^DELETE_VERDICT\((\w+)", (SPEC / "delete_protocol.def").read_text(), re.M)
STATES = re.findall(r"^JOB_STATE\((\w+)", (SPEC / "job_machine.def").read_text(), re.M)
UNPROVEN = {"lease_expired", "not_confirmed", "stuck"}
FATES = ("deleted", "already_gone", "pending", "failed", "not_found")


class Call:
    """One delete call as its caller saw it. `reply` is None when it never came: then either way is right."""

    def __init__(self, ids, status, reply, effects_then, is_repeat=False):
        self.ids, self.status, self.reply = list(ids), status, reply
        self.effects_then, self.is_repeat = effects_then, is_repeat

    def outcomes(self, fate=None):
        if self.status not in (200, 202):
            return []
        return [o for o in self.reply["outcomes"] if fate in (None, o["outcome"])]


class Evidence:
    def __init__(self, victims, survivors, bystanders):
        self.victims, self.survivors, self.bystanders = list(victims), list(survivors), list(bystanders)
        self.calls = []           # every delete call, in order
        self.shown = {}           # job -> status, as the API says at the end
        self.pools = []           # as the API says at the end
        self.held = {}            # pool -> runs that must hold a slot at the end
        self.most_used = {}       # pool -> the most that was ever seen in use
        self.effects = []         # job of each request that the receiver took, in its order
        self.open_effects = []    # jobs whose connection is still open at the end
        self.unharmed = False     # the server lived through it
        self.rows = {}            # table -> jobs that have a row there
        self.states = {}          # job -> state of its row
        self.ended = {}           # job -> attempts of it that ended
        self.tombs = {}           # job -> {"delete_id", "was", "verdict"}
        self.audit = []           # {"no", "what", "ref", "jobs", "digest"}
        self.stored_calls = {}    # delete_id -> {"counts", "receipt"}
        self.orphans = []         # the store's own words
        self.audit_grew = 0       # audit rows that the repeated call added


def violations(seen):
    found = []
    for check in (replies, acknowledged, ends, places, slots, others, effects, audit, repeats, stored_receipts):
        found += check(seen)
    return found


def adds_up(counts):
    return (counts["distinct"] == sum(counts[k] for k in ("deleted", "already_gone", "pending", "failed"))
            and counts["deleted"] == sum(counts[k] for k in ("killed", "dequeued", "finished_first", "at_rest", "unproven"))
            and 0 <= counts["slots_freed"] <= counts["deleted"])


def payload_of(receipt):
    return json.loads(base64.b64decode(receipt["payload"]))


def replies(seen):
    for number, call in enumerate(seen.calls):
        if call.status not in (200, 202):
            continue
        reply, where = call.reply, f"I7: call {number}"
        counts = reply["counts"]
        if not adds_up(counts):
            yield f"{where}: the counts do not add up: {counts}"
        if counts["distinct"] != len(set(call.ids)) or len(reply["outcomes"]) != len(set(call.ids)):
            yield f"{where}: {len(reply['outcomes'])} outcomes for {len(set(call.ids))} ids"
        for fate in ("deleted", "already_gone", "pending", "failed"):
            if counts[fate] != len(call.outcomes(fate)):
                yield f"{where}: counts {counts[fate]} {fate}, lists {len(call.outcomes(fate))}"
        if (call.status == 202) != (counts["pending"] > 0):
            yield f"{where}: status {call.status} with {counts['pending']} pending"
        if reply["success"] != (counts["pending"] == counts["failed"] == 0):
            yield f"{where}: success {reply['success']} with {counts}"
        unproven = sum(o.get("verdict") in UNPROVEN for o in call.outcomes("deleted"))
        if counts["unproven"] != unproven:
            yield f"{where}: counts {counts['unproven']} unproven, lists {unproven}"
        receipt = reply.get("receipt")
        if counts["deleted"] > 0 and counts["pending"] == 0 and not receipt:
            yield f"{where}: no receipt"
        if receipt:
            signed = payload_of(receipt)
            if signed["counts"] != counts or signed["delete_id"] != reply["delete_id"]:
                yield f"{where}: the receipt tells another story: {signed['counts']}"


def acknowledged(seen):
    for call in seen.calls:
        for outcome in call.outcomes("deleted"):
            job = outcome["job_id"]
            tomb = seen.tombs.get(job)
            if tomb is None:
                yield f"I6: the delete of {job} was acknowledged and has no tombstone"
                continue
            if not outcome.get("joined") and tomb["delete_id"] != call.reply["delete_id"]:
                yield f"I7: the tombstone of {job} names another call"
            if (tomb["was"], tomb["verdict"]) != (outcome.get("was"), outcome.get("verdict")):
                yield f"I7: the reply says {outcome.get('was')}/{outcome.get('verdict')} of {job}, the store {tomb}"


def ends(seen):
    for job in seen.victims:
        if job not in seen.tombs:
            yield f"I9: {job} was to be deleted and is not: {seen.states.get(job)}"
        if seen.shown.get(job, "deleted") != "deleted":
            yield f"I9: the API shows {job} as {seen.shown[job]}"


def places(seen):
    for job in seen.tombs:
        for table, jobs in seen.rows.items():
            if job in jobs:
                kind = {"job": "I3", "live": "I2"}.get(table, "I6")
                yield f"{kind}: {job} is deleted and has a row in {table}"
    for orphan in seen.orphans:
        yield f"I5: {orphan}"


def slots(seen):
    for pool in seen.pools:
        held = seen.held.get(pool["name"], 0)
        if pool["stuck"] != 0 or pool["used"] != held or pool["free"] != pool["capacity"] - held:
            yield f"I4: pool {pool} while {held} runs hold a slot"
        if seen.most_used.get(pool["name"], 0) > pool["capacity"]:
            yield f"I4: pool {pool['name']} had {seen.most_used[pool['name']]} of {pool['capacity']} slots in use"


def others(seen):
    for job in seen.survivors:
        if seen.states.get(job) != "succeeded" or seen.shown.get(job) != "succeeded":
            yield f"I10: {job} was nobody's to delete and is {seen.states.get(job)}"
    for job in seen.bystanders:
        if seen.states.get(job) != "running":
            yield f"I10: the run of {job} was stopped: {seen.states.get(job)}"
        if seen.unharmed and (seen.ended.get(job) != 0 or seen.effects.count(job) != 1 or job not in seen.open_effects):
            yield f"I10: the run of {job} was disturbed"


def effects(seen):
    for call in seen.calls:
        proven = {o["job_id"] for o in call.outcomes("deleted") if o.get("verdict") not in UNPROVEN}
        for job in seen.effects[call.effects_then:]:
            if job in proven:
                yield f"I1: {job} went out after its delete was proven"
    for job in seen.open_effects:
        if job in seen.tombs and seen.tombs[job]["verdict"] not in UNPROVEN:
            yield f"I1: {job} is deleted and its connection is open"


def digest(lines):
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def audit(seen):
    erased = {}
    for job, tomb in seen.tombs.items():
        erased.setdefault(tomb["delete_id"], []).append(f"{job} {tomb['was']} {tomb['verdict']}\n")
    rows = {}
    for row in seen.audit:
        if row["what"] in ("delete", "force"):
            rows.setdefault(row["ref"], []).append(row)
    for delete_id in erased.keys() | rows.keys():
        lines, written = erased.get(delete_id, []), rows.get(delete_id, [])
        if sum(row["jobs"] for row in written) != len(lines):
            yield f"I11: {delete_id} erased {len(lines)}, the audit says {[row['jobs'] for row in written]}"
        elif len(written) == 1 and written[0]["digest"] != digest(lines):
            yield f"I11: the audit's digest of {delete_id} is of another list"
        if lines and delete_id not in seen.stored_calls:
            yield f"I11: {delete_id} erased jobs and nobody called it"
    numbers = [row["no"] for row in seen.audit]  # a commit that failed may have drawn one: rising, not gapless
    if any(a >= b for a, b in zip(numbers, numbers[1:])):
        yield f"I11: the audit is out of order: {numbers}"


def repeats(seen):
    for call in seen.calls:
        if call.is_repeat and (call.status != 200 or len(call.outcomes("already_gone")) != len(call.ids)):
            yield f"I8: the repeated call was answered {call.status} {call.reply}"
    if seen.audit_grew:
        yield f"I8: the repeated call added {seen.audit_grew} audit rows"


def stored_receipts(seen):
    for call in seen.calls:
        stored = seen.stored_calls.get(call.reply["delete_id"]) if call.outcomes() else None
        if not stored or not call.reply.get("receipt"):
            continue
        if seen.unharmed and not stored["receipt"]:
            yield f"I7: the receipt of {call.reply['delete_id']} was given and is not kept"
        if stored["receipt"] and payload_of(json.loads(stored["receipt"])) != payload_of(call.reply["receipt"]):
            yield f"I7: the kept receipt of {call.reply['delete_id']} is another"
        if stored["counts"] and json.loads(stored["counts"]) != call.reply["counts"]:
            yield f"I7: the kept counts of {call.reply['delete_id']} are others"
