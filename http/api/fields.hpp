// Takes one JSON object apart strictly: each member is asked for by name, type and range; what is
// left over was not known. All faults are told at once, each with its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/api/problem.hpp"
#include "http/api/views/json_text.hpp"
#include "runtime/base/clock.hpp"

namespace quell::http {

class Fields {
 public:
  // `pointer` is where the object stands in the body ("" is the body itself).
  Fields(JsonValue object, std::string pointer, std::vector<FieldFault>& faults);

  // Each returns whether the member was there (null counts as absent) and fine.
  bool text(std::string_view name, std::string& out, std::size_t max_bytes = 1024);
  bool integer(std::string_view name, std::int64_t& out, std::int64_t low, std::int64_t high);
  bool seconds(std::string_view name, Millis& out, double low, double high);
  bool flag(std::string_view name, bool& out);
  bool time(std::string_view name, Instant& out);
  bool object(std::string_view name, std::string& out, std::size_t max_bytes);  // as text
  bool texts(std::string_view name, std::vector<std::string>& out, std::size_t max_items,
             std::size_t max_bytes);
  std::optional<JsonValue> member(std::string_view name);  // of any kind; null counts as absent
  bool array(std::string_view name, std::vector<JsonValue>& out);

  bool has(std::string_view name) const;
  void wrong(std::string_view name, std::string detail, ErrorCode code = ErrorCode::invalid_field);
  void require(std::string_view name);
  void refuse_rest();  // members nobody asked for

 private:
  struct Member {
    std::string name;
    JsonValue value;
    bool asked = false;
  };
  const JsonValue* find(std::string_view name);
  std::vector<Member> members_;
  std::string pointer_;
  std::vector<FieldFault>& faults_;
};

// The problem made of `faults`: the code is that of the first.
Problem faults_problem(std::vector<FieldFault> faults);

std::string pointer_step(std::string_view name);  // "/a~1b"

}  // namespace quell::http
