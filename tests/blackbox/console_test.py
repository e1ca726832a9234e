"""The console's files from outside: who gets a page, who a file, and under which rules a browser may run them."""
import gzip
import re
import unittest

from product import Server

HTML = {"Accept": "text/html,application/xhtml+xml"}


class TheConsole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def page(self, path="/", headers=HTML, server=None):
        return (server or self.server).exchange("GET", path, token=None, headers=headers)

    def test_every_address_of_a_page_is_the_page_for_a_browser(self):
        first = self.page()
        self.assertEqual(first[0], 200)
        self.assertEqual(first[1]["content-type"], "text/html; charset=utf-8")
        for path in ("/jobs", "/jobs/0198c2c0-0000-7000-8000-000000000001", "/deletions?view=failed", "/no-such-page"):
            self.assertEqual(self.page(path)[2], first[2], path)

    def test_a_program_that_asks_for_something_else_is_told_404(self):
        for headers in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
            status, fields, _ = self.page("/jobs", headers)
            self.assertEqual(status, 404, headers)
            self.assertEqual(fields["content-type"], "application/problem+json", headers)
        self.assertEqual(self.page("/api/v1/no-such-route")[0], 404)
        self.assertEqual(self.page("/assets/none.js")[0], 404)

    def test_the_page_may_run_only_what_the_server_carries(self):
        policy = self.page()[1]["content-security-policy"]
        for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'",
                     "require-trusted-types-for 'script'"):
            self.assertIn(rule, policy)
        self.assertNotIn("unsafe", policy)
        text = self.page()[2].decode()
        self.assertIsNone(re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|style=", text), "nothing inline")

    def test_the_page_is_asked_for_anew_and_its_files_never_again(self):
        status, fields, body = self.page()
        text = body.decode()
        self.assertEqual(fields["cache-control"], "no-cache")
        self.assertEqual(self.page("/", {**HTML, "If-None-Match": fields["etag"]})[0], 304)
        for path in re.findall(r'(?:src|href)="(/assets/[^"]+)"', text):
            status, fields, _ = self.page(path, {})
            self.assertEqual(status, 200, path)
            self.assertIn("immutable", fields["cache-control"], path)
            self.assertEqual(self.page(path, {"If-None-Match": fields["etag"]})[0], 304, path)

    def test_who_takes_a_coding_gets_it(self):
        path = re.search(r'src="(/assets/main-[^"]+)"', self.page()[2].decode()).group(1)
        plain = self.page(path, {})
        self.assertNotIn("content-encoding", plain[1])
        packed = self.page(path, {"Accept-Encoding": "gzip, deflate"})
        self.assertEqual(packed[1]["content-encoding"], "gzip")
        self.assertEqual(gzip.decompress(packed[2]), plain[2])
        self.assertEqual(self.page(path, {"Accept-Encoding": "gzip, br"})[1]["content-encoding"], "br")
        self.assertNotIn("content-encoding", self.page(path, {"Accept-Encoding": "gzip;q=0, br;q=0.0"})[1])

    def test_without_scripts_it_names_the_command_line(self):
        self.assertRegex(self.page()[2].decode(), r"(?s)<noscript>.*quell list.*</noscript>")

    def test_off_leaves_the_api_alone(self):
        server = Server("--console=off").start()
        try:
            self.assertEqual(self.page(server=server)[0], 404)
            self.assertEqual(server.call("GET", "/api/v1/jobs")[0], 200)
        finally:
            server.remove()

    def test_behind_a_proxy_every_address_begins_with_the_path_of_the_public_url(self):
        server = Server("--public-url=https://ops.example/quell/").start()
        try:
            text = self.page(server=server)[2].decode()
            self.assertIn('content="/quell"', text)
            self.assertEqual(re.findall(r'(?:src|href)="(?!/quell/)[^"]*"', text), [])
        finally:
            server.remove()
