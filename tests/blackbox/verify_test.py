"""Proof afterwards: whatever is left of a deleted job is found and named, in whichever table it lies."""
import json
import os
import tempfile
import uuid

import kept

# How a row of a table is planted, where it is not enough that a column is filled by its type.
SPECIAL = {
    "job": {"state": 1}, "live": {"place": 0, "due": 4_000_000_000_000}, "ticket": {"state": 7, "next_try": 4_000_000_000_000},
    "delivery": {"place": 2}, "result": {"until": None}, "archive": {"until": 4_000_000_000_000}, "tomb": {"until": 4_000_000_000_000},
}
ALLOWED = {"tomb", "archive"}
OTHER_IDS = {"delete_id", "node", "body"}


class Verify(kept.Story):
    def columns(self):
        """(table, column, type, has to be said) of the whole schema, as the store itself lists it."""
        if self.is_postgres:
            return self.eyes.ask(
                "SELECT c.table_name, c.column_name, c.data_type, (c.is_nullable = 'NO' AND c.column_default IS NULL AND"
                " c.is_identity = 'NO') AS needed FROM information_schema.columns c JOIN pg_tables t ON t.tablename = c.table_name"
                " WHERE t.schemaname = 'public' AND c.table_schema = 'public' ORDER BY 1, 2")
        return self.eyes.ask("SELECT m.name, c.name, c.type, c.\"notnull\" = 1 AND c.dflt_value IS NULL FROM sqlite_master m,"
                             " pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2")

    def places(self):
        """Every column of the schema that may name a job."""
        return [(table, column) for table, column, kind, _ in self.columns()
                if kind.upper() in ("BLOB", "UUID") and column not in OTHER_IDS]

    def plant(self, table, column, job):
        values = {}
        for its_table, name, kind, needed in self.columns():
            if its_table != table:
                continue
            if name == column:
                values[name] = self.blob(job)
            elif name in SPECIAL.get(table, {}):
                value = SPECIAL[table][name]
                values[name] = "NULL" if value is None else str(value)
            elif needed:
                kind = kind.upper()
                values[name] = (self.blob(str(uuid.uuid4())) if kind in ("BLOB", "UUID") else "''" if kind in ("TEXT", "BYTEA")
                                else "false" if kind == "BOOLEAN" else "1")
        self.hand(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")
        return f"DELETE FROM {table} WHERE {column} = {self.blob(job)}"

    def test_a_remnant_in_any_table_is_found_and_named_and_none_is_found_after_real_deletes(self):
        quell = self.serve("--queue", "default")
        places = self.places()
        self.assertGreater(len({table for table, _ in places}), 12, places)
        jobs = self.finished(len(places))
        quell.call("POST", "/api/v1/queues/default/pause", {})
        _, reply = quell.delete_many(jobs)
        clean = self.cli("verify", *jobs)
        self.assertTrue(clean["holds"], clean)
        self.assertEqual((clean["checked"], clean["tombstones"], clean["rows_left"]), (len(jobs), len(jobs), 0))
        for (table, column), job in zip(places, jobs):
            if table in ALLOWED:
                continue
            with self.subTest(f"{table}.{column}"):
                undo = self.plant(table, column, job)
                found = self.cli("verify", "--deletion", reply["delete_id"], code=1)
                self.assertEqual([(one["job_id"], one["table"], one["column"]) for one in found["left"]], [(job, table, column)])
                self.assertIn(f"{job} in {table}.{column}", self.said)
                self.hand(undo)
        self.assertTrue(self.cli("verify", "--deletion", reply["delete_id"])["holds"])

    def test_a_receipt_proves_itself_and_a_forged_one_does_not(self):
        quell = self.serve()
        jobs = self.finished(3)
        _, reply = quell.delete_many(jobs)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "receipt.json")
            with open(path, "w") as file:
                json.dump(reply["receipt"], file)
            found = self.cli("verify", "--receipt", path)
            self.assertEqual((found["receipt_signature"], found["checked"], found["holds"]), ("valid", 3, True))
            forged = json.loads(json.dumps(reply["receipt"]))
            forged["payload"] = forged["payload"][:-8] + "AAAA" + forged["payload"][-4:]
            with open(path, "w") as file:
                json.dump(forged, file)
            found = self.cli("verify", "--receipt", path, code=1)
            self.assertEqual((found["receipt_signature"], found["holds"]), ("invalid", False))

    def test_the_receipt_of_an_operation_proves_every_job_it_deleted_or_says_which_it_cannot(self):
        quell = self.serve("--archive", "--spike-jobs", "1000")
        jobs = self.finished(30)
        preview = self.ask("POST", "/jobs/delete-preview", {"filter": "status=succeeded"})
        body = {"filter": "status=succeeded", "confirm_token": preview["confirm_token"], "expected_count": 30, "reason": "test"}
        operation = self.ask("POST", "/jobs/delete-by-filter", body, 202)["operation_id"]
        done = kept.until(lambda: (lambda one: one if one["state"] == "done" else None)(self.ask("GET", f"/operations/{operation}")),
                          60, "the operation")
        by_receipt = lambda: self.ask("POST", "/verify", {"receipt": done["receipt"]})
        self.assertEqual((by_receipt()["holds"], by_receipt()["checked"]), (True, 30))
        self.ask("POST", f"/deletions/{operation}/undo", {})
        found = by_receipt()
        self.assertEqual((found["holds"], len({one["job_id"] for one in found["left"]})), (False, 30))
        quell.delete_many(jobs)  # gone, but by another call: this receipt does not lead to them any more
        found = by_receipt()
        self.assertEqual((found["holds"], found["rows_left"]), (False, 0))
        self.assertIn("30 deleted jobs and 0 tombstones", found["receipt_fault"])
        self.assertTrue(self.ask("POST", "/verify", {"job_ids": jobs})["holds"])

    def test_an_audit_log_that_was_changed_fails_the_proof(self):
        quell = self.serve()
        job = self.finished()[0]
        quell.delete_many([job])
        kept.until(lambda: all(row["hash"] for row in self.audit()), 30, "the seals")
        self.assertTrue(self.cli("verify", job)["holds"])
        self.hand("UPDATE audit SET who = 'somebody else' WHERE no = (SELECT max(no) FROM audit)")
        found = self.cli("verify", job, code=1)
        self.assertFalse(found["audit"]["holds"])

    def test_a_job_that_is_there_or_was_never_seen_is_not_called_gone(self):
        quell = self.serve("--archive")
        there, stranger = quell.submit("noop", {}, delay_s=5_000), str(uuid.uuid4())
        self.assertFalse(self.cli("verify", there, code=1)["holds"])
        self.assertEqual(self.cli("verify", stranger, code=1)["unknown"], [stranger])
        _, reply = quell.delete_many([there])
        self.assertEqual(self.cli("verify", there)["copies"][0]["job_id"], there)
        self.ask("POST", f"/deletions/{reply['delete_id']}/undo", {})
        found = self.cli("verify", "--deletion", reply["delete_id"], code=1)
        self.assertEqual({one["job_id"] for one in found["left"]}, {there})
        self.ask("POST", "/verify", {}, 400)
        self.ask("POST", "/verify", {"delete_id": stranger}, 404)


kept.both(globals(), Verify)
