// How many times slower than a plain build this one may be: a test whose loop could have any length
// divides by it.
#pragma once

namespace slipway::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kSlowdown = 10;
#else
inline constexpr int kSlowdown = 1;
#endif

}  // namespace slipway::test
