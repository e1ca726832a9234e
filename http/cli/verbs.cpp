#include "http/cli/verbs.hpp"

#include <array>

#include "http/cli/actions.hpp"
#include "http/cli/verb_options.hpp"

namespace quell::cli {

namespace {

constexpr std::span<const Option> nothing{};

constexpr std::array table{
    Verb{"serve", "", Words::none, "run the server",
         "quell serve --listen 127.0.0.1:8080 --pool default=1000", node_table, nullptr, false},
    Verb{"worker", "", Words::none,
         "run jobs from a PostgreSQL that others share; or see to such nodes",
         "quell worker --store postgres://db/quell --data-dir /var/lib/quell/w1", node_table,
         nullptr, false},
    Verb{"demo", "", Words::none, "watch one call delete a hundred jobs", "quell demo", demo_table,
         nullptr, false},
    Verb{"submit", "KIND", Words::one, "submit a job; prints its id",
         "quell submit http --args '{\"url\":\"https://example.org\"}' --wait", submit_table,
         &submit, true},
    Verb{"list", "[FILTER]", Words::maybe_one, "list jobs, newest first",
         "quell list 'status=running AND queue=default'", list_table, &list, true},
    Verb{"get", "ID", Words::one, "see one job", "quell get 0198c2c0-…", nothing, &get, true},
    Verb{"logs", "ID", Words::one, "what a job said", "quell logs -f 0198c2c0-…", logs_table, &logs,
         true},
    Verb{"result", "ID", Words::one, "a job's result", "quell result 0198c2c0-… --to out.json",
         result_table, &result, true},
    Verb{"wait", "ID…", Words::some, "wait until jobs end; exits 1 when one failed",
         "quell wait 0198c2c0-… --for 60", wait_table, &wait, true},
    Verb{"delete", "[ID…|-]", Words::any, "delete jobs: stop them, free their slots, erase them",
         "quell delete 0198c2c0-… --reason 'wrong input'", delete_table, &erase, true},
    Verb{"cancel", "[ID…|-]", Words::any, "stop jobs and keep their records",
         "quell cancel 0198c2c0-…", steer_table, &cancel, true},
    Verb{"stop", "", Words::none, "close and pause a queue, and delete what has not ended",
         "quell stop --queue llm --delete --reason 'provider is down'", stop_table, &stop_queue,
         true},
    Verb{"retry", "[ID…|-]", Words::any, "run failed or cancelled jobs again, scheduled ones now",
         "quell retry 0198c2c0-…", steer_table, &retry, true},
    Verb{"counts", "", Words::none, "count jobs by status", "quell counts", nothing, &counts, true},
    Verb{"deletions list", "", Words::none, "delete calls, newest first",
         "quell deletions list --pending", deletions_table, &deletions_list, true},
    Verb{"deletions show", "DELETE_ID", Words::one, "one delete call and its receipt",
         "quell deletions show 0198c2c0-…", nothing, &deletions_show, true},
    Verb{"deletions retry", "DELETE_ID", Words::one, "try what is not finished again, now",
         "quell deletions retry 0198c2c0-…", nothing, &deletions_retry, true},
    Verb{"deletions force", "DELETE_ID", Words::one, "erase without proof that the runs are down",
         "quell deletions force ID --reason 'host lost'", force_table, &deletions_force, true},
    Verb{"operations list", "", Words::none, "operations over many jobs", "quell operations list",
         operations_table, &operations_list, true},
    Verb{"operations show", "OPERATION_ID", Words::one, "how far one is, and its receipt",
         "quell operations show 0198c2c0-…", nothing, &operations_show, true},
    Verb{"operations pause", "OPERATION_ID", Words::one, "begin no further slice",
         "quell operations pause 0198c2c0-…", nothing, &operations_pause, true},
    Verb{"operations resume", "OPERATION_ID", Words::one, "go on with a paused one",
         "quell operations resume 0198c2c0-…", nothing, &operations_resume, true},
    Verb{"operations stop", "OPERATION_ID", Words::one, "end one behind the slice at work",
         "quell operations stop 0198c2c0-…", nothing, &operations_stop, true},
    Verb{"operations outcomes", "OPERATION_ID", Words::one, "what became of its jobs",
         "quell operations outcomes 0198c2c0-…", nothing, &operations_outcomes, true},
    Verb{"freeze", "", Words::none, "refuse all deletions, on every node",
         "quell freeze --reason 'something deletes too much'", freeze_table, &freeze, true},
    Verb{"unfreeze", "", Words::none, "let deletions go on",
         "quell unfreeze --reason 'it was found'", freeze_table, &unfreeze, true},
    Verb{"alerts list", "", Words::none, "spikes of deletions, and deletes that are held",
         "quell alerts list --state raised", alerts_table, &alerts_list, true},
    Verb{"alerts ack", "ALERT_ID", Words::one, "say that it was seen; what it holds is not made",
         "quell alerts ack 0198c2c0-…", nothing, &alerts_ack, true},
    Verb{"alerts approve", "ALERT_ID", Words::one, "make the delete that it holds",
         "quell alerts approve 0198c2c0-…", nothing, &alerts_approve, true},
    Verb{"archive list", "[FILTER]", Words::maybe_one, "copies of deleted jobs, newest job first",
         "quell archive list 'queue=mail'", archive_table, &archive_list, true},
    Verb{"archive show", "JOB_ID", Words::one, "the copy of one deleted job",
         "quell archive show 0198c2c0-…", nothing, &archive_show, true},
    Verb{"archive restore", "JOB_ID…|-", Words::some, "bring deleted jobs back from their copies",
         "quell archive restore 0198c2c0-…", restore_table, &archive_restore, true},
    Verb{"undo", "DELETE_ID", Words::one, "bring back all that one delete erased and a copy is of",
         "quell undo 0198c2c0-…", undo_table, &undo, true},
    Verb{"purge", "FILTER", Words::one, "delete all jobs that match; dry run first",
         "quell purge 'status=failed AND queue=mail' --dry-run", purge_table, &purge, true},
    Verb{"verify", "JOB_ID…|-", Words::any, "prove that deleted jobs are gone; exits 1 when not",
         "quell verify --deletion 0198c2c0-…", proof_table, &verify, true},
    Verb{"retention report", "", Words::none, "how long things are kept, and what would go when",
         "quell retention report", nothing, &retention_report, true},
    Verb{"retention run", "", Words::none, "let what has expired go now",
         "quell retention run --dry-run", retention_run_table, &retention_run, true},
    Verb{"queue list", "", Words::none, "queues and what waits in them", "quell queue list",
         nothing, &queue_list, true},
    Verb{"queue pause", "NAME", Words::one, "start nothing more from a queue",
         "quell queue pause default", nothing, &queue_pause, true},
    Verb{"queue resume", "NAME", Words::one, "start jobs from a queue again",
         "quell queue resume default", nothing, &queue_resume, true},
    Verb{"queue close", "NAME", Words::one, "take no new jobs into a queue",
         "quell queue close default", nothing, &queue_close, true},
    Verb{"queue open", "NAME", Words::one, "take new jobs into a queue again",
         "quell queue open default", nothing, &queue_open, true},
    Verb{"queue drain", "NAME", Words::one, "close a queue and let it run empty",
         "quell queue drain default", nothing, &queue_drain, true},
    Verb{"queue limit", "NAME", Words::one, "limit what runs and starts; what is not named is free",
         "quell queue limit mail --per-key 2 --rate 100/60", limit_table, &queue_limit, true},
    Verb{"pool list", "", Words::none, "pools: capacity, used, free, waiting", "quell pool list",
         nothing, &pool_list, true},
    Verb{"pool set", "NAME=SLOTS", Words::one, "change a pool's capacity",
         "quell pool set default=200", nothing, &pool_set, true},
    Verb{"token create", "NAME", Words::one, "make a token; it is printed once",
         "quell token create ci --scope jobs:write --expires 86400", token_table, &token_create,
         true},
    Verb{"token list", "", Words::none, "tokens, without their secrets", "quell token list",
         nothing, &token_list, true},
    Verb{"token revoke", "TOKEN_ID", Words::one, "revoke a token", "quell token revoke 0f3a…",
         nothing, &token_revoke, true},
    Verb{"secret set", "NAME", Words::one, "store a secret for outbound calls",
         "quell secret set api-key --host api.example.com < key.txt", secret_table, &secret_set,
         true},
    Verb{"secret list", "", Words::none, "secrets, without their values", "quell secret list",
         nothing, &secret_list, true},
    Verb{"secret remove", "NAME", Words::one, "remove a secret", "quell secret remove api-key",
         project_table, &secret_remove, true},
    Verb{"webhook list", "", Words::none, "webhook endpoints, without their secrets",
         "quell webhook list", nothing, &webhook_list, true},
    Verb{"webhook create", "URL", Words::one, "register an endpoint; its secret is shown once",
         "quell webhook create https://example.org/hook --event job.failed", webhook_table,
         &webhook_create, true},
    Verb{"webhook show", "WEBHOOK_ID", Words::one, "one endpoint", "quell webhook show 0198c2c0-…",
         nothing, &webhook_show, true},
    Verb{"webhook update", "WEBHOOK_ID", Words::one, "change an endpoint, or switch it on or off",
         "quell webhook update 0198c2c0-… --disable", webhook_update_table, &webhook_update, true},
    Verb{"webhook delete", "WEBHOOK_ID", Words::one, "remove an endpoint",
         "quell webhook delete 0198c2c0-…", nothing, &webhook_delete, true},
    Verb{"webhook rotate", "WEBHOOK_ID", Words::one, "a new secret; for a while both sign",
         "quell webhook rotate 0198c2c0-…", nothing, &webhook_rotate, true},
    Verb{"webhook test", "WEBHOOK_ID", Words::one, "send a test message and tell what came back",
         "quell webhook test 0198c2c0-…", nothing, &webhook_test, true},
    Verb{"webhook deliveries", "WEBHOOK_ID", Words::one, "what was sent and what came back",
         "quell webhook deliveries 0198c2c0-…", deliveries_table, &webhook_deliveries, true},
    Verb{"webhook redeliver", "DELIVERY_ID", Words::one, "send it once more, under the same id",
         "quell webhook redeliver 0198c2c0-…", nothing, &webhook_redeliver, true},
    Verb{"webhook job-secret", "", Words::none, "what signs messages to URLs that jobs name",
         "quell webhook job-secret", webhook_secret_table, &webhook_job_secret, true},
    Verb{"schedule list", "", Words::none, "schedules", "quell schedule list --status ACTIVE",
         schedule_list_table, &schedule_list, true},
    Verb{"schedule create", "NAME", Words::one, "submit a job again and again",
         "quell schedule create nightly --cron '30 2 * * *' --zone Europe/Berlin --kind noop",
         schedule_table, &schedule_create, true},
    Verb{"schedule edit", "TASK_UUID", Words::one, "change a schedule",
         "quell schedule edit 0198c2c0-… --every 15m", schedule_table, &schedule_edit, true},
    Verb{"schedule show", "TASK_UUID", Words::one, "one schedule", "quell schedule show 0198c2c0-…",
         nothing, &schedule_show, true},
    Verb{"schedule pause", "TASK_UUID", Words::one, "fire no more until resumed",
         "quell schedule pause 0198c2c0-…", nothing, &schedule_pause, true},
    Verb{"schedule resume", "TASK_UUID", Words::one, "fire again, from now on",
         "quell schedule resume 0198c2c0-…", nothing, &schedule_resume, true},
    Verb{"schedule run", "TASK_UUID", Words::one, "fire once, now", "quell schedule run 0198c2c0-…",
         nothing, &schedule_run, true},
    Verb{"schedule next", "TASK_UUID", Words::one, "when it fires next, in its zone",
         "quell schedule next 0198c2c0-… --count 3", schedule_next_table, &schedule_next, true},
    Verb{"schedule runs", "TASK_UUID", Words::one, "its jobs, newest first",
         "quell schedule runs 0198c2c0-…", schedule_runs_table, &schedule_runs, true},
    Verb{"schedule delete", "TASK_UUID", Words::one, "delete it and its jobs; it never fires again",
         "quell schedule delete 0198c2c0-… --jobs keep", schedule_delete_table, &schedule_delete,
         true},
    Verb{"audit list", "", Words::none, "the audit log, oldest first", "quell audit list",
         audit_table, &audit_list, true},
    Verb{"audit verify", "", Words::none, "whether the audit log's chain holds",
         "quell audit verify", verify_table, &audit_verify, true},
    Verb{"worker list", "", Words::none, "the nodes that share the store", "quell worker list",
         nothing, &worker_list, true},
    Verb{"worker drain", "WORKER_ID", Words::one, "let a node take nothing more",
         "quell worker drain 0198c2c0-…", nothing, &worker_drain, true},
    Verb{"worker stop", "WORKER_ID", Words::one, "drain a node and end its process",
         "quell worker stop 0198c2c0-…", nothing, &worker_stop, true},
    Verb{"events", "", Words::none, "follow what happens", "quell events --types 'job.*'",
         events_table, &follow_events, true},
    Verb{"top", "", Words::none, "watch queues, pools and deletes; q ends it", "quell top",
         top_table, &top, true},
    Verb{"api", "METHOD PATH", Words::one_or_two, "one raw call; the body comes from --data",
         "quell api GET /api/v1/system", nothing, &raw_call, true},
    Verb{"celery check", "MODULE:APP", Words::one,
         "what of a Celery app works here, before anything is switched",
         "quell celery check shop:app", celery_check_table, &celery_check, false},
    Verb{"celery import", "URL", Words::one,
         "move what waits in an old Redis here; started again it goes on where it was",
         "quell celery import redis://old:6379/0 --to redis://shop:TOKEN@127.0.0.1:6380/0",
         celery_import_table, &celery_import, false},
    Verb{"config show", "", Words::none, "the settings as they hold here",
         "quell config show --origin", config_table, nullptr, false},
    Verb{"config check", "", Words::none, "whether the settings can be understood",
         "quell config check --config quell.toml", config_table, nullptr, false},
    Verb{"doctor", "", Words::none, "whether everything that quell needs is right", "quell doctor",
         nothing, &doctor, true},
    Verb{"completion", "bash|zsh|fish", Words::one, "a script that completes command lines",
         "quell completion bash > /etc/bash_completion.d/quell", nothing, &completion, false},
    Verb{"version", "", Words::none, "the version", "quell version", nothing, &show_version, false},
};

}  // namespace

std::span<const Verb> verbs() {
  return table;
}

std::span<const Option> client_options() {
  return client_table;
}

std::string_view group_sentence(std::string_view group) {
  if (group == "deletions") return "delete calls: progress, receipts, retries";
  if (group == "operations") return "operations over many jobs: list, show, pause, resume, stop";
  if (group == "alerts") return "spikes of deletions: list, ack, approve";
  if (group == "archive") return "copies of deleted jobs: list, show, restore";
  if (group == "retention") return "how long things are kept: report, run";
  if (group == "queue") return "queues: list, pause, resume, close, open, drain, limit";
  if (group == "pool") return "pools: list, set";
  if (group == "token") return "tokens: create, list, revoke";
  if (group == "secret") return "secrets for outbound calls: set, list, remove";
  if (group == "webhook") return "webhook endpoints: list, create, show, update, delete, …";
  if (group == "schedule") return "schedules: list, create, edit, show, pause, resume, run, …";
  if (group == "audit") return "the audit log: list, verify";
  if (group == "celery") return "moving from Celery: check, import";
  if (group == "config") return "settings: show, check";
  return {};
}

}  // namespace quell::cli
