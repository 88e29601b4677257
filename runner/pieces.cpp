#include "runner/pieces.h"

#include <array>

namespace slipway::runner {
namespace {

// A cut every 2^20 bytes in the mean, behind the smallest size. The high bits have seen most bytes.
constexpr std::uint64_t kMask = ((std::uint64_t{1} << 20U) - 1) << 44U;

// 256 numbers without a pattern, the same for ever: stored pieces depend on them (SplitMix64).
constexpr std::array<std::uint64_t, 256> make_gear() {
  std::array<std::uint64_t, 256> gear{};
  std::uint64_t state = 0;
  for (std::uint64_t& number : gear) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    number = mixed ^ (mixed >> 31U);
  }
  return gear;
}
constexpr std::array<std::uint64_t, 256> kGear = make_gear();

}  // namespace

Result<void> PieceCutter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t at = 0;
    // No cut can be before the smallest size, and the hash has forgotten what is 64 bytes back.
    if (piece_.size() + 64 < kSmallest) at = std::min(bytes.size(), kSmallest - 64 - piece_.size());
    bool cut = false;
    while (at < bytes.size() && !cut) {
      hash_ = (hash_ << 1U) + kGear[static_cast<unsigned char>(bytes[at])];
      ++at;
      const std::size_t size = piece_.size() + at;
      cut = size >= kLargest || (size >= kSmallest && (hash_ & kMask) == 0);
    }
    piece_.append(bytes.substr(0, at));
    bytes.remove_prefix(at);
    if (cut)
      if (auto done = hand_over(); !done) return done;
  }
  return {};
}

Result<void> PieceCutter::finish() {
  return piece_.empty() ? Result<void>{} : hand_over();
}

Result<void> PieceCutter::hand_over() {
  auto done = take_(piece_);
  piece_.clear();
  hash_ = 0;
  return done;
}

}  // namespace slipway::runner
