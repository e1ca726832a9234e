// `quell celery …`: what a team does once, when it moves. Both run in the team's own Python, which
// has its app and its redis package; this process becomes it.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/cli/verbs.hpp"
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
  return args.get("python", CeleryBody().python);
}

}  // namespace

int celery_check(const Arguments& args) {
  const std::string folder = args.get("dir");
  if (!folder.empty() && ::chdir(folder.c_str()) != 0)
    return fail_with(ErrorCode::usage, folder + ": " + std::strerror(errno));
  return become(
      {python_of(args), "-c", celery_fork_server_source(), args.words.front(), "--check"});
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
