"""What is handed to an auditor proves itself to somebody who has only openssl, and a forgery is named. Requirement C8."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import kept
from product import until

CHECK = pathlib.Path(__file__).with_name("evidence_check.py")


class Evidence(kept.Story):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)

    def check(self, folder):
        said = subprocess.run([sys.executable, "-I", CHECK, folder], capture_output=True, text=True, timeout=120)
        self.assertEqual(bool(said.returncode), bool(said.stderr.strip()), said.stderr)
        return said.stderr.strip()

    def export(self, *flags):
        until(lambda: all(row["hash"] for row in self.audit()), 30, "the seals")
        folder = pathlib.Path(self.place.name) / "evidence"
        self.cli("evidence", str(folder), *flags)
        return folder

    def forged(self, folder, change):
        """A copy that somebody has been at, who has made the sums anew and cannot sign."""
        copy = folder.with_name("forged")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        change(copy)
        return copy

    def test_a_folder_proves_itself_and_a_changed_row_a_cut_tail_and_a_swapped_receipt_are_each_named(self):
        quell = self.serve()
        calls = []
        for n in (3, 2, 1):
            calls.append(quell.delete_many(self.finished(n), reason=f"round \u00e9 {n}")[1]["delete_id"])
        folder = self.export("--since", "1h")
        self.assertEqual(self.check(folder), "")
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertEqual({path.stem for path in (folder / "receipts").glob("*.json")}, set(calls))
        self.assertTrue(manifest["whole_audit_log"]["holds"])
        self.assertEqual(json.loads((folder / "report.json").read_text())["total"]["deleted"], 6)
        sums = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
        self.assertEqual(sums.returncode, 0, sums.stdout)
        readme = (folder / "README.txt").read_text()
        line = next(line.strip() for line in readme.splitlines() if "manifest.sig" in line and "openssl" in line)
        done = subprocess.run(line.split(), cwd=folder, capture_output=True, text=True)
        self.assertIn("Signature Verified Successfully", done.stdout)
        self.assertLessEqual(len(CHECK.read_text().splitlines()), 40)

        def change_row(copy):
            rows = (copy / "audit.jsonl").read_text().splitlines()
            at = next(i for i, row in enumerate(rows) if json.loads(row)["what"] == "delete")
            rows[at] = rows[at].replace("token:admin", "token:other")
            (copy / "audit.jsonl").write_text("\n".join(rows) + "\n")
            self.changed = json.loads(rows[at])["no"]

        said = self.check(self.forged(folder, change_row))
        self.assertIn(f"audit row {self.changed} or one before it was changed", said)
        self.assertIn("audit.jsonl was changed", said)

        def cut_tail(copy):
            rows = (copy / "audit.jsonl").read_text().splitlines()[:-1]
            (copy / "audit.jsonl").write_text("\n".join(rows) + "\n")
            self.last = json.loads(rows[-1])["no"]

        said = self.check(self.forged(folder, cut_tail))
        self.assertIn(f"the tail of the audit is cut behind row {self.last}", said)

        def swap_receipts(copy):
            for end in ("json", "sig"):
                shutil.copy(folder / "receipts" / f"{calls[0]}.{end}", copy / "receipts" / f"{calls[1]}.{end}")

        said = self.check(self.forged(folder, swap_receipts))
        self.assertIn(f"receipt {calls[1]} is that of another delete", said)
        self.assertNotIn(f"receipt {calls[0]}", said)

        def other_manifest(copy):
            text = (copy / "manifest.json").read_text()
            (copy / "manifest.json").write_text(text.replace('"rows": ', '"rows": 1'))

        self.assertIn("the manifest is not what was signed", self.check(self.forged(folder, other_manifest)))
        self.assertIn("report.csv is missing", self.check(self.forged(folder, lambda copy: (copy / "report.csv").unlink())))

    def test_a_span_that_begins_in_the_middle_builds_on_the_row_before_it(self):
        quell = self.serve()
        quell.delete_many(self.finished(2))
        rows = self.audit()
        until(lambda: all(row["hash"] for row in self.audit()), 30, "the seals")
        since = rows[-1]["at"]
        second = quell.delete_many(self.finished(1))[1]["delete_id"]
        folder = self.export("--since", since)
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertNotEqual(manifest["audit"]["hash_before"], "0" * 64)
        self.assertGreater(manifest["audit"]["first"], 1)
        self.assertIn(second, {path.stem for path in (folder / "receipts").glob("*.json")})
        self.assertEqual(self.check(folder), "")

    def test_an_export_is_in_the_audit_and_needs_the_right_to_read_it(self):
        quell = self.serve()
        folder = self.export("--since", "1h")
        self.assertEqual(self.check(folder), "", "also when nothing was deleted")
        row = next(row for row in self.audit() if row["what"] == "evidence.exported")
        self.assertTrue(row["who"].startswith("token:admin"))
        self.cli("evidence", str(folder), code=2)
        self.assertIn("not empty", self.said)
        for rights in ({"scopes": ["jobs:read", "jobs:delete"]}, {"role": "admin", "project": "red"}):
            token = self.ask("POST", "/tokens", {"name": "t", **rights}, 201)["token"]
            self.assertEqual(quell.call("POST", "/api/v1/evidence", {}, token=token)[0], 403, rights)
            self.assertEqual(quell.call("GET", "/api/v1/deletions/report", token=token)[0], 403, rights)
        self.ask("POST", "/evidence", {"since": "yesterday"}, 400)
        self.ask("POST", "/evidence", {"sinse": "2026-01-01T00:00:00Z"}, 400)


kept.both(globals(), Evidence)
