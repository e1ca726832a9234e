"""What goes by its age: nothing by itself until that is switched on, never more than was said, and everything by the one delete."""
import time

import kept
from product import until


class Retention(kept.Story):
    def let_expire(self, ids, table="job", key="id", column="expires"):
        past = int(time.time() * 1000) - 1_000
        for begin in range(0, len(ids), 500):
            some = ", ".join(self.blob(job) for job in ids[begin:begin + 500])
            self.hand(f"UPDATE {table} SET {column} = {past} WHERE {key} IN ({some})")

    def test_nothing_goes_by_itself_until_the_sweep_is_switched_on(self):
        quell = self.serve("--retention-every-s", "1")
        jobs = self.finished(150)
        self.let_expire(jobs)
        report = self.ask("GET", "/retention")
        self.assertFalse(report["sweep"]["on"])
        self.assertEqual([(row["status"], row["due"]) for row in report["records"]], [("succeeded", 150)])
        self.assertEqual(report["rules"]["succeeded_days"], 7)
        time.sleep(2.5)  # two runs of the timer, which must take nothing
        self.assertEqual(len(self.jobs()), 150)
        tried = self.cli("retention", "run", "--dry-run")
        self.assertEqual((tried["due"], tried["deleted"], tried["dry_run"]), (150, 0, True))
        first = self.cli("retention", "run")
        self.assertEqual((first["deleted"], first["confirmation_needed"], first["complete"]), (100, True, True))
        self.assertEqual(len(self.jobs()), 50)
        self.assertEqual(self.cli("retention", "run", "--confirm", "50")["deleted"], 50)
        self.assertEqual(self.jobs(), {})
        self.assertEqual(quell.status_of(jobs[0]), "deleted")
        self.assertTrue(self.cli("verify", *jobs)["holds"])

    def test_the_sweep_takes_what_is_due_and_leaves_what_is_protected_or_young(self):
        quell = self.serve("--retention-every-s", "1", "--retention-sweep", "--retention-most", "40")
        safe = self.finished(1, protected=True)
        young = self.finished(5)
        old = self.finished(100)
        self.let_expire(safe + old)
        until(lambda: len(self.jobs()) == 6, 60, "the sweeps")
        self.assertEqual(set(self.jobs()), set(safe + young))
        rows = [row for row in self.audit() if row["what"] == "delete"]
        self.assertEqual({row["who"] for row in rows}, {"retention"})
        self.assertEqual(sum(row["detail"]["jobs"] for row in rows), 100)
        self.assertLessEqual(max(row["detail"]["jobs"] for row in rows), 40)
        self.assertEqual(self.ask("GET", "/deletions")["deletions"], [], "no call and no receipt of its own")
        self.assertEqual(self.cli("archive", "list"), [], "what expired leaves no copy")
        self.assertTrue(self.cli("verify", *old)["holds"])

    def test_a_freeze_pauses_the_sweep_and_a_thaw_lets_it_go_on(self):
        quell = self.serve("--retention-every-s", "1", "--retention-sweep")
        jobs = self.finished(10)
        self.ask("POST", "/system/freeze", {"frozen": True, "reason": "test"})
        self.let_expire(jobs)
        time.sleep(2.5)  # two runs of the timer, which must take nothing
        self.assertEqual(len(self.jobs()), 10)
        self.ask("POST", "/retention/run", {"confirm_count": 10}, 423)
        self.assertIn("delete.refused", {row["what"] for row in self.audit()})
        self.ask("POST", "/system/freeze", {"frozen": False, "reason": "test"})
        until(lambda: not self.jobs(), 60, "the sweep")
        self.assertEqual(quell.counts()["succeeded"], 0)

    def test_a_result_goes_before_its_record_and_both_ends_are_shown(self):
        quell = self.serve("--retention-every-s", "1", "--retention-sweep", "--retention-result-days", "1",
                           "--outbound-allow", "127.0.0.0/8", "--retention-queue", "long:succeeded=30", "--retention-queue", "long:result=2")
        day = 86_400
        get = {"method": "GET", "url": f"http://127.0.0.1:{quell.port}/livez"}
        job, slow = quell.submit("http", get), quell.submit("http", get, queue="long")
        for one, kept_days, result_days in ((job, 7, 1), (slow, 30, 2)):
            until(lambda: quell.status_of(one) == "succeeded")
            shown = quell.job(one)[1]
            times = [time_of(shown[name]) for name in ("finished_at", "expires_at", "result_expires_at")]
            self.assertEqual([round(at - times[0]) for at in times[1:]], [kept_days * day, result_days * day])
        self.assertIsNotNone(quell.job(job)[1]["result"])
        self.let_expire([job], "result", "job", "until")
        until(lambda: quell.job(job)[1]["result"] is None, 30, "the end of the result")
        self.assertEqual(quell.status_of(job), "succeeded")
        self.assertIn("result_end", {row["what"] for row in self.audit()})

    def test_a_purge_deletes_what_matches_when_its_number_is_confirmed(self):
        self.serve("--archive")
        jobs = self.finished(700, queue="mail")
        other = self.finished(3)
        would = self.cli("purge", "queue=mail AND status=succeeded", "--dry-run")
        self.assertEqual((would["would_delete"], would["by_status"]), (700, {"succeeded": 700}))
        self.cli("purge", "queue=mail", code=2)
        self.cli("purge", "queue=mail", "--confirm", "699", code=5)
        self.cli("purge", "nonsense=mail", "--confirm", "1", code=2)
        self.assertEqual(len(self.jobs()), 703)
        self.assertEqual(self.cli("purge", "queue=mail", "--confirm", "700", "--reason", "test")["deleted"], 700)
        self.assertEqual(set(self.jobs()), set(other))
        self.assertTrue(self.cli("verify", *jobs[:1_000])["holds"])

    def test_a_sweep_that_is_cut_off_goes_on_after_the_restart(self):
        for point in ("expire.before", "expire.within", "expire.after"):
            with self.subTest(point):
                quell = self.serve("--archive", "--retention-every-s", "1")
                jobs = self.finished(3)
                quell.delete_many(jobs)
                quell.kill()
                self.let_expire(jobs, "archive", "id", "until")
                quell.start({"QUELL_FAILPOINTS": f"{point}=crash@1"}, is_to_serve=False)
                quell.process.wait(60)
                quell.start()
                until(lambda: not self.eyes.ask("SELECT id FROM archive"), 30, "the end of the copies")
                ends = [row["detail"]["jobs"] for row in self.audit() if row["what"] == "copy_end"]
                self.assertEqual(ends, [3], "once, whatever was cut off")


def time_of(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


kept.both(globals(), Retention)
