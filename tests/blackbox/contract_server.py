"""A server whose every reply is held against its description, and what its routes may be sent."""
import re

from contract import Contract
from product import Server

UNSEEN = "0198c2c0-0000-7000-8000-000000000001"
BODIES = {
    "submit_job": {"kind": "noop"}, "bulk_submit": {"jobs": [{"kind": "noop"}]}, "bulk_delete": {"job_ids": [UNSEEN]},
    "bulk_delete_old": {"job_ids": [UNSEEN]}, "force_deletion": {"reason": "test"}, "patch_pool": {"capacity": 7},
    "create_webhook": {"url": "http://a.example/"}, "update_webhook": {"description": "d"}, "patch_queue": {"limits": {"concurrency": 9}},
    "create_token": {"name": "made", "role": "viewer"}, "put_secret": {"value": "v", "hosts": ["a.example"]},
    "login": {"token": "quell_0000000000000000_" + "0" * 64},
}
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def start(*flags):
    server = Server("--pool", "default=4", *flags).start()
    server.contract = Contract(server.call("GET", "/openapi.json")[1])
    return server


def filled(path):
    return re.sub(r"\{[^}]+\}", UNSEEN, path)
