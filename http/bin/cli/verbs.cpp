#include "http/bin/cli/verbs.hpp"

#include <array>

#include "http/bin/cli/actions.hpp"

namespace quell::cli {

namespace {

constexpr std::array client_table{
    Option{"url", "URL", "the server (QUELL_URL; default: the local one)"},
    Option{"token-file", "FILE",
           "file with the token (QUELL_TOKEN_FILE; default: the local admin's)"},
    Option{"data-dir", "DIR", "data directory of a local server, to find its address and token"},
    Option{"ca-file", "FILE", "certificates to trust for https"},
    Option{"output", "json|jsonl|yaml|table|id", "how results are written", false, 'o'},
    Option{"quiet", "", "results only, no sentences", false, 'q'},
    Option{"plain", "", "tables as tab-separated lines"},
    Option{"no-color", "", "no colours (also NO_COLOR)"},
    Option{"timeout", "SECONDS", "how long to wait for the server"},
};

constexpr std::array submit_table{
    Option{"args", "JSON|@FILE|-", "the job's arguments, an object"},
    Option{"queue", "NAME", "the queue"},
    Option{"priority", "0-9", "higher goes first"},
    Option{"at", "TIME", "not before this time (RFC 3339)"},
    Option{"delay", "SECONDS", "not before so many seconds have passed"},
    Option{"max-attempts", "N", "attempts, the first included"},
    Option{"job-timeout", "SECONDS", "time an attempt may take"},
    Option{"unique-key", "KEY", "refused while another live job has it"},
    Option{"limit-key", "KEY", "shares what the queue's limits give to one key"},
    Option{"tag", "TAG", "a tag; may be repeated", true},
    Option{"webhook", "URL", "told how the job ends"},
    Option{"project", "NAME", "the project"},
    Option{"wait", "", "wait for the end and exit by it"},
};

constexpr std::array list_table{
    Option{"status", "STATUS,…", "only these statuses"},
    Option{"queue", "NAME", "only this queue"},
    Option{"kind", "KIND", "only this kind"},
    Option{"tag", "TAG", "only with this tag"},
    Option{"limit", "N", "at most so many (default 50)"},
    Option{"all", "", "every page"},
};

constexpr std::array steer_table{
    Option{"yes", "", "do not ask", false, 'y'},
    Option{"confirm", "N", "the number of jobs, instead of typing it"},
};

constexpr std::array delete_table{
    Option{"reason", "TEXT", "why; kept in the audit log"},
    Option{"dry-run", "", "say what would go, delete nothing"},
    Option{"yes", "", "do not ask", false, 'y'},
    Option{"confirm", "N", "the number of jobs, instead of typing it"},
    Option{"wait", "SECONDS", "how long to wait for running jobs (default 5, at most 30 a call)"},
    Option{"receipt", "FILE", "write the signed receipt there"},
};

constexpr std::array wait_table{
    Option{"for", "SECONDS", "give up after so long (default: never)"},
};

constexpr std::array logs_table{
    Option{"follow", "", "go on until the job ends", false, 'f'},
};

constexpr std::array result_table{
    Option{"to", "FILE", "write the result there"},
};

constexpr std::array deletions_table{
    Option{"failed", "", "only those that gave up"},
    Option{"pending", "", "only those that are not finished"},
    Option{"limit", "N", "at most so many"},
};

constexpr std::array force_table{
    Option{"reason", "TEXT", "why; needed"},
    Option{"yes", "", "do not ask", false, 'y'},
};

constexpr std::array token_table{
    Option{"role", "viewer|operator|admin", "what it may do, by role"},
    Option{"scope", "SCOPE", "what it may do; may be repeated", true},
    Option{"project", "NAME", "only within this project"},
    Option{"expires", "SECONDS", "valid for so long"},
};

constexpr std::array limit_table{
    Option{"concurrency", "N", "jobs of the queue that run at once, over all nodes"},
    Option{"per-key", "N", "of these, with one limit key"},
    Option{"rate", "COUNT/SECONDS", "jobs of the queue that start"},
    Option{"key-rate", "COUNT/SECONDS", "of these, with one limit key"},
};

constexpr std::array secret_table{
    Option{"host", "HOST", "may be sent to this host (or *.domain); may be repeated", true},
    Option{"from", "@FILE|-", "where the value comes from (default: standard input)"},
    Option{"project", "NAME", "the project"},
};

constexpr std::array webhook_table{
    Option{"event", "EVENT", "only this one, as job.failed; may be repeated (default: all)", true},
    Option{"description", "TEXT", "what it is for"},
    Option{"project", "NAME", "the project"},
};

constexpr std::array webhook_update_table{
    Option{"to", "URL", "where it is sent"},
    Option{"event", "EVENT", "only this one; may be repeated; * is all", true},
    Option{"description", "TEXT", "what it is for"},
    Option{"enable", "", "send to it (again)"},
    Option{"disable", "", "send nothing more to it"},
};

constexpr std::array webhook_secret_table{
    Option{"project", "NAME", "the project"},
};

constexpr std::array deliveries_table{
    Option{"before", "DELIVERY_ID", "only older ones"},
    Option{"limit", "N", "at most so many"},
};

constexpr std::array verify_table{
    Option{"receipt", "FILE", "the log must still reach the head that this receipt carries"},
};

constexpr std::array audit_table{
    Option{"after", "NO", "only entries behind this one"},
    Option{"limit", "N", "at most so many"},
};

constexpr std::array events_table{
    Option{"types", "TYPE,…", "only these, as job.deleted or job.*"},
    Option{"queue", "NAME", "only of this queue"},
    Option{"job", "ID", "only of this job"},
};

constexpr std::array top_table{
    Option{"every", "SECONDS", "how often to look (default 1)"},
    Option{"once", "", "one look, as text"},
};

constexpr std::array project_table{
    Option{"project", "NAME", "the project"},
};

constexpr std::array config_table{
    Option{"config", "FILE", "the configuration file"},
    Option{"origin", "", "where each value comes from"},
};

constexpr std::array demo_table{
    Option{"keep", "", "leave the demo's data directory"},
};

constexpr std::span<const Option> nothing{};

constexpr std::array table{
    Verb{"serve", "", Words::none, "run the server",
         "quell serve --listen 127.0.0.1:8080 --pool default=1000", nothing, nullptr, false},
    Verb{"worker", "", Words::none,
         "run jobs from a PostgreSQL that others share; or see to such nodes",
         "quell worker --store postgres://db/quell --data-dir /var/lib/quell/w1", nothing, nullptr,
         false},
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
    Verb{"delete", "ID…|-", Words::some, "delete jobs: stop them, free their slots, erase them",
         "quell delete 0198c2c0-… --reason 'wrong input'", delete_table, &erase, true},
    Verb{"cancel", "ID…|-", Words::some, "stop jobs and keep their records",
         "quell cancel 0198c2c0-…", steer_table, &cancel, true},
    Verb{"retry", "ID…|-", Words::some, "run failed or cancelled jobs again, scheduled ones now",
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
  if (group == "queue") return "queues: list, pause, resume, close, open, drain, limit";
  if (group == "pool") return "pools: list, set";
  if (group == "token") return "tokens: create, list, revoke";
  if (group == "secret") return "secrets for outbound calls: set, list, remove";
  if (group == "webhook") return "webhook endpoints: list, create, show, update, delete, …";
  if (group == "audit") return "the audit log: list, verify";
  if (group == "config") return "settings: show, check";
  return {};
}

}  // namespace quell::cli
