// Device memory of one backend: a few large blocks from the driver, handed out in pieces and taken back.
#pragma once

#include <cstddef>
#include <map>

namespace tessera::cuda {

// Best fit over free pieces; neighbouring free pieces are joined. Everything runs in one stream, so a piece that is
// taken back may be handed out again at once. Thread rule: one thread at a time.
class Arena {
 public:
  // Never holds more than `limit` bytes (0 = what the device has).
  explicit Arena(std::size_t limit) : limit_(limit) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Takes one block of at least `bytes` from the driver, so that later pieces come out of it. Throws kLimit.
  void reserve(std::size_t bytes);

  // Aligned to 256 bytes. Throws kLimit naming what was asked for and what there is.
  void* allocate(std::size_t bytes);
  void deallocate(void* data) noexcept;
  // Gives blocks that are free as a whole back to the driver. The stream must have come to rest.
  void trim() noexcept;

  std::size_t held() const { return held_; }      // from the driver
  std::size_t in_use() const { return in_use_; }  // handed out
  std::size_t limit() const { return limit_; }

 private:
  struct Piece {
    std::size_t bytes = 0;
    bool free = true;
    bool first = false;  // begins a block of the driver
  };
  using Pieces = std::map<char*, Piece>;  // by address
  bool take(std::size_t bytes);           // a block from the driver; false if there is not enough
  Pieces::iterator find_free(std::size_t bytes);

  std::size_t limit_;
  std::size_t held_ = 0;
  std::size_t in_use_ = 0;
  Pieces pieces_;
};

}  // namespace tessera::cuda
