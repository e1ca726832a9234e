"""Likewise of the routes that are not about jobs: queues, pools, workers, tokens, sessions, events."""
import http.client

from contract_server import BODIES, OWN_PAGE, UNSEEN, start
from product import until


class HouseSuccesses:
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
        freeze = "/api/v1/system/freeze"
        ask("POST", freeze, {"frozen": True, "reason": "contract"}, 200)
        ask("DELETE", f"/api/v1/jobs/{UNSEEN}", expect=423, code="deletions-frozen")
        ask("POST", freeze, {"frozen": False, "reason": ""}, 400, "invalid-field")
        ask("POST", freeze, {"frozen": False, "reason": "contract"}, 200)
        ask("GET", "/api/v1/backups", expect=200)
        ask("POST", "/api/v1/backups", {}, 404, "resource-not-found")
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

    def test_4_programs_where_they_are_off(self):
        server = start()
        try:
            program = {"kind": "exec", "args": {"argv": ["true"]}, "delay_s": 999}
            job = server.call("POST", "/api/v1/jobs", program)[1]["job_id"]
            timed = {"name": "p", "group": "programs", "every": "1h", "job": {"kind": "exec", "args": {"argv": ["true"]}}}
            task = server.call("POST", "/api/v1/schedules", timed)[1]["task_uuid"]
            server.stop()
            server.flags = []
            server.start()
            for path, body in (("", program), ("/bulk-submit", {"jobs": [program]}), (f"/{job}/retry", {})):
                status, problem = server.call("POST", "/api/v1/jobs" + path, body)
                self.assertEqual((status, problem["code"]), (403, "exec-disabled"), problem)
            for method, path in (("POST", ""), ("PATCH", f"/{task}")):
                status, problem = server.call(method, "/api/v1/schedules" + path, timed)
                self.assertEqual((status, problem["code"]), (403, "exec-disabled"), problem)
            server.call("POST", f"/api/v1/schedules/{task}/pause", {})
            status, problem = server.call("POST", "/api/v1/schedule-groups/programs/resume", {})
            self.assertEqual((status, problem["code"]), (403, "exec-disabled"), problem)
            self.contract.seen |= server.contract.seen
        finally:
            server.remove()

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
        ask("GET", "/api/v1/session", expect=200, token=None, headers={"Cookie": cookie})
        ask("GET", "/api/v1/session", expect=200, token=None)
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
