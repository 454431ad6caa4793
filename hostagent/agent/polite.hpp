// Work that must not be in the way of etcd, which shares the processors and the disk with us.
#pragma once

#include <functional>

namespace rb::agent {

/// Runs `work` on a thread of its own, with a nice value of 10 and the idle I/O class
/// (ioprio_set(2)), which the threads that it starts inherit, and waits for it. Where the kernel
/// refuses, it runs as usual.
void run_politely(const std::function<void()>& work);

} // namespace rb::agent
