// Puts prepared pictures of one size together until there are enough for a call of the encoder.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "ingest/prepare.h"

namespace tessera::ingest {

// Pictures of one size that are encoded together.
struct Batch {
  std::vector<Prepared> files;
  std::size_t bytes = 0;  // of their pixels
};

// Thread rule: one thread.
class Batcher {
 public:
  // `batch` pictures a call, 0 = as many as make a call efficient.
  explicit Batcher(int batch) : batch_(batch) {}

  // A batch if this picture completes one, or if too much waits: then the largest.
  std::optional<Batch> add(Prepared&& file);
  // What is left, a batch at a time.
  std::optional<Batch> rest();

 private:
  using Size = std::pair<int, int>;
  using Groups = std::map<Size, Batch>;

  int batch_of(const Size& size) const;
  Batch take(Groups::iterator group);

  const int batch_;
  Groups groups_;
  std::size_t bytes_ = 0;
};

}  // namespace tessera::ingest
