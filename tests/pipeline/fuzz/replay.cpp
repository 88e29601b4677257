// Feeds every file of the given directories to a fuzz target: each was a seed or a crash once.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <vector>

#include "base/files.h"
#include "tests/pipeline/fuzz/target.h"

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> seeds;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::recursive_directory_iterator{argv[i]})
      if (entry.is_regular_file()) seeds.push_back(entry.path());
  std::sort(seeds.begin(), seeds.end());
  for (const auto& seed : seeds) {
    const auto text = slipway::read_file(seed);
    if (!text) {
      std::cerr << seed << ": " << text.error().message << "\n";
      return 1;
    }
    std::cout << seed.string() << std::endl;  // flushed: the last one named is the one that fails
    slipway::pipeline::fuzz::take(*text);
  }
  return seeds.empty() ? 1 : 0;
}
