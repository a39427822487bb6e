// What opening and building a coarse index share. Internal: names FAISS types.
#pragma once

#include <faiss/Index.h>
#include <faiss/impl/IDSelector.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "search/coarse_index.h"

namespace tessera {

// The order in which rows enter an index: by position, but for `held_out` rows, spread evenly over all, that come last.
class RowOrder {
 public:
  RowOrder(std::int64_t rows, std::int64_t held_out);
  // Where the row that was added as number `label` stands; label in [0, rows).
  std::int64_t position(std::int64_t label) const;
  const std::vector<std::int64_t>& held_out() const noexcept { return held_out_; }  // positions, ascending

 private:
  std::int64_t first_phase_;  // rows that are not held out
  std::vector<std::int64_t> held_out_;
};

struct CoarseIndex::Impl {
  Impl(std::unique_ptr<faiss::Index> faiss_index, CoarseIndexInfo index_info);

  // A position is the number of a row, counted through the segments in order.
  CoarseRow row_of(std::int64_t position) const;
  // Positions of about the `count` nearest rows with this nprobe or efSearch. The selector sees labels.
  std::vector<std::int64_t> nearest(std::span<const float> query, std::int64_t count, int breadth,
                                    faiss::IDSelector* selector) const;
  std::int64_t proposal_size(int count, int refine) const;

  std::unique_ptr<faiss::Index> index;
  CoarseIndexInfo info;
  RowOrder order;
  std::vector<std::int64_t> first_position;  // per segment
};

}  // namespace tessera
