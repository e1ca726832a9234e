"""Every route of the real server, its success and each documented refusal, held against the description of the API."""
import http.client
import http.server
import json
import pathlib
import re
import threading
import unittest

from contract import Contract
from golden import golden, masked
from product import Server, until

UNSEEN = "0198c2c0-0000-7000-8000-000000000001"

# What a stranger cannot bring about, and the test that shows it.
SHOWN_ELSEWHERE = {
    "internal": "TellsEachFaultOfTheNodeByItsOwnCode",
    "store-unavailable": "TellsEachFaultOfTheNodeByItsOwnCode",
    "store-full": "TellsEachFaultOfTheNodeByItsOwnCode",
    "store-corrupt": "TellsEachFaultOfTheNodeByItsOwnCode",
    "draining": "TellsEachFaultOfTheNodeByItsOwnCode",
    "temporary-reduced-capacity": "TellsEachFaultOfTheNodeByItsOwnCode",
    "idempotency-in-progress": "AsksToRepeatWhatIsStillRunningUnderTheSameKey",
    "request-timeout": "test_ends_those_who_send_slowly",
}
BODIES = {
    "submit_job": {"kind": "noop"}, "bulk_submit": {"jobs": [{"kind": "noop"}]}, "bulk_delete": {"job_ids": [UNSEEN]},
    "bulk_delete_old": {"job_ids": [UNSEEN]}, "force_deletion": {"reason": "test"}, "patch_pool": {"capacity": 7},
    "create_webhook": {"url": "http://a.example/"}, "update_webhook": {"description": "d"}, "patch_queue": {"limits": {"concurrency": 9}},
    "create_token": {"name": "made", "role": "viewer"}, "put_secret": {"value": "v", "hosts": ["a.example"]},
    "login": {"token": "quell_0000000000000000_" + "0" * 64},
}
# Two callers at once; nobody can make that happen from outside each time.
RACES = {("update_webhook", "state-conflict"), ("rotate_webhook", "state-conflict"),
         ("drain_worker", "state-conflict"), ("stop_worker", "state-conflict")}  # or a node that is gone, in a fleet
# What this server cannot be brought to say, because it listens on loopback, and the test that shows it.
BEYOND_LOOPBACK = {
    ("metrics", "unauthenticated"): "RefusesEveryRouteToStrangers", ("metrics", "forbidden"): "LetsEachRoleThroughToItsScopesOnly",
    ("metrics", "quota-exceeded"): "SlowsDownWhoAsksTooMuch", ("login", "forbidden"): "TakesNoTokenOverPlainHttpFromElsewhere",
}
TAKES_ANYTHING = {"bulk_delete_old"}  # old clients may send fields that nobody knows
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def start(*flags):
    server = Server("--pool", "default=4", *flags).start()
    server.contract = Contract(server.call("GET", "/openapi.json")[1])
    return server


def filled(path):
    return re.sub(r"\{[^}]+\}", UNSEEN, path)


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


class ContractTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = start("--event-streams-max", "1", "--outbound-allow", "127.0.0.1/32")
        cls.contract = cls.server.contract
        cls.routes = cls.server.call("GET", "/api/v1/spec")[1]["routes"]
        cls.errors = cls.server.call("GET", "/api/v1/spec")[1]["errors"]
        cls.hook = cls.server.call("POST", "/api/v1/webhooks", {"url": "http://a.example/"})[1]["webhook_id"]
        cls.nobody = cls.server.call("POST", "/api/v1/tokens", {"name": "nobody", "scopes": ["alerts:write"]})[1]["token"]

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def ask(self, method, path, body=None, expect=None, code=None, **more):
        status, reply = self.server.call(method, path, body, **more)
        if expect is not None:
            self.assertEqual(status, expect, (method, path, reply))
        if code is not None:
            self.assertEqual(reply["code"], code, (method, path, reply))
        return reply

    def refused(self, route, code, body=None, query="", **more):
        # A body is looked at for its own sake only where there is something to change.
        path = filled(route["path"].replace("{webhook_id}", self.hook) if route["name"] == "update_webhook" else route["path"]) + query
        status, reply = self.server.call(route["method"], path, body, **more)
        self.assertEqual(reply.get("code"), code, (route["name"], status, reply))

    # ---- the document ----

    def test_1_router_and_document_agree_both_ways(self):
        documented = {(method.upper(), path) for path, item in self.contract.document["paths"].items() for method in item}
        self.assertEqual(documented, {(route["method"], route["path"]) for route in self.routes})
        shapes = {}
        for file in (pathlib.Path(__file__).parents[2] / "http/api").glob("*.json"):
            shapes.update(json.loads(file.read_text()).get("routes", {}))
        self.assertEqual(set(shapes), set(self.contract.operations), "http/api and routes.def name the same routes")
        for name, operation in self.contract.operations.items():
            good = [status for status in operation["responses"] if status.startswith("2")]
            self.assertTrue(good, f"{name} has no shape in http/api")
            for status in good:
                for media, content in operation["responses"][status]["content"].items():
                    self.assertTrue(media != "application/json" or "$ref" in content["schema"], name)

    def test_1_every_documented_example_fits_its_schema(self):
        seen = 0
        for name, schema in self.contract.document["components"]["schemas"].items():
            for example in schema.get("examples", []):
                self.contract.must_fit({"$ref": f"#/components/schemas/{name}"}, example, f"the example of {name}")
                seen += 1
        self.assertGreater(seen, 8)

    def test_1_no_reply_may_say_what_is_not_documented(self):
        takes = {"OldBulkDelete", "OpenApi", "JobFault"}  # a request, this document, what a kind tells

        def closed(schema, at):
            if schema.get("properties") and at.split("/")[0] not in takes:
                self.assertIs(schema.get("additionalProperties"), False, at)
            for key, value in schema.items():
                if isinstance(value, dict):
                    closed(value, f"{at}/{key}")

        for name, schema in self.contract.document["components"]["schemas"].items():
            closed(schema, name)

    # ---- refusals that every route has ----

    def test_2_wants_a_token_and_its_scope(self):
        for route in self.routes:
            if route["scope"] == "open":
                continue
            if route["name"] == "metrics":
                continue  # on loopback everybody may read them
            self.refused(route, "unauthenticated", token=None)
            self.refused(route, "unauthenticated", token="quell_0000000000000000_" + "0" * 64)
            self.refused(route, "forbidden", token=self.nobody)

    def test_2_refuses_unknown_and_repeated_query_parameters(self):
        for route in self.routes:
            if route["path"].startswith("/api/v1/"):
                body = BODIES.get(route["name"])
                self.refused(route, "unknown-field", body, "?nonsense=1", headers=OWN_PAGE)
                query = next((p["name"] for p in self.contract.operations[route["name"]]["parameters"] if p["in"] == "query"), None)
                if query:
                    self.refused(route, "invalid-field", body, f"?{query}=&{query}=", headers=OWN_PAGE)
                self.refused(route, "invalid-field", body, "?a=%zz", headers=OWN_PAGE)

    def test_2_refuses_bodies_that_are_no_json_or_not_called_so(self):
        for route in self.routes:
            if "requestBody" not in self.contract.operations[route["name"]]:
                continue
            json_type = {"Content-Type": "application/json", **OWN_PAGE}
            for broken in ("{", "[]", "1", '{"a":1,"a":2}', '{"a":"\\ud800"}', '{"a":"\xff"}'.encode("latin-1"), "{}x",
                           "[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65):
                self.refused(route, "invalid-json", broken, headers=json_type)
            self.refused(route, "unsupported-media-type", "{}", headers={"Content-Type": "text/plain", **OWN_PAGE})
            if route["name"] not in TAKES_ANYTHING:
                self.refused(route, "unknown-field", {**BODIES.get(route["name"], {}), "nonsense": 1}, headers=OWN_PAGE)

    def test_2_refuses_bodies_over_the_routes_limit_before_they_come(self):
        for route in self.routes:
            if "requestBody" in self.contract.operations[route["name"]]:
                length = str((16 << 20 if "bulk" in route["name"] else 1 << 20) + 1)
            else:
                length = "1025"  # an idle `{}` is borne
            with self.subTest(route["name"]):
                self.refused(route, "body-too-large", b"", headers={"Content-Length": length, **OWN_PAGE})

    def test_2_refuses_ambiguous_and_endless_heads(self):
        for route in self.routes:
            status, fields, text = self.server.exchange(route["method"], filled(route["path"]), headers={"Transfer-Encoding": "gzip"})
            self.contract.check(route["method"], filled(route["path"]), status, fields, text)
            self.assertEqual(status, 400)
            self.refused(route, "headers-too-large", headers={"X-Filler": "x" * 8192})
            self.refused(route, "uri-too-long", query="?a=" + "x" * 4096)

    def test_2_knows_no_other_methods_and_paths(self):
        for path in sorted({route["path"] for route in self.routes}):
            self.ask("TRACE", filled(path), expect=405, code="method-not-allowed")
            self.ask("GET", filled(path) + "/nonsense/nonsense", expect=404, code="not-found")

    def test_2_knows_no_id_that_it_never_saw(self):
        want = {"jobs": "job-not-found"}
        for route in self.routes:
            if "{" in route["path"] and route["method"] == "GET" and "queues" not in route["path"]:
                code = want.get(route["path"].split("/")[3], "resource-not-found")
                self.refused(route, code)
                if "_id}" in route["path"]:
                    self.ask("GET", re.sub(r"\{[^}]+\}", "no-id", route["path"]), expect=404, code=code)

    # ---- successes and what is refused beside them ----

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
        many = f"{jobs}/bulk-submit"
        ask("POST", many, {"jobs": [{"kind": "noop"}, {"kind": "noop", "unique_key": "u"}]}, 201)
        ask("POST", many, {"jobs": [{"kind": "noop"}]}, 201, headers={"Idempotency-Key": "many"})
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
        for verb, body in (("retry", {}), ("force", {"reason": "test"})):
            ask("POST", f"/api/v1/deletions/{UNSEEN}/{verb}", body, 404, "resource-not-found")
        ask("POST", f"{call}/force", {"reason": ""}, 400, "invalid-field")

    def test_3_the_old_bulk_delete_answers_byte_by_byte_as_before(self):
        submit = self.server.submit
        running, waits, done = submit("sleep", {"seconds": 600}), submit("noop", {}, delay_s=1000), submit("noop", {})
        gone, safe = submit("noop", {}, delay_s=1000), submit("noop", {}, delay_s=1000, protected=True)
        stubborn = submit("exec", {"argv": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]})
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
        job = self.server.submit("exec", {"argv": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]})
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

    def test_3_house(self):
        ask = self.ask
        queue = "/api/v1/queues/default"
        ask("GET", "/api/v1/queues", expect=200)
        for verb, status in (("pause", 200), ("resume", 200), ("close", 200), ("open", 200), ("drain", 202), ("open", 200)):
            ask("POST", f"{queue}/{verb}", {}, status)
            ask("POST", f"/api/v1/queues/no%20name/{verb}", {}, 404, "resource-not-found")
        limits = {"concurrency": 9, "per_key": 2, "rate": {"count": 1000, "per_s": 1}, "key_rate": {"count": 1000, "per_s": 1}}
        ask("PATCH", queue, {"limits": limits}, 200)
        ask("GET", queue, expect=200)
        ask("PATCH", queue, {"limits": {}}, 200)
        ask("PATCH", queue, {"limits": {"rate": {}}}, 400, "invalid-field")
        ask("PATCH", "/api/v1/queues/no%20name", {"limits": {}}, 404, "resource-not-found")
        ask("GET", queue, expect=200)
        ask("GET", "/api/v1/queues/never-seen", expect=404, code="resource-not-found")
        ask("GET", "/api/v1/pools", expect=200)
        ask("GET", "/api/v1/pools/default", expect=200)
        ask("PATCH", "/api/v1/pools/default", {"capacity": 5}, 200)
        ask("PATCH", "/api/v1/pools/default", {"capacity": -1}, 400, "invalid-field")
        ask("PATCH", "/api/v1/pools/nonsense", {"capacity": 5}, 404, "resource-not-found")
        worker = ask("GET", "/api/v1/workers", expect=200)["workers"][0]["worker_id"]
        ask("GET", f"/api/v1/workers/{worker}", expect=200)
        ask("GET", "/api/v1/audit/verify?known_no=1&known_hash=x", expect=400, code="invalid-field")
        for path in ("/api/v1/system", "/api/v1/spec", "/api/v1/audit/verify", "/api/v1/audit?limit=1000"):
            ask("GET", path, expect=200)
        for path in ("/livez", "/readyz", "/openapi.json", "/metrics"):
            ask("GET", path, expect=200, token=None)
            ask("HEAD", path, expect=200, token=None)

    def test_3_tokens_and_secrets(self):
        ask = self.ask
        made = ask("POST", "/api/v1/tokens", {"name": "t", "scopes": ["jobs:read"], "project": "red", "expires_s": 60}, 201)
        ask("POST", "/api/v1/tokens", {"name": "t", "role": "king"}, 400, "invalid-field")
        red = ask("POST", "/api/v1/tokens", {"name": "r", "role": "operator", "project": "red"}, 201)["token"]
        ask("POST", "/api/v1/jobs", {"kind": "noop", "project": "blue"}, 403, "forbidden", token=red)
        ask("POST", "/api/v1/jobs/bulk-submit", {"jobs": [{"kind": "noop", "project": "blue"}]}, 403, "forbidden", token=red)
        listed = ask("GET", "/api/v1/tokens", expect=200)["tokens"]
        admin = next(t["token_id"] for t in listed if t["name"] == "admin")
        ask("DELETE", f"/api/v1/tokens/{made['token_id']}", expect=200)
        ask("DELETE", f"/api/v1/tokens/{made['token_id']}", expect=404, code="resource-not-found")
        ask("DELETE", f"/api/v1/tokens/{admin}", expect=409, code="state-conflict")
        ask("PUT", "/api/v1/secrets/k", {"value": "v", "hosts": ["a.example"]}, 200)
        ask("PUT", "/api/v1/secrets/no%20name", {"value": "v", "hosts": ["a.example"]}, 404, "resource-not-found")
        ask("GET", "/api/v1/secrets", expect=200)
        ask("DELETE", "/api/v1/secrets/k", expect=200)
        ask("DELETE", "/api/v1/secrets/k", expect=404, code="resource-not-found")

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

    def delivery(self, webhook, delivery_id):
        listed = self.ask("GET", f"{webhook}/deliveries", expect=200)["deliveries"]
        return next(one for one in listed if one["delivery_id"] == delivery_id)

    def test_4_workers_are_ordered(self):
        server = start()
        try:
            worker = server.call("GET", "/api/v1/workers")[1]["workers"][0]["worker_id"]
            for verb in ("drain", "stop"):
                self.assertEqual(server.call("POST", f"/api/v1/workers/{UNSEEN}/{verb}", {})[1]["code"], "resource-not-found")
            self.assertEqual(server.call("POST", f"/api/v1/workers/{worker}/drain", {})[0], 202)
            self.assertEqual(server.call("POST", f"/api/v1/workers/{worker}/stop", {})[0], 202)
            self.contract.seen |= server.contract.seen
        finally:
            server.remove()

    def test_3_sessions(self):
        ask = self.ask
        status, fields, text = self.server.exchange("POST", "/api/v1/login", {"token": self.server.token}, token=None, headers=OWN_PAGE)
        self.contract.check("POST", "/api/v1/login", status, fields, text)
        cookie = fields["set-cookie"].split(";")[0]
        ask("GET", "/api/v1/jobs", expect=200, token=None, headers={"Cookie": cookie})
        for route in self.routes:
            if route["method"] != "GET":
                for page in ({}, {"Sec-Fetch-Site": "cross-site"}):
                    body = BODIES.get(route["name"])
                    self.refused(route, "cross-site", body, token=None, headers={"Cookie": cookie, **page})
        ask("POST", "/api/v1/logout", {}, 200, token=None, headers={"Cookie": cookie, **OWN_PAGE})
        ask("GET", "/api/v1/jobs", expect=401, code="unauthenticated", token=None, headers={"Cookie": cookie})
        for left in range(9, -2, -1):
            ask("POST", "/api/v1/login", BODIES["login"], 401 if left >= 0 else 429, token=None, headers=OWN_PAGE)

    def test_3_events(self):
        stream = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        stream.request("GET", "/api/v1/events?types=job.*", headers={"Authorization": "Bearer " + self.server.token})
        reply = stream.getresponse()
        self.assertEqual((reply.status, reply.getheader("Content-Type")), (200, "text/event-stream"))
        self.contract.check("GET", "/api/v1/events", 200, {k.lower(): v for k, v in reply.getheaders()}, b"")
        self.ask("GET", "/api/v1/events", expect=503, code="temporary-reduced-capacity")
        reply.close()
        stream.close()
        red = self.ask("POST", "/api/v1/tokens", {"name": "r", "role": "viewer", "project": "red"}, 201)["token"]
        until(lambda: self.server.exchange("GET", "/api/v1/events?job_id=x")[0] == 400)
        self.ask("GET", f"/api/v1/events?job_id={UNSEEN}", expect=404, code="job-not-found", token=red)
        gone = self.server.submit("noop", {}, delay_s=1000, project="red")
        self.ask("DELETE", f"/api/v1/jobs/{gone}", expect=200)
        self.ask("GET", f"/api/v1/events?job_id={gone}", expect=410, code="job-deleted", token=red)

    def test_4_servers_with_other_settings(self):
        for flag, code in (("--frozen", "deletions-frozen"), ("--require-confirm", "confirmation-required")):
            server = start(flag)
            try:
                for method, path, body in (("DELETE", f"/api/v1/jobs/{UNSEEN}", None), ("DELETE", "/api/v1/jobs/bulk", {"job_ids": [UNSEEN]}),
                                           ("POST", "/api/v1/jobs/bulk-delete", {"job_ids": [UNSEEN]})):
                    self.assertEqual(server.call(method, path, body)[1]["code"], code)
                if flag == "--frozen":
                    self.assertEqual(server.call("POST", f"/api/v1/deletions/{UNSEEN}/force", {"reason": "r"})[1]["code"], code)
                self.contract.seen |= server.contract.seen
            finally:
                server.remove()

    def test_4_rates(self):
        server = start("--rate-read-per-minute", "1", "--rate-write-per-minute", "1", "--rate-delete-per-minute", "1")
        try:
            for route in self.routes:
                if route["scope"] not in ("open",) and route["name"] != "metrics":
                    for _ in range(2):
                        status, reply = server.call(route["method"], filled(route["path"]), BODIES.get(route["name"]))
                    self.assertEqual((status, reply.get("code")), (429, "quota-exceeded"), route["name"])
            self.contract.seen |= server.contract.seen
        finally:
            server.remove()

    # ---- what the run has to have seen ----

    def test_9_has_seen_every_route_succeed(self):
        for name, operation in self.contract.operations.items():
            for status in operation["responses"]:
                # Whether what is forced is gone at once or in a moment is the store's affair.
                if status.startswith("2") and name != "force_deletion":
                    self.assertIn((name, int(status), ""), self.contract.seen)

    def test_9_has_seen_each_documented_error_of_each_route(self):
        missing = []
        for name, operation in self.contract.operations.items():
            for status, reply in operation["responses"].items():
                for code in reply.get("x-codes", []):
                    if code not in SHOWN_ELSEWHERE and (name, code) not in {*RACES, *BEYOND_LOOPBACK} and (name, int(status), code) not in self.contract.seen:
                        missing.append(f"{name} {status} {code}")
        self.assertEqual(missing, [])

    def test_9_shows_elsewhere_what_it_cannot_show_itself(self):
        tests = pathlib.Path(__file__).parents[1]
        text = "".join(p.read_text() for p in [*tests.glob("http/*.cpp"), *tests.glob("blackbox/*.py")])
        for code, name in [*SHOWN_ELSEWHERE.items(), *BEYOND_LOOPBACK.items()]:
            self.assertRegex(text, rf"(TEST_F\(\w+, {name}\)|def {name}\()", code)

    def test_9_knows_every_code_there_is(self):
        """A code that is added must be documented at a route, or be one that is never sent."""
        documented = {code for operation in self.contract.operations.values() for reply in operation["responses"].values()
                      for code in reply.get("x-codes", [])} | {"not-found", "method-not-allowed"}
        never_sent = {"usage", "store-locked", "store-schema", "server-unreachable", "refused-address", "outbound-failed"}
        not_yet = {"invalid-cron", "not-acceptable", "preview-stale", "deletion-hold", "etag-mismatch"}
        self.assertEqual({error["code"] for error in self.errors} - documented, never_sent | not_yet)

    def test_9_was_thorough(self):
        self.assertGreaterEqual(len(self.contract.seen), 400)


if __name__ == "__main__":
    unittest.main()
