#include <fmt/format.h>

#include "runtime/law/schedule_status.hpp"
#include "runtime/spec/emitted.hpp"

// The page about what a schedule can be, and what its owner chooses.
namespace quell::spec {
namespace {

std::string row(std::string_view word, std::string_view meaning) {
  return fmt::format("| `{}` | {} |\n", word, meaning);
}

}  // namespace

Emitted schedules_page() {
  std::string text =
      "<!-- Written by quell_emit from runtime/spec/schedule_machine.def: change the table. -->\n\n"
      "# Schedules: their status, and two policies\n\n"
      "How to use them stands in the [guide](../guides/schedules.md).\n\n"
      "## Status\n\n| Status | Set by | Meaning |\n| --- | --- | --- |\n";
#define SCHEDULE_STATUS(name, wire, by, meaning) \
  text += fmt::format("| `{}` | {} | {} |\n", wire, #by, meaning);
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_STATUS
  text += "\n## Overlap\n\nWhile a job of the schedule waits or runs, a fire\n\n";
  text += "| `overlap` | |\n| --- | --- |\n";
#define SCHEDULE_OVERLAP(name, meaning) text += row(#name, meaning);
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_OVERLAP
  text += "\n## Misfire\n\nOf due times that nobody was there for\n\n";
  text += "| `misfire` | |\n| --- | --- |\n";
#define SCHEDULE_MISFIRE(name, meaning) text += row(#name, meaning);
#include "runtime/spec/schedule_machine.def"
#undef SCHEDULE_MISFIRE
  return {"docs/reference/schedules.md", text};
}

}  // namespace quell::spec
