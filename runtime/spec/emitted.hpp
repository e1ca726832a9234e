// What quell_emit writes: every file that is derived from the tables of this folder, as text.
#pragma once

#include <string>
#include <vector>

namespace quell::spec {

struct Emitted {
  std::string path;  // from the project's root
  std::string text;
};

Emitted sqlite_laws();
Emitted postgres_laws();
Emitted job_life_page();
Emitted delete_page();
Emitted errors_page();
Emitted settings_page();
Emitted webhooks_page();
Emitted schedules_page();

}  // namespace quell::spec
