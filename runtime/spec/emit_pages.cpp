#include <fmt/format.h>

#include "runtime/base/error.hpp"
#include "runtime/law/delete_protocol.hpp"
#include "runtime/law/job_machine.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/spec/emitted.hpp"

// The reference pages: what the program does, in the words of the tables it is built from.
namespace quell::spec {
namespace {

std::string written_from(std::string_view table) {
  return fmt::format("<!-- Written by quell_emit from runtime/spec/{}: change the table. -->\n\n",
                     table);
}

std::string diagram() {
  std::string text = "```mermaid\nstateDiagram-v2\n";
  for (const Birth& birth : births())
    text += fmt::format("  [*] --> {}: {}\n", to_string(birth.state), to_string(birth.event));
  for (const Move& move : moves())
    text +=
        fmt::format("  {} --> {}: {}\n", to_string(move.from),
                    move.to == JobState::gone ? "[*]" : to_string(move.to), to_string(move.event));
  return text + "```\n";
}

std::string_view kind_name(StateKind kind) {
  switch (kind) {
    case StateKind::waiting:
      return "waiting";
    case StateKind::active:
      return "active";
    case StateKind::final:
      return "final";
    case StateKind::leaving:
      return "leaving";
    case StateKind::absent:
      return "absent";
  }
  return "";
}

std::string_view proof_name(Proof proof) {
  switch (proof) {
    case Proof::proven:
      return "proven";
    case Proof::unproven:
      return "unproven";
    case Proof::pending:
      return "not yet";
  }
  return "";
}

std::string state_table() {
  std::string text = "| State | Kind | Meaning |\n| --- | --- | --- |\n";
  for (int i = 0; i <= static_cast<int>(JobState::gone); ++i) {
    const auto state = static_cast<JobState>(i);
    text += fmt::format("| `{}` | {} | {} |\n", to_string(state), kind_name(kind_of(state)),
                        meaning(state));
  }
  return text;
}

// A bar would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Emitted job_life_page() {
  std::string text = written_from("job_machine.def");
  text +=
      "# The life of a job\n\n"
      "A job is in one of the states below. What the tables do not list cannot happen: the "
      "program\n"
      "looks moves up here, and triggers in the database refuse any other, whoever makes it.\n"
      "`pending_delete` and `delete_failed` are set by the delete alone, and nothing leaves them\n"
      "except to *gone*.\n\n";
  text += diagram() + "\n## States\n\n" + state_table();
  text += "\n## Births\n\n| Event | State | By |\n| --- | --- | --- |\n";
  for (const Birth& birth : births())
    text += fmt::format("| `{}` | `{}` | {} |\n", to_string(birth.event), to_string(birth.state),
                        to_string(birth.by));
  text += "\n## Moves\n\n| Event | From | To | By |\n| --- | --- | --- | --- |\n";
  for (const Move& move : moves())
    text += fmt::format("| `{}` | `{}` | `{}` | {} |\n", to_string(move.event),
                        to_string(move.from), to_string(move.to), to_string(move.by));
  text +=
      "\n## Events\n\nIn which words a registered webhook and an event stream are told of it.\n\n"
      "| Event | Webhook | Event stream |\n| --- | --- | --- |\n";
  for (const JobEvent event : job_events())
    text += fmt::format("| `{}` | {} | {} |\n", to_string(event), told_by_webhook(event),
                        told_to_watchers(event));
  text +=
      "\nA cancel, a timeout or a drain of a running job is a request: the state changes when its "
      "node\n"
      "writes that the run is down. So a final state means that nobody holds the job any more.\n";
  return {"docs/reference/job-life.md", text};
}

Emitted delete_page() {
  std::string text = written_from("delete_protocol.def");
  text +=
      "# What a delete does\n\n"
      "A *holder* is whatever can still act for a job: its run, and each webhook delivery in "
      "flight.\n"
      "Holders, never states, decide what must be stopped. A step may be repeated safely; what is\n"
      "durable survives a crash, the rest is done again.\n\n"
      "## Steps\n\n| Step | Durable | By | What |\n| --- | --- | --- | --- |\n";
#define DELETE_STEP(name, durable, by, text_of_it)        \
  text += fmt::format("| `{}` | {} | {} | {} |\n", #name, \
                      is_durable(DeleteStep::name) ? "yes" : "no", #by, cell(text_of_it));
#include "runtime/spec/delete_protocol.def"
#undef DELETE_STEP
  text +=
      "\n## Verdicts\n\nWhat became of a holder. Only proven verdicts count as `deleted` without"
      " `unproven`.\n\n| Verdict | Proof | Meaning |\n| --- | --- | --- |\n";
#define DELETE_VERDICT(name, proof, text_of_it)                                           \
  text += fmt::format("| `{}` | {} | {} |\n", #name, proof_name(proof_of(Verdict::name)), \
                      cell(text_of_it));
#include "runtime/spec/delete_protocol.def"
#undef DELETE_VERDICT
  text +=
      "\n## Counts\n\nEvery reply adds up:\n\n"
      "- `distinct = deleted + already_gone + pending + failed`\n"
      "- `deleted = killed + dequeued + finished_first + at_rest + unproven`\n\n"
      "`slots_freed` counts the permits that came back because of the call; it need not equal\n"
      "`killed`, since a run that finished first gave its slot back by itself.\n";
  return {"docs/reference/delete.md", text};
}

Emitted errors_page() {
  std::string text = written_from("errors.def");
  text +=
      "# Errors\n\nEvery fault that a caller can meet. A reply is `application/problem+json` with "
      "this\n"
      "`code`; the command line ends with this exit code. *Again* says whether the same call may "
      "be\n"
      "repeated as it is.\n\n| Code | HTTP | Exit | Again | What to do |\n"
      "| --- | --- | --- | --- | --- |\n";
#define QUELL_ERROR(name, wire, status, exit, retryable, sentence)          \
  text += fmt::format("| `{}` | {} | {} | {} | {} |\n", wire, status, exit, \
                      (retryable) ? "yes" : "no", cell(sentence));
#include "runtime/spec/errors.def"
#undef QUELL_ERROR
  return {"docs/reference/errors.md", text};
}

Emitted settings_page() {
  std::string text = written_from("settings.def");
  text +=
      "# Settings\n\nEach is a key of the TOML file, `QUELL_NAME` in the environment and `--name` "
      "on the\n"
      "command line (with dashes); the later wins. `quell config show --origin` says where a "
      "value\n"
      "is from. The end of a name is its unit. An unknown name\n"
      "in the file or on the command line ends the start; in the environment it is warned of.\n\n| "
      "Setting | Type | Default | Range | Meaning |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const SettingInfo& row : setting_infos()) {
    const auto range = is_number(row.type) ? fmt::format("{} to {}", row.min, row.max) : "";
    const auto fallback = row.fallback.empty() ? "" : fmt::format("`{}`", row.fallback);
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.name, to_string(row.type),
                        cell(fallback), range, cell(row.sentence));
  }
  return {"docs/reference/settings.md", text};
}

}  // namespace quell::spec
