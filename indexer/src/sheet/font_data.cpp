// The fonts of contact sheets, placed in the read-only data of the program by the assembler.
#include "sheet/font_data.h"

#include <cstddef>

// One symbol at the start of the file's bytes and one behind them.
#define TESSERA_EMBED(name, file)       \
  __asm__(                              \
      ".pushsection .rodata\n"          \
      ".balign 16\n"                    \
      ".hidden " #name                  \
      "_begin\n"                        \
      ".global " #name "_begin\n" #name \
      "_begin:\n"                       \
      ".incbin \"" file                 \
      "\"\n"                            \
      ".hidden " #name                  \
      "_end\n"                          \
      ".global " #name "_end\n" #name   \
      "_end:\n"                         \
      ".popsection\n")

TESSERA_EMBED(tessera_font_regular, TESSERA_FONT_REGULAR);
TESSERA_EMBED(tessera_font_bold, TESSERA_FONT_BOLD);

extern "C" {
extern const unsigned char tessera_font_regular_begin[];
extern const unsigned char tessera_font_regular_end[];
extern const unsigned char tessera_font_bold_begin[];
extern const unsigned char tessera_font_bold_end[];
}

namespace tessera {

std::span<const unsigned char> regular_font() noexcept {
  return {tessera_font_regular_begin, static_cast<std::size_t>(tessera_font_regular_end - tessera_font_regular_begin)};
}

std::span<const unsigned char> bold_font() noexcept {
  return {tessera_font_bold_begin, static_cast<std::size_t>(tessera_font_bold_end - tessera_font_bold_begin)};
}

}  // namespace tessera
