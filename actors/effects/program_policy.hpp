// Under what terms programs run on a node: whether at all, as whom, within which limits, and what
// they do not get to see. Made once, before the keeper is forked; a program only has it applied.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/settings/settings.hpp"

namespace quell {

struct ProgramUser {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

struct ProgramLimits {  // 0: none
  std::uint64_t data_bytes = 0, processes = 0, open_files = 0, file_bytes = 0;
};

struct ProgramPolicy {
  bool enabled = false;
  bool fork_server = false;  // runs the tasks of a Celery app
  bool runs_any() const { return enabled || fork_server; }
  bool walled = true;                    // false: without the kernel's walls, for tests of the rest
  std::optional<ProgramUser> user = {};  // none: the server's own
  ProgramLimits limits = {};
  std::vector<std::string> hidden = {};  // the data directory, and what of ours lies elsewhere
};

// A fault says what to do: root does not lend its rights to programs, and nobody else can change
// users.
// `fork_server`: this node runs the tasks of a Celery app, whether it runs other programs or not.
Result<ProgramPolicy> program_policy(const SettingValues& values, uid_t server,
                                     bool fork_server = false);

// Who this is to the system; for its programs alone, so without what only a login would need.
Result<ProgramUser> find_program_user(const std::string& name);

}  // namespace quell
