"""A server whose every reply is held against its description, and what its routes may be sent."""
import re

from contract import Contract
from product import EXEC, Server

UNSEEN = "0198c2c0-0000-7000-8000-000000000001"
BODIES = {
    "submit_job": {"kind": "noop"}, "bulk_submit": {"jobs": [{"kind": "noop"}]}, "bulk_delete": {"job_ids": [UNSEEN]},
    "bulk_delete_old": {"job_ids": [UNSEEN]}, "force_deletion": {"reason": "test"}, "patch_pool": {"capacity": 7}, "freeze_deletions": {"frozen": False, "reason": "test"},
    "create_webhook": {"url": "http://a.example/"}, "update_webhook": {"description": "d"}, "patch_queue": {"limits": {"concurrency": 9}},
    "create_token": {"name": "made", "role": "viewer"}, "put_secret": {"value": "v", "hosts": ["a.example"]},
    "delete_preview": {"filter": "queue=nothing-here"},
    "delete_by_filter": {"filter": "queue=nothing-here", "confirm_token": "1-0.0", "expected_count": 0, "reason": "test"},
    "bulk_cancel": {"job_ids": [UNSEEN]}, "bulk_retry": {"job_ids": [UNSEEN]},
    "create_schedule": {"name": "n", "every": "1h", "job": {"kind": "noop"}}, "update_schedule": {"name": "n"},
    "restore_jobs": {"job_ids": [UNSEEN]}, "verify_deletion": {"job_ids": [UNSEEN]},
    "export_evidence": {},
    "login": {"token": "quell_0000000000000000_" + "0" * 64},
}
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def start(*flags):
    server = Server("--pool", "default=4", *EXEC, *flags).start()
    server.contract = Contract(server.call("GET", "/openapi.json")[1])
    return server


def filled(path):
    return re.sub(r"\{[^}]+\}", UNSEEN, path)
