#include "cli/commands.h"

#include <iostream>

namespace slipway::cli {

void print_error(const Error& error) {
  std::cerr << "slipway: ";
  if (error.span && error.span->line > 0)
    std::cerr << error.span->file << ":" << error.span->line << ":" << error.span->column << ": ";
  std::cerr << error.message << "\n";
  if (!error.hint.empty()) std::cerr << "hint: " << error.hint << "\n";
}

int exit_code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::InvalidInput: return kInvalid;
    case ErrorKind::Unavailable: return kUnreachable;
    case ErrorKind::Unauthenticated:
    case ErrorKind::Denied:
    case ErrorKind::NotFound:
    case ErrorKind::Conflict:
    case ErrorKind::TooLarge:
    case ErrorKind::Internal: return kFailed;
  }
  return kFailed;
}

}  // namespace slipway::cli
