// What is left of a deleted job: tombstones, restores, and what the upkeep forgets.
#include "tests/storage/conformance/store_test.hpp"

namespace quell::storage {
namespace {

QUELL_STORE_GROUP(Tomb);

TEST_P(Tomb, ADeletedIdIsNotBornAgain) {
  const JobId id = in_state(JobState::gone);
  NewJob again = job();
  again.id = id;
  EXPECT_EQ(enqueue(again).answer, EnqueueAnswer::id_taken);
  EXPECT_EQ(enqueue(again, JobEvent::fire).answer, EnqueueAnswer::id_taken);
  EXPECT_FALSE(found(id).job.has_value());
  EXPECT_TRUE(tomb(id).has_value());
}

TEST_P(Tomb, ARestoreRaisesTheEpochAboveTheDeleted) {
  const ClaimedJob run = start();
  finish(run, JobEvent::succeed);
  const MarkedJob marked = mark(run.job);
  EXPECT_EQ(marked.epoch, 2);
  NewJob again = job();
  again.id = run.job;
  EXPECT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::stored);
  const Found back = found(run.job);
  ASSERT_TRUE(back.job.has_value());
  EXPECT_EQ(back.job->epoch, 3);
  EXPECT_EQ(back.job->state, JobState::queued);
  EXPECT_FALSE(back.tomb.has_value()) << "the job hides its tombstone";
  EXPECT_FALSE(finish(run, JobEvent::succeed).written);
}

TEST_P(Tomb, AnOldRunNeverMeetsTheEpochOfTheRestored) {
  const ClaimedJob run = start();
  const MarkedJob marked = mark(run.job);
  verdict(run.job, marked.open[0], Verdict::stopped);
  NewJob again = job(view(submit()).queue);
  again.id = run.job;
  again.queue = "restored";
  enqueue(again, JobEvent::restore);
  const ClaimedJob second = claim(1, "restored").at(0);
  EXPECT_EQ(second.epoch, run.epoch + 3) << "mark, restore, claim";
  EXPECT_FALSE(flush(flush_op(run)));
  EXPECT_TRUE(flush(flush_op(second)));
}

TEST_P(Tomb, ManyThatWereRestoredAreDeletedAgainBesideOthers) {
  std::vector<JobId> jobs = submit_many(40);
  mark(mark_op(jobs));
  for (const JobId& id : jobs) {
    NewJob again = job("restored");
    again.id = id;
    ASSERT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::stored);
  }
  for (const ClaimedJob& run : claim(20, "restored")) finish(run, JobEvent::succeed);
  const std::vector<JobId> fresh = submit_many(20);
  jobs.insert(jobs.end(), fresh.begin(), fresh.end());
  Batch batch;  // a large call, and a small one beside it
  batch.marks = {mark_op({jobs.begin(), jobs.end() - 1}), mark_op({jobs.back()})};
  apply(batch);
  EXPECT_TRUE(all_jobs().empty());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto tombstone = tomb(jobs[i]);
    ASSERT_TRUE(tombstone.has_value()) << i;
    EXPECT_EQ(tombstone->delete_id, batch.marks.at(i + 1 < jobs.size() ? 0 : 1).delete_id) << i;
    EXPECT_EQ(tombstone->was, i < 20 ? JobState::succeeded : JobState::queued) << i;
    NewJob third = job("thrice");
    third.id = jobs[i];
    EXPECT_EQ(enqueue(third).answer, EnqueueAnswer::id_taken) << i;
  }
  NewJob back = job();
  back.id = jobs[0];
  enqueue(back, JobEvent::restore);
  EXPECT_EQ(view(back.id).epoch, 5) << "mark, restore, claim, mark, restore";
}

TEST_P(Tomb, ARestoreMayBeScheduled) {
  const JobId id = in_state(JobState::gone);
  NewJob again = job();
  again.id = id;
  again.run_at = in(100);
  EXPECT_EQ(enqueue(again, JobEvent::restore).state, JobState::scheduled);
}

TEST_P(Tomb, ARestoreOfAnUnknownIdIsBornAtEpochOne) {
  const NewJob fresh = job();
  EXPECT_EQ(enqueue(fresh, JobEvent::restore).answer, EnqueueAnswer::stored);
  EXPECT_EQ(view(fresh.id).epoch, 1);
}

TEST_P(Tomb, ARestoreTwiceIsRefused) {
  const JobId id = in_state(JobState::gone);
  NewJob again = job();
  again.id = id;
  EXPECT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::stored);
  EXPECT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::id_taken);
  EXPECT_EQ(enqueue(again).answer, EnqueueAnswer::id_taken);
}

TEST_P(Tomb, ARestoreDoesNotTakeAKeyThatIsTaken) {
  const JobId id = in_state(JobState::gone);
  NewJob other = job();
  other.unique_key = "k";
  submit(other);
  NewJob again = job();
  again.id = id;
  again.unique_key = "k";
  EXPECT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::unique_conflict);
  EXPECT_TRUE(tomb(id).has_value());
}

TEST_P(Tomb, ASecondDeleteUpdatesTheTombstone) {
  const JobId id = in_state(JobState::gone);
  const DeleteId first = tomb(id)->delete_id;
  NewJob again = job();
  again.id = id;
  enqueue(again, JobEvent::restore);
  pass(5);
  const MarkedJob second = mark(id);
  EXPECT_EQ(second.answer, MarkAnswer::erased);
  EXPECT_EQ(second.epoch, 3);
  EXPECT_EQ(tomb(id)->delete_id, second.delete_id);
  EXPECT_EQ(tomb(id)->at, now());
  EXPECT_TRUE(reader().tombstones(first, {}, 10)->empty());
  EXPECT_EQ(enqueue(again).answer, EnqueueAnswer::id_taken);
  EXPECT_EQ(enqueue(again, JobEvent::restore).answer, EnqueueAnswer::stored);
  EXPECT_EQ(view(id).epoch, 4);
}

TEST_P(Tomb, AVerdictOfTheFirstDeleteDoesNotEraseTheRestored) {
  const MarkedJob first = held();
  verdict(first.job, first.open[0], Verdict::stopped);
  NewJob again = job();
  again.id = first.job;
  enqueue(again, JobEvent::restore);
  EXPECT_EQ(verdict(first.job, first.open[0], Verdict::stopped).answer, VerdictAnswer::unknown);
  EXPECT_FALSE(force(first.job).erased);
  EXPECT_EQ(state(first.job), JobState::queued);
}

TEST_P(Tomb, TheyAreListedByCallInPages) {
  const auto jobs = submit_many(25);
  const MarkOp op = mark_op(jobs);
  mark(op);
  mark(submit());
  std::vector<JobId> seen;
  std::optional<JobId> after;
  while (true) {
    const auto page = reader().tombstones(op.delete_id, after, 10);
    ASSERT_TRUE(page.ok());
    if (page->empty()) break;
    for (const Tombstone& one : *page) {
      EXPECT_EQ(one.who, "tester");
      EXPECT_EQ(one.delete_id, op.delete_id);
      seen.push_back(one.job);
    }
    after = seen.back();
  }
  EXPECT_EQ(seen, jobs);
}

TEST_P(Tomb, UpkeepForgetsWhatIsPastItsTime) {
  MarkOp op = mark_op({submit()});
  op.tomb_until = in(100);
  op.copy_until = in(50);
  mark(op);
  apply_one(&Batch::docs, DocOp{"token", "t", "default", "x", {}, in(100)});
  apply_one(&Batch::docs, DocOp{"token", "u", "default", "x", {}, {}});
  pass(99);
  ASSERT_TRUE(writer().upkeep(now()).ok());
  EXPECT_TRUE(tomb(op.jobs[0]).has_value());
  EXPECT_TRUE(reader().call(op.delete_id)->has_value());
  EXPECT_TRUE(reader().doc("token", "t")->has_value());
  pass(1);
  ASSERT_TRUE(writer().upkeep(now()).ok());
  EXPECT_FALSE(tomb(op.jobs[0]).has_value());
  EXPECT_FALSE(reader().call(op.delete_id)->has_value());
  EXPECT_FALSE(reader().doc("token", "t")->has_value());
  EXPECT_TRUE(reader().doc("token", "u")->has_value());
  EXPECT_EQ(mark(op.jobs[0]).answer, MarkAnswer::not_found);
  EXPECT_EQ(reader().audit(0, 10)->size(), 1u) << "the audit forgets nothing";
}

TEST_P(Tomb, UpkeepLeavesJobsAndTicketsAlone) {
  const JobId waits = submit(), leaves = held().job, ended = finished(JobEvent::succeed);
  pass(1'000'000);
  ASSERT_TRUE(writer().upkeep(now()).ok());
  EXPECT_EQ(state(waits), JobState::queued);
  EXPECT_EQ(state(leaves), JobState::pending_delete);
  EXPECT_EQ(state(ended), JobState::succeeded);
  EXPECT_TRUE(find_ticket(leaves).has_value());
}

QUELL_STORE_GROUP(Copies);

// Whoever erases says how long a copy is kept, and so does the tombstone for as long as it is.
TEST_P(Copies, AreNamedByTheMarkThatErases) {
  MarkOp op = mark_op({submit(), finished(JobEvent::succeed)});
  op.copy_until = in(50);
  for (const MarkedJob& one : mark(op)) {
    EXPECT_EQ(one.answer, MarkAnswer::erased);
    EXPECT_EQ(one.copy_until, in(50));
    EXPECT_EQ(tomb(one.job)->copy_until, in(50));
  }
  const auto tombstones = reader().tombstones(op.delete_id, {}, 10);
  for (const Tombstone& one : *tombstones) EXPECT_EQ(one.copy_until, in(50));
}

TEST_P(Copies, AreNamedByTheLastVerdictAndByTheOneWhoJoined) {
  const ClaimedJob run = start();
  MarkOp op = mark_op({run.job});
  op.copy_until = in(50);
  const MarkedJob first = mark(op).at(0);
  EXPECT_EQ(first.copy_until, std::nullopt) << "nothing is kept before it is erased";
  MarkOp joins = mark_op({run.job});
  joins.copy_until = in(90);
  mark(joins);
  EXPECT_EQ(verdict(run.job, first.open[0], Verdict::stopped).copy_until, in(50));
  EXPECT_EQ(tomb(run.job)->copy_until, in(50));
}

TEST_P(Copies, AreNamedByForce) {
  const ClaimedJob run = start();
  MarkOp op = mark_op({run.job});
  op.copy_until = in(50);
  mark(op);
  const ForceResult forced = force(run.job);
  EXPECT_TRUE(forced.erased);
  EXPECT_EQ(forced.was, JobState::running);
  EXPECT_EQ(forced.copy_until, in(50));
  EXPECT_EQ(tomb(run.job)->copy_until, in(50));
}

TEST_P(Copies, AreNamedByARecovery) {
  const ClaimedJob run = start();
  MarkOp op = mark_op({run.job});
  op.copy_until = in(50);
  mark(op);
  const RecoverResult declared_dead = recover();
  ASSERT_EQ(declared_dead.erased.size(), 1u);
  EXPECT_EQ(declared_dead.erased[0].second.copy_until, in(50));
}

TEST_P(Copies, AreNotNamedWhereNoneIsKept) {
  const JobId plain = submit();
  EXPECT_EQ(mark(plain).copy_until, std::nullopt);
  EXPECT_EQ(tomb(plain)->copy_until, std::nullopt);
  const MarkedJob marked = held();
  EXPECT_EQ(verdict(marked.job, marked.open[0], Verdict::stopped).copy_until, std::nullopt);
  EXPECT_EQ(force(held().job).copy_until, std::nullopt);
}

TEST_P(Copies, AreNotNamedAnyMoreWhenTheyHaveEnded) {
  MarkOp op = mark_op({submit()});
  op.tomb_until = in(100);
  op.copy_until = in(50);
  mark(op);
  pass(60);
  ExpireOp end;
  end.now = now();
  end.limit = 10;
  apply_one(&Batch::expiries, end);
  ASSERT_TRUE(tomb(op.jobs[0]).has_value());
  EXPECT_EQ(tomb(op.jobs[0])->copy_until, std::nullopt);
}

QUELL_STORE_GROUP(Audit);

TEST_P(Audit, OneRowPerDeleteTransactionNotPerJob) {
  const auto jobs = submit_many(30);
  const MarkOp op = mark_op(jobs);
  mark(op);
  const auto rows = reader().audit(0, 10);
  ASSERT_EQ(rows->size(), 1u);
  const AuditRow& row = rows->at(0);
  EXPECT_EQ(row.no, 1);
  EXPECT_EQ(row.what, "delete");
  EXPECT_EQ(row.who, "tester");
  EXPECT_EQ(row.ref, op.delete_id.text());
  EXPECT_EQ(row.detail, R"({"jobs":30})");
  EXPECT_EQ(row.at, now());
  EXPECT_EQ(row.hash, "");
  std::vector<ErasedJob> erased;
  for (const JobId& id : jobs) erased.push_back({id, JobState::queued, Verdict::not_running});
  EXPECT_EQ(row.digest, erase_digest(erased));
}

TEST_P(Audit, AHeldJobIsWrittenWhenItGoes) {
  const JobId waits = submit(), runs = start().job;
  const MarkOp op = mark_op({waits, runs});
  const auto marked = mark(op);
  EXPECT_EQ(reader().audit(0, 10)->at(0).detail, R"({"jobs":1})");
  pass(3);
  verdict(runs, marked[1].open[0], Verdict::reaped);
  const auto rows = reader().audit(1, 10);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->at(0).no, 2);
  EXPECT_EQ(rows->at(0).who, "tester");
  EXPECT_EQ(rows->at(0).ref, op.delete_id.text());
  EXPECT_EQ(rows->at(0).at, now());
  EXPECT_EQ(rows->at(0).digest, erase_digest({{runs, JobState::running, Verdict::reaped}}));
}

TEST_P(Audit, NothingErasedNothingWritten) {
  held();
  mark(new_id());
  mark(in_state(JobState::running));
  EXPECT_TRUE(reader().audit(0, 10)->empty());
}

TEST_P(Audit, ErasuresOfOneBatchComeByCallAndBeforeTheActs) {
  const MarkOp first = mark_op({submit()}), second = mark_op({submit(), submit()});
  const MarkedJob forced = held();
  Batch batch;
  batch.audits = {{now(), "ann", "queue.pause", "mails", R"({"why":"x"})"}};
  batch.marks = {second, first};
  batch.forces = {{forced.job, "root", "why", now()}};
  apply(batch);
  const auto rows = reader().audit(0, 10);
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ(rows->at(0).ref, first.delete_id.text());
  EXPECT_EQ(rows->at(1).ref, second.delete_id.text());
  EXPECT_EQ(rows->at(1).detail, R"({"jobs":2})");
  EXPECT_EQ(rows->at(2).what, "force");
  EXPECT_EQ(rows->at(3).who, "ann");
  EXPECT_EQ(rows->at(3).what, "queue.pause");
  EXPECT_EQ(rows->at(3).ref, "mails");
  EXPECT_EQ(rows->at(3).detail, R"({"why":"x"})");
  EXPECT_EQ(rows->at(3).digest, "");
}

TEST_P(Audit, TheDigestDoesNotDependOnTheOrderOfTheIds) {
  const ErasedJob a{new_id(), JobState::queued, Verdict::not_running};
  const ErasedJob b{new_id(), JobState::failed, Verdict::not_running};
  EXPECT_EQ(erase_digest({a, b}), erase_digest({b, a}));
  EXPECT_NE(erase_digest({a}), erase_digest({b}));
}

TEST_P(Audit, ItIsReadInPages) {
  Batch batch;
  for (int i = 0; i < 25; ++i)
    batch.audits.push_back({now(), "ann", "act", std::to_string(i), "{}"});
  apply(batch);
  std::int64_t last = 0;
  int rows = 0;
  while (true) {
    const auto page = reader().audit(last, 10);
    ASSERT_TRUE(page.ok());
    if (page->empty()) break;
    for (const AuditRow& row : *page) {
      EXPECT_GT(row.no, last);
      EXPECT_EQ(row.ref, std::to_string(rows));
      last = row.no;
      ++rows;
    }
  }
  EXPECT_EQ(rows, 25);
}

TEST_P(Audit, SealsAreTakenInOrderWithoutGap) {
  Batch batch;
  for (int i = 0; i < 4; ++i) batch.audits.push_back({now(), "ann", "act", "r", "{}"});
  apply(batch);
  const auto rows = reader().audit(0, 10);
  ASSERT_EQ(rows->size(), 4u);
  std::vector<std::int64_t> no;
  for (const AuditRow& row : *rows) no.push_back(row.no);
  std::int64_t head = 0;
  const auto seal = [&](const std::vector<std::pair<std::int64_t, std::string>>& hashes) -> bool {
    return apply_one(&Batch::seals, SealOp{hashes, head}).seals.at(0);
  };
  EXPECT_FALSE(seal({{no[1], "b"}})) << "a gap";
  EXPECT_FALSE(seal({{no[0], "a"}, {no[2], "c"}})) << "a gap inside";
  EXPECT_TRUE(seal({{no[0], "a"}, {no[1], "b"}}));
  head = no[1];
  EXPECT_FALSE(seal({{no[0], "x"}})) << "sealed already";
  EXPECT_FALSE(seal({{no[2], "c"}, {no[3], "d"}, {no[3] + 1, "e"}})) << "more than there is";
  EXPECT_TRUE(seal({{no[2], "c"}}));
  const auto after = reader().audit(0, 10);
  EXPECT_EQ(after->at(0).hash + after->at(1).hash + after->at(2).hash + after->at(3).hash, "abc");
}

// Whoever has read the head before another sealer's commit, and the rows after it, sees the next
// unsealed rows and would chain them to the wrong one: for everybody who verifies, tampered with.
TEST_P(Audit, ASealOnAnOlderHeadIsRefused) {
  Batch batch;
  for (int i = 0; i < 3; ++i) batch.audits.push_back({now(), "ann", "act", "r", "{}"});
  apply(batch);
  const auto rows = std::move(reader().audit(0, 10)).value();
  const auto seal = [&](std::size_t row, std::int64_t after) -> bool {
    return apply_one(&Batch::seals, SealOp{{{rows.at(row).no, "h"}}, after}).seals.at(0);
  };
  EXPECT_FALSE(seal(0, rows.at(2).no)) << "on a row that is not sealed";
  EXPECT_TRUE(seal(0, 0));
  EXPECT_FALSE(seal(1, 0)) << "the head is older than the first seal";
  EXPECT_TRUE(seal(1, rows.at(0).no));
  EXPECT_FALSE(seal(2, rows.at(0).no));
  EXPECT_TRUE(seal(2, rows.at(1).no));
}

QUELL_STORE_GROUP(Docs);

TEST_P(Docs, VersionsRiseAndAreAsked) {
  const auto put = [&](const std::string& body, std::optional<std::int64_t> version) {
    DocOp op;
    op.kind = "queue";
    op.id = "q";
    op.body = body;
    op.if_version = version;
    return apply_one(&Batch::docs, op).docs.at(0);
  };
  DocResult result = put("1", 0);
  EXPECT_TRUE(result.written);
  EXPECT_EQ(result.version, 1);
  result = put("x", 0);
  EXPECT_FALSE(result.written);
  EXPECT_EQ(result.version, 1);
  result = put("2", 1);
  EXPECT_TRUE(result.written);
  EXPECT_EQ(result.version, 2);
  result = put("3", 1);
  EXPECT_FALSE(result.written);
  EXPECT_EQ(result.version, 2);
  result = put("4", {});
  EXPECT_TRUE(result.written);
  EXPECT_EQ(result.version, 3);
  const auto read = reader().doc("queue", "q");
  ASSERT_TRUE(read->has_value());
  EXPECT_EQ((*read)->body, "4");
  EXPECT_EQ((*read)->version, 3);
  EXPECT_EQ((*read)->kind, "queue");
  EXPECT_EQ((*read)->id, "q");
  EXPECT_EQ((*read)->project, "default");
}

TEST_P(Docs, RemovingObeysTheVersionToo) {
  const auto remove = [&](std::optional<std::int64_t> version) {
    DocOp op;
    op.kind = "queue";
    op.id = "q";
    op.if_version = version;
    return apply_one(&Batch::docs, op).docs.at(0);
  };
  EXPECT_FALSE(remove({}).written);
  apply_one(&Batch::docs, DocOp{"queue", "q", "default", "1"});
  EXPECT_FALSE(remove(7).written);
  EXPECT_EQ(remove(7).version, 1);
  EXPECT_TRUE(remove(1).written);
  EXPECT_FALSE(reader().doc("queue", "q")->has_value());
  EXPECT_FALSE(remove(1).written);
}

TEST_P(Docs, AVersionOfWhatIsNotThereIsRefused) {
  DocOp op{"queue", "q", "default", "1", 3};
  const DocResult result = apply_one(&Batch::docs, op).docs.at(0);
  EXPECT_FALSE(result.written);
  EXPECT_EQ(result.version, 0);
}

TEST_P(Docs, TheyAreListedByKindAndProject) {
  Batch batch;
  batch.docs = {{"queue", "b", "red", "1"},
                {"queue", "a", "blue", "2"},
                {"queue", "c", "red", "3"},
                {"token", "a", "red", "4"}};
  apply(batch);
  const auto ids = [&](const std::string& kind, const std::string& project) {
    std::string all;
    const auto docs = reader().docs(kind, project);
    for (const Doc& one : *docs) all += one.id;
    return all;
  };
  EXPECT_EQ(ids("queue", ""), "abc");
  EXPECT_EQ(ids("queue", "red"), "bc");
  EXPECT_EQ(ids("queue", "green"), "");
  EXPECT_EQ(ids("token", ""), "a");
  EXPECT_EQ(reader().doc("token", "a")->value().body, "4");
  EXPECT_FALSE(reader().doc("token", "b")->has_value());
}

}  // namespace
}  // namespace quell::storage
