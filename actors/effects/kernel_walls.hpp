// Which of the walls round programs this kernel gives; for `doctor` and the log of a start.
#pragma once

#include <string>
#include <vector>

namespace quell {

struct KernelWall {
  bool given = false;
  std::string sentence;  // what stands, or what is left open
};

// Those that exist with or without exec. Asks the kernel, changes nothing.
std::vector<KernelWall> kernel_walls();

bool can_part_ipc();  // whether programs get System V memory and queues that end with them

}  // namespace quell
