// Groups of pictures by size.
#include "ingest/batcher.h"

#include <algorithm>

namespace tessera::ingest {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;  // waiting for others of their size
constexpr int kPatchesPerBatch = 8192;  // 32 pictures of 256 x 256: enough rows for the matrix products to be efficient
constexpr int kMaxBatch = 64;

}  // namespace

std::optional<Batch> Batcher::add(Prepared&& file) {
  const Size size{file.image.width, file.image.height};
  const std::size_t bytes = file.image.rgb.size();
  const auto group = groups_.try_emplace(size).first;
  group->second.bytes += bytes;
  bytes_ += bytes;
  group->second.files.push_back(std::move(file));
  if (static_cast<int>(group->second.files.size()) >= batch_of(size)) return take(group);
  if (bytes_ <= kMaxBytes) return std::nullopt;
  return take(std::max_element(groups_.begin(), groups_.end(),
                               [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; }));
}

std::optional<Batch> Batcher::rest() {
  if (groups_.empty()) return std::nullopt;
  return take(groups_.begin());
}

int Batcher::batch_of(const Size& size) const {
  if (batch_ > 0) return batch_;
  const int patches = std::max(1, (size.first / 16) * (size.second / 16));
  return std::clamp(kPatchesPerBatch / patches, 1, kMaxBatch);
}

Batch Batcher::take(Groups::iterator group) {
  Batch batch = std::move(group->second);
  bytes_ -= batch.bytes;
  groups_.erase(group);
  return batch;
}

}  // namespace tessera::ingest
