// Overwrites what held a key, so that it lies in memory no longer than it is used.
#pragma once

#include <openssl/crypto.h>

namespace quell {

// At the end of its scope. `T` is a text or bytes of ours, which must stay where it is until then.
template <class T>
class WipedAtEnd {
 public:
  explicit WipedAtEnd(T& held) : held_(held) {}
  WipedAtEnd(const WipedAtEnd&) = delete;
  WipedAtEnd& operator=(const WipedAtEnd&) = delete;
  ~WipedAtEnd() { OPENSSL_cleanse(held_.data(), held_.size()); }

 private:
  static_assert(sizeof(typename T::value_type) == 1);
  T& held_;
};

}  // namespace quell
