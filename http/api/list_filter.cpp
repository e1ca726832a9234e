#include "http/api/list_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "http/api/views/json_writer.hpp"

namespace quell::http {

namespace {

constexpr std::size_t max_terms = 20;

Error refused(std::string detail) {
  return Error{ErrorCode::invalid_filter, std::move(detail)};
}

// Words, quoted words, operators and parentheses, in order.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // "" at the end. A quoted word comes with `is_quoted`.
  std::string next(bool& is_quoted) {
    is_quoted = false;
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (at_ == text_.size()) return {};
    if (text_[at_] == '"') return is_quoted = true, quoted_word();
    static constexpr std::string_view marks = "()=!<>:";
    if (marks.find(text_[at_]) != std::string_view::npos) {
      const std::size_t begin = at_++;
      if (at_ < text_.size() && text_[at_] == '=' && text_[begin] != '(' && text_[begin] != ')')
        ++at_;
      return std::string{text_.substr(begin, at_ - begin)};
    }
    const std::size_t begin = at_;
    // A colon belongs to a word inside a value (a time), and is an operator behind a field.
    while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '"' &&
           std::string_view{"()=!<>"}.find(text_[at_]) == std::string_view::npos &&
           (in_value_ || text_[at_] != ':'))
      ++at_;
    return std::string{text_.substr(begin, at_ - begin)};
  }
  void in_value(bool yes) { in_value_ = yes; }
  bool is_cut() const { return cut_; }

 private:
  std::string quoted_word() {
    std::string word;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      word += text_[at_];
    }
    cut_ = at_ == text_.size();
    if (!cut_) ++at_;
    return word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_value_ = false, cut_ = false;
};

Result<void> set_once(std::string& slot, std::string_view field, std::string_view value) {
  if (!slot.empty() && slot != value)
    return refused(fmt::format("'{}' cannot be two things at once.", field));
  if (value.empty()) return refused(fmt::format("'{}' has no value.", field));
  slot.assign(value);
  return {};
}

Result<void> add_states(std::string_view names, storage::JobFilter& filter) {
  std::vector<JobState> states;
  while (true) {
    const std::size_t comma = names.find(',');
    std::string name{names.substr(0, comma)};
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const std::optional<JobState> state = parse_state(name);
    if (!state || *state == JobState::gone)
      return refused(fmt::format("'{}' is not a status.", name));
    if (std::find(states.begin(), states.end(), *state) == states.end()) states.push_back(*state);
    if (comma == std::string_view::npos) break;
    names.remove_prefix(comma + 1);
  }
  if (filter.states.empty()) {
    filter.states = std::move(states);
    return {};
  }
  std::erase_if(filter.states, [&states](JobState state) {
    return std::find(states.begin(), states.end(), state) == states.end();
  });
  if (filter.states.empty()) return refused("'status' cannot be two things at once.");
  return {};
}

Result<void> add_time(std::string_view op, std::string_view value, storage::JobFilter& filter) {
  const std::optional<Instant> at = parse_time(value);
  if (!at) return refused(fmt::format("'{}' is not a time as in 2026-01-31T08:00:00Z.", value));
  if (op == ">" || op == ">=") {
    const Instant from = op == ">" ? *at + Millis{1} : *at;
    filter.created_from = std::max(filter.created_from.value_or(from), from);
  } else if (op == "<" || op == "<=") {
    const Instant before = op == "<=" ? *at + Millis{1} : *at;
    filter.created_before = std::min(filter.created_before.value_or(before), before);
  } else {
    return refused("'created_at' takes < <= > >=.");
  }
  return {};
}

struct Term {
  std::string field, op, value;
};

// Parentheses, which may stand around what would be together anyway: OR binds before AND here, as
// in AIP-160, so a group of ANDs beside an OR would mean something that is not offered.
class Groups {
 public:
  void open(std::size_t term) { begins_.push_back(term); }
  // False: there is nothing to close, or nothing in it.
  bool close(std::size_t terms) {
    if (begins_.empty() || begins_.back() == terms) return false;
    groups_.emplace_back(begins_.back(), terms - 1);
    begins_.pop_back();
    return true;
  }
  bool are_closed() const { return begins_.empty(); }
  // `joints[i]` stands between the terms i and i + 1.
  bool are_harmless(const std::vector<std::string>& joints) const {
    return std::none_of(groups_.begin(), groups_.end(), [&joints](const auto& group) {
      const auto [first, last] = group;
      const bool has_and = std::find(joints.begin() + static_cast<std::ptrdiff_t>(first),
                                     joints.begin() + static_cast<std::ptrdiff_t>(last),
                                     "AND") != joints.begin() + static_cast<std::ptrdiff_t>(last);
      const bool beside_or = (first > 0 && joints[first - 1] == "OR") ||
                             (last < joints.size() && joints[last] == "OR");
      return has_and && beside_or;
    });
  }

 private:
  std::vector<std::size_t> begins_;
  std::vector<std::pair<std::size_t, std::size_t>> groups_;
};

// One term; `word` is its first word and afterwards the first behind it.
Result<Term> read_one(Lexer& lexer, std::string& word, bool& is_quoted) {
  Term term;
  term.field = word;
  term.op = lexer.next(is_quoted);
  lexer.in_value(true);
  term.value = lexer.next(is_quoted);
  lexer.in_value(false);
  if (lexer.is_cut()) return refused("A quote does not end.");
  word = lexer.next(is_quoted);
  return term;
}

Result<std::vector<Term>> read_terms(std::string_view text, std::vector<std::string>& joints) {
  Lexer lexer(text);
  std::vector<Term> terms;
  Groups groups;
  bool is_quoted = false;
  std::string word = lexer.next(is_quoted);
  while (!word.empty()) {
    for (; word == "("; word = lexer.next(is_quoted)) groups.open(terms.size());
    if (word == "NOT" || word == "-") return refused("NOT is not offered here.");
    if (word.empty() || word == ")") return refused("A term is missing beside a parenthesis.");
    Result<Term> term = read_one(lexer, word, is_quoted);
    if (!term) return term.error();
    terms.push_back(std::move(*term));
    if (terms.size() > max_terms) return refused("A filter takes at most 20 terms.");
    for (; word == ")"; word = lexer.next(is_quoted))
      if (!groups.close(terms.size())) return refused("A parenthesis is closed that is not open.");
    if (word.empty()) break;
    if (word != "AND" && word != "OR") return refused("Terms are joined by AND or OR.");
    joints.push_back(word);
    word = lexer.next(is_quoted);
    if (word.empty()) return refused("A term should follow AND or OR.");
  }
  if (!groups.are_closed()) return refused("A parenthesis is not closed.");
  if (!groups.are_harmless(joints)) return refused("OR is offered between statuses only.");
  return terms;
}

}  // namespace

Result<void> add_term(std::string_view field, std::string_view op, std::string_view value,
                      storage::JobFilter& filter) {
  if (field == "created_at") return add_time(op, value, filter);
  if (op != "=" && op != ":")
    return refused(fmt::format("'{}' takes '=' only, not '{}'.", field, op));
  if (field == "status") return add_states(value, filter);
  if (field == "queue") return set_once(filter.queue, field, value);
  if (field == "kind" || field == "type") return set_once(filter.kind, field, value);
  if (field == "tag" || field == "tags") return set_once(filter.tag, field, value);
  if (field == "schedule_id") return set_once(filter.schedule, field, value);
  if (field == "project") return set_once(filter.project, field, value);
  return refused(fmt::format(
      "'{}' cannot be filtered by; take status, queue, kind, tags, project, schedule_id or "
      "created_at.",
      field));
}

Result<void> read_filter(std::string_view text, storage::JobFilter& filter) {
  std::vector<std::string> joints;
  Result<std::vector<Term>> terms = read_terms(text, joints);
  if (!terms) return terms.error();
  // OR is understood between statuses standing side by side; the store has an index for those.
  for (std::size_t i = 0; i < terms->size(); ++i) {
    Term term = (*terms)[i];
    while (i < joints.size() && joints[i] == "OR") {
      const Term& other = (*terms)[i + 1];
      if (term.field != "status" || other.field != "status" || other.op != "=")
        return refused("OR is offered between statuses only.");
      term.value.append(",").append(other.value);
      ++i;
    }
    if (Result<void> added = add_term(term.field, term.op, term.value, filter); !added)
      return added.error();
  }
  return {};
}

std::string filter_text(const storage::JobFilter& filter) {
  std::string text;  // each word with its length, so that no two filters have one text
  for (const std::string& word :
       {filter.project, filter.queue, filter.kind, filter.tag, filter.schedule})
    text.append(fmt::format("{}:{}|", word.size(), word));
  std::vector<std::string_view> states;
  for (const JobState state : filter.states) states.push_back(to_string(state));
  std::sort(states.begin(), states.end());
  for (const std::string_view state : states) text.append("|").append(state);
  const auto at = [](const std::optional<Instant>& time) {
    return time ? time->time_since_epoch().count() : -1;
  };
  return text + fmt::format("|{}|{}", at(filter.created_from), at(filter.created_before));
}

}  // namespace quell::http
