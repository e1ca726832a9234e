#include "tests/house/tree.hpp"

namespace quell::house {
namespace {

// g++ 12 destroys some temporaries of a full expression with co_await twice. This reads the
// statement around one co_await and names what could be such a temporary. What it lets through:
// names, literals, constructor calls with parentheses, subscripts, and lambdas that capture
// nothing, this, or by reference only.
class Statement {
 public:
  Statement(const std::string& code, std::size_t await) : code_(code), at_(begin_of(code, await)) {}

  std::string fault() {
    int depth = 0;
    for (; at_ < code_.size(); ++at_) {
      const char c = code_[at_];
      if (c == ';' && depth <= 0) return {};
      if (c == '?') return "a conditional operator";
      if (c == '(') ++depth;
      if (c == ')' && --depth < 0) return {};  // the condition of an if, while or for ends
      if (c == '}') return "a braced list around it";
      if (c == '{') return depth == 0 && after_condition() ? std::string() : "a braced value";
      if (c == '[' && starts_lambda()) {
        if (!harmless_captures()) return "a lambda that owns what it captures";
        skip_lambda();
      }
    }
    return {};
  }

 private:
  static std::size_t begin_of(const std::string& code, std::size_t await) {
    std::size_t at = await;
    int depth = 0;
    while (at > 0) {
      const char c = code[at - 1];
      if (c == ')') ++depth;
      if (c == '(' && depth > 0) --depth;
      if (depth == 0 && (c == ';' || c == '{' || c == '}')) break;
      --at;
    }
    return at;
  }

  char last_before(std::size_t at) const {
    while (at > 0 && std::isspace(static_cast<unsigned char>(code_[at - 1]))) --at;
    return at == 0 ? '\0' : code_[at - 1];
  }

  bool after_condition() const { return last_before(at_) == ')'; }

  bool starts_lambda() const {
    const char before = last_before(at_);
    return !is_word(before) && before != ')' && before != ']';
  }

  bool harmless_captures() const {
    std::istringstream list(code_.substr(at_ + 1, code_.find(']', at_) - at_ - 1));
    for (std::string capture; std::getline(list, capture, ',');) {
      capture.erase(0, capture.find_first_not_of(" \n"));
      if (!capture.empty() && capture[0] != '&' && capture != "this") return false;
    }
    return true;
  }

  void skip_lambda() {  // to the closing brace of its body
    at_ = std::min(code_.find('{', at_), code_.size());
    for (int depth = 0; at_ < code_.size(); ++at_) {
      if (code_[at_] == '{') ++depth;
      if (code_[at_] == '}' && --depth == 0) return;
    }
  }

  const std::string& code_;
  std::size_t at_;
};

}  // namespace

std::string coroutine_fault(const std::string& text) {
  const std::string code = only_code(text);
  for (const std::string word : {"co_await", "co_yield"}) {
    for (auto at = code.find(word); at != std::string::npos; at = code.find(word, at + 1)) {
      const auto fault = Statement(code, at).fault();
      if (fault.empty()) continue;
      const auto line =
          1 + std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n');
      return "line " + std::to_string(line) + ": " + fault + " in a statement with " + word;
    }
  }
  return {};
}

}  // namespace quell::house
