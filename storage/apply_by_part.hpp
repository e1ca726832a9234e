// Of the parts of a store, the one that has an `apply` for an operation does it. So a new verb is
// an `apply` of a part; one that no part has does not compile.
#pragma once

#include <vector>

namespace quell::storage {

template <class Part, class Op>
concept AppliesEach = requires(Part& part, const Op& op) {
  part.apply(op);
};
template <class Part, class Op>
concept AppliesAll = requires(Part& part, const std::vector<Op>& ops) {
  part.apply(ops);
};

template <class Op, class Answer, class Part>
void apply_each(const std::vector<Op>& ops, std::vector<Answer>& answers, Part& part) {
  answers.reserve(ops.size());
  for (const Op& op : ops) answers.push_back(part.apply(op));
}

template <class Op, class Answer, class... Parts>
void apply_by_part(const std::vector<Op>& ops, std::vector<Answer>& answers, Parts&... parts) {
  static_assert(((AppliesEach<Parts, Op> || AppliesAll<Parts, Op>)+...) == 1,
                "each verb is the work of one part of the store");
  if (ops.empty()) return;
  const auto ask = [&]<class Part>(Part& part) {
    if constexpr (AppliesAll<Part, Op>)
      answers = part.apply(ops);
    else if constexpr (AppliesEach<Part, Op>)
      apply_each(ops, answers, part);
  };
  (ask(parts), ...);
}

}  // namespace quell::storage
