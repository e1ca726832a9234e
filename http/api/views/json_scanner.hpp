// Walks a JSON text once and accepts or refuses it; see json_text.hpp for why it is stricter than
// the grammar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quell::http {

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  bool whole();  // one value, and nothing behind it
  std::size_t position() const { return at_; }
  std::string_view fault() const { return fault_; }

 private:
  bool value(int depth);
  bool object(int depth);
  bool array(int depth);
  bool string();
  bool escape();
  bool unicode_escape();
  bool number();
  bool digits();
  bool word(std::string_view expected);
  bool is_new_name(std::vector<std::string_view>& names, std::string_view quoted);
  void space();
  bool refuse(std::string_view why);
  bool more() const { return at_ < text_.size(); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view fault_;
};

// Of a quoted string that the scanner accepted.
std::string unescape_json(std::string_view quoted);

}  // namespace quell::http
