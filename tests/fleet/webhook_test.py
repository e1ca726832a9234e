"""Two nodes whose commits are answered late, deletes while webhooks go out: none arrives or goes on after a reply that calls
its job's delete proven."""
import http.server
import json
import os
import random
import socketserver
import threading
import time
import unittest

from checker import PROVEN
from cluster import Cluster
from history import History
from product import until

SECONDS = float(os.environ.get("FLEET_WEBHOOK_SECONDS", "12"))
JOBS = 12  # of a round


class Listener:
    """Takes every message and answers none; knows for each job when it came, and when its sender let go."""

    def __init__(self):
        self.lock = threading.Lock()
        self.came, self.gone = {}, {}
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                job = json.loads(body)["data"]["job_id"]
                with listener.lock:
                    listener.came.setdefault(job, []).append(time.monotonic())
                try:
                    while self.connection.recv(1):
                        pass
                except OSError:
                    pass  # a reset is an end too
                with listener.lock:
                    listener.gone.setdefault(job, []).append(time.monotonic())
                self.close_connection = True

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def on_its_way(self, job):
        with self.lock:
            return len(self.came.get(job, [])) > len(self.gone.get(job, []))

    def came_after(self, job, moment):
        with self.lock:
            return [at for at in self.came.get(job, []) if at > moment]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class WebhooksOfAFleet(unittest.TestCase):
    def one_round(self, fleet, listener, draw):
        """job -> when the reply came that called its delete proven"""
        submits, deletes = (member.node for member in draw.sample(fleet.members, 2))
        jobs = submits.submit_many([{"kind": "noop", "args": {}, "delay_s": 86400, "webhook": listener.url}] * JOBS)
        time.sleep(draw.uniform(0, 0.15))  # where the delete falls: into the claims of the messages
        status, reply = deletes.delete_many(jobs, wait=10)
        replied = time.monotonic()
        self.assertEqual((status, reply["counts"]["pending"]), (200, 0), reply)
        return {one["job_id"]: replied for one in reply["outcomes"] if one.get("verdict") in PROVEN}

    def test_end_before_the_reply_to_a_proven_delete(self):
        seed = int(os.environ.get("FLEET_SEED", "1"))
        draw = random.Random(seed)
        listener = Listener()
        with Cluster(History(), workers=1) as fleet:
            for member in fleet.members:
                member.link.do(late=(0.03, 0.11))
            proven = {}
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                proven.update(self.one_round(fleet, listener, draw))
            # What a reply called over has let go by now: an end that is on the wire arrives.
            late = [job for job, replied in proven.items() if listener.came_after(job, replied)]
            try:
                until(lambda: not any(listener.on_its_way(job) for job in proven), 2)
            except AssertionError:
                late += [job for job in proven if listener.on_its_way(job)]
            for member in fleet.members:
                member.link.heal()
        listener.stop()
        print(f"seed {seed}: {len(proven)} proven deletes, {len(listener.came)} jobs whose message was on its way", flush=True)
        self.assertGreater(len(listener.came), 10, "the deletes never fell beside a message")
        self.assertEqual(late, [], f"{len(late)} webhooks after a proven delete, seed {seed}")


if __name__ == "__main__":
    unittest.main()
