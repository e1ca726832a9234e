// `quell celery …`: what a team does once, when it moves. All run in the team's own Python, which
// has its app and its redis package.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <optional>
#include <set>
#include <sstream>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/verbs.hpp"
#include "runtime/base/bounded_ordered_json.hpp"
#include "runtime/kinds/celery.hpp"

namespace quell::cli {

namespace {

int become(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  return fail_with(ErrorCode::usage, words.front() + ": " + std::strerror(errno));
}

std::string python_of(const Arguments& args) {
  return args.get("python", ForkedApp().python);
}

// What a program writes to its standard output; nothing when it did not end well.
std::optional<std::string> output_of(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::_exit(become(words));
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 65536> bytes{};
  for (ssize_t size = 1; child > 0 && size > 0;) {
    size = ::read(ends[0], bytes.data(), bytes.size());
    if (size > 0) text.append(bytes.data(), static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) return std::nullopt;
  return text;
}

bool enter(const Arguments& args) {
  const std::string folder = args.get("dir");
  return folder.empty() || ::chdir(folder.c_str()) == 0;
}

// The names of the schedules that are there.
std::optional<std::set<std::string>> names_there(ApiClient& session) {
  std::set<std::string> names;
  std::string after;
  do {
    const auto page =
        session.want("GET", "/api/v1/schedules?page_size=200" +
                                (after.empty() ? "" : "&page_token=" + escape_query(after)));
    if (!page) return std::nullopt;
    for (const Json& one : page->body.value("schedules", Json::array()))
      names.insert(one.value("name", ""));
    const Json next = page->body.value("next_page_token", Json());
    after = next.is_string() ? next.get<std::string>() : std::string();
  } while (!after.empty());
  return names;
}

struct Counts {
  int made = 0, there = 0, refused = 0;
};

bool make_schedule(ApiClient& session, const Arguments& args, Json entry,
                   const std::set<std::string>& there, Counts& counts) {
  const std::string name = entry.value("name", "");
  if (entry.contains("refused")) {
    ++counts.refused;
    std::cout << "not taken: " << harmless(name + ": " + entry.value("refused", "")) << '\n';
    return true;
  }
  if (there.contains(name)) return ++counts.there, true;
  ++counts.made;
  const Json when = entry.contains("cron") ? entry["cron"] : entry["every"];
  std::cout << harmless(name) << ": "
            << harmless(when.is_string() ? when.get<std::string>() : when.dump()) << '\n';
  if (args.has("dry-run")) return true;
  if (args.has("project")) entry["project"] = args.get("project");
  return session.want("POST", "/api/v1/schedules", entry.dump()).has_value();
}

}  // namespace

int celery_beat_import(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  if (!enter(args))
    return fail_with(ErrorCode::usage, args.get("dir") + ": " + std::strerror(errno));
  const auto text = output_of({python_of(args), "-c", celery_beat_source(), args.words.front()});
  if (!text) return fail_with(ErrorCode::usage, "the app's beat_schedule could not be read");
  const auto there = names_there(*session);
  if (!there) return session->exit_code();
  Counts counts;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const Json entry = ordered_json_from_outside(line);
    if (entry.is_object() && !make_schedule(*session, args, entry, *there, counts))
      return session->exit_code();
  }
  std::cout << counts.made << (args.has("dry-run") ? " would be made, " : " made, ") << counts.there
            << " there before, " << counts.refused << " not taken\n";
  return counts.refused > 0 ? 1 : 0;
}

int celery_check(const Arguments& args) {
  if (!enter(args))
    return fail_with(ErrorCode::usage, args.get("dir") + ": " + std::strerror(errno));
  return become(
      {python_of(args), "-c", fork_server_source(), "--celery", args.words.front(), "--check"});
}

int celery_import(const Arguments& args) {
  if (!args.has("to"))
    return fail_with(ErrorCode::usage,
                     "say where to: --to redis://PROJECT:TOKEN@HOST:PORT, the address at which "
                     "quell listens for Celery");
  std::vector<std::string> words{python_of(args), "-c", celery_import_source(), args.words.front(),
                                 args.get("to")};
  if (const auto queues = args.options.find("queue"); queues != args.options.end())
    for (const std::string& queue : queues->second) {
      words.emplace_back("--queue");
      words.push_back(queue);
    }
  if (args.has("dry-run")) words.emplace_back("--dry-run");
  return become(std::move(words));
}

}  // namespace quell::cli
