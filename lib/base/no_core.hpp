// Keys and decrypted secrets are in memory, and a core file is memory on a disk.
#pragma once

namespace rb {

/// No core file of this process, nor of what it starts. systemd-coredump goes by this limit, too.
/// It cannot fail. For the beginning of main().
void leave_no_core();

} // namespace rb
