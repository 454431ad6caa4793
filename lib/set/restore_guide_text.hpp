// The words of RESTORE.md, in the pieces that it is put together from. "@run@" and its like are
// filled in by restore_guide.cpp, which also chooses the pieces. Private to this room.
#pragma once

#include <string_view>

namespace rb::set::guide_text {

extern const std::string_view k_head;            ///< To the decryption of the snapshot.
extern const std::string_view k_signed;          ///< A row of the table in the head.
extern const std::string_view k_trust;           ///< Before our commands, where a key is known,
extern const std::string_view k_minisign;        ///< among them,
extern const std::string_view k_pin;             ///< and below them.
extern const std::string_view k_open_host_state; ///< Ends the block that k_head began.
extern const std::string_view k_no_host_state;   ///< Instead of it.
extern const std::string_view k_stop;
extern const std::string_view k_put_back; ///< Where there is a host state.
extern const std::string_view k_reset;    ///< To the end.

} // namespace rb::set::guide_text
