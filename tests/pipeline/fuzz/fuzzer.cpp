// libFuzzer's entry.

#include <cstddef>
#include <cstdint>

#include "tests/pipeline/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  slipway::pipeline::fuzz::take({reinterpret_cast<const char*>(data), size});
  return 0;
}
