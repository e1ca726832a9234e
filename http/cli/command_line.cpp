// The only place that uses CLI11: it takes half a minute to compile.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>

#include "http/cli/verbs.hpp"
#include "runtime/base/nearest_name.hpp"
#include "runtime/settings/settings.hpp"

namespace quell::cli {

namespace {

constexpr int usage_exit = 2;

std::string dashed(std::string_view name) {
  std::string text{name};
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string flag_text(const Option& option) {
  std::string text = "--" + dashed(option.name);
  if (option.letter != 0) text = std::string{"-"} + option.letter + "," + text;
  return text;
}

void add_option(CLI::App& app, const Option& option, Arguments& into) {
  const std::string name{option.name};
  const auto keep = [&into, name](const std::string& value) {
    into.options[name].push_back(value);
  };
  if (option.value.empty()) {
    // As `--console=off` it comes as a number below zero.
    app.add_flag_function(
        flag_text(option),
        [&into, name](std::int64_t times) {
          if (times > 0)
            into.options[name];
          else
            into.options[name].assign({"false"});
        },
        std::string{option.sentence});
    return;
  }
  auto* added = app.add_option_function<std::vector<std::string>>(
      flag_text(option),
      [keep](const std::vector<std::string>& values) {
        for (const std::string& value : values) keep(value);
      },
      std::string{option.sentence});
  added->type_name(std::string{option.value});
  added->expected(1);
  if (option.many)
    added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  else
    added->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

// `serve` and `worker` take every setting as a flag; see runtime/spec/settings.def.
void add_settings(CLI::App& app, Arguments& into) {
  add_option(app, {"config", "FILE", "the configuration file (QUELL_CONFIG)"}, into);
  for (const SettingInfo& info : setting_infos()) {
    if (info.type == SettingType::secret) continue;  // never in a command line, where ps shows it
    std::string_view shown = "TEXT";
    if (is_number(info.type)) shown = "N";
    if (info.type == SettingType::flag) shown = "";
    add_option(app, {info.name, shown, info.sentence, is_list(info.type)}, into);
  }
}

void add_words(CLI::App& app, const Verb& verb, Arguments& into) {
  if (verb.words == Words::none) return;
  auto* added = app.add_option_function<std::vector<std::string>>(
      "words", [&into](const std::vector<std::string>& words) { into.words = words; },
      std::string{verb.words_are});
  added->option_text(" ");
  if (verb.words == Words::one) added->required()->expected(1);
  if (verb.words == Words::maybe_one) added->expected(0, 1);
  if (verb.words == Words::one_or_two) added->required()->expected(1, 2);
  if (verb.words == Words::some) added->required()->expected(1, -1);
  if (verb.words == Words::any) added->expected(0, -1);
}

CLI::App* place_of(CLI::App& root, std::string_view name) {
  const std::size_t blank = name.find(' ');
  if (blank == std::string_view::npos) return root.add_subcommand(std::string{name});
  const std::string group{name.substr(0, blank)};
  const auto same = [&group](const CLI::App* app) { return app->get_name() == group; };
  const std::vector<CLI::App*> known = root.get_subcommands(nullptr);
  const auto found = std::find_if(known.begin(), known.end(), same);
  CLI::App* parent = found == known.end() ? nullptr : *found;
  if (parent == nullptr) {
    parent = root.add_subcommand(group, std::string{group_sentence(group)});
    parent->require_subcommand(1);
  }
  return parent->add_subcommand(std::string{name.substr(blank + 1)});
}

void add_verb(CLI::App& root, const Verb& verb, Parsed& parsed) {
  CLI::App* app = place_of(root, verb.name);
  app->description(std::string{verb.sentence});
  app->footer("Example: " + std::string{verb.example});
  add_words(*app, verb, parsed.arguments);
  for (const Option& option : verb.options) add_option(*app, option, parsed.arguments);
  if (verb.is_client)
    for (const Option& option : client_options()) add_option(*app, option, parsed.arguments);
  if (verb.name == "serve" || verb.name == "worker") add_settings(*app, parsed.arguments);
  if (verb.name == "api")
    add_option(*app, {"data", "JSON|@FILE|-", "the body", false, 'd'}, parsed.arguments);
  // CLI11 calls the outer one too, after the inner one: `worker list` is no `worker`.
  app->callback([app, &parsed, &verb] {
    if (!app->get_subcommands().empty()) return;
    parsed.verb = &verb;
    parsed.arguments.verb = verb.name;
  });
}

std::string hint_for(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs()) names.push_back(verb.name.substr(0, verb.name.find(' ')));
  const std::string_view near = nearest_name(argv[1], names);
  if (near.empty() || near == argv[1]) return {};
  return "Did you mean 'quell " + std::string{near} + "'?\n";
}

// `quell deletions` alone: which verbs it has. Nothing was done, so it is a mistake to a script.
bool shows_group(const CLI::App& root) {
  for (const CLI::App* app : root.get_subcommands()) {
    if (app->get_require_subcommand_min() == 0 || !app->get_subcommands().empty()) continue;
    std::cerr << app->help();
    return true;
  }
  return false;
}

}  // namespace

Parsed parse_command_line(int argc, char** argv) {
  Parsed parsed;
  CLI::App root{"quell: a job runtime in which delete means deleted", "quell"};
  root.require_subcommand(1);
  root.option_defaults()->always_capture_default(false);
  root.get_formatter()->column_width(34);
  root.footer("Start with: quell serve, or quell demo.");
  for (const Verb& verb : verbs()) add_verb(root, verb, parsed);
  root.get_help_ptr()->group("");  // whoever reads the page knows it; the verbs need the lines
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    parsed.exit_code = root.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    parsed.exit_code = root.exit(help);
  } catch (const CLI::ParseError& fault) {
    const bool shown = fault.get_name() == "RequiredError" && argc == 2 && shows_group(root);
    if (!shown) std::cerr << fault.what() << '\n' << hint_for(argc, argv) << "See quell --help.\n";
    parsed.exit_code = usage_exit;
    parsed.verb = nullptr;
  }
  return parsed;
}

}  // namespace quell::cli
