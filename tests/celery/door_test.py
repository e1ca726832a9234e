"""The door as strangers, liars and clumsy clients meet it."""
import json
import socket
import time
import unittest
import uuid

import stage
import product
from wire import Reply, Wire


def envelope(task="shop.add", task_id=None, args=(1, 2), **headers):
    import base64
    body = json.dumps([list(args), {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    task_id = task_id or str(uuid.uuid4())
    return json.dumps({
        "body": base64.b64encode(body.encode()).decode(), "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": task_id, "retries": 0, "timelimit": [None, None], "eta": None,
                    "expires": None, "root_id": task_id, "parent_id": None, "argsrepr": "", "kwargsrepr": "",
                    "group": None, "ignore_result": False, **headers},
        "properties": {"correlation_id": task_id, "reply_to": "x", "delivery_mode": 2, "priority": 0,
                       "delivery_info": {"exchange": "", "routing_key": "celery"}, "body_encoding": "base64",
                       "delivery_tag": str(uuid.uuid4())}})


class Door(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = stage.Shop()
        cls.server = stage.serve(cls.shop)
        cls.addClassCleanup(cls.shop.close)
        cls.addClassCleanup(cls.server.stop)

    def wire(self, user="default", token=None, **more):
        wire = Wire(self.server.celery_port, **more)
        self.addCleanup(wire.close)
        if user:
            self.assertEqual(wire.call("AUTH", user, token or self.server.token), "OK")
        return wire

    def refused(self, reply, part):
        self.assertIsInstance(reply, Reply)
        self.assertIn(part, str(reply))

    def token(self, **fields):
        status, made = self.server.call("POST", "/api/v1/tokens", {"name": uuid.uuid4().hex, **fields})
        self.assertEqual(status, 201, made)
        return made

    def test_a_stranger_is_told_to_say_who_he_is(self):
        wire = self.wire(user=None)
        self.refused(wire.call("GET", "celery-task-meta-x"), "NOAUTH")
        self.assertEqual(wire.call("PING"), "PONG")

    def test_a_wrong_password_costs_the_connection(self):
        wire = self.wire(user=None)
        self.refused(wire.call("AUTH", "default", "qt_wrong"), "WRONGPASS")
        self.assertTrue(wire.has_ended())

    def test_a_stranger_who_says_nothing_is_sent_away(self):
        wire = self.wire(user=None, timeout=30)
        begun = time.monotonic()
        self.assertTrue(wire.has_ended())
        self.assertLess(time.monotonic() - begun, 20)

    def test_a_strangers_large_word_is_refused_by_its_length(self):
        wire = self.wire(user=None)
        wire.socket.sendall(b"*2\r\n$4\r\nAUTH\r\n$100000\r\n")
        self.refused(wire.read(), "larger than this door takes")
        self.assertTrue(wire.has_ended())

    def test_a_token_opens_its_own_project_and_no_other(self):
        made = self.token(role="operator", project="shop")
        self.wire("shop", made["token"])
        other = self.wire(user=None)
        self.refused(other.call("AUTH", "stock", made["token"]), "WRONGPASS")

    def test_what_one_project_sends_another_does_not_see(self):
        shop, stock = (self.wire(name, self.token(role="operator", project=name)["token"]) for name in ("p1", "p2"))
        task_id = str(uuid.uuid4())
        stock.call("SUBSCRIBE", "celery-task-meta-" + task_id)
        self.assertEqual(shop.call("LPUSH", "celery", envelope(task_id=task_id)), 1)
        product.until(lambda: shop.call("GET", "celery-task-meta-" + task_id), 60, "the result")
        reader = self.wire("p2", self.token(role="operator", project="p2")["token"])
        self.assertIsNone(reader.call("GET", "celery-task-meta-" + task_id))
        stock.socket.settimeout(1.5)
        with self.assertRaises((TimeoutError, socket.timeout)):
            stock.read()

    def test_a_revoked_token_ends_at_its_next_word(self):
        made = self.token(role="operator", project="shop")
        wire = self.wire("shop", made["token"])
        self.assertEqual(self.server.call("DELETE", f"/api/v1/tokens/{made.get('token_id', made.get('id'))}")[0] // 100, 2)
        self.refused(wire.call("GET", "celery-task-meta-x"), "NOPERM")
        self.assertTrue(wire.has_ended())

    def test_a_viewer_reads_and_sends_nothing(self):
        wire = self.wire("shop", self.token(role="viewer", project="shop")["token"])
        self.refused(wire.call("LPUSH", "celery", envelope()), "jobs:write")

    def test_version_three_is_spoken_when_asked_for(self):
        wire = self.wire(user=None)
        self.refused(wire.call("HELLO", "3"), "NOAUTH")
        hello = wire.call("HELLO", "3", "AUTH", "default", self.server.token)
        self.assertEqual((hello["server"], hello["proto"]), ("redis", 3))
        self.assertEqual(wire.call("SUBSCRIBE", "celery-task-meta-x"), ["subscribe", "celery-task-meta-x", 1])
        self.assertEqual(wire.call("PING"), "PONG")
        self.assertIsNone(wire.call("GET", "celery-task-meta-none"))

    def test_lengths_that_lie_end_the_connection(self):
        for lie in (b"*1\r\n$3\r\nPING\r\n", b"*-1\r\n", b"*999999999\r\n", b"*1\r\n$999999999999\r\n",
                    b"GET / HTTP/1.1\r\n\r\n", b"*2\r\n$4\r\nPING\r\n:1\r\n", b"\x16\x03\x01\x02\x00\x01"):
            wire = self.wire()
            wire.socket.sendall(lie + b"\r\n" * 10)
            reply = wire.read()
            self.refused(reply, "Protocol error")
            self.assertTrue(wire.has_ended(), lie)

    def test_a_multi_that_never_ends_is_bounded(self):
        wire = self.wire()
        self.assertEqual(wire.call("MULTI"), "OK")
        replies = [wire.call("LLEN", "celery") for _ in range(100)]
        self.assertEqual(replies[0], "QUEUED")
        self.refused(replies[-1], "too many commands")
        self.refused(wire.call("EXEC"), "EXECABORT")
        self.assertEqual(wire.call("PING"), "PONG")

    def test_a_multi_of_few_large_commands_is_bounded_and_keeps_nothing(self):
        wire = self.wire()
        large = "x" * 8_000_000
        self.assertEqual(wire.call("MULTI"), "OK")
        replies = [wire.call("SET", "celery-task-meta-" + str(n), large) for n in range(20)]
        self.assertEqual(replies[:2], ["QUEUED", "QUEUED"])
        for reply in replies[2:]:
            self.refused(reply, "too much")
        self.refused(wire.call("EXEC"), "EXECABORT")
        self.assertEqual(wire.call("PING"), "PONG")

    def test_a_pipeline_is_answered_in_order(self):
        wire = self.wire()
        wire.socket.sendall(b"".join(Wire.packed("PING", str(n)) for n in range(5000)))
        self.assertEqual([wire.read() for _ in range(5000)], [str(n) for n in range(5000)])

    def test_ten_thousand_subscriptions_are_held_and_let_go(self):
        wire = self.wire()
        names = [f"celery-task-meta-{n}" for n in range(10_000)]
        wire.socket.sendall(b"".join(Wire.packed("SUBSCRIBE", name) for name in names))
        replies = [wire.read() for _ in names]
        self.assertEqual(replies[-1], ["subscribe", names[-1], 10_000])
        wire.send("UNSUBSCRIBE")
        self.assertEqual([wire.read() for _ in names][-1][2], 0)

    def test_a_half_closed_pop_leaves_nothing_behind(self):
        for _ in range(50):
            wire = self.wire()
            wire.send("BRPOP", "nobody.reply.celery.pidbox", "30")
            wire.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(wire.has_ended())
        self.assertEqual(self.wire().call("PING"), "PONG")

    def test_a_pop_that_nothing_comes_to_ends_in_its_time(self):
        wire = self.wire()
        begun = time.monotonic()
        self.assertIsNone(wire.call("BRPOP", "nobody.reply.celery.pidbox", "1"))
        self.assertGreater(time.monotonic() - begun, 0.9)

    def test_a_real_worker_is_told_to_stop(self):
        wire = self.wire()
        self.refused(wire.call("BRPOP", "celery", "celery\x06\x163", "1"), "stop this worker")
        self.refused(wire.call("SUBSCRIBE", "/0.celery.pidbox"), "stop this worker")
        self.refused(wire.call("HSET", "unacked", "x", "y"), "stop this worker")

    def test_json_of_any_shape_harms_nobody(self):
        """Each of these once ended the server: what an authenticated client wrote was read as if Celery had written it."""
        import base64
        wire = self.wire()
        for record in ('{"status": 5}', '{"status": []}', "[]", "5", "{", '{"status": {"a": 1}}'):
            self.assertEqual(wire.call("PUBLISH", "celery-task-meta-any", record), 0)
            self.assertEqual(wire.call("SETEX", "celery-task-meta-any", "60", record), "OK")
        for order in ({"method": "revoke", "arguments": []}, {"method": "revoke", "arguments": {"terminate": "yes", "task_id": 5}},
                      {"method": "revoke", "arguments": 5}, {"method": 5}, [], {"method": "ping", "reply_to": 5},
                      {"method": "active", "destination": {"a": 1}}):
            body = base64.b64encode(json.dumps(order).encode()).decode()
            wire.call("PUBLISH", "/0.celery.pidbox", json.dumps({"body": body}))
        for lie in ("5", "[]", '{"body": 5}', '{"body": "%%"}'):
            wire.call("PUBLISH", "/0.celery.pidbox", lie)
        self.assertEqual(wire.call("PING"), "PONG")
        self.assertEqual(self.server.call("GET", "/readyz", token=None)[0], 200)

    def test_wrong_passwords_of_one_address_come_to_an_end(self):
        server = stage.serve(self.shop, "--login-per-minute", "3")
        self.addCleanup(server.stop)
        for _ in range(3):
            with Wire(server.celery_port) as wire:
                self.refused(wire.call("AUTH", "default", "qt_wrong"), "WRONGPASS")
        with Wire(server.celery_port) as wire:
            self.refused(wire.call("AUTH", "default", server.token), "WRONGPASS")

    def test_one_address_has_so_many_connections(self):
        server = stage.serve(self.shop, "--connections-per-address", "5")
        self.addCleanup(server.stop)
        held = [Wire(server.celery_port) for _ in range(5)]
        self.assertEqual([wire.call("PING") for wire in held], ["PONG"] * 5)
        with Wire(server.celery_port) as one_more:
            self.assertTrue(one_more.has_ended())
        for wire in held:
            wire.close()

    def test_what_the_door_is_not_for_is_refused_with_what_to_do(self):
        wire = self.wire()
        self.refused(wire.call("SET", "session:1", "x"), "another Redis")
        self.refused(wire.call("GET", "session:1"), "another Redis")
        self.refused(wire.call("FLUSHALL"), "from-celery.md")
        self.refused(wire.call("EVAL", "return 1", "0"), "from-celery.md")
        self.refused(wire.call("PUBLISH", "/0.broadcast", "x"), "broadcast")
        self.refused(wire.call("LPUSH", "celery", "{}"), "protocol 2")
        self.refused(wire.call("LPUSH", "a queue", envelope()), "letters, digits")
        self.refused(wire.call("ZADD", "celery-taskset-meta-x.j", "1", "part"), "stop this worker")

    def test_a_pickled_message_needs_the_right_to_run_programs(self):
        pickled = json.loads(envelope())
        pickled["content-type"] = "application/x-python-serialize"
        wire = self.wire("shop", self.token(role="operator", project="shop")["token"])
        self.refused(wire.call("LPUSH", "celery", json.dumps(pickled)), "jobs:exec")

    def test_one_id_pushed_twice_is_one_job(self):
        wire, task_id = self.wire(), str(uuid.uuid4())
        sent = envelope("shop.wait_and_note", task_id, ["twice", 1])
        self.assertEqual([wire.call("LPUSH", "celery", sent) for _ in range(3)], [1, 1, 1])
        self.assertEqual(len(stage.jobs_of(self.server, tag="celery:" + task_id)), 1)

    def test_a_push_is_answered_when_it_is_committed(self):
        wire, task_id = self.wire(), str(uuid.uuid4())
        self.assertEqual(wire.call("LPUSH", "celery", envelope(task_id=task_id, eta="2030-01-01T00:00:00")), 1)
        self.assertEqual([job["status"] for job in stage.jobs_of(self.server, tag="celery:" + task_id)], ["scheduled"])

    def test_a_group_is_kept_and_removed(self):
        wire = self.wire()
        key = "celery-taskset-meta-" + str(uuid.uuid4())
        wire.send("MULTI")
        for words in (("SETEX", key, "60", "value"), ("PUBLISH", key, "value"), ("EXEC",)):
            wire.send(*words)
        self.assertEqual([wire.read() for _ in range(4)], ["OK", "QUEUED", "QUEUED", ["OK", 0]])
        self.assertEqual(wire.call("GET", key), "value")
        self.assertEqual(wire.call("DEL", key), 1)
        self.assertIsNone(wire.call("GET", key))

    def test_bindings_are_kept(self):
        wire, exchange = self.wire(), "_kombu.binding." + uuid.uuid4().hex
        member = "key\x06\x16\x06\x16queue"
        self.assertEqual([wire.call("SADD", exchange, member), wire.call("SADD", exchange, member)], [1, 0])
        self.assertEqual(self.wire().call("SMEMBERS", exchange), [member])
        self.assertEqual(wire.call("SREM", exchange, member), 1)
        self.assertEqual(wire.call("SMEMBERS", exchange), [])
