// A slot as a process of its own: how the agent starts one, and what runs in it.
//
// It is in a session of its own, so that no signal to the agent's group reaches it, and takes in
// whatever its jobs leave behind, so that it can end that with the job. Its environment bears
// kSlotMark, which the programs of its jobs inherit, and none of the agent's settings.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/files.h"

namespace slipway::runner {

// "LABEL/INDEX" in the environment of a slot and of all that it starts.
constexpr const char* kSlotMark = "SLIPWAY_SLOT";

struct SlotLogs {  // as the settings say them
  std::string level = "info";
  std::string format = "text";
};

// Starts this program again as `slipway runner slot`, to serve `listener`. Its pid.
Result<int> start_slot_process(int index, const std::string& label, const SlotLogs& logs,
                               UniqueFd listener);

// The whole life of that process; its listener is descriptor 3. SIGTERM stops its job and ends it.
void be_slot_process(int index);

// Every process that bears the mark, by pid, with its "LABEL/INDEX".
std::vector<std::pair<int, std::string>> marked_processes();

}  // namespace slipway::runner
