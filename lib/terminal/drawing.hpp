// Lines that are drawn anew on a terminal.
#pragma once

namespace rb {

/// A terminal that can take a line back; not one that calls itself dumb (Emacs's shell).
[[nodiscard]] bool can_redraw(int fd);

/// How many columns the terminal has now; 80 where it does not say. A line that is longer wraps,
/// and is no more taken back whole.
[[nodiscard]] unsigned columns_of(int fd);

} // namespace rb
