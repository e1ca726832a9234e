// Verbs about the program itself: version, completion, doctor.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <iostream>
#include <set>

#include "actors/effects/kernel_walls.hpp"
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"
#include "http/server/version.hpp"

namespace quell::cli {

namespace {

std::set<std::string> first_words() {
  std::set<std::string> words;
  for (const Verb& verb : verbs()) words.emplace(verb.name.substr(0, verb.name.find(' ')));
  return words;
}

std::set<std::string> second_words(const std::string& first) {
  std::set<std::string> words;
  for (const Verb& verb : verbs())
    if (verb.name.substr(0, first.size() + 1) == first + " ")
      words.emplace(verb.name.substr(first.size() + 1));
  return words;
}

std::string options_text(const Verb& verb) {
  std::string text;
  for (const Option& option : verb.options) text += fmt::format("--{} ", option.name);
  if (verb.is_client)
    for (const Option& option : client_options()) text += fmt::format("--{} ", option.name);
  return text;
}

std::string joined(const std::set<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

void complete_bash() {
  std::cout << "_quell() {\n  local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]}\n"
               "  local all=\n  if [ \"$COMP_CWORD\" -eq 1 ]; then all=\""
            << joined(first_words()) << "\"; else case \"$verb\" in\n";
  for (const std::string& first : first_words()) {
    const auto seconds = second_words(first);
    std::string options;
    for (const Verb& verb : verbs())
      if (verb.name.substr(0, verb.name.find(' ')) == first) options = options_text(verb);
    std::cout << "    " << first << ") all=\"" << joined(seconds) << (seconds.empty() ? "" : " ")
              << options << "\";;\n";
  }
  std::cout << "  esac; fi\n  COMPREPLY=($(compgen -W \"$all\" -- \"$word\"))\n}\n"
               "complete -o default -F _quell quell\n";
}

void complete_fish() {
  for (const Verb& verb : verbs()) {
    const std::string first{verb.name.substr(0, verb.name.find(' '))};
    if (verb.name == first)
      std::cout << fmt::format("complete -c quell -n __fish_use_subcommand -a {} -d \"{}\"\n",
                               first, verb.sentence);
    for (const Option& option : verb.options)
      std::cout << fmt::format(
          "complete -c quell -n '__fish_seen_subcommand_from {}' -l {} -d \"{}\"\n", first,
          option.name, option.sentence);
  }
}

void complete_zsh() {
  std::cout << "#compdef quell\nautoload -U +X bashcompinit && bashcompinit\n";
  complete_bash();
}

}  // namespace

int show_version(const Arguments&) {
  std::cout << "quell " << http::version << '\n';
  return 0;
}

int completion(const Arguments& args) {
  const std::string& shell = args.words.at(0);
  if (shell == "bash")
    complete_bash();
  else if (shell == "zsh")
    complete_zsh();
  else if (shell == "fish")
    complete_fish();
  else
    return fail_with(ErrorCode::usage, "completion knows bash, zsh and fish");
  return 0;
}

int doctor(const Arguments& args) {
  int code = 0;
  auto session = ApiClient::open(args, code);
  if (!session) return code;
  // Of the machine that this is asked on, which is the server's unless --url names another.
  for (const KernelWall& wall : kernel_walls())
    std::cout << (wall.given ? "ok    " : "note  ") << "programs: " << wall.sentence << '\n';
  bool well = true;
  const auto tell = [&well](bool good, const std::string& what) {
    std::cout << (good ? "ok    " : "FAULT ") << what << '\n';
    well = well && good;
  };
  if (std::getenv("QUELL_TOKEN") != nullptr)
    std::cout << "note  QUELL_TOKEN is set; a token file is safer, ps and logs show environments\n";
  const auto ready = session->ask("GET", "/readyz");
  tell(ready.has_value(), "a server answers");
  if (ready) {
    tell(ready->status == 200, "it is ready");
    if (ready->body.contains("checks"))
      for (const auto& [name, state] : ready->body["checks"].items())
        tell(state == "ok", name + ": " + state.get<std::string>());
    const auto system = session->ask("GET", "/api/v1/system");
    tell(system && system->ok(), "the token is accepted");
    if (system && system->ok())
      tell(system->body.value("version", "") == http::version,
           "server and client have the same version");
  }
  return well ? 0 : 1;
}

}  // namespace quell::cli
