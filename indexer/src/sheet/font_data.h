// The fonts of contact sheets, as TrueType files built into the program (DejaVu Sans, Bitstream Vera licence).
#pragma once

#include <span>

namespace tessera {

std::span<const unsigned char> regular_font() noexcept;
std::span<const unsigned char> bold_font() noexcept;

}  // namespace tessera
