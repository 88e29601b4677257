#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "cli/commands.h"

namespace slipway::cli {
namespace {

// The words that may follow each chain of subcommands, taken from the command line's own table so
// that a new option completes by itself.
void print_cases(const CLI::App& app, const std::string& chain, std::ostream& out) {
  std::string words;
  const auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* sub : subcommands) words += sub->get_name() + " ";
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  out << "    '" << chain << "') words='" << words << "' ;;\n";
  for (const CLI::App* sub : subcommands)
    print_cases(*sub, chain.empty() ? sub->get_name() : chain + " " + sub->get_name(), out);
}

void print_bash(const CLI::App& app, std::ostream& out) {
  out << "_slipway() {\n"
         "  local chain='' word words=''\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in -*) ;; *) chain=\"${chain:+$chain }$word\" ;; esac\n"
         "  done\n"
         "  case $chain in\n";
  print_cases(app, "", out);
  out << "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "  [ -n \"$words\" ] || mapfile -t COMPREPLY < <(compgen -f -- "
         "\"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -F _slipway slipway\n";
}

}  // namespace

CLI::App* add_completion_command(CLI::App& app, int& exit_code) {
  auto* completion = app.add_subcommand("completion", "print the completion script of a shell");
  completion->footer("Example:\n  slipway completion bash > /etc/bash_completion.d/slipway");
  const auto shell = std::make_shared<std::string>("bash");
  completion->add_option("shell", *shell, "bash or zsh")->check(CLI::IsMember({"bash", "zsh"}));
  completion->callback([&app, shell, &exit_code] {
    if (*shell == "zsh") std::cout << "autoload -U +X bashcompinit && bashcompinit\n";
    print_bash(app, std::cout);
    exit_code = kOk;
  });
  return completion;
}

}  // namespace slipway::cli
