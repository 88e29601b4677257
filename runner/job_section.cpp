#include "runner/job_section.h"

#include <spdlog/fmt/fmt.h>

#include <ctime>

namespace slipway::runner {
namespace {

constexpr const char* kClearLine = "\r\x1b[0K";

}  // namespace

std::string section_heading(const std::string& name, const std::string& title) {
  return fmt::format("section_start:{}:{}{}\x1b[36;1m{}\x1b[0;m\n", std::time(nullptr), name,
                     kClearLine, title);
}

std::string section_ending(const std::string& name) {
  return fmt::format("section_end:{}:{}{}", std::time(nullptr), name, kClearLine);
}

JobSection::JobSection(Sink say, std::string name, const std::string& title)
    : say_(std::move(say)), name_(std::move(name)) {
  say_(section_heading(name_, title));
}

JobSection::~JobSection() {
  say_(section_ending(name_));
}

}  // namespace slipway::runner
