"""What clients of five versions of Celery say to a Redis, word for word, and what of the answers they rely on.

The captures hold both directions. Each client's words are said to quell again, connection by connection, and each answer
must be of the kind that Redis gave: a status, a number, a list of so many, nothing. Values that depend on when a task has
run may be nothing or a text."""
import pathlib
import re
import unittest

import stage
from wire import Reply, Wire

CAPTURES = pathlib.Path(__file__).parent / "captures"
LINE = re.compile(r"^[0-9.]+ (c\d+) ([<>]) (.*)$", re.S)
PARTS = {"LPUSH": 2, "SETEX": 3, "PUBLISH": 2, "SADD": 2, "SREM": 2, "SET": 5, "SCRIPT": 2}  # commas in the last are its own
TIMED = {"GET", "MGET", "LLEN"}


def lines(name):
    text = (CAPTURES / name).read_bytes().decode(errors="surrogateescape")
    whole = re.split(r"\n(?=\d{10}\.\d+ )", text)
    return [found.groups() for found in map(LINE.match, whole) if found]


def words_of(text):
    inner = text.strip()[1:-1]
    name = inner.split(", ", 1)[0]
    return inner.split(", ", PARTS.get(name, -1))


def kind_of_capture(text):
    text = text.strip()
    if text.startswith("+"):
        return "status"
    if text.startswith("-"):
        return "error"
    if re.fullmatch(r":-?\d+", text):
        return "number"
    if text in ("nil", "_"):
        return "nothing"
    if text.startswith("[%"):
        return "map"
    if text.startswith("["):
        return "list"
    return "text"


def kind_of(reply):
    if isinstance(reply, Reply):
        return "error"
    if reply is None:
        return "nothing"
    if isinstance(reply, dict):
        return "map"
    if isinstance(reply, list):
        return "list"
    if isinstance(reply, int):
        return "number"
    return "status" if reply in ("OK", "QUEUED", "PONG") else "text"


class Client:
    """One connection of a capture: what it said, and what Redis answered to each word in turn."""

    def __init__(self):
        self.said, self.heard = [], []

    def answers(self):
        heard = [text for text in self.heard if not re.match(r"\[(<push>, )?p?message,", text)]
        return list(zip(self.said, heard))


def clients_of(name):
    clients = {}
    for connection, way, text in lines(name):
        if text.strip() == "EOF":
            continue
        client = clients.setdefault(connection, Client())
        if way == ">":
            client.said.append(words_of(text))
        else:
            client.heard.append(text)
    return clients


class Captures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = stage.Shop()
        cls.server = stage.serve(cls.shop)
        cls.addClassCleanup(cls.shop.close)
        cls.addClassCleanup(cls.server.stop)

    def replay(self, name):
        count = 0
        for connection, client in clients_of(name).items():
            with Wire(self.server.celery_port) as wire:
                self.assertEqual(wire.call("AUTH", "default", self.server.token), "OK")
                count += self.say(wire, client, f"{name} {connection}")
        self.assertGreater(count, 20)

    def say(self, wire, client, where):
        count, inside = 0, False
        for words, answer in client.answers():
            name = words[0]
            if name == "BRPOP":
                words = words[:-1] + ["0.05"]
            reply = wire.call(*[word.encode(errors="surrogateescape") for word in words])
            while isinstance(reply, list) and reply and reply[0] in ("message", "pmessage"):
                reply = wire.read()
            got, wanted = kind_of(reply), kind_of_capture(answer)
            told = f"{where}: {words[:2]} was answered {reply!r}, Redis answered {answer[:80]!r}"
            if name == "CLIENT" or name in ("EVALSHA",):
                pass  # Redis 7.0 knows less of these than later ones; an error is fine
            elif name in TIMED and not inside:
                self.assertIn(got, ("nothing", "text", "list", "number"), told)
            elif name == "BRPOP":
                self.assertIn(got, ("nothing", "list"), told)
            else:
                self.assertEqual(got, wanted, told)
            if got == "list" and wanted == "list" and name == "EXEC":
                self.assertEqual(len(reply), answer.count(", ") + 1, told)
            inside = (inside or name == "MULTI") and name not in ("EXEC", "DISCARD")
            count += 1
        return count


def add(name):
    def test(self):
        self.replay(name)
    setattr(Captures, "test_" + name.removesuffix(".txt"), test)


for capture in sorted(path.name for path in CAPTURES.glob("*.txt")):
    add(capture)
