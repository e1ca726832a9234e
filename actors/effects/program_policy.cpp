#include "actors/effects/program_policy.hpp"

#include <grp.h>
#include <pwd.h>

#include <array>
#include <cstring>

namespace quell {

namespace {
constexpr int groups_max = 1024;
constexpr std::uint64_t mib = std::uint64_t{1} << 20;

Error no_policy(std::string sentence) {
  return Error{ErrorCode::usage, std::move(sentence)};
}

ProgramLimits limits_of(const SettingValues& values) {
  const auto number = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  ProgramLimits limits;
  limits.data_bytes = number(values.exec_memory_mb) * mib;
  limits.processes = number(values.exec_processes);
  limits.open_files = number(values.exec_open_files);
  limits.file_bytes = number(values.exec_file_mb) * mib;
  return limits;
}
// Also what of the store or its keys lies outside the data directory.
std::vector<std::string> hidden_of(const SettingValues& values) {
  std::vector<std::string> hidden;
  const auto hide = [&hidden](const std::string& path) {
    if (!path.empty()) hidden.push_back(path);
  };
  hide(values.data_dir);
  hide(values.tls_key_file);
  constexpr std::string_view sqlite = "sqlite:";
  if (values.store.starts_with(sqlite))
    for (const char* beside : {"", "-wal", "-shm", "-journal"})
      hide(values.store.substr(sqlite.size()) + beside);
  return hidden;
}
}  // namespace

Result<ProgramUser> find_program_user(const std::string& name) {
  std::array<char, 65536> texts;
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwnam_r(name.c_str(), &entry, texts.data(), texts.size(), &found);
  if (found == nullptr)
    return no_policy("exec_user: there is no user '" + name + "'" +
                     (error != 0 ? std::string(": ") + std::strerror(error) : std::string()));
  ProgramUser user{name, entry.pw_uid, entry.pw_gid, std::vector<gid_t>(groups_max)};
  int count = groups_max;
  if (::getgrouplist(name.c_str(), user.gid, user.groups.data(), &count) < 0)
    return no_policy("exec_user: '" + name + "' is in more groups than a program can be given");
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

Result<ProgramPolicy> program_policy(const SettingValues& values, uid_t server, bool fork_server) {
  ProgramPolicy policy;
  policy.enabled = values.exec_enabled;
  policy.fork_server = fork_server;
  if (!policy.runs_any()) return policy;
  policy.limits = limits_of(values);
  policy.hidden = hidden_of(values);
  if (values.exec_user.empty()) {
    if (server != 0) return policy;
    return no_policy(
        "programs would run as root: name the user that they are to run as (--exec-user NAME, one "
        "made for that and no other's), start the server as another user, or leave exec off");
  }
  Result<ProgramUser> user = find_program_user(values.exec_user);
  if (!user) return user.error();
  if (user->uid == 0 || user->gid == 0)
    return no_policy("exec_user: '" + values.exec_user + "' has root's rights; name another user");
  if (server != 0 && user->uid != server)
    return no_policy("exec_user: only a server that is started by root can run programs as '" +
                     values.exec_user + "'; start it so, or leave exec_user empty");
  if (server == 0) policy.user = std::move(*user);
  return policy;
}

}  // namespace quell
