// Best-fit arena over blocks of device memory.
#include "cuda/arena.h"

#include <algorithm>
#include <iterator>

#include "cuda/allocation_notes.h"
#include "cuda/launch.h"
#include "device/memory_layout.h"

namespace tessera::cuda {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 20;  // smallest block asked of the driver

std::size_t rounded(std::size_t bytes) {
  return std::max((bytes + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment, kDeviceAlignment);
}

std::string mebibytes(std::size_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

}  // namespace

Arena::~Arena() {
  for (const auto& [data, piece] : pieces_) {
    if (!piece.free) note_free(data);
    if (piece.first) cudaFree(data);
  }
}

Arena::Pieces::iterator Arena::find_free(std::size_t bytes) {
  auto best = pieces_.end();
  for (auto piece = pieces_.begin(); piece != pieces_.end(); ++piece) {
    if (!piece->second.free || piece->second.bytes < bytes) continue;
    if (best == pieces_.end() || piece->second.bytes < best->second.bytes) best = piece;
  }
  return best;
}

bool Arena::take(std::size_t bytes) {
  if (limit_ != 0 && (held_ > limit_ || bytes > limit_ - held_)) return false;
  void* data = nullptr;
  const cudaError_t error = cudaMalloc(&data, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // the refusal has been seen
    return false;
  }
  check(error, "cannot allocate CUDA memory");
  pieces_.emplace(static_cast<char*>(data), Piece{bytes, true, true});
  held_ += bytes;
  return true;
}

void Arena::reserve(std::size_t bytes) {
  bytes = rounded(bytes);
  if (take(bytes)) return;
  throw Error(ErrorCode::kLimit, "not enough memory on the CUDA device for " + mebibytes(bytes) + " more; " +
                                     mebibytes(held_) + " are held" +
                                     (limit_ > 0 ? ", the limit is " + mebibytes(limit_) : std::string()));
}

void* Arena::allocate(std::size_t bytes) {
  const std::size_t wanted = rounded(bytes);
  auto place = find_free(wanted);
  if (place == pieces_.end()) {
    const std::size_t left = limit_ == 0 ? kBlock : limit_ - std::min(limit_, held_);
    const std::size_t block = std::max(wanted, std::min(kBlock, left));
    if (!take(block)) reserve(wanted);
    place = find_free(wanted);
  }
  Piece& piece = place->second;
  if (piece.bytes > wanted) {
    pieces_.emplace(place->first + wanted, Piece{piece.bytes - wanted, true, false});
    piece.bytes = wanted;
  }
  piece.free = false;
  in_use_ += wanted;
  note_allocation(place->first, bytes);
  return place->first;
}

void Arena::deallocate(void* data) noexcept {
  auto place = pieces_.find(static_cast<char*>(data));
  if (place == pieces_.end() || place->second.free) return;
  note_free(data);
  place->second.free = true;
  in_use_ -= place->second.bytes;
  const auto next = std::next(place);
  if (next != pieces_.end() && next->second.free && !next->second.first) {
    place->second.bytes += next->second.bytes;
    pieces_.erase(next);
  }
  if (place == pieces_.begin() || place->second.first) return;
  const auto before = std::prev(place);
  if (before->second.free) {
    before->second.bytes += place->second.bytes;
    pieces_.erase(place);
  }
}

void Arena::trim() noexcept {
  for (auto piece = pieces_.begin(); piece != pieces_.end();) {
    const auto next = std::next(piece);
    const bool whole = piece->second.first && (next == pieces_.end() || next->second.first);
    if (piece->second.free && whole) {
      cudaFree(piece->first);
      held_ -= piece->second.bytes;
      pieces_.erase(piece);
    }
    piece = next;
  }
}

}  // namespace tessera::cuda
