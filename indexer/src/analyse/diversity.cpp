// Diverse picks: farthest point and facility location.
#include "tessera/indexer/diversity.h"

#include <limits>
#include <queue>
#include <string>

#include "analyse/row_scan.h"

namespace tessera {
namespace {

constexpr Dot kUnlike = -kDotOne - (kDotOne >> 3);  // below every dot product

class PickRun {
 public:
  PickRun(const VectorSet& vectors, const DiverseOptions& options)
      : vectors_(vectors),
        options_(options),
        threads_(threads_or_all(options.threads)),
        nearest_(vectors.size(), kUnlike),
        taken_(vectors.size(), false) {
    for (const std::size_t row : options.fixed) {
      if (row >= vectors.size()) {
        throw Error(ErrorCode::kInvalidArgument, "row " + std::to_string(row) + " is not in the set");
      }
      if (!taken_[row]) take(row);
    }
  }

  std::vector<DiversePicked> farthest() {
    std::vector<DiversePicked> picked;
    while (picked.size() < options_.count && left_ > 0) {
      stop_if_asked(options_.stop);
      const std::size_t row = anything_taken() ? least_near() : most_typical();
      picked.push_back({row, nearest_of(row)});
      take(row);
    }
    return picked;
  }

  // An upper bound of each row's gain stays valid while others are picked, so only the best bound needs recomputing.
  std::vector<DiversePicked> facility() {
    clients_ = even_sample(vectors_.size(), options_.clients == 0 ? vectors_.size() : options_.clients);
    served_.assign(clients_.size(), kUnlike);
    client_rows_.reserve(clients_.size() * vectors_.stride());
    for (const std::size_t client : clients_) {
      client_rows_.insert(client_rows_.end(), vectors_.row(client), vectors_.row(client) + vectors_.stride());
    }
    for (std::size_t row = 0; row < taken_.size(); ++row) {
      if (taken_[row]) serve(row);
    }
    std::priority_queue<Gain> gains(std::less<Gain>(), first_gains());
    std::vector<DiversePicked> picked;
    while (picked.size() < options_.count && !gains.empty()) {
      Gain best = gains.top();
      gains.pop();
      if (best.picks != picked.size()) {
        best = {gain_of(best.row), best.row, picked.size()};
        if (!gains.empty() && best < gains.top()) {
          gains.push(best);
          continue;
        }
      }
      stop_if_asked(options_.stop);
      picked.push_back({best.row, nearest_of(best.row)});
      take(best.row);
      serve(best.row);
    }
    return picked;
  }

 private:
  struct Gain {
    std::int64_t value = 0;
    std::size_t row = 0;
    std::size_t picks = 0;  // how many had been picked when it was computed
    friend bool operator<(const Gain& a, const Gain& b) noexcept {
      return a.value != b.value ? a.value < b.value : a.row > b.row;
    }
  };

  bool anything_taken() const { return left_ < vectors_.size(); }

  float nearest_of(std::size_t row) const { return nearest_[row] == kUnlike ? -1.0f : similarity_of(nearest_[row]); }

  void take(std::size_t row) {
    taken_[row] = true;
    --left_;
    scan_rows(vectors_, vectors_.row(row), threads_, [&](std::size_t first, std::span<const Dot> dots) {
      for (std::size_t i = 0; i < dots.size(); ++i) nearest_[first + i] = std::max(nearest_[first + i], dots[i]);
    });
  }

  std::size_t most_typical() const {
    std::vector<std::int64_t> sum(static_cast<std::size_t>(vectors_.width()));
    for (std::size_t row = 0; row < vectors_.size(); ++row) add_row(sum, vectors_.row(row));
    const std::vector<std::int16_t> mean = direction_of(sum, vectors_.stride());
    std::vector<Dot> dots(vectors_.size());
    scan_rows(vectors_, mean.data(), threads_,
              [&](std::size_t first, std::span<const Dot> some) { std::copy(some.begin(), some.end(), &dots[first]); });
    return static_cast<std::size_t>(std::max_element(dots.begin(), dots.end()) - dots.begin());
  }

  std::size_t least_near() const {
    std::size_t best = vectors_.size();
    for (std::size_t row = 0; row < nearest_.size(); ++row) {
      if (!taken_[row] && (best == vectors_.size() || nearest_[row] < nearest_[best])) best = row;
    }
    return best;
  }

  std::int64_t gain_from(std::span<const Dot> dots) const {
    std::int64_t gain = 0;
    for (std::size_t c = 0; c < dots.size(); ++c) gain += std::max<std::int64_t>(0, std::int64_t(dots[c]) - served_[c]);
    return gain;
  }

  void client_dots(std::size_t row, std::vector<Dot>& dots) const {
    dots.resize(clients_.size());
    dot_kernels().dot_rows(vectors_.row(row), client_rows_.data(), vectors_.stride(), clients_.size(), dots.data());
  }

  std::int64_t gain_of(std::size_t row) const {
    std::vector<Dot> dots;
    client_dots(row, dots);
    return gain_from(dots);
  }

  std::vector<Gain> first_gains() const {
    std::vector<std::int64_t> values(vectors_.size());
    parallel_for((vectors_.size() + kScanTile - 1) / kScanTile, threads_, [&](std::size_t tile, int) {
      stop_if_asked(options_.stop);
      std::vector<Dot> dots;
      for (std::size_t row = tile * kScanTile; row < std::min(vectors_.size(), (tile + 1) * kScanTile); ++row) {
        if (taken_[row]) continue;
        client_dots(row, dots);
        values[row] = gain_from(dots);
      }
    });
    std::vector<Gain> gains;
    for (std::size_t row = 0; row < values.size(); ++row) {
      if (!taken_[row]) gains.push_back({values[row], row, 0});
    }
    return gains;
  }

  void serve(std::size_t row) {
    std::vector<Dot> dots;
    client_dots(row, dots);
    for (std::size_t c = 0; c < dots.size(); ++c) served_[c] = std::max(served_[c], dots[c]);
  }

  const VectorSet& vectors_;
  const DiverseOptions& options_;
  int threads_;
  std::vector<Dot> nearest_;  // per row: to the nearest taken
  std::vector<bool> taken_;
  std::size_t left_ = vectors_.size();
  std::vector<std::size_t> clients_;
  std::vector<std::int16_t> client_rows_;
  std::vector<Dot> served_;  // per client: to the nearest taken
};

}  // namespace

DiversityMethod parse_diversity_method(std::string_view text) {
  for (const DiversityMethod method : {DiversityMethod::kFarthestPoint, DiversityMethod::kFacilityLocation}) {
    if (text == diversity_method_name(method)) return method;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown way to pick \"" + std::string(text) + "\"; use farthest or facility");
}

const char* diversity_method_name(DiversityMethod method) noexcept {
  return method == DiversityMethod::kFarthestPoint ? "farthest" : "facility";
}

std::vector<DiversePicked> pick_diverse(const VectorSet& vectors, const DiverseOptions& options) {
  if (vectors.size() == 0 && options.fixed.empty()) return {};
  PickRun run(vectors, options);
  return options.method == DiversityMethod::kFarthestPoint ? run.farthest() : run.facility();
}

}  // namespace tessera
