// Aligned allocation with a hint for huge pages.
#include "cpu/aligned_memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <string>

#include "tessera/error.h"

namespace tessera::cpu {

void* allocate_aligned(std::size_t bytes) {
  constexpr std::size_t kLine = 64;  // cache line and longest vector
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const bool huge = bytes >= 2 * kHugePage;
  const std::size_t alignment = huge ? kHugePage : kLine;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* data = std::aligned_alloc(alignment, rounded > 0 ? rounded : kLine);
  if (data == nullptr) {
    throw Error(ErrorCode::kLimit, "not enough memory for " + std::to_string(bytes) + " bytes of encoder buffers");
  }
  // A hint: refusing it costs speed only. The tail stays in small pages, so that memory holds no more than was asked
  // for.
  if (huge) ::madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return data;
}

void free_aligned(void* data) noexcept { std::free(data); }

}  // namespace tessera::cpu
