"""The state in which everything ended, read from the database itself and from each node's pools."""
import json

VERDICTS = ["not_running", "not_started", "finished_first", "stopped", "reaped", "process_died", "lease_expired", "not_confirmed", "stuck"]
STATES = ["scheduled", "queued", "running", "succeeded", "failed", "cancelled", "pending_delete", "delete_failed"]
SIDE_TABLES = ["payload", "result", "step", "partial", "log", "attempt", "progress", "delivery", "holder", "ticket", "doubt"]


def read(cluster):
    ask = cluster.postgres.ask
    return {
        "jobs": {job: STATES[int(state)] for job, state in ask("SELECT id, state FROM jobs")},
        "tombs": {job: {"delete_id": call, "verdict": VERDICTS[int(verdict)], "was": STATES[int(was)]}
                  for job, call, verdict, was in ask("SELECT id, delete_id, verdict, prior FROM tomb")},
        "audit": audit(ask("SELECT ref, detail, digest FROM audit WHERE what IN ('delete', 'force') ORDER BY no")),
        "witness": [(what, job) for what, job in ask("SELECT what, job FROM witness ORDER BY no")],
        "births": {job: int(no) for no, job in ask("SELECT no, job FROM witness WHERE what = 'birth'")},
        "tickets": [(table, job) for table in ("ticket", "holder") for job, in ask(f"SELECT DISTINCT job FROM {table}")],
        "leftovers": [(table, job) for table in SIDE_TABLES
                      for job, in ask(f"SELECT DISTINCT job FROM {table} WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = {table}.job)")]
        + [("jobs", job) for job, in ask("SELECT id FROM jobs WHERE EXISTS (SELECT 1 FROM tomb WHERE tomb.id = jobs.id)")],
        "pools": pools(cluster),
        "crashes": list(cluster.unexpected),
        "losses": [detail for detail, in ask("SELECT detail FROM audit WHERE what = 'history.lost'")],
    }


def audit(rows):
    calls = {}
    for call, detail, digest in rows:
        calls.setdefault(call, []).append({"jobs": json.loads(detail)["jobs"], "digest": digest})
    return calls


def pools(cluster):
    """As each node sees the whole fleet's; and the slots that there must be."""
    seen = []
    for member in cluster.members:
        status, reply = member.node.call("GET", "/api/v1/pools")
        assert status == 200, reply
        seen += [(member.name, pool) for pool in reply["pools"]]
    for _, pool in seen:
        pool["expected"] = sum(cluster.slots_of.get(member.name, cluster.slots) for member in cluster.members)
    return seen


def pools_are_whole(cluster):
    return all(pool["free"] == pool["capacity"] == pool["expected"] for _, pool in pools(cluster))
