#include "runtime/task/references.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace quell {

namespace {

using Json = nlohmann::json;

// A stretch of a text: plain, or a reference.
struct Piece {
  std::string plain;
  ReferencePath path;  // not empty: a reference
};

Error malformed(const std::string& text) {
  return Error{ErrorCode::invalid_field, "'" + text + "' is not a reference like ${steps.x.field}"};
}

Result<ReferencePath> path_of(const std::string& inside) {
  ReferencePath path(1);
  for (const char c : inside) {
    if (c == '.')
      path.emplace_back();
    else
      path.back() += c;
  }
  for (const std::string& name : path)
    if (name.empty()) return malformed("${" + inside + "}");
  return path;
}

Result<std::vector<Piece>> pieces_of(const std::string& text) {
  std::vector<Piece> pieces(1);
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 3, "$${") == 0) {
      pieces.back().plain += "${";
      at += 3;
    } else if (text.compare(at, 2, "${") == 0) {
      const std::size_t end = text.find('}', at);
      if (end == std::string::npos) return malformed(text.substr(at));
      auto path = path_of(text.substr(at + 2, end - at - 2));
      if (!path) return path.error();
      Piece reference;
      reference.path = std::move(*path);
      pieces.push_back(std::move(reference));
      pieces.emplace_back();
      at = end + 1;
    } else {
      pieces.back().plain += text[at++];
    }
  }
  std::erase_if(pieces, [](const Piece& one) { return one.plain.empty() && one.path.empty(); });
  return pieces;
}

std::string written_out(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// What a value takes when it is written, near enough, and never less than what it takes in memory
// by more than a small factor.
std::size_t weight_of(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() + 16;
  std::size_t sum = 16;
  if (value.is_object())
    for (const auto& [name, one] : value.items()) sum += name.size() + 32 + weight_of(one);
  else if (value.is_array())
    for (const Json& one : value) sum += weight_of(one);
  return sum;
}

// One substitution. A reference is a few bytes and may stand for many, as often as it is written.
class Substitution {
 public:
  explicit Substitution(const LookUp& look_up) : look_up_(look_up) {}

  Result<Json> of(const Json& value) {
    if (value.is_string()) return text_with(value.get_ref<const std::string&>());
    if (!value.is_structured()) return value;
    Json copy = value.is_object() ? Json::object() : Json::array();
    for (const auto& [name, one] : value.items()) {
      auto inner = of(one);
      if (!inner) return inner;
      if (value.is_object())
        copy[name] = std::move(*inner);
      else
        copy.push_back(std::move(*inner));
    }
    return copy;
  }

 private:
  Result<void> take(std::size_t bytes) {
    taken_ += bytes;
    if (taken_ <= most_substituted_bytes) return {};
    return Error{ErrorCode::invalid_field, "the references stand for more than 16 MiB"};
  }

  Result<Json> text_with(const std::string& text) {
    auto pieces = pieces_of(text);
    if (!pieces) return pieces.error();
    const bool alone = pieces->size() == 1 && !pieces->front().path.empty();
    std::string whole;
    for (const Piece& piece : *pieces) {
      if (piece.path.empty()) {
        whole += piece.plain;
        continue;
      }
      auto value = look_up_(piece.path);
      if (!value) return value.error();
      if (auto fits = take(weight_of(**value)); !fits) return fits.error();
      if (alone) return **value;
      whole += written_out(**value);
    }
    return Json(std::move(whole));
  }

  const LookUp& look_up_;
  std::size_t taken_ = 0;
};

}  // namespace

std::string to_string(const ReferencePath& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

Result<std::vector<ReferencePath>> references_in(const Json& value) {
  std::vector<ReferencePath> found;
  const Json nothing;
  const auto note = [&](const ReferencePath& path) -> Result<const Json*> {
    found.push_back(path);
    if (found.size() > most_references)
      return Error{ErrorCode::invalid_field, "there are more than 1,000 references"};
    return &nothing;
  };
  auto done = substituted(value, note);
  if (!done) return done.error();
  return found;
}

Result<Json> substituted(const Json& value, const LookUp& look_up) {
  return Substitution(look_up).of(value);
}

Result<const Json*> value_at(const Json& root, const ReferencePath& path, std::size_t first) {
  const Json* at = &root;
  for (std::size_t i = first; i < path.size(); ++i) {
    const std::string& name = path[i];
    const Json* next = nullptr;
    if (at->is_object()) {
      if (const auto member = at->find(name); member != at->end()) next = &*member;
    } else if (at->is_array()) {
      std::size_t n = 0;
      const auto read = std::from_chars(name.data(), name.data() + name.size(), n);
      if (read.ec == std::errc{} && read.ptr == name.data() + name.size() && n < at->size())
        next = &(*at)[n];
    }
    if (next == nullptr)
      return Error{
          ErrorCode::invalid_field,
          to_string(ReferencePath(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i))) +
              " has no '" + name + "'"};
    at = next;
  }
  return at;
}

}  // namespace quell
