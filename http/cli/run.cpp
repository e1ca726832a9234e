#include "http/server/run.hpp"

#include <csignal>

#include "http/cli/actions.hpp"
#include "http/cli/terminal_text.hpp"
#include "http/cli/verbs.hpp"

namespace quell {

int run(int argc, char** argv, Registry registry) {
  // A reader of our output who has gone is an error of a write, not a reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  // Nor is a file that may grow no further.
  std::signal(SIGXFSZ, SIG_IGN);
  cli::guard_terminal();
  cli::Parsed parsed = cli::parse_command_line(argc, argv);
  if (parsed.verb == nullptr) return parsed.exit_code;
  if (!cli::name_jobs(*parsed.verb, parsed.arguments, parsed.exit_code)) return parsed.exit_code;
  const cli::Arguments& args = parsed.arguments;
  if (parsed.verb->run != nullptr) return parsed.verb->run(args);
  if (args.verb == "serve" || args.verb == "worker") return cli::serve(args, std::move(registry));
  if (args.verb == "demo") return cli::demo(args, std::move(registry));
  if (args.verb == "config show") return cli::config_show(args);
  return cli::config_check(args);
}

}  // namespace quell
