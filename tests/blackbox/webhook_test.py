"""Webhooks as their receiver sees them: the real binary, a recording receiver, and a second opinion on every signature."""
import base64
import http.server
import json
import os
import pathlib
import re
import socketserver
import subprocess
import threading
import time
import unittest

import product
from product import until

GUIDE = pathlib.Path(__file__).parents[2] / "docs/guides/webhooks.md"


def verify_of_the_guide():
    """The function that the guide shows is the one that is tested."""
    source = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL).group(1)
    names = {}
    exec(compile(source, str(GUIDE), "exec"), names)
    return names["verify"]


verify = verify_of_the_guide()


class Receiver:
    """Writes down what comes; `answers` gives the statuses in order, the last one for ever. A None never answers."""

    def __init__(self, *answers):
        self.answers = list(answers) or [200]
        self.lock = threading.Lock()
        self.messages = []
        self.closed = []
        self.release = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    receiver.messages.append((dict((k.lower(), v) for k, v in self.headers.items()), body))
                    answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                if answer is None:
                    self.connection.settimeout(0.01)
                    while not receiver.release.is_set():
                        try:
                            if self.connection.recv(1) == b"":
                                break
                        except TimeoutError:
                            continue
                        except OSError:
                            break
                    with receiver.lock:
                        receiver.closed.append(time.monotonic())
                    self.close_connection = True
                    return
                self.send_response(answer)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"note")

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a sender that was killed, or cut off by a delete

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self):
        with self.lock:
            return [json.loads(body) for _, body in self.messages]

    def events_of(self, job_id):
        """What a receiver acts on: a message that comes again, under the `webhook-id` it had, counts once."""
        with self.lock:
            messages = {headers["webhook-id"]: json.loads(body) for headers, body in self.messages}
        return [b["type"] for b in messages.values() if b["data"].get("job_id") == job_id]

    def ids(self):
        with self.lock:
            return [headers["webhook-id"] for headers, _ in self.messages]

    def count(self):
        with self.lock:
            return len(self.messages)

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


class Webhooks(unittest.TestCase):
    def setUp(self):
        self.receivers = []

    def tearDown(self):
        for one in self.receivers:
            one.stop()

    def receiver(self, *answers):
        self.receivers.append(Receiver(*answers))
        return self.receivers[-1]

    @staticmethod
    def server(*flags):
        return product.Server("--outbound-allow", "127.0.0.0/8", *product.EXEC, *flags)

    def register(self, quell, receiver, **more):
        status, made = quell.call("POST", "/api/v1/webhooks", {"url": receiver.url, **more})
        self.assertEqual(status, 201, made)
        return made

    @staticmethod
    def receipt_of(quell, reply):
        """The exact bytes that the receipt signs, as text; it is stored a moment after the reply."""
        path = f"/api/v1/deletions/{reply['delete_id']}"
        receipt = until(lambda: quell.call("GET", path)[1].get("receipt"), what="the receipt")
        if isinstance(receipt, str):
            receipt = json.loads(receipt)
        return base64.b64decode(receipt["payload"]).decode()

    def deliveries(self, quell, webhook_id):
        status, reply = quell.call("GET", f"/api/v1/webhooks/{webhook_id}/deliveries")
        self.assertEqual(status, 200, reply)
        return reply["deliveries"]

    def test_every_event_arrives_signed_and_a_second_implementation_agrees(self):
        receiver = self.receiver()
        with self.server("--pool", "default=4") as quell:
            made = self.register(quell, receiver)
            self.assertTrue(made["secret"].startswith("whsec_"))
            _, shown = quell.call("GET", f"/api/v1/webhooks/{made['webhook_id']}")
            self.assertNotIn("secret", shown)
            good = quell.submit("noop", {})
            bad = quell.submit("exec", {"argv": ["/bin/false"]}, max_attempts=2, backoff_s=0)
            long = quell.submit("sleep", {"seconds": 600})
            until(lambda: quell.status_of(long) == "running")
            quell.call("POST", f"/api/v1/jobs/{long}/cancel")
            until(lambda: "job.failed" in receiver.events_of(bad), what="job.failed")
            until(lambda: "job.cancelled" in receiver.events_of(long), what="job.cancelled")
            until(lambda: "job.succeeded" in receiver.events_of(good), what="job.succeeded")
            self.assertIn("job.retrying", receiver.events_of(bad))
            self.assertIn("job.created", receiver.events_of(good))
            self.assertEqual(quell.delete_many([good])[0], 200)
            until(lambda: "job.deleted" in receiver.events_of(good), what="job.deleted")
            quell.call("POST", f"/api/v1/webhooks/{made['webhook_id']}/test")
            until(lambda: "webhook.test" in [b["type"] for b in receiver.bodies()])
            with receiver.lock:
                for headers, body in receiver.messages:
                    self.assertTrue(verify(made["secret"], headers, body))
                    self.assertFalse(verify(made["secret"], headers, body + b" "))
                    self.assertFalse(verify(made["secret"], headers, body, now=time.time() + 3600))
            self.assertEqual(len(set(receiver.ids())), receiver.count())

    def test_the_guides_function_agrees_with_the_published_vector(self):
        headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
                   "webhook-signature": "v1,bm90IHRoaXMgb25l v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
        secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
        self.assertTrue(verify(secret, headers, body, now=1614265330))
        self.assertFalse(verify(secret, headers, body + b" ", now=1614265330))
        self.assertFalse(verify(secret, headers, body, now=1614265330 + 301))

    def test_while_rotating_either_secret_verifies(self):
        receiver = self.receiver()
        with self.server() as quell:
            made = self.register(quell, receiver, events=["job.created"])
            status, fresh = quell.call("POST", f"/api/v1/webhooks/{made['webhook_id']}/rotate-secret")
            self.assertEqual(status, 200, fresh)
            self.assertNotEqual(fresh["secret"], made["secret"])
            quell.submit("noop", {})
            until(lambda: receiver.count() == 1)
            headers, body = receiver.messages[0]
            self.assertTrue(verify(made["secret"], headers, body))
            self.assertTrue(verify(fresh["secret"], headers, body))

    def test_a_jobs_own_url_is_signed_with_the_projects_secret(self):
        receiver = self.receiver()
        with self.server() as quell:
            job = quell.submit("noop", {}, webhook=receiver.url)
            until(lambda: "job.succeeded" in receiver.events_of(job))
            _, own = quell.call("GET", "/api/v1/webhooks/job-secret")
            with receiver.lock:
                for headers, body in receiver.messages:
                    self.assertTrue(verify(own["secret"], headers, body))

    def test_a_delete_cuts_a_hanging_delivery_off_before_it_answers(self):
        receiver = self.receiver(None)
        with self.server() as quell:
            self.register(quell, receiver, events=["job.succeeded"])
            job = quell.submit("noop", {})
            until(lambda: receiver.count() == 1, what="a delivery that hangs")
            status, reply = quell.delete_many([job])
            replied = time.monotonic()
            self.assertEqual(status, 200, reply)
            until(lambda: len(receiver.closed) == 1, 5, "the closed connection")
            # The receiver looks each 10 ms; it may note a close a moment after it happened.
            self.assertLess(receiver.closed[0] - replied, 0.2)
            self.assertIn('"aborted_maybe_delivered":1', self.receipt_of(quell, reply))
            self.assertEqual(receiver.count(), 1)

    def test_a_kill_in_mid_delivery_delivers_again_under_the_same_id(self):
        receiver = self.receiver(None, 200)
        with self.server() as quell:
            self.register(quell, receiver, events=["job.succeeded"])
            quell.submit("noop", {})
            until(lambda: receiver.count() == 1)
            quell.kill()
            quell.start()
            until(lambda: receiver.count() == 2, what="the same message again")
            self.assertEqual(receiver.ids()[0], receiver.ids()[1])

    def test_gone_disables_and_redeliver_sends_once_more(self):
        receiver = self.receiver(410, 200)
        with self.server() as quell:
            made = self.register(quell, receiver, events=["job.created"])
            path = f"/api/v1/webhooks/{made['webhook_id']}"
            quell.submit("noop", {})
            until(lambda: not quell.call("GET", path)[1]["enabled"])
            self.assertIn("410", quell.call("GET", path)[1]["disabled_because"])
            self.assertEqual(quell.call("PATCH", path, {"enabled": True})[0], 200)
            one = until(lambda: [d for d in self.deliveries(quell, made["webhook_id"]) if not d["in_flight"]])[0]
            self.assertEqual(one["last_reply"]["status"], 410)
            self.assertEqual(one["last_reply"]["reply"], "note")
            status, _ = quell.call("POST", f"/api/v1/deliveries/{one['delivery_id']}/redeliver")
            self.assertEqual(status, 202)
            until(lambda: receiver.count() == 2)
            self.assertEqual(receiver.ids()[0], receiver.ids()[1])
            until(lambda: self.deliveries(quell, made["webhook_id"])[0]["last_reply"]["status"] == 200)

    def test_a_private_address_is_not_called(self):
        receiver = self.receiver()
        with product.Server() as quell:
            made = self.register(quell, receiver, events=["job.created"])
            quell.submit("noop", {})
            one = until(lambda: [d for d in self.deliveries(quell, made["webhook_id"]) if d["tries"]])[0]
            self.assertIn("refused-address", one["last_reply"]["fault"])
            self.assertEqual(receiver.count(), 0)

    def test_the_command_line_does_all_of_it(self):
        receiver = self.receiver()
        with self.server() as quell:
            def run(*words, code=0):
                result = subprocess.run([product.BINARY, *words, "--url", f"http://127.0.0.1:{quell.port}", "--token-file",
                                         os.path.join(quell.data_dir, "admin.token"), "-o", "json"],
                                        capture_output=True, text=True, timeout=120)
                self.assertEqual(result.returncode, code, (words, result.stderr))
                return json.loads(result.stdout) if result.stdout else None

            made = run("webhook", "create", receiver.url, "--event", "webhook.test", "--description", "a test")
            one = made["webhook_id"]
            self.assertTrue(made["secret"].startswith("whsec_"))
            self.assertEqual(run("webhook", "list")[0]["webhook_id"], one)
            tried = run("webhook", "test", one)
            self.assertEqual(tried["last_reply"]["status"], 200)
            self.assertEqual(run("webhook", "deliveries", one)[0]["delivery_id"], tried["delivery_id"])
            run("webhook", "redeliver", tried["delivery_id"])
            until(lambda: receiver.count() == 2)
            self.assertNotEqual(run("webhook", "rotate", one)["secret"], made["secret"])
            self.assertEqual(run("webhook", "update", one, "--disable")["enabled"], False)
            self.assertEqual(run("webhook", "update", one, "--enable", "--to", receiver.url + "/2")["url"], receiver.url + "/2")
            self.assertEqual(run("webhook", "show", one)["enabled"], True)
            self.assertTrue(run("webhook", "job-secret")["secret"].startswith("whsec_"))
            run("webhook", "delete", one)
            run("webhook", "show", one, code=3)

    def test_the_audit_log_is_sealed_and_a_receipt_holds_it_to_its_head(self):
        with self.server() as quell:
            quell.call("POST", "/api/v1/tokens", {"name": "t", "scopes": ["jobs:read"]})
            until(lambda: quell.call("GET", "/api/v1/audit/verify")[1]["sealed"] >= 1, what="a sealed row")
            job = quell.submit("noop", {})
            _, reply = quell.delete_many([job])
            head = json.loads(self.receipt_of(quell, reply))["audit_head"]
            path = f"/api/v1/audit/verify?known_no={head['no']}&known_hash={head['hash']}"
            self.assertEqual(quell.call("GET", path)[1]["holds"], True)
            until(lambda: quell.call("GET", "/api/v1/audit/verify")[1]["waiting"] == 0, what="all rows sealed")
            path = f"/api/v1/audit/verify?known_no={head['no'] + 1000}&known_hash={head['hash']}"
            self.assertEqual(quell.call("GET", path)[1]["fault"], "tail_cut")

    def test_another_projects_token_sees_and_changes_nothing(self):
        receiver = self.receiver()
        with self.server() as quell:
            made = self.register(quell, receiver, project="ours")
            _, token = quell.call("POST", "/api/v1/tokens", {"name": "them", "scopes": ["webhooks:read", "webhooks:write"],
                                                             "project": "theirs"})
            path = f"/api/v1/webhooks/{made['webhook_id']}"
            for method, tail, body in (("GET", "", None), ("DELETE", "", None), ("PATCH", "", {"enabled": False}),
                                       ("POST", "/rotate-secret", None), ("POST", "/test", None), ("GET", "/deliveries", None)):
                self.assertEqual(quell.call(method, path + tail, body, token=token["token"])[0], 404, (method, tail))
            self.assertEqual(quell.call("GET", "/api/v1/webhooks", token=token["token"])[1]["webhooks"], [])


if __name__ == "__main__":
    unittest.main()
