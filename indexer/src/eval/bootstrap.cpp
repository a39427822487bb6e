// Percentile bootstrap intervals of means.
#include <algorithm>
#include <cmath>

#include "eval/random.h"
#include "tessera/indexer/eval_report.h"

namespace tessera::eval {

Interval bootstrap_mean(std::span<const double> values, std::uint64_t seed, int resamples) {
  Interval interval;
  if (values.empty()) return interval;
  double sum = 0;
  for (const double value : values) sum += value;
  interval.mean = interval.low = interval.high = sum / double(values.size());
  if (resamples < 1) return interval;
  Random random(seed);
  std::vector<double> means(static_cast<std::size_t>(resamples));
  for (double& mean : means) {
    double total = 0;
    for (std::size_t i = 0; i < values.size(); ++i) total += values[random.below(values.size())];
    mean = total / double(values.size());
  }
  std::sort(means.begin(), means.end());
  // The resample at a share of the sorted ones, between two where it falls between.
  const auto at = [&](double share) {
    const double place = share * double(means.size() - 1);
    const auto lower = static_cast<std::size_t>(place);
    const std::size_t upper = std::min(lower + 1, means.size() - 1);
    return means[lower] + (place - double(lower)) * (means[upper] - means[lower]);
  };
  interval.low = at(0.025);
  interval.high = at(0.975);
  return interval;
}

}  // namespace tessera::eval
