// Memory aligned for vectors; large blocks in huge pages, which the products walk with far fewer address look-ups.
#pragma once

#include <cstddef>
#include <memory>

namespace tessera::cpu {

// Throws kLimit if there is not enough memory.
void* allocate_aligned(std::size_t bytes);
void free_aligned(void* data) noexcept;

// Owned, uninitialised floats.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::size_t count)
      : data_(static_cast<float*>(allocate_aligned(count * sizeof(float)))), size_(count) {}

  float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* data) const noexcept { free_aligned(data); }
  };
  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace tessera::cpu
