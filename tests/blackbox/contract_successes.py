"""Each route's success and what is refused beside it, as one client meets them. Run by contract_test, which looks at what was
seen in the end."""
import http.server
import json
import re
import tempfile
import threading

from contract_server import UNSEEN, start
from golden import golden, masked
from product import until


class Receiver:
    """Answers every call with 200."""

    def __enter__(self):
        class Good(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Good)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Successes:
    maxDiff = None

    def test_3_submit(self):
        ask = self.ask
        jobs = "/api/v1/jobs"
        one = ask("POST", jobs, {"kind": "noop", "unique_key": "u", "delay_s": 1000, "tags": ["a"], "webhook": "http://a.example/"}, 201)
        ask("GET", f"{jobs}/{one['job_id']}", expect=200)
        ask("POST", jobs, {"kind": "noop", "unique_key": "u"}, 409, "unique-conflict")
        ask("POST", jobs, {"kind": "noop", "job_id": one["job_id"]}, 409, "job-id-taken")
        ask("POST", jobs, {"kind": "nonsense"}, 422, "unknown-kind")
        ask("POST", jobs, {"kind": "noop", "priority": 10}, 400, "invalid-field")
        ask("POST", jobs + "/bulk", {}, 405, "method-not-allowed")
        key = {"Idempotency-Key": "contract"}
        first = ask("POST", jobs, {"kind": "noop"}, 201, headers=key)
        self.assertEqual(ask("POST", jobs, {"kind": "noop"}, 201, headers=key)["job_id"], first["job_id"])
        ask("POST", jobs, {"kind": "sleep", "args": {"seconds": 0}}, 422, "idempotency-key-reused", headers=key)
        ask("DELETE", f"{jobs}/{first['job_id']}", None, 200)
        self.assertEqual(ask("POST", jobs, {"kind": "noop"}, 410, "job-deleted", headers=key)["job_id"], first["job_id"])
        many = f"{jobs}/bulk-submit"
        ask("POST", many, {"jobs": [{"kind": "noop"}, {"kind": "noop", "unique_key": "u"}]}, 201)
        several = ask("POST", many, {"jobs": [{"kind": "noop"}]}, 201, headers={"Idempotency-Key": "many"})
        ask("DELETE", f"{jobs}/{several['job_ids'][0]}", None, 200)
        again = ask("POST", many, {"jobs": [{"kind": "noop"}]}, 201, headers={"Idempotency-Key": "many"})
        self.assertEqual((again["stored"], again["conflicts"]), (0, [{"index": 0, "code": "job-deleted"}]))
        ask("POST", many, {"jobs": [{"kind": "noop"}, {"kind": "noop"}]}, 422, "idempotency-key-reused", headers={"Idempotency-Key": "many"})
        ask("POST", many, {"jobs": [{"kind": "nonsense"}]}, 422, "unknown-kind")
        ask("POST", many, {"jobs": []}, 400, "invalid-field")
        ask("POST", "/api/v1/queues/shut/close", {}, 200)
        ask("POST", jobs, {"kind": "noop", "queue": "shut"}, 409, "queue-closed")
        ask("POST", many, {"jobs": [{"kind": "noop", "queue": "shut"}]}, 409, "queue-closed")
        ask("POST", "/api/v1/queues/shut/open", {}, 200)

    def test_3_read(self):
        ask = self.ask
        done = self.server.submit("noop", {})
        bad = self.server.submit("http", {"url": "http://127.0.0.1:9/"})
        slow = self.server.submit("sleep", {"seconds": 600})
        until(lambda: self.server.status_of(slow) == "running")
        for job in (done, bad):
            ask("GET", f"/api/v1/jobs/{job}?wait_for=final&timeout=30", expect=200)
        for job in (done, bad, slow):
            path = f"/api/v1/jobs/{job}"
            for part in ("", "?fields=status,job_id,nonsense", "/attempts", "/logs", "/logs?limit=1&after=0", "/partials", "/deliveries"):
                ask("GET", path + part, expect=200)
            ask("HEAD", path, expect=200)
        etag = ask("GET", f"/api/v1/jobs/{done}", expect=200)["etag"]
        ask("GET", f"/api/v1/jobs/{done}", expect=304, headers={"If-None-Match": etag})
        ask("GET", f"/api/v1/jobs/{done}/result", expect=200)
        ask("GET", f"/api/v1/jobs/{bad}/result", expect=200)
        ask("GET", f"/api/v1/jobs/{slow}/result", expect=409, code="state-conflict")
        ask("GET", f"/api/v1/jobs/{done}?wait_for=nonsense", expect=400, code="invalid-field")
        page = ask("GET", "/api/v1/jobs?page_size=1", expect=200)
        token = page["next_page_token"]
        ask("GET", f"/api/v1/jobs?page_size=1&page_token={token}", expect=200)
        ask("GET", f"/api/v1/jobs?status=running&page_token={token}", expect=400, code="invalid-page-token")
        ask("GET", "/api/v1/jobs?filter=status%3Drunning%20AND%20queue%3Ddefault&fields=job_id", expect=200)
        ask("GET", "/api/v1/jobs?filter=(", expect=400, code="invalid-filter")
        ask("GET", "/api/v1/jobs?page_size=-1", expect=400, code="invalid-field")
        for group in ("", "?group_by=status", "?group_by=queue", "?group_by=status,queue"):
            ask("GET", "/api/v1/jobs/counts" + group, expect=200)
        ask("GET", "/api/v1/jobs/counts?group_by=moon", expect=400, code="invalid-field")
        ask("DELETE", f"/api/v1/jobs/{slow}", expect=200)

    def test_3_settings_change_only_as_they_were_read(self):
        for path, first, second in (("/api/v1/queues/tagged", {"limits": {"concurrency": 3}}, {"limits": {"concurrency": 4}}),
                                    ("/api/v1/pools/default", {"capacity": 5}, {"capacity": 4})):
            def tag():
                status, fields, _ = self.server.exchange("GET", path)
                self.assertEqual(status, 200)
                return fields["etag"]

            def patch(body, if_match, expect, code=None):
                self.ask("PATCH", path, body, expect, code, headers={"If-Match": if_match})

            self.ask("PATCH", path, first, 200)
            read = tag()
            self.assertRegex(read, r'^"[0-9]+"$')
            patch(second, read, 200)
            self.assertNotEqual(tag(), read)
            patch(first, read, 412, "etag-mismatch")
            status, fields, _ = self.server.exchange("PATCH", path, first, headers={"If-Match": read})
            self.assertEqual((status, fields["etag"]), (412, tag()), "the refusal names the version there is")
            shown = self.ask("GET", path, expect=200)
            self.assertEqual({name: shown[name] for name in second}, second, "what was refused changed nothing")
            for nonsense in ("3", 'W/"3"', '"x"', '"03"', '""'):
                patch(first, nonsense, 412, "etag-mismatch")
            patch(first, '"1", "2"', 400, "invalid-field")
            patch(second, "*", 200)

    def test_3_steer(self):
        ask = self.ask
        waits = ask("POST", "/api/v1/jobs", {"kind": "noop", "delay_s": 1000, "unique_key": "s"}, 201)["job_id"]
        ask("POST", f"/api/v1/jobs/{waits}/cancel", {"reason": "test"}, 200)
        again = ask("POST", "/api/v1/jobs", {"kind": "noop", "delay_s": 1000, "unique_key": "s"}, 201)["job_id"]
        ask("POST", f"/api/v1/jobs/{waits}/retry", {}, 409)
        ask("POST", f"/api/v1/jobs/{waits}/cancel", {}, 409, "state-conflict")
        ask("POST", f"/api/v1/jobs/{again}/retry", {}, 200)
        slow = self.server.submit("sleep", {"seconds": 600})
        until(lambda: self.server.status_of(slow) == "running")
        ask("POST", f"/api/v1/jobs/{slow}/retry", {}, 409, "state-conflict")
        ask("POST", f"/api/v1/jobs/{slow}/cancel", {}, 202)
        ask("POST", f"/api/v1/jobs/{UNSEEN}/cancel", {}, 404, "job-not-found")
        ask("POST", f"/api/v1/jobs/{UNSEEN}/retry", {}, 404, "job-not-found")
        gone = self.server.submit("noop", {}, delay_s=1000)
        ask("DELETE", f"/api/v1/jobs/{gone}", expect=200)
        for part in ("", "/attempts", "/logs", "/partials", "/result", "/deliveries"):
            ask("GET", f"/api/v1/jobs/{gone}{part}", expect=410, code="job-deleted")
        for verb in ("cancel", "retry"):
            ask("POST", f"/api/v1/jobs/{gone}/{verb}", {}, 410, "job-deleted")

    def test_3_delete(self):
        ask = self.ask
        submit = self.server.submit
        slow, waits, safe = submit("sleep", {"seconds": 600}), submit("noop", {}, delay_s=1000), submit("noop", {}, protected=True)
        until(lambda: self.server.status_of(slow) == "running")
        ask("DELETE", f"/api/v1/jobs/{slow}?validate_only=true", expect=200)
        ask("DELETE", f"/api/v1/jobs/{slow}?reason=test&wait=10", expect=200)
        ask("DELETE", f"/api/v1/jobs/{slow}", expect=200)
        ask("DELETE", f"/api/v1/jobs/{waits}", {"reason": "a body is fine", "archive": False}, 200)
        ask("DELETE", f"/api/v1/jobs/{safe}", expect=409, code="protected")
        ask("DELETE", f"/api/v1/jobs/{UNSEEN}", expect=404, code="job-not-found")
        ask("DELETE", f"/api/v1/jobs/{UNSEEN}?allow_missing=true", expect=200)
        ask("DELETE", f"/api/v1/jobs/{UNSEEN}?wait=31", expect=400, code="invalid-field")
        mixed = [submit("sleep", {"seconds": 600}), submit("noop", {}, delay_s=1000), slow, UNSEEN, safe]
        until(lambda: self.server.status_of(mixed[0]) == "running")
        reply = ask("POST", "/api/v1/jobs/bulk-delete?proof=full", {"job_ids": mixed + mixed[:1], "reason": "test", "wait": 10}, 200)
        self.assertEqual([o["outcome"] for o in reply["outcomes"]], ["deleted", "deleted", "already_gone", "not_found", "failed"])
        counts = reply["counts"]
        self.assertEqual(counts["distinct"], counts["deleted"] + counts["already_gone"] + counts["pending"] + counts["failed"])
        ask("POST", "/api/v1/jobs/bulk-delete?outcomes=failed", {"job_ids": mixed}, 200)
        ask("POST", "/api/v1/jobs/bulk-delete", {"job_ids": mixed, "validate_only": True}, 200)
        ask("DELETE", "/api/v1/jobs/bulk", {"job_ids": mixed, "nonsense": 1}, 200)
        for method, path in (("POST", "bulk-delete"), ("DELETE", "bulk")):
            ask(method, f"/api/v1/jobs/{path}", {"job_ids": []}, 400, "invalid-field")
            ask(method, f"/api/v1/jobs/{path}", {"job_ids": ["x"]}, 400, "invalid-field")
            ask(method, f"/api/v1/jobs/{path}", {"job_ids": [UNSEEN] * 1001}, 413, "too-many-ids")
        call = f"/api/v1/deletions/{reply['delete_id']}"
        ask("GET", call, expect=200)
        ask("GET", "/api/v1/deletions", expect=200)
        page = ask("GET", "/api/v1/deletions?page_size=1", expect=200)
        ask("GET", f"/api/v1/deletions?page_size=1&page_token={page['next_page_token']}", expect=200)
        ask("GET", "/api/v1/deletions?page_token=x", expect=400, code="invalid-page-token")
        ask("GET", "/api/v1/deletions?state=PENDING_DELETE,DELETE_FAILED", expect=200)
        ask("GET", "/api/v1/deletions?state=nonsense", expect=400, code="invalid-field")
        gone = reply["outcomes"][0]["job_id"]
        for id in (gone, reply["delete_id"], UNSEEN):
            ask("GET", f"/api/v1/jobs/{id}/trace", expect=200)
        ask("GET", "/api/v1/jobs/no-id/trace", expect=404, code="job-not-found")
        for by in ("who", "path", "queue", "kind"):
            ask("GET", f"/api/v1/deletions/report?by={by}", expect=200)
        ask("GET", "/api/v1/deletions/report?by=nonsense", expect=400, code="invalid-field")
        ask("POST", "/api/v1/evidence", {}, 200)
        ask("POST", "/api/v1/evidence", {"since": "x"}, 400, "invalid-field")
        for verb, body in (("retry", {}), ("force", {"reason": "test"})):
            ask("POST", f"/api/v1/deletions/{UNSEEN}/{verb}", body, 404, "resource-not-found")
        ask("POST", f"{call}/force", {"reason": ""}, 400, "invalid-field")

    def test_3_the_old_bulk_delete_answers_byte_by_byte_as_before(self):
        submit = self.server.submit
        running, waits, done = submit("sleep", {"seconds": 600}), submit("noop", {}, delay_s=1000), submit("noop", {})
        gone, safe = submit("noop", {}, delay_s=1000), submit("noop", {}, delay_s=1000, protected=True)
        stubborn = self.server.deaf()
        self.ask("DELETE", f"/api/v1/jobs/{gone}", expect=200)
        until(lambda: [self.server.status_of(job) for job in (running, done, stubborn)] == ["running", "succeeded", "running"])
        old = {"redis": True, "terminate": "SIGKILL", "nested": {"any": ["thing"]}}  # fields that old clients send
        ids = [running, waits, done, gone, UNSEEN, safe, running]
        text = []
        for body in ({"job_ids": ids, "validate_only": True}, {"job_ids": ids, "wait": 30}, {"job_ids": ids}, {"job_ids": [waits]},
                     {"job_ids": [stubborn], "wait": 0}):
            status, fields, reply = self.server.exchange("DELETE", "/api/v1/jobs/bulk", {**body, **old})
            self.contract.check("DELETE", "/api/v1/jobs/bulk", status, fields, reply)
            five = {name: json.loads(reply)[name] for name in ("success", "deleted_count", "tasks_revoked", "redis_removed", "message")}
            # What rested and had a holder for a moment is told to stop, in vain.
            reply = re.sub(rb'"was":"(succeeded|scheduled)","verdict":"stopped"', rb'"was":"\1","verdict":"not_running"', reply)
            text.append(f"{status}\n{masked(reply.decode())}\n{json.dumps(five)}\n")
        self.assertEqual("\n".join(text), golden("old_bulk_delete.txt", "\n".join(text)))
        until(lambda: self.server.status_of(stubborn) == "deleted")

    def test_3_archive(self):
        ask, submit = self.ask, self.server.submit
        kept, other = (submit("noop", {}, delay_s=1000, unique_key=f"archive{n}") for n in range(2))
        reply = ask("POST", "/api/v1/jobs/bulk-delete", {"job_ids": [kept, other], "archive_days": 2}, 200)
        ask("GET", f"/api/v1/archive?delete_id={reply['delete_id']}", expect=200)
        page = ask("GET", "/api/v1/archive?page_size=1&filter=status%3Dscheduled", expect=200)
        ask("GET", f"/api/v1/archive?page_size=1&filter=status%3Dscheduled&page_token={page['next_page_token']}", expect=200)
        ask("GET", "/api/v1/archive?page_token=x", expect=400, code="invalid-page-token")
        ask("GET", "/api/v1/archive?filter=tags%3Aa", expect=400, code="invalid-filter")
        ask("GET", "/api/v1/archive?delete_id=x", expect=400, code="invalid-field")
        ask("GET", f"/api/v1/archive/{kept}", expect=200)
        ask("GET", f"/api/v1/archive/{UNSEEN}", expect=404, code="resource-not-found")
        ask("POST", "/api/v1/verify", {"job_ids": [kept, other]}, 200)
        ask("POST", "/api/v1/verify", {"receipt": reply["receipt"]}, 200)
        ask("POST", "/api/v1/verify", {"delete_id": UNSEEN}, 404, "resource-not-found")
        ask("POST", "/api/v1/verify", {}, 400, "invalid-field")
        ask("POST", f"/api/v1/archive/{kept}/restore", {}, 200)
        ask("POST", f"/api/v1/archive/{kept}/restore", {}, 404, "resource-not-found")
        submit("noop", {}, delay_s=1000, unique_key="archive1")
        ask("POST", f"/api/v1/archive/{other}/restore", {}, 409, "unique-conflict")
        ask("POST", "/api/v1/archive/restore", {"job_ids": [kept, other]}, 200)
        ask("POST", "/api/v1/archive/restore", {"job_ids": []}, 400, "invalid-field")
        ask("POST", "/api/v1/archive/restore", {"filter": "tags:a", "expected_count": 1}, 400, "invalid-filter")
        ask("POST", "/api/v1/archive/restore", {"filter": "queue=nothing-here", "expected_count": 7}, 409, "preview-stale")
        ask("POST", "/api/v1/archive/restore", {"job_ids": [UNSEEN] * 1001}, 413, "too-many-ids")
        ask("POST", f"/api/v1/deletions/{reply['delete_id']}/undo", {"drop_key": True}, 200)
        ask("POST", f"/api/v1/deletions/{reply['delete_id']}/undo", {}, 404, "resource-not-found")
        ask("POST", f"/api/v1/deletions/{UNSEEN}/undo", {}, 404, "resource-not-found")

    def test_3_backups(self):
        self.ask("POST", "/api/v1/backups", expect=404, code="resource-not-found")  # nowhere to
        with tempfile.TemporaryDirectory(prefix="quell-contract-") as folder:
            server = start("--backup-dir", folder, "--backup-every-s", "0")
            try:
                status, begun = server.call("POST", "/api/v1/backups")
                self.assertEqual(status, 202, begun)
                until(lambda: server.call("GET", "/api/v1/backups")[1]["last"], 60, "a backup")
                self.assertEqual(server.call("GET", "/api/v1/backups")[1]["backups"][0]["backup_id"], begun["backup_id"])
                self.contract.seen |= server.contract.seen
            finally:
                server.remove()

    def test_3_retention(self):
        ask = self.ask
        ask("GET", "/api/v1/retention", expect=200)
        ask("POST", "/api/v1/retention/run", {"validate_only": True}, 200)
        ask("POST", "/api/v1/retention/run", {"confirm_count": 5}, 200)
        ask("POST", "/api/v1/retention/run", {"confirm_count": 0}, 400, "invalid-field")

    def test_3_delete_that_waits(self):
        """A program that ignores SIGTERM holds its slot for a moment: long enough to be told so."""
        ask = self.ask
        one, fields = self.leaving()
        self.assertEqual(one["status"], "PENDING_DELETE")
        self.assertTrue(one["steps"]["mark"], "what is accepted is on disk")
        self.assertEqual(fields["retry-after"], "1")
        self.assertEqual(fields["location"], f"/api/v1/deletions/{one['delete_id']}")
        ask("GET", fields["location"], expect=200)
        for method, path, body, code in (
                ("POST", "/api/v1/jobs/{job_id}/cancel", {}, "deletion-in-progress"),
                ("POST", "/api/v1/jobs/{job_id}/retry", {}, "deletion-in-progress"),
                ("GET", "/api/v1/jobs/{job_id}", None, 200),
                ("GET", "/api/v1/deletions/{delete_id}", None, 200),
                ("POST", "/api/v1/jobs/bulk-delete", {"job_ids": None, "wait": 0}, 202),
                ("DELETE", "/api/v1/jobs/bulk", {"job_ids": None, "wait": 0}, 202),
                ("POST", "/api/v1/deletions/{delete_id}/retry?wait=0", {}, 202)):
            self.while_leaving(method, path, body, code)
        left, _ = self.leaving()
        ask("POST", f"/api/v1/deletions/{left['delete_id']}/force", {"reason": "test"})  # 200, or 202 with what is left
        until(lambda: self.server.status_of(one["job_id"]) == "deleted")
        ask("POST", f"/api/v1/deletions/{one['delete_id']}/retry?wait=0", {}, 200)

    def leaving(self):
        """The reply to a delete that does not wait, of a run that does not end at once."""
        job = self.server.deaf()
        until(lambda: self.server.status_of(job) == "running")
        status, fields, text = self.server.exchange("DELETE", f"/api/v1/jobs/{job}?wait=0")
        self.assertEqual(status, 202, text)
        return self.contract.check("DELETE", f"/api/v1/jobs/{job}", status, fields, text), fields

    def while_leaving(self, method, path, body, wanted):
        """Asks until the answer came in time; how long a run takes to be killed is not ours to say."""
        for _ in range(50):
            left, _ = self.leaving()
            if body and "job_ids" in body:
                body = {**body, "job_ids": [left["job_id"]]}
            status, reply = self.server.call(method, path.format(**left), body)
            if wanted in (status, reply.get("code")):
                return
        self.fail(f"{method} {path}: {status} {reply}")

    def previewed(self, server, text, verb="delete", **more):
        status, seen = server.call("POST", "/api/v1/jobs/delete-preview", {"filter": text, "verb": verb})
        self.assertEqual(status, 200, seen)
        return {"filter": text, "confirm_token": seen["confirm_token"], "expected_count": seen["total"], "reason": "test", **more}

    def test_3_operations(self):
        ask = self.ask
        jobs = "/api/v1/jobs"
        ids = [self.server.submit("noop", {}, delay_s=1000, queue="many") for _ in range(5)]
        paths = {"delete": f"{jobs}/delete-by-filter", "cancel": f"{jobs}/bulk-cancel", "retry": f"{jobs}/bulk-retry"}
        for verb, path in paths.items():
            ask("POST", path, {**self.previewed(self.server, "queue=many", verb), "filter": "no filter"}, 400, "invalid-filter")
            ask("POST", path, {**self.previewed(self.server, "queue=many", verb), "expected_count": -1}, 400, "invalid-field")
            ask("POST", path, {**self.previewed(self.server, "queue=many", verb), "confirm_token": "x"}, 400, "invalid-field")
        ask("POST", f"{jobs}/delete-preview", {"filter": "nothing"}, 400, "invalid-filter")
        ask("POST", f"{jobs}/delete-preview", {"filter": "queue=many", "verb": "x"}, 400, "invalid-field")
        for path in (paths["cancel"], paths["retry"]):
            ask("POST", path, {"job_ids": [UNSEEN] * 1001}, 413, "too-many-ids")
            ask("POST", path, {"job_ids": []}, 400, "invalid-field")
        stale = {verb: self.previewed(self.server, "queue=many AND status=cancelled", verb) for verb in paths}
        queued = self.previewed(self.server, "queue=many AND status=queued", "cancel")
        ask("POST", paths["cancel"], {"job_ids": [*ids[:2], UNSEEN]}, 200)
        for verb in ("delete", "retry"):
            ask("POST", paths[verb], stale[verb], 409, "preview-stale")
        self.server.call("POST", "/api/v1/queues/many/pause")
        ask("POST", paths["retry"], {"job_ids": [ids[0], UNSEEN]}, 200)
        ask("POST", paths["cancel"], queued, 409, "preview-stale")
        ask("POST", paths["delete"], self.previewed(self.server, "queue=many", validate_only=True), 200)
        retried = ask("POST", paths["retry"], self.previewed(self.server, "queue=many AND status=cancelled", "retry"), 202)
        slow = ask("POST", paths["delete"], self.previewed(self.server, "queue=many", max_per_second=1), 202)
        operation = f"/api/v1/operations/{slow['operation_id']}"
        ask("GET", "/api/v1/operations", expect=200)
        ask("GET", "/api/v1/operations?state=nonsense", expect=400, code="invalid-field")
        ask("GET", operation, expect=200)
        ask("POST", f"{operation}/pause", {}, 202)
        freeze = "/api/v1/system/freeze"
        ask("POST", freeze, {"frozen": True, "reason": "contract"}, 200)
        ask("GET", "/api/v1/system", expect=200)
        ask("POST", f"{operation}/resume", {}, 423, "deletions-frozen")
        ask("POST", freeze, {"frozen": False, "reason": "contract"}, 200)
        ask("POST", f"{operation}/resume", {}, 202)
        ask("POST", f"{operation}/stop", {}, 202)
        until(lambda: ask("GET", operation, expect=200)["state"] in ("stopped", "done"))
        for verb in ("pause", "resume", "stop"):
            ask("POST", f"{operation}/{verb}", {}, 409, "state-conflict")
            ask("POST", f"/api/v1/operations/{UNSEEN}/{verb}", {}, 404, "resource-not-found")
        for one in (operation, f"/api/v1/operations/{retried['operation_id']}"):
            until(lambda: ask("GET", one, expect=200)["ended"])
            page = ask("GET", f"{one}/outcomes?page_size=1", expect=200)
            ask("GET", f"{one}/outcomes?page_token={page['next_page_token']}", expect=200)
        ask("GET", f"{operation}/outcomes?page_token=x", expect=400, code="invalid-page-token")
        runs = self.server.submit("sleep", {"seconds": 600})
        until(lambda: self.server.status_of(runs) == "running")
        ask("POST", paths["cancel"], {"job_ids": [runs]}, 202)
        runs = self.server.submit("sleep", {"seconds": 600}, queue="many-more")
        ask("POST", paths["cancel"], self.previewed(self.server, "queue=many-more", "cancel"), 202)

    def test_4_a_delete_that_is_held(self):
        server = start("--spike-hold", "--spike-jobs", "2", "--spike-calls", "1", "--spike-share-percent", "100")
        ask = server.call
        try:
            ids = [server.submit("noop", {}, delay_s=1000) for _ in range(9)]
            status, held = ask("POST", "/api/v1/jobs/bulk-delete", {"job_ids": ids[:3]})
            self.assertEqual((status, held["code"]), (409, "deletion-hold"), held)
            status, old = ask("DELETE", "/api/v1/jobs/bulk", {"job_ids": ids[:3]})
            self.assertEqual((status, old["code"]), (409, "deletion-hold"), old)
            status, by_filter = ask("POST", "/api/v1/jobs/delete-by-filter", self.previewed(server, "queue=default"))
            self.assertEqual((status, by_filter["code"]), (409, "deletion-hold"), by_filter)
            alerts = "/api/v1/alerts/"
            self.assertEqual(ask("GET", "/api/v1/alerts")[0], 200)
            self.assertEqual(ask("GET", "/api/v1/alerts?state=nonsense")[0], 400)
            ask("POST", "/api/v1/system/freeze", {"frozen": True, "reason": "contract"})
            self.assertEqual(ask("POST", alerts + held["alert_id"] + "/approve")[0], 423)
            ask("POST", "/api/v1/system/freeze", {"frozen": False, "reason": "contract"})
            self.assertEqual(ask("POST", alerts + held["alert_id"] + "/approve")[0], 200)
            self.assertEqual(ask("POST", alerts + held["alert_id"] + "/approve")[0], 409)
            self.assertEqual(ask("POST", alerts + old["alert_id"] + "/ack")[0], 200)
            self.assertEqual(ask("POST", alerts + old["alert_id"] + "/ack")[0], 409)
            self.assertEqual(ask("POST", alerts + by_filter["alert_id"] + "/approve")[0], 202)
            schedule = ask("POST", "/api/v1/schedules", {"name": "x", "group": "held", "every": 9999, "job": {"kind": "noop"}})[1]["task_uuid"]
            self.assertEqual([ask("POST", f"/api/v1/schedules/{schedule}/run-now")[0] for _ in range(3)], [201] * 3)
            for path in (f"schedules/{schedule}", f"projects/default/tasks/{schedule}", "schedule-groups/held"):
                status, group = ask("DELETE", f"/api/v1/{path}")
                self.assertEqual((status, group["code"]), (409, "deletion-hold"), group)
            self.assertEqual(ask("POST", alerts + group["alert_id"] + "/approve")[0], 202)
            for act in ("ack", "approve"):
                self.assertEqual(ask("POST", alerts + UNSEEN + "/" + act)[0], 404)
            one = until(lambda: next((reply for reply in [ask("DELETE", f"/api/v1/jobs/{UNSEEN}")] if reply[0] == 409), None))
            self.assertEqual(one[1]["code"], "deletion-hold")
            self.contract.seen |= server.contract.seen
        finally:
            server.remove()

    def test_3_snapshots(self):
        self.ask("GET", "/api/v1/snapshots", expect=200)
        self.ask("GET", "/api/v1/snapshots/diff?from=never&to=never", expect=404, code="resource-not-found")
        server = start("--sentinel-every-s", "1")
        try:
            until(lambda: len(server.call("GET", "/api/v1/snapshots")[1]["snapshots"]) >= 2, 60, "two snapshots")
            self.assertEqual(server.call("GET", "/api/v1/snapshots/diff")[0], 200)
            self.contract.seen |= server.contract.seen
        finally:
            server.remove()

    def test_3_webhooks(self):
        ask = self.ask
        hooks = "/api/v1/webhooks"
        with Receiver() as receiver:
            hook = ask("POST", hooks, {"url": receiver.url, "events": ["job.failed"], "description": "d"}, 201)
            one = f"{hooks}/{hook['webhook_id']}"
            ask("POST", hooks, {"url": "file:///etc/passwd"}, 400, "invalid-field")
            ask("GET", hooks, expect=200)
            ask("GET", f"{hooks}/job-secret", expect=200)
            ask("GET", one, expect=200)
            ask("PATCH", one, {"enabled": False}, 200)
            ask("POST", f"{one}/test", {}, 409, "state-conflict")
            ask("PATCH", one, {"enabled": True, "events": []}, 200)
            ask("POST", f"{one}/rotate-secret", {}, 200)
            sent = ask("POST", f"{one}/test", {}, 202)["delivery_id"]
            until(lambda: self.delivery(one, sent)["tries"] > 0 and not self.delivery(one, sent)["in_flight"])
            ask("GET", f"{one}/deliveries?limit=1", expect=200)
            ask("GET", f"{one}/deliveries?before={sent}", expect=200)
            ask("POST", f"/api/v1/deliveries/{sent}/redeliver", {}, 202)
        # Now nobody listens there: what is sent waits to be sent again.
        waits = ask("POST", f"{one}/test", {}, 202)["delivery_id"]
        until(lambda: self.delivery(one, waits)["tries"] > 0 and not self.delivery(one, waits)["in_flight"])
        ask("POST", f"/api/v1/deliveries/{waits}/redeliver", {}, 409, "state-conflict")
        red = ask("POST", "/api/v1/tokens", {"name": "r", "role": "admin", "project": "red"}, 201)["token"]
        ask("GET", f"{hooks}/job-secret?project=blue", expect=404, code="resource-not-found", token=red)
        ask("POST", hooks, {"url": "http://a.example/", "project": "blue"}, 403, "forbidden", token=red)
        ask("DELETE", one, expect=200)
        for method, path, body in (("PATCH", "", {}), ("DELETE", "", {}), ("POST", "/rotate-secret", {}), ("POST", "/test", {})):
            ask(method, one + path, body, 404, "resource-not-found")
        ask("POST", f"/api/v1/deliveries/{UNSEEN}/redeliver", {}, 404, "resource-not-found")

    def test_3_schedules(self):
        ask = self.ask
        path, job = "/api/v1/schedules", {"kind": "noop"}
        made = ask("POST", path, {"name": "n", "cron": "0 3 * * *", "group": "g", "job": job}, 201)
        one = f"{path}/{made['task_uuid']}"
        key = {"Idempotency-Key": "schedule"}
        again = [ask("POST", path, {"name": "k", "every": 60, "job": job}, 201, headers=key)["task_uuid"] for _ in range(2)]
        self.assertEqual(again[0], again[1])
        ask("POST", path, {"name": "k", "every": 61, "job": job}, 422, "idempotency-key-reused", headers=key)
        ask("DELETE", f"{path}/{again[0]}?wait=20", None, 200)
        ask("POST", path, {"name": "k", "every": 60, "job": job}, 404, "resource-not-found", headers=key)
        ask("POST", path, {"name": "n", "task_uuid": made["task_uuid"], "every": 60, "job": job}, 409, "state-conflict")
        ask("POST", path, {"name": "n", "cron": "61 * * * *", "job": job}, 400, "invalid-cron")
        ask("POST", path, {"name": "n", "every": 60, "job": {"kind": "nonsense"}}, 422, "unknown-kind")
        ask("GET", f"{path}?page_size=1&group=g", expect=200)
        ask("GET", f"{path}?page_token=x", expect=400, code="invalid-page-token")
        ask("GET", one, expect=200)
        ask("PATCH", one, {"every": "15m"}, 200)
        for method, tail, body in (("PATCH", "", {"name": "m"}), ("POST", "/pause", {}), ("POST", "/resume", {})):
            ask(method, one + tail, body, 412, "etag-mismatch", headers={"If-Match": '"77"'})
        for method, target in (("POST", f"{one}/run-now"), ("DELETE", one), ("DELETE", f"/api/v1/projects/default/tasks/{made['task_uuid']}")):
            ask(method, target, None, 412, "etag-mismatch", headers={"If-Match": '"77"'})
        ask("POST", path, {"name": "n", "at": "2020-01-01T00:00:00Z", "job": job}, 400, "invalid-field")
        ask("PATCH", one, {"cron": "nonsense"}, 400, "invalid-cron")
        ask("PATCH", one, {"job": {"kind": "nonsense"}}, 422, "unknown-kind")
        ask("POST", f"{one}/pause", {}, 200)
        ask("POST", f"{one}/resume", {}, 200)
        ask("PATCH", one, {"job": {"kind": "sleep", "args": {"seconds": 600}, "unique_key": "only"}}, 200)
        ask("POST", f"{one}/run-now", {}, 201)
        ask("POST", f"{one}/run-now", {}, 409, "unique-conflict")
        ask("GET", f"{one}/next?count=2", expect=200)
        ask("GET", f"{one}/runs", expect=200)
        ask("GET", f"{one}/runs?page_token=x", expect=400, code="invalid-page-token")
        for method, tail, body in (("GET", "", None), ("PATCH", "", {"name": "m"}), ("POST", "/pause", {}), ("POST", "/resume", {}),
                                   ("POST", "/run-now", {}), ("GET", "/next", None), ("GET", "/runs", None)):
            ask(method, f"{path}/{UNSEEN}{tail}", body, 404, "resource-not-found")
        ask("POST", "/api/v1/schedule-groups/g/pause", {}, 200)
        ask("POST", "/api/v1/schedule-groups/g/resume", {}, 200)
        ask("DELETE", "/api/v1/schedule-groups/g?validate_only=true", None, 200)
        shut = ask("POST", path, {"name": "n", "every": 3600, "job": {**job, "queue": "shut"}}, 201)["task_uuid"]
        ask("POST", "/api/v1/queues/shut/close", {}, 200)
        ask("POST", f"{path}/{shut}/run-now", {}, 409, "queue-closed")
        ask("DELETE", f"{one}?validate_only=true", None, 200)
        ask("DELETE", f"{one}?wait=20", None, 200)
        ask("DELETE", one, None, 202)
        other = ask("POST", path, {"name": "n", "every": 60, "job": job}, 201)["task_uuid"]
        ask("DELETE", f"/api/v1/projects/default/tasks/{other}?wait=20", None, 200)
        ask("DELETE", f"/api/v1/projects/default/tasks/{other}", None, 202)
        held = ask("POST", path, {"name": "n", "every": 3600, "job": {**job, "protected": True}}, 201)["task_uuid"]
        ask("POST", f"{path}/{held}/run-now", {}, 201)
        ask("DELETE", f"{path}/{held}", None, 202)
        for method, tail, body in (("PATCH", "", {"name": "m"}), ("POST", "/pause", {}), ("POST", "/resume", {}), ("POST", "/run-now", {})):
            ask(method, f"{path}/{held}{tail}", body, 409, "state-conflict")
        ask("DELETE", "/api/v1/schedule-groups/g", None, 202)

    def delivery(self, webhook, delivery_id):
        listed = self.ask("GET", f"{webhook}/deliveries", expect=200)["deliveries"]
        return next(one for one in listed if one["delivery_id"] == delivery_id)
