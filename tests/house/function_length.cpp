#include <cctype>

#include "tests/house/rules.hpp"

namespace quell::house {
namespace {

constexpr std::size_t most_lines_of_a_function = 70;

// Directives may hold half a brace; they and their continuations are blanked out.
std::string without_directives(std::string code) {
  bool in_directive = false;
  for (std::size_t at = 0; at < code.size();) {
    const auto end = std::min(code.find('\n', at), code.size());
    const auto first = code.find_first_not_of(" \t", at);
    in_directive = in_directive || (first < end && code[first] == '#');
    const bool goes_on = in_directive && end > at && code[end - 1] == '\\';
    for (std::size_t i = at; i < end && in_directive; ++i) code[i] = ' ';
    in_directive = goes_on;
    at = end + 1;
  }
  return code;
}

// What stands before a brace and decides what the brace opens.
enum class Opens { scope, function, value };

Opens opened_by(const std::string& head) {
  static const std::regex scope(R"(^\s*(template\s*<[^{]*>\s*)?(inline\s+)?)"
                                R"((namespace|class|struct|union|enum|extern)\b[^()]*$)");
  if (std::regex_match(head, scope)) return Opens::scope;
  const auto parenthesis = head.find('(');
  const auto equals = head.find('=');
  const bool is_operator = head.find("operator") != std::string::npos;
  if (parenthesis == std::string::npos) return Opens::value;
  return equals < parenthesis && !is_operator ? Opens::value : Opens::function;
}

// Reads the braces outside functions; a function is measured from its head to its last brace.
class Reader {
 public:
  explicit Reader(std::string code) : code_(std::move(code)) {}

  Faults faults() {
    std::size_t head = 0;
    for (std::size_t at = 0; at < code_.size(); ++at) {
      const char c = code_[at];
      if (c == '\n') ++line_;
      if (c == ';' || c == '}') head = at + 1;
      if (c != '{') continue;
      const auto opens = opened_by(code_.substr(head, at - head));
      if (opens != Opens::scope) skip(head, at, opens == Opens::function);
      head = at + 1;
    }
    return std::move(faults_);
  }

 private:
  void skip(std::size_t head, std::size_t& at, bool is_function) {
    while (head < at && std::isspace(static_cast<unsigned char>(code_[head]))) ++head;
    const auto in_head = std::count(code_.begin() + static_cast<std::ptrdiff_t>(head),
                                    code_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const std::size_t first = line_ - static_cast<std::size_t>(in_head);
    int depth = 0;
    for (; at < code_.size(); ++at) {
      if (code_[at] == '\n') ++line_;
      if (code_[at] == '{') ++depth;
      if (code_[at] == '}' && --depth == 0) break;
    }
    const std::size_t lines = line_ - first + 1;
    if (is_function && lines > most_lines_of_a_function)
      faults_.push_back({first, std::to_string(lines) + " lines: it does two things"});
  }

  std::string code_;
  std::size_t line_ = 1;
  Faults faults_;
};

}  // namespace

Faults functions_fit_a_screen(const Source& source) {
  return Reader(without_directives(only_code(source.text))).faults();
}

}  // namespace quell::house
