"""Who may do what: every route for every role, every single scope, nobody, and a token of another project."""
import re
import unittest

from contract import Contract
from product import Server

UNSEEN = "0198c2c0-0000-7000-8000-000000000001"
BODIES = {
    "submit_job": {"kind": "noop", "delay_s": 1000}, "bulk_submit": {"jobs": [{"kind": "noop", "delay_s": 1000}]},
    "bulk_delete": {"job_ids": [UNSEEN]}, "bulk_delete_old": {"job_ids": [UNSEEN]}, "force_deletion": {"reason": "test"},
    "patch_pool": {"capacity": 4}, "freeze_deletions": {"frozen": False, "reason": "test"}, "patch_queue": {"limits": {"concurrency": 9}}, "create_token": {"name": "made", "scopes": ["alerts:write"]},
    "delete_preview": {"filter": "queue=nothing-here"},
    "delete_by_filter": {"filter": "queue=nothing-here", "confirm_token": "1-0.0", "expected_count": 0, "reason": "test"},
    "bulk_cancel": {"job_ids": [UNSEEN]}, "bulk_retry": {"job_ids": [UNSEEN]},
    "update_schedule": {"name": "n"},
    "restore_jobs": {"job_ids": [UNSEEN]}, "verify_deletion": {"job_ids": [UNSEEN]},
    "create_webhook": {"url": "http://a.example/"}, "update_webhook": {"description": "d"}, "put_secret": {"value": "v", "hosts": ["a.example"]},
}

# What a token of another project meets at what is not its own. "empty": an answer in which nothing of ours stands;
# "shared": what belongs to no project and may be read by all. A new route must be put here, or the test fails.
FOREIGN = {
    404: "get_job delete_job cancel_job retry_job job_attempts job_logs job_partials job_result job_deliveries "
         "get_deletion retry_deletion force_deletion revoke_token remove_secret get_webhook update_webhook remove_webhook "
         "rotate_webhook test_webhook webhook_deliveries redeliver_webhook get_operation pause_operation resume_operation "
         "stop_operation operation_outcomes get_schedule update_schedule pause_schedule resume_schedule run_schedule next_fires list_runs "
         "undo_deletion get_archived restore_job",
    202: "delete_schedule delete_task delete_group",  # as of what is gone already
    403: "list_audit list_deletions pause_queue resume_queue close_queue open_queue drain_queue patch_queue patch_pool "
         "follow_events drain_worker stop_worker freeze_deletions list_snapshots diff_snapshots list_alerts ack_alert approve_alert "
         "list_backups make_backup verify_deletion get_retention run_retention report_deletions export_evidence",
    400: "delete_by_filter",  # the preview was not its own
    "empty": "list_schedules pause_group resume_group list_archive restore_jobs list_operations delete_preview bulk_cancel bulk_retry list_jobs count_jobs list_queues get_queue trace_job list_tokens list_secrets list_webhooks bulk_delete bulk_delete_old",
    "own": "create_schedule create_webhook job_webhook_secret submit_job bulk_submit create_token put_secret",
    "shared": "verify_audit list_pools get_pool get_system get_spec list_workers get_worker metrics get_session openapi livez readyz",
    "cookie": "login logout",
}


class RightsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--pool", "default=4").start()
        cls.server.contract = Contract(cls.server.call("GET", "/openapi.json")[1])
        cls.routes = cls.server.call("GET", "/api/v1/spec")[1]["routes"]
        cls.worker = cls.server.call("GET", "/api/v1/workers")[1]["workers"][0]["worker_id"]

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def token(self, project=None, **rights):
        body = {"name": "t", **rights, **({"project": project} if project else {})}
        status, made = self.server.call("POST", "/api/v1/tokens", body)
        self.assertEqual(status, 201, made)
        return made

    def status(self, route, token, ids=None, body=None):
        path = route["path"]
        for name, value in (ids or {}).items():
            path = path.replace("{" + name + "}", value)
        path = re.sub(r"\{[^}]+\}", UNSEEN, path)
        if route["name"] == "follow_events":
            path += f"?job_id={(ids or {}).get('job_id', 'no-id')}"  # no stream to be left open
        return self.server.call(route["method"], path, body or BODIES.get(route["name"]), token=token)

    def holds(self, rights, scopes):
        token = self.token(**rights)
        for route in self.routes:
            if route["scope"] == "open" or route["name"] == "metrics":
                continue  # on loopback everybody may read the metrics
            mine = {"name": "made", "scopes": token["scopes"][:1]} if route["name"] == "create_token" else None
            status, reply = self.status(route, token["token"], body=mine)
            what = (rights, route["name"], status, reply)
            if route["scope"] in scopes:
                self.assertNotIn(status, (401, 403), what)
            else:
                self.assertEqual(status, 403, what)
                self.assertEqual(reply["scope"], route["scope"], what)

    def test_every_role_gets_through_to_its_routes_and_no_other(self):
        held = [set(self.token(role=role)["scopes"]) for role in ("viewer", "operator", "admin")]
        self.assertTrue(held[0] < held[1] < held[2])
        self.assertNotIn("jobs:delete", held[1])
        for role, scopes in zip(("viewer", "operator", "admin"), held):
            self.holds({"role": role}, scopes)

    def test_every_single_scope_gets_through_to_its_routes_and_no_other(self):
        scopes = self.token(role="admin")["scopes"]
        self.assertGreaterEqual(len(scopes), 20)
        for scope in scopes:
            self.holds({"scopes": [scope]}, {scope})

    def test_nobody_gets_through_anywhere(self):
        for route in self.routes:
            if route["scope"] != "open" and route["name"] != "metrics":
                self.assertEqual(self.status(route, None)[0], 401, route)

    def test_a_token_of_another_project_neither_sees_nor_moves_what_is_ours(self):
        marker = "only-blue"
        blue = self.token(role="admin", project="blue")
        job = self.server.call("POST", "/api/v1/jobs", {"kind": "noop", "delay_s": 1000, "project": "blue", "queue": marker, "tags": [marker]})[1]["job_id"]
        gone = self.server.call("POST", "/api/v1/jobs", {"kind": "noop", "delay_s": 1000, "project": "blue"})[1]["job_id"]
        delete = self.server.call("DELETE", f"/api/v1/jobs/{gone}?reason={marker}")[1]["delete_id"]
        self.server.call("PUT", f"/api/v1/secrets/{marker}", {"value": "v", "hosts": ["a.example"], "project": "blue"})
        hook = self.server.call("POST", "/api/v1/webhooks", {"url": f"http://{marker}.example/", "project": "blue"})[1]["webhook_id"]
        timed = {"name": marker, "group": marker, "project": "blue", "every": "1h", "job": {"kind": "noop"}}
        task = self.server.call("POST", "/api/v1/schedules", timed)[1]["task_uuid"]
        red = self.token(role="admin", project="red")["token"]
        ids = {"task_uuid": task, "project_id": "blue", "group": marker, "job_id": job, "delete_id": delete, "token_id": blue["token_id"], "worker_id": self.worker, "webhook_id": hook}
        named = {"get_queue": marker, "get_pool": "default", "patch_pool": "default", "remove_secret": marker}
        wanted = {name: what for what, names in FOREIGN.items() for name in names.split()}
        self.assertEqual(set(wanted), {route["name"] for route in self.routes})
        for route in self.routes:
            want = wanted[route["name"]]
            if want == "cookie":
                continue
            takes_ids = route["name"] in ("bulk_delete", "bulk_delete_old", "bulk_cancel", "bulk_retry", "restore_jobs", "verify_deletion")
            body = {"job_ids": [job]} if takes_ids else {"filter": "queue=" + marker} if route["name"] == "delete_preview" \
                else {**timed, "name": "n", "group": "n", "project": "red"} if route["name"] == "create_schedule" else None
            status, reply = self.status(route, red, {**ids, "name": named.get(route["name"], "default")}, body)
            what = (route["name"], status, reply)
            if route["name"] == "follow_events":
                self.assertEqual(status, 404, what)
            elif isinstance(want, int):
                self.assertEqual(status, want, what)
            else:
                self.assertIn(status, (200, 201, 404) if route["name"] == "get_queue" else (200, 201), what)
            self.assertNotIn(marker if route["name"] != "get_queue" else '"queued": 1', str(reply).replace(route["path"], ""), what) \
                if want != "shared" and status < 400 else None
        self.assertEqual(self.server.status_of(job), "scheduled", "our job is as it was")
        self.assertEqual(self.server.call("GET", f"/api/v1/schedules/{task}")[1]["status"], "ACTIVE")
        self.assertEqual(self.server.call("GET", "/api/v1/queues/" + marker)[1]["paused"], False)
        self.assertEqual(self.server.call("GET", "/api/v1/jobs", token=blue["token"])[0], 200)
        self.assertIn(marker, str(self.server.call("GET", "/api/v1/secrets")[1]))

    def test_a_dry_run_shows_nothing_of_another_project(self):
        job = self.server.submit("noop", {}, project="blue", delay_s=1000)
        red = self.token(role="admin", project="red")["token"]
        _, reply = self.server.call("POST", "/api/v1/jobs/bulk-delete", {"job_ids": [job], "validate_only": True}, token=red)
        self.assertEqual(reply["outcomes"], [{"job_id": job, "outcome": "not_found"}])
        status, _ = self.server.call("DELETE", f"/api/v1/jobs/{job}?validate_only=true", token=red)
        self.assertEqual(status, 404)

    def test_a_tombstone_says_to_other_projects_only_that_the_job_is_gone(self):
        job = self.server.submit("noop", {}, project="blue", delay_s=1000)
        self.server.call("DELETE", f"/api/v1/jobs/{job}?reason=only-ours")
        red = self.token(role="viewer", project="red")["token"]
        status, reply = self.server.call("GET", f"/api/v1/jobs/{job}", token=red)
        self.assertEqual((status, reply["deleted_by"], reply["tombstone"]["reason"]), (410, None, None))
        _, reply = self.server.call("GET", f"/api/v1/jobs/{job}")
        self.assertEqual((reply["deleted_by"], reply["tombstone"]["reason"]), ("token:admin#" + self.server.token.split("_")[1], "only-ours"))

    def test_a_token_of_one_project_follows_its_own_deletes(self):
        blue = self.server.call("POST", "/api/v1/tokens", {"name": "blue-ci", "role": "admin", "project": "blue"})[1]["token"]
        job = self.server.call("POST", "/api/v1/jobs", {"kind": "noop", "delay_s": 1000}, token=blue)[1]["job_id"]
        delete = self.server.call("DELETE", f"/api/v1/jobs/{job}", token=blue)[1]["delete_id"]
        self.assertEqual(self.server.call("GET", f"/api/v1/deletions/{delete}", token=blue)[0], 200)
        red = self.token(role="admin", project="red")["token"]
        self.assertEqual(self.server.call("GET", f"/api/v1/deletions/{delete}", token=red)[0], 404)


if __name__ == "__main__":
    unittest.main()
