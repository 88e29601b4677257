// Masking of 200 secrets in a log, beside a plain copy of it: prints both in MB/s.
//
//   masking [megabytes]
#include "base/crypto.h"
#include "runner/masker.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

using namespace slipway;

namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10U;

// Compiler output, near enough: words, paths and numbers in lines of about eighty bytes.
std::string log_of(std::size_t bytes) {
  std::string text;
  for (int line = 0; text.size() < bytes; ++line)
    text += "[" + std::to_string(line % 5000) +
            "/5000] Building CXX object src/module/CMakeFiles/part.dir/file" +
            std::to_string(line * 7919 % 100'000) + ".cpp.o\n";
  return text;
}

double megabytes_per_second(const std::string& text,
                            const std::function<std::string(std::string_view)>& step) {
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    std::size_t shown = 0;
    for (std::size_t at = 0; at < text.size(); at += kPiece)
      shown += step(std::string_view{text}.substr(at, kPiece)).size();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    if (shown > 0) best = std::max(best, static_cast<double>(text.size()) / 1e6 / took.count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t megabytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
  const std::string text = log_of(megabytes * 1'000'000);
  std::vector<std::string> secrets;
  for (int i = 0; i < 200; ++i) secrets.push_back(random_hex(8 + static_cast<std::size_t>(i % 12)));
  runner::Masker masker{secrets, {"glpat-", "glrt-", "glcbt-"}};
  const double masked =
      megabytes_per_second(text, [&](std::string_view piece) { return masker.feed(piece); });
  const double copied =
      megabytes_per_second(text, [](std::string_view piece) { return std::string{piece}; });
  std::printf("%.0f %.0f\n", masked, copied);
}
