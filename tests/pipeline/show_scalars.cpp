// Reads one YAML scalar a line and prints how it is understood, one a line, for psych_test.py.

#include <iostream>
#include <string>

#include "pipeline/read/source.h"

int main() {
  using namespace slipway::pipeline::read;
  const auto word = [](Kind kind) {
    switch (kind) {
      case Kind::Null: return "null";
      case Kind::Bool: return "bool";
      case Kind::Integer: return "integer";
      case Kind::Float: return "float";
      case Kind::String:
      case Kind::Sequence:
      case Kind::Mapping: break;
    }
    return "string";
  };
  for (std::string line; std::getline(std::cin, line);) {
    const Typed typed = type_plain_scalar(line);
    if (typed.error.empty())
      std::cout << word(typed.kind) << " " << typed.text << "\n";
    else
      std::cout << "error\n";
  }
}
