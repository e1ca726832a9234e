"""Every route of the real server, its success and each documented refusal, held against the description of the API."""
import json
import pathlib
import re
import unittest

from contract_house import HouseSuccesses
from contract_server import BODIES, OWN_PAGE, UNSEEN, filled, start
from contract_successes import Successes

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
# Two callers at once; nobody can make that happen from outside each time.
RACES = {("update_webhook", "state-conflict"), ("rotate_webhook", "state-conflict"),
         ("drain_worker", "state-conflict"), ("stop_worker", "state-conflict"),
         ("restore_job", "job-id-taken")}  # or a node that is gone, in a fleet; or forced and held still
# What this server cannot be brought to say, because it listens on loopback, and the test that shows it.
BEYOND_LOOPBACK = {
    ("metrics", "unauthenticated"): "RefusesEveryRouteToStrangers", ("metrics", "forbidden"): "LetsEachRoleThroughToItsScopesOnly",
    ("metrics", "quota-exceeded"): "SlowsDownWhoAsksTooMuch", ("login", "forbidden"): "TakesNoTokenOverPlainHttpFromElsewhere",
}
LARGE = {"restore_jobs", "verify_deletion"}  # a thousand ids, a receipt of as many
TAKES_ANYTHING = {"bulk_delete_old"}  # old clients may send fields that nobody knows


class ContractTest(Successes, HouseSuccesses, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = start("--event-streams-max", "1", "--outbound-allow", "127.0.0.1/32")
        cls.contract = cls.server.contract
        cls.routes = cls.server.call("GET", "/api/v1/spec")[1]["routes"]
        cls.errors = cls.server.call("GET", "/api/v1/spec")[1]["errors"]
        cls.hook = cls.server.call("POST", "/api/v1/webhooks", {"url": "http://a.example/"})[1]["webhook_id"]
        cls.reader = cls.server.call("POST", "/api/v1/tokens", {"name": "reader", "scopes": ["jobs:read"]})[1]["token"]
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
        for file in (pathlib.Path(__file__).parents[2] / "http/api/shapes").glob("*.json"):
            shapes.update(json.loads(file.read_text()).get("routes", {}))
        self.assertEqual(set(shapes), set(self.contract.operations), "http/api/shapes and routes.def name the same routes")
        for name, operation in self.contract.operations.items():
            good = [status for status in operation["responses"] if status.startswith("2")]
            self.assertTrue(good, f"{name} has no shape in http/api/shapes")
            for status in good:
                for media, content in operation["responses"][status]["content"].items():
                    self.assertTrue(media != "application/json" or "$ref" in content["schema"], name)

    def test_1_every_documented_example_fits_its_schema(self):
        seen = 0
        for name, schema in self.contract.document["components"]["schemas"].items():
            for example in schema.get("examples", []):
                self.contract.assert_fits({"$ref": f"#/components/schemas/{name}"}, example, f"the example of {name}")
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
            self.refused(route, "forbidden", token=self.reader if route["scope"] == "alerts:write" else self.nobody)

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
                length = str((16 << 20 if "bulk" in route["name"] or route["name"] in LARGE else 1 << 20) + 1)
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

    def test_2_answers_nobody_with_what_he_does_not_take(self):
        for route in self.routes:
            for accept in ("image/png", "application/*;q=0, text/*;q=0", "nonsense"):
                self.refused(route, "not-acceptable", headers={"Accept": accept, **OWN_PAGE})
        for accept in ("*/*", "application/json", "text/html, application/*;q=0.1", ""):
            self.ask("GET", "/api/v1/queues", expect=200, headers={"Accept": accept})

    def test_2_knows_no_other_methods_and_paths(self):
        for path in sorted({route["path"] for route in self.routes}):
            self.ask("TRACE", filled(path), expect=405, code="method-not-allowed")
            self.ask("GET", filled(path) + "/nonsense/nonsense", expect=404, code="not-found")

    def test_2_knows_no_id_that_it_never_saw(self):
        want = {"jobs": "job-not-found"}
        for route in self.routes:
            if "{" in route["path"] and route["method"] == "GET" and "queues" not in route["path"]:
                code = want.get(route["path"].split("/")[3], "resource-not-found")
                if route["name"] == "trace_job":
                    self.ask("GET", filled(route["path"]), expect=200)  # that an id was never here is an answer
                else:
                    self.refused(route, code)
                if "_id}" in route["path"]:
                    self.ask("GET", re.sub(r"\{[^}]+\}", "no-id", route["path"]), expect=404, code=code)

    def test_4_servers_with_other_settings(self):
        for flag, code in (("--frozen", "deletions-frozen"), ("--require-confirm", "confirmation-required")):
            server = start(flag)
            try:
                for method, path, body in (("DELETE", f"/api/v1/jobs/{UNSEEN}", None), ("DELETE", "/api/v1/jobs/bulk", {"job_ids": [UNSEEN]}),
                                           ("POST", "/api/v1/jobs/bulk-delete", {"job_ids": [UNSEEN]})):
                    self.assertEqual(server.call(method, path, body)[1]["code"], code)
                timed = {"name": "n", "group": "some", "every": "1h", "job": {"kind": "noop"}}
                task = server.call("POST", "/api/v1/schedules", timed)[1]["task_uuid"]
                for path in (f"schedules/{task}", f"projects/default/tasks/{task}", "schedule-groups/some"):
                    self.assertEqual(server.call("DELETE", f"/api/v1/{path}")[1]["code"], code)
                self.assertEqual(server.call("POST", f"/api/v1/deletions/{UNSEEN}/force", {"reason": "r"})[1]["code"], code)
                seen = server.call("POST", "/api/v1/jobs/delete-preview", {"filter": "queue=default"})[1]
                body = {"filter": "queue=default", "confirm_token": seen["confirm_token"], "expected_count": 0, "reason": "r"}
                self.assertEqual(server.call("POST", "/api/v1/jobs/delete-by-filter", body)[1]["code"], code)
                self.assertEqual(server.call("POST", "/api/v1/retention/run", {})[1]["code"], code)
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
        text = "".join(p.read_text() for p in [*tests.glob("http/**/*.cpp"), *tests.glob("blackbox/*.py")])
        for code, name in [*SHOWN_ELSEWHERE.items(), *BEYOND_LOOPBACK.items()]:
            shown = re.search(rf"(TEST_F\(\w+, {name}\)|def {name}\()", text)
            self.assertTrue(shown, f"{code}: no test is called {name}")

    def test_9_knows_every_code_there_is(self):
        """A code that is added must be documented at a route, or be one that is never sent."""
        documented = {code for operation in self.contract.operations.values() for reply in operation["responses"].values()
                      for code in reply.get("x-codes", [])} | {"not-found", "method-not-allowed"}
        never_sent = {"usage", "store-locked", "store-schema", "server-unreachable", "refused-address", "outbound-failed"}
        self.assertEqual({error["code"] for error in self.errors} - documented, never_sent)

    def test_9_was_thorough(self):
        self.assertGreaterEqual(len(self.contract.seen), 400)


if __name__ == "__main__":
    unittest.main()
