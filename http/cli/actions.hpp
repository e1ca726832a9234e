// What each verb of the table does; the return value is the exit code.
#pragma once

namespace quell {
class Registry;
}

namespace quell::cli {

struct Arguments;
struct Verb;

int submit(const Arguments& args);
int list(const Arguments& args);
int get(const Arguments& args);
int logs(const Arguments& args);
int result(const Arguments& args);
int wait(const Arguments& args);
int erase(const Arguments& args);
int cancel(const Arguments& args);
int retry(const Arguments& args);
int counts(const Arguments& args);
int stop_queue(const Arguments& args);
int operations_list(const Arguments& args);
int operations_show(const Arguments& args);
int operations_pause(const Arguments& args);
int operations_resume(const Arguments& args);
int operations_stop(const Arguments& args);
int operations_outcomes(const Arguments& args);
int freeze(const Arguments& args);
int unfreeze(const Arguments& args);
int snapshots_list(const Arguments& args);
int snapshots_diff(const Arguments& args);
int alerts_list(const Arguments& args);
int alerts_ack(const Arguments& args);
int alerts_approve(const Arguments& args);
int trace(const Arguments& args);
int evidence(const Arguments& args);
int deletions_report(const Arguments& args);
int deletions_list(const Arguments& args);
int deletions_show(const Arguments& args);
int deletions_retry(const Arguments& args);
int deletions_force(const Arguments& args);
int archive_list(const Arguments& args);
int archive_show(const Arguments& args);
int archive_restore(const Arguments& args);
int undo(const Arguments& args);
int purge(const Arguments& args);
int verify(const Arguments& args);
int retention_report(const Arguments& args);
int retention_run(const Arguments& args);
int backup_create(const Arguments& args);
int backup_verify(const Arguments& args);
int backup_list(const Arguments& args);
int backup_restore(const Arguments& args);
int backup_drill(const Arguments& args);
int deletions_export(const Arguments& args);
int queue_list(const Arguments& args);
int queue_pause(const Arguments& args);
int queue_resume(const Arguments& args);
int queue_close(const Arguments& args);
int queue_open(const Arguments& args);
int queue_drain(const Arguments& args);
int queue_limit(const Arguments& args);
int pool_list(const Arguments& args);
int pool_set(const Arguments& args);
int token_create(const Arguments& args);
int token_list(const Arguments& args);
int token_revoke(const Arguments& args);
int secret_set(const Arguments& args);
int secret_list(const Arguments& args);
int secret_remove(const Arguments& args);
int webhook_list(const Arguments& args);
int webhook_create(const Arguments& args);
int webhook_show(const Arguments& args);
int webhook_update(const Arguments& args);
int webhook_delete(const Arguments& args);
int webhook_rotate(const Arguments& args);
int webhook_test(const Arguments& args);
int webhook_deliveries(const Arguments& args);
int webhook_redeliver(const Arguments& args);
int webhook_job_secret(const Arguments& args);
int schedule_list(const Arguments& args);
int schedule_create(const Arguments& args);
int schedule_edit(const Arguments& args);
int schedule_show(const Arguments& args);
int schedule_pause(const Arguments& args);
int schedule_resume(const Arguments& args);
int schedule_run(const Arguments& args);
int schedule_next(const Arguments& args);
int schedule_runs(const Arguments& args);
int schedule_delete(const Arguments& args);
int audit_list(const Arguments& args);
int audit_verify(const Arguments& args);
int worker_list(const Arguments& args);
int worker_drain(const Arguments& args);
int worker_stop(const Arguments& args);
int follow_events(const Arguments& args);
int top(const Arguments& args);
int raw_call(const Arguments& args);
// False, and the fault is told: a word that says `celery:ID` names no job.
bool name_jobs(const Verb& verb, Arguments& args, int& exit_code);
int celery_check(const Arguments& args);
int celery_import(const Arguments& args);
int celery_beat_import(const Arguments& args);
int doctor(const Arguments& args);
int completion(const Arguments& args);
int show_version(const Arguments& args);

int serve(const Arguments& args, Registry registry);
int demo(const Arguments& args, Registry registry);
int demo_serve(const Arguments& args, Registry registry);
int config_show(const Arguments& args);
int config_check(const Arguments& args);

}  // namespace quell::cli
