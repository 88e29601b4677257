// The sections of a job's log, as GitLab's runner marks them; pages fold them.
#pragma once

#include <string>

#include "runner/executor.h"

namespace slipway::runner {

std::string section_heading(const std::string& name, const std::string& title);
std::string section_ending(const std::string& name);

// Opens one, and closes it when it goes.
class JobSection {
 public:
  JobSection(Sink say, std::string name, const std::string& title);
  ~JobSection();
  JobSection(const JobSection&) = delete;
  JobSection& operator=(const JobSection&) = delete;

 private:
  Sink say_;
  std::string name_;
};

}  // namespace slipway::runner
