// The options that each verb of the command line takes, in the order in which its help shows them.
#pragma once

#include <array>

#include "http/cli/verbs.hpp"

namespace quell::cli {

inline constexpr std::array client_table{
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

inline constexpr std::array submit_table{
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

inline constexpr std::array list_table{
    Option{"status", "STATUS,…", "only these statuses"},
    Option{"queue", "NAME", "only this queue"},
    Option{"kind", "KIND", "only this kind"},
    Option{"tag", "TAG", "only with this tag"},
    Option{"limit", "N", "at most so many (default 50)"},
    Option{"all", "", "every page"},
};

inline constexpr std::array steer_table{
    Option{"filter", "EXPR", "all jobs that match, as an operation, instead of ids"},
    Option{"reason", "TEXT", "why; needed with --filter"},
    Option{"dry-run", "", "with --filter: say what it would take, do nothing"},
    Option{"yes", "", "do not ask", false, 'y'},
    Option{"confirm", "N", "the number of jobs, instead of typing it"},
    Option{"rate", "N", "with --filter: at most so many jobs a second"},
    Option{"detach", "", "with --filter: do not wait for the end"},
};

inline constexpr std::array delete_table{
    Option{"keep-copy", "DAYS", "keep a copy for so long, 0 for none (default: the server's)"},
    Option{"reason", "TEXT", "why; kept in the audit log"},
    Option{"filter", "EXPR", "all jobs that match, as an operation, instead of ids"},
    Option{"dry-run", "", "say what would go, delete nothing"},
    Option{"yes", "", "do not ask", false, 'y'},
    Option{"confirm", "N", "the number of jobs, instead of typing it"},
    Option{"wait", "SECONDS", "how long to wait for running jobs (default 5, at most 30 a call)"},
    Option{"receipt", "FILE", "write the signed receipt there"},
    Option{"rate", "N", "with --filter: at most so many jobs a second"},
    Option{"detach", "", "with --filter: do not wait for the end"},
};

inline constexpr std::array stop_table{
    Option{"queue", "NAME", "the queue: closed and paused"},
    Option{"delete", "", "then delete all of its jobs that have not ended"},
    Option{"reason", "TEXT", "why; needed"},
    Option{"yes", "", "do not ask", false, 'y'},
    Option{"confirm", "N", "the number of jobs, instead of typing it"},
    Option{"receipt", "FILE", "write the signed receipt there"},
    Option{"rate", "N", "at most so many jobs a second"},
    Option{"detach", "", "do not wait for the end"},
};

inline constexpr std::array operations_table{
    Option{"state", "STATE", "only running, paused, settling, done or stopped ones"},
};

inline constexpr std::array freeze_table{
    Option{"reason", "TEXT", "why; needed"},
};

inline constexpr std::array snapshots_table{
    Option{"limit", "N", "so many, the newest (default: 50)"},
};

inline constexpr std::array alerts_table{
    Option{"state", "STATE", "only raised, acked or approved ones"},
};

inline constexpr std::array wait_table{
    Option{"for", "SECONDS", "give up after so long (default: never)"},
};

inline constexpr std::array logs_table{
    Option{"follow", "", "go on until the job ends", false, 'f'},
};

inline constexpr std::array result_table{
    Option{"to", "FILE", "write the result there"},
};

inline constexpr std::array deletions_table{
    Option{"failed", "", "only those that gave up"},
    Option{"pending", "", "only those that are not finished"},
    Option{"limit", "N", "at most so many"},
};

inline constexpr std::array trace_table{
    Option{"json", "", "the whole answer, as -o json"},
};

inline constexpr std::array report_table{
    Option{"since", "TIME|2h", "from then on, or so long ago (default 24h)"},
    Option{"until", "TIME|2h", "up to then (default: now)"},
    Option{"by", "who|path|queue|kind", "a line for each (default who)"},
    Option{"csv", "", "as comma-separated lines"},
    Option{"json", "", "the whole answer, as -o json"},
};

inline constexpr std::array evidence_table{
    Option{"since", "TIME|2h", "from then on, or so long ago (default 24h)"},
    Option{"until", "TIME|2h", "up to then (default: now)"},
};

inline constexpr std::array force_table{
    Option{"reason", "TEXT", "why; needed"},
    Option{"yes", "", "do not ask", false, 'y'},
};

inline constexpr std::array archive_table{
    Option{"delete-id", "DELETE_ID", "only of this delete"},
    Option{"limit", "N", "at most so many (default 50)"},
    Option{"all", "", "every page"},
};

inline constexpr std::array restore_table{
    Option{"filter", "EXPR", "all copies that match, instead of ids"},
    Option{"dry-run", "", "with --filter: say how many match, restore nothing"},
    Option{"rerun", "", "what was running runs again; else it comes back cancelled"},
    Option{"drop-key", "", "come back without a unique key that another job has now"},
    Option{"yes", "", "do not ask", false, 'y'},
    Option{"confirm", "N", "the number of jobs, instead of typing it"},
};

inline constexpr std::array undo_table{
    Option{"rerun", "", "what was running runs again; else it comes back cancelled"},
    Option{"drop-key", "", "come back without a unique key that another job has now"},
};

inline constexpr std::array purge_table{
    Option{"dry-run", "", "say what would go, delete nothing"},
    Option{"confirm", "N", "the number of jobs that match; anything else is refused"},
    Option{"reason", "TEXT", "why; kept in the audit log"},
};

inline constexpr std::array proof_table{
    Option{"deletion", "DELETE_ID", "all jobs of this delete"},
    Option{"receipt", "FILE", "all jobs that this receipt calls deleted, and its signature"},
};

inline constexpr std::array retention_run_table{
    Option{"dry-run", "", "say what would go, take nothing"},
    Option{"confirm", "N", "take up to so many (default: the setting retention_most)"},
};

inline constexpr std::array backup_create_table{
    Option{"store", "URL", "back up this store, past any server; else the server does it"},
    Option{"to", "FILE|DIR", "with --store: where to (default: backup_dir, or here)"},
    Option{"passphrase-file", "FILE", "with --store: its first line seals the secrets"},
    Option{"without-secrets", "", "with --store: leave secrets out"},
};

inline constexpr std::array backup_verify_table{
    Option{"output", "json|text", "how the result is written", false, 'o'},
    Option{"quiet", "", "no progress", false, 'q'},
};

inline constexpr std::array backup_restore_table{
    Option{"store", "URL", "the empty store to restore into"},
    Option{"data-dir", "DIR", "its data directory, where its keys are"},
    Option{"config", "FILE", "the configuration file"},
    Option{"deletions", "FILE", "deletes since, of `deletions export`; may be repeated", true},
    Option{"passphrase-file", "FILE", "its first line opens the secrets of the backup"},
    Option{"without-secrets", "", "leave the secrets of the backup out"},
    Option{"output", "json|text", "how the result is written", false, 'o'},
    Option{"quiet", "", "no progress, no sentences", false, 'q'},
};

inline constexpr std::array backup_drill_table{
    Option{"store", "URL", "without FILE: the store to back up and compare with"},
    Option{"data-dir", "DIR", "its data directory"},
    Option{"config", "FILE", "the configuration file"},
    Option{"beside", "URL", "an empty store to restore into (default: a temporary file)"},
    Option{"deletions", "FILE", "deletes since, of `deletions export`; may be repeated", true},
    Option{"output", "json|text", "how the result is written", false, 'o'},
    Option{"quiet", "", "no progress, no sentences", false, 'q'},
};

inline constexpr std::array deletions_export_table{
    Option{"to", "FILE", "where to; needed"},
    Option{"store", "URL", "the store; a server may be at work on it"},
    Option{"data-dir", "DIR", "its data directory"},
    Option{"config", "FILE", "the configuration file"},
    Option{"output", "json|text", "how the result is written", false, 'o'},
    Option{"quiet", "", "no progress", false, 'q'},
};

inline constexpr std::array token_table{
    Option{"role", "viewer|operator|admin", "what it may do, by role"},
    Option{"scope", "SCOPE", "what it may do; may be repeated", true},
    Option{"project", "NAME", "only within this project"},
    Option{"expires", "SECONDS", "valid for so long"},
};

inline constexpr std::array limit_table{
    Option{"concurrency", "N", "jobs of the queue that run at once, over all nodes"},
    Option{"per-key", "N", "of these, with one limit key"},
    Option{"rate", "COUNT/SECONDS", "jobs of the queue that start"},
    Option{"key-rate", "COUNT/SECONDS", "of these, with one limit key"},
};

inline constexpr std::array secret_table{
    Option{"host", "HOST", "may be sent to this host (or *.domain); may be repeated", true},
    Option{"from", "@FILE|-", "where the value comes from (default: standard input)"},
    Option{"project", "NAME", "the project"},
};

inline constexpr std::array webhook_table{
    Option{"event", "EVENT", "only this one, as job.failed; may be repeated (default: all)", true},
    Option{"description", "TEXT", "what it is for"},
    Option{"project", "NAME", "the project"},
};

inline constexpr std::array webhook_update_table{
    Option{"to", "URL", "where it is sent"},
    Option{"event", "EVENT", "only this one; may be repeated; * is all", true},
    Option{"description", "TEXT", "what it is for"},
    Option{"enable", "", "send to it (again)"},
    Option{"disable", "", "send nothing more to it"},
};

inline constexpr std::array schedule_table{
    Option{"name", "TEXT", "another name"},
    Option{"cron", "EXPR", "when, as in a crontab: '30 2 * * mon-fri', '@hourly'"},
    Option{"every", "TIME", "or each so long: 90, 15m, 2h, 1d"},
    Option{"at", "TIME", "or once (RFC 3339)"},
    Option{"zone", "ZONE", "whose wall clock the expression means, as Europe/Berlin"},
    Option{"kind", "KIND", "the job's kind"},
    Option{"args", "JSON|@FILE|-", "the job's arguments, an object"},
    Option{"queue", "NAME", "the job's queue"},
    Option{"job", "JSON|@FILE|-", "the whole job, as for a submit"},
    Option{"overlap", "WORD", "while the last job lives: allow, skip, queue_one, cancel_old"},
    Option{"misfire", "WORD", "for times that nobody was there for: skip, once, all"},
    Option{"misfire-limit", "N", "of all, the newest so many"},
    Option{"jitter", "SECONDS", "spread over so long"},
    Option{"start", "TIME", "not before"},
    Option{"end", "TIME", "not from then on"},
    Option{"group", "NAME", "a group that is paused or deleted at once"},
    Option{"project", "NAME", "the project"},
    Option{"disabled", "", "is kept, and does not fire"},
};

inline constexpr std::array schedule_list_table{
    Option{"project", "NAME", "only this project"},
    Option{"group", "NAME", "only this group"},
    Option{"status", "STATUS", "only ACTIVE, DISABLED, PENDING_DELETE or DELETE_FAILED"},
};

inline constexpr std::array schedule_next_table{
    Option{"count", "N", "so many (default 10)"},
};

inline constexpr std::array schedule_runs_table{
    Option{"limit", "N", "at most so many (default 50)"},
};

inline constexpr std::array schedule_delete_table{
    Option{"jobs", "WORD", "its jobs: delete, keep those that have ended, or cancel"},
    Option{"reason", "TEXT", "why; kept in the audit log"},
    Option{"wait", "SECONDS", "how long to wait for its end (default 5, at most 30)"},
};

inline constexpr std::array webhook_secret_table{
    Option{"project", "NAME", "the project"},
};

inline constexpr std::array deliveries_table{
    Option{"before", "DELIVERY_ID", "only older ones"},
    Option{"limit", "N", "at most so many"},
};

inline constexpr std::array verify_table{
    Option{"receipt", "FILE", "the log must still reach the head that this receipt carries"},
};

inline constexpr std::array audit_table{
    Option{"after", "NO", "only entries behind this one"},
    Option{"limit", "N", "at most so many"},
};

inline constexpr std::array events_table{
    Option{"types", "TYPE,…", "only these, as job.deleted or job.*"},
    Option{"queue", "NAME", "only of this queue"},
    Option{"job", "ID", "only of this job"},
};

inline constexpr std::array top_table{
    Option{"every", "SECONDS", "how often to look (default 1)"},
    Option{"once", "", "one look, as text"},
};

inline constexpr std::array project_table{
    Option{"project", "NAME", "the project"},
};

inline constexpr std::array config_table{
    Option{"config", "FILE", "the configuration file"},
    Option{"origin", "", "where each value comes from"},
};

inline constexpr std::array celery_check_table{
    Option{"dir", "DIR", "where the app is imported from"},
    Option{"python", "PROGRAM", "the Python of the team's environment"},
};

inline constexpr std::array celery_import_table{
    Option{"to", "URL", "quell's address for Celery, with its token"},
    Option{"queue", "NAME", "only this queue; may be repeated", true},
    Option{"dry-run", "", "count, move nothing"},
    Option{"python", "PROGRAM", "a Python that has the redis package"},
};

inline constexpr std::array celery_beat_table{
    Option{"dir", "DIR", "where the app is imported from"},
    Option{"python", "PROGRAM", "the Python of the team's environment"},
    Option{"project", "NAME", "the project that gets them"},
    Option{"dry-run", "", "show them, make none"},
};

inline constexpr std::array demo_table{
    Option{"serve", "", "serve a believable world to look at, with the console, until Ctrl-C"},
    Option{"seed", "N", "with --serve: which world (default 7); the same one for the same number"},
    Option{"frozen", "", "with --serve: nothing runs and the clock stands still, for pictures"},
    Option{"listen", "ADDRESS", "with --serve: where (default 127.0.0.1:8080)"},
    Option{"keep", "", "leave the demo's data directory"},
};

}  // namespace quell::cli
