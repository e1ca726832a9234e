"""The command line as people and scripts meet it: help, tables, exit codes, with a terminal and without."""
import http.server
import json
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from golden import golden, masked
from product import BINARY, EXEC, Server, until

UNSEEN = "0198c2c0-0000-7000-8000-000000000001"


class Terminal:
    """A program that believes it has a terminal."""

    def __init__(self, command, env):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True)
        os.close(theirs)
        self.said = ""

    def read(self, seconds=0.1):
        while select.select([self.ours], [], [], seconds)[0]:
            try:
                piece = os.read(self.ours, 1 << 16)
            except OSError:
                return False
            if not piece:
                return False
            self.said += piece.decode(errors="replace")
        return True

    def expect(self, text):
        until(lambda: (self.read(), text in self.said)[1], 60, f"'{text}' on the terminal")
        return self

    def type(self, text):
        os.write(self.ours, text.encode())
        return self

    def end(self):
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        self.read(0)
        if self.process.poll() is None:
            self.process.kill()
        os.close(self.ours)
        return self.process.wait()


class CommandLineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--pool", "default=4", "--queue", "default", *EXEC).start()
        cls.env = {"PATH": os.environ["PATH"], "HOME": cls.server.data_dir, "LC_ALL": "C.UTF-8", "TERM": "xterm"}
        cls.verbs = cls.verbs_of(cls.run_quell("--help", bare=True).stdout)

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    @classmethod
    def run_quell(cls, *args, text="", bare=False, env=None):
        place = [] if bare else ["--data-dir", cls.server.data_dir]
        return subprocess.run([BINARY, *args, *place], input=text, capture_output=True, text=True, timeout=120, env={**cls.env, **(env or {})})

    def quell(self, *args, code=0, **more):
        end = self.run_quell(*args, **more)
        self.assertEqual(end.returncode, code, (args, end.stdout, end.stderr))
        self.assertNotIn("\x1b", end.stdout + end.stderr, "no colours without a terminal")
        return end

    def on_terminal(self, *args, **env):
        return Terminal([BINARY, *args, "--data-dir", self.server.data_dir], {**self.env, **env})

    @staticmethod
    def verbs_of(help_text):
        listed = help_text.split("Subcommands:")[1] if "Subcommands:" in help_text else ""
        return re.findall(r"^  (\w[\w-]*)", listed, re.M)

    def row(self, noun, name):
        """The line about `name` of a list."""
        lines = self.quell(noun, "list", "--plain").stdout.splitlines(keepends=True)
        return re.sub(r"\t\d+$", "\t<n>", next(line for line in lines if name in line), flags=re.M)

    def waiting(self, count=1, **more):
        return self.server.submit_many([{"kind": "noop", "delay_s": 1000, **more}] * count)

    # ---- help ----

    def test_has_the_verbs_that_were_promised(self):
        promised = """serve demo submit list get logs wait result cancel retry delete deletions queue pool worker events top audit
            token secret config doctor completion version""".split()
        self.assertEqual(set(promised) - set(self.verbs), set())

    def test_says_the_same_help_as_before(self):
        pages = {"quell": self.quell("--help", bare=True).stdout}
        for verb in self.verbs:
            if verb == "serve":
                continue  # its options are the settings, which docs/reference/settings.md lists
            page = self.quell(verb, "--help", bare=True).stdout
            seconds = [self.quell(verb, second, "--help", bare=True).stdout for second in self.verbs_of(page)]
            own = [] if verb == "worker" else [page]  # its options are the settings too
            pages[verb] = f"\n{'-' * 80}\n".join([*own, *seconds])
        for verb, text in pages.items():
            with self.subTest(verb):
                self.assertEqual(text, golden(f"help/{verb}.txt", text), "if this is meant: UPDATE_GOLDEN=1")
            for page in text.split("-" * 80):
                self.assertLessEqual(len(page.splitlines()), 50, f"one screen, not more:\n{page}")

    def test_knows_what_was_meant(self):
        self.assertIn("quell delete", self.quell("delet", code=2, bare=True).stderr)
        self.assertIn("--help", self.quell(code=2, bare=True).stderr)
        self.assertIn("KIND", self.quell("submit", "--help", bare=True).stdout)

    def test_shows_the_verbs_of_a_group_that_is_named_alone(self):
        for group, verb in (("deletions", "retry"), ("secret", "set"), ("queue", "pause")):
            self.assertRegex(self.quell(group, code=2, bare=True).stderr, rf"(?m)^  {verb}\b")

    def test_completes_command_lines(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("quell", self.quell("completion", shell, bare=True).stdout)
        self.quell("completion", "csh", bare=True, code=2)
        script = self.quell("completion", "bash", bare=True).stdout + """
            COMP_WORDS=(quell del); COMP_CWORD=1; _quell; echo "${COMPREPLY[@]}"
            COMP_WORDS=(quell queue p); COMP_CWORD=2; _quell; echo "${COMPREPLY[@]}"
            COMP_WORDS=(quell delete --dry); COMP_CWORD=2; _quell; echo "${COMPREPLY[@]}" """
        said = subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout
        self.assertEqual(said, "delete deletions\npause\n--dry-run\n")

    # ---- output ----

    def test_writes_tables_for_people_and_lines_for_programs(self):
        job = self.waiting(queue="shown")[0]
        where = ("--queue", "shown")
        table = self.quell("list", *where).stdout
        plain = self.quell("list", *where, "--plain").stdout
        yaml = self.quell("list", *where, "-o", "yaml").stdout
        shown = self.quell("get", job).stdout
        self.quell("queue", "pause", "shown-too")
        text = masked(f"{table}\n{plain}\n{yaml}\n{shown}\n" + self.row("queue", "shown-too") + self.row("pool", "default"))
        self.assertEqual(text, golden("tables.txt", text))
        self.assertEqual(self.quell("list", *where, "-o", "id").stdout.strip(), job)
        self.assertEqual(json.loads(self.quell("list", *where, "-o", "json").stdout)[0]["job_id"], job)
        self.assertEqual(json.loads(self.quell("list", *where, "-o", "jsonl").stdout)["job_id"], job)
        self.assertEqual(json.loads(self.quell("get", job, "-o", "json").stdout)["job_id"], job)
        self.assertEqual(self.quell("delete", job, "-q").stderr, "")
        self.quell("list", "-o", "nonsense", code=2)

    def test_tells_in_one_line_what_a_delete_did(self):
        job = self.server.submit("sleep", {"seconds": 600})
        until(lambda: self.server.status_of(job) == "running")
        said = self.quell("delete", job, "--wait", "30").stderr
        self.assertEqual(said, "deleted 1 · killed 1 · dequeued 0 · slots freed 1 · already gone 0 · failed 0\n")
        said = self.quell("delete", *self.waiting(), "--wait", "30").stderr
        self.assertIn("deleted 1 · killed 0 · dequeued 1 · slots freed 0", said)

    def test_lets_no_text_of_a_job_play_with_the_terminal(self):
        script = r"printf '{\"progress\": 0.5, \"phase\": \"\\u001b[2Jgone\"}\n'; printf '\033]0;owned\007 hello\n' >&2; exit 3"
        job = self.server.submit("exec", {"argv": ["sh", "-c", script]})
        until(lambda: self.server.status_of(job) == "failed")
        for args in (("get", job), ("logs", job), ("list",), ("get", job, "-o", "yaml"), ("get", job, "-o", "json")):
            self.assertNotIn("\x1b", self.quell(*args).stdout)
        self.quell("result", job, code=1)

    # ---- exit codes ----

    def test_exits_as_promised(self):
        done = self.server.submit("noop", {})
        bad = self.server.submit("exec", {"argv": ["false"]})
        waits = self.waiting()[0]
        self.quell("wait", done, "--for", "60", code=0)
        self.quell("wait", bad, "--for", "60", code=1)
        self.quell("list", "--nonsense", code=2)
        self.quell("get", UNSEEN, code=3)
        self.quell("delete", UNSEEN, code=3)
        self.quell("queue", "pause", "no name", code=3)
        with tempfile.NamedTemporaryFile("w") as token:
            token.write("quell_0000000000000000_" + "0" * 64)
            token.flush()
            self.quell("list", "--token-file", token.name, code=4)
        self.quell("result", waits, code=5)
        self.quell("retry", done, code=5)
        self.quell("wait", waits, "--for", "0.1", code=6)
        stubborn = self.server.deaf()
        until(lambda: self.server.status_of(stubborn) == "running")
        self.assertIn("deletions show", self.quell("delete", stubborn, "--wait", "0", code=6).stderr)
        self.quell("list", "--url", "http://127.0.0.1:1", code=7)
        self.quell("top", "--url", "http://127.0.0.1:1", code=7)
        safe = self.server.submit("noop", {}, protected=True, delay_s=1000)
        self.quell("delete", safe, code=1)
        until(lambda: self.server.status_of(stubborn) == "deleted")

    def test_asks_again_while_the_server_is_away_and_submits_one_job(self):
        keys = []

        class Away(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                keys.append(self.headers["Idempotency-Key"])
                status, body = (201, {"job_id": UNSEEN}) if len(keys) == 3 else (503, {"code": "draining", "retryable": True})
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Away)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            self.assertEqual(self.quell("submit", "noop", "--url", url).stdout.strip(), UNSEEN)
            self.assertEqual((len(keys), len(set(keys))), (3, 1))
            self.assertNotIn(None, keys)
            keys.extend([None] * 5)
            self.quell("submit", "noop", "--url", url, code=7)
            self.assertEqual(len(keys), 3 + 5 + 3)
        finally:
            server.shutdown()
            server.server_close()

    # ---- questions ----

    def test_asks_nothing_where_nobody_can_answer(self):
        jobs = self.waiting(3)
        for verb in ("delete", "cancel"):
            self.assertIn("--yes", self.quell(verb, *jobs, code=2).stderr)
            self.quell(verb, *jobs, "--confirm", "4", code=2)
        self.assertIn("delete", self.quell("delete", *jobs, "--dry-run").stderr + "delete")
        self.assertEqual({self.server.status_of(job) for job in jobs}, {"scheduled"})
        self.quell("cancel", *jobs, "--confirm", "3")
        many = self.waiting(101)
        self.assertIn("--confirm 101", self.quell("delete", "-", "--yes", text="\n".join(many), code=2).stderr)
        self.quell("delete", "-", "--confirm", "101", text="\n".join(many + jobs[:0]))
        self.assertIn("no ids", self.quell("delete", "-", code=2).stderr)

    def test_asks_at_a_terminal_and_takes_no_for_an_answer(self):
        jobs = self.waiting(2)
        no = self.on_terminal("delete", *jobs).expect("delete 2 jobs? [y/N]").type("n\n")
        self.assertEqual(no.end(), 8, no.said)
        self.assertIn("Nothing was done", no.said)
        silent = self.on_terminal("delete", *jobs).expect("[y/N]").type("\n")
        self.assertEqual(silent.end(), 8)
        self.assertEqual({self.server.status_of(job) for job in jobs}, {"scheduled"})
        yes = self.on_terminal("delete", *jobs).expect("[y/N]").type("y\n")
        self.assertEqual(yes.end(), 0, yes.said)
        self.assertIn("deleted 2", yes.said)

    def test_wants_a_large_number_typed(self):
        many = self.waiting(101)
        wrong = self.on_terminal("delete", *many).expect("Type the number").type("y\n")
        self.assertEqual(wrong.end(), 8)
        right = self.on_terminal("delete", *many).expect("Type the number").type("101\n")
        self.assertEqual(right.end(), 0, right.said)

    def test_a_delete_that_is_left_goes_on(self):
        job = self.server.deaf()
        until(lambda: self.server.status_of(job) == "running")
        left = self.on_terminal("delete", job, "--wait", "30")
        until(lambda: self.server.status_of(job) != "running")
        left.process.send_signal(signal.SIGINT)
        code = left.end()
        if code == 0:  # it was done before we could leave
            self.assertIn("deleted 1", left.said)
        else:
            self.assertEqual(code, 130)
            self.assertIn("The delete goes on", left.said)
        until(lambda: self.server.status_of(job) == "deleted")

    # ---- top ----

    def test_top_shows_one_look_where_there_is_no_terminal(self):
        self.waiting(2, queue="topped")
        said = self.quell("top").stdout
        self.assertRegex(said, r"QUEUE +queued +scheduled +running")
        self.assertRegex(said, r"topped +0 +2 +0  open")
        self.assertRegex(said, r"pool default +\[\.+\] 0 of 4 slots")
        dumb = self.on_terminal("top", TERM="dumb")
        self.assertEqual(dumb.end(), 0)
        self.assertNotIn("\x1b", dumb.said)
        self.assertIn("QUEUE", dumb.said)
        self.quell("top", "--every", "0", code=2)

    def test_top_renews_itself_at_a_terminal_until_it_is_left(self):
        watch = self.on_terminal("top", "--every", "0.1").expect("QUEUE")
        self.assertIn("\x1b[?1049h", watch.said)
        self.waiting(1, queue="came-later")
        watch.expect("came-later").type("q")
        self.assertEqual(watch.end(), 0)
        self.assertTrue(watch.said.rstrip().endswith("\x1b[?25h\x1b[?1049l"), repr(watch.said[-60:]))
        left = self.on_terminal("top").expect("QUEUE")
        left.process.send_signal(signal.SIGINT)
        self.assertEqual(left.end(), 0)
        self.assertIn("\x1b[?1049l", left.said, "the screen is as it was")


if __name__ == "__main__":
    unittest.main()
