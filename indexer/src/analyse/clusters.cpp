// Clusters: spherical k-means, linkage, the number of groups, and representatives.
#include "tessera/indexer/clusters.h"

#include <algorithm>
#include <functional>
#include <string>

#include "analyse/linkage.h"
#include "analyse/partition.h"
#include "eval/random.h"

namespace tessera {
namespace {

constexpr std::size_t kChooseSample = 3'000;   // rows on which the number of groups is chosen
constexpr int kChooseIterations = 8;           // of k-means meanwhile
constexpr std::size_t kRestartedRows = 4'000;  // sets up to this size are clustered from several starts
constexpr int kRestarts = 4;
constexpr Dot kSame = kDotOne >> 12;  // rows nearer than this are copies

// Middles that are rows, each drawn with a chance proportional to its distance from those drawn before.
std::vector<std::int16_t> spread_middles(const VectorSet& vectors, std::size_t count, eval::Random& random,
                                         const ClusterOptions& options, int threads) {
  std::vector<std::int16_t> middles;
  std::vector<std::int64_t> distance(vectors.size(), kDotOne);
  std::size_t next = random.below(vectors.size());
  while (true) {
    stop_if_asked(options.stop);
    middles.insert(middles.end(), vectors.row(next), vectors.row(next) + vectors.stride());
    if (middles.size() == count * vectors.stride()) return middles;
    scan_rows(vectors, vectors.row(next), threads, [&](std::size_t first, std::span<const Dot> dots) {
      for (std::size_t i = 0; i < dots.size(); ++i) {
        const Dot apart = kDotOne - dots[i] < kSame ? 0 : kDotOne - dots[i];
        distance[first + i] = std::min<std::int64_t>(distance[first + i], apart);
      }
    });
    distance[next] = 0;
    std::int64_t total = 0;
    for (const std::int64_t d : distance) total += d;
    if (total == 0) return middles;  // no further different pictures
    auto left = static_cast<std::int64_t>(random.uniform() * double(total));
    next = 0;
    for (std::size_t row = 0; row < distance.size(); ++row) {
      if (distance[row] == 0) continue;
      next = row;
      left -= distance[row];
      if (left < 0) break;
    }
  }
}

// A group that nothing is nearest to takes the row that fits worst where it is.
void fill_empty_groups(Assignment& assignment) {
  std::vector<std::size_t> sizes(assignment.partition.groups);
  for (const std::uint32_t group : assignment.partition.group) ++sizes[group];
  for (std::uint32_t empty = 0; empty < sizes.size(); ++empty) {
    if (sizes[empty] > 0) continue;
    std::size_t worst = assignment.dots.size();
    for (std::size_t row = 0; row < assignment.dots.size(); ++row) {
      if (sizes[assignment.partition.group[row]] < 2) continue;
      if (worst == assignment.dots.size() || assignment.dots[row] < assignment.dots[worst]) worst = row;
    }
    if (worst == assignment.dots.size()) return;
    --sizes[assignment.partition.group[worst]];
    assignment.partition.group[worst] = empty;
    assignment.dots[worst] = kDotOne;
    sizes[empty] = 1;
  }
}

Assignment k_means_once(const VectorSet& vectors, std::size_t count, eval::Random& random,
                        const ClusterOptions& options, int iterations, int threads) {
  std::vector<std::int16_t> middles = spread_middles(vectors, count, random, options, threads);
  Assignment best = assign_rows(vectors, middles, threads, options.stop);
  for (int i = 0; i < iterations; ++i) {
    fill_empty_groups(best);
    Assignment next = assign_rows(vectors, middles_of(vectors, best.partition), threads, options.stop);
    const bool better = next.total > best.total;
    best = std::move(next);
    if (!better) break;
  }
  fill_empty_groups(best);
  return best;
}

Partition k_means(const VectorSet& vectors, std::size_t count, const ClusterOptions& options, int threads) {
  eval::Random random(options.seed);
  const int starts = vectors.size() <= kRestartedRows ? kRestarts : 1;
  Assignment best = k_means_once(vectors, count, random, options, options.iterations, threads);
  for (int start = 1; start < starts; ++start) {
    Assignment other = k_means_once(vectors, count, random, options, options.iterations, threads);
    if (other.total > best.total) best = std::move(other);
  }
  return std::move(best.partition);
}

// 2, 3, 4, 5, 6, 8, 10, 12, ... up to `most`.
std::vector<std::size_t> counts_to_try(std::size_t most) {
  std::vector<std::size_t> counts;
  for (std::size_t count = 2; count <= most; count += std::max<std::size_t>(1, count / 5)) counts.push_back(count);
  return counts;
}

Partition clearest(const VectorSet& vectors, const ClusterOptions& options, int threads,
                   const std::function<Partition(std::size_t)>& partition_of) {
  Partition best{1, std::vector<std::uint32_t>(vectors.size(), 0)};
  double most = 0;
  for (const std::size_t count : counts_to_try(std::min(options.most, vectors.size() / 2))) {
    Partition partition = partition_of(count);
    const double clear = simplified_silhouette(vectors, partition, threads);
    if (clear <= most) continue;
    most = clear;
    best = std::move(partition);
  }
  return best;
}

Partition partition_by_k_means(const VectorSet& vectors, const ClusterOptions& options, int threads) {
  if (options.count > 0) return k_means(vectors, std::min(options.count, vectors.size()), options, threads);
  VectorSet some(vectors.width());
  std::vector<float> values(static_cast<std::size_t>(vectors.width()));
  for (const std::size_t row : even_sample(vectors.size(), kChooseSample)) {
    std::copy_n(vectors.row(row), values.size(), values.begin());
    some.add(values);
  }
  const Partition chosen = clearest(some, options, threads, [&](std::size_t count) {
    eval::Random random(options.seed);
    return k_means_once(some, count, random, options, kChooseIterations, threads).partition;
  });
  return k_means(vectors, chosen.groups, options, threads);
}

Partition partition_by_linkage(const VectorSet& vectors, const ClusterOptions& options, int threads) {
  if (vectors.size() > kMostLinked) {
    throw Error(ErrorCode::kLimit, "at most " + std::to_string(kMostLinked) +
                                       " pictures can be linked pair by pair, not " + std::to_string(vectors.size()) +
                                       "; k-means takes any number");
  }
  const bool complete = options.method == ClusterMethod::kCompleteLinkage;
  const std::vector<Merge> merges = linkage_merges(vectors, complete, threads, options.stop);
  if (options.count > 0) return cut_merges(merges, vectors.size(), options.count);
  return clearest(vectors, options, threads,
                  [&](std::size_t count) { return cut_merges(merges, vectors.size(), count); });
}

std::vector<Cluster> clusters_of(const VectorSet& vectors, const Partition& partition) {
  const std::vector<std::int16_t> middles = middles_of(vectors, partition);
  std::vector<Cluster> clusters(partition.groups);
  for (std::size_t row = 0; row < vectors.size(); ++row) {
    const std::size_t group = partition.group[row];
    Dot dot = 0;
    dot_kernels().dot_rows(vectors.row(row), middles.data() + group * vectors.stride(), vectors.stride(), 1, &dot);
    clusters[group].members.push_back({row, similarity_of(dot)});
  }
  std::erase_if(clusters, [](const Cluster& cluster) { return cluster.members.empty(); });
  for (Cluster& cluster : clusters) {
    std::stable_sort(cluster.members.begin(), cluster.members.end(),
                     [](const ClusterMember& a, const ClusterMember& b) { return a.similarity > b.similarity; });
    double sum = 0;
    for (const ClusterMember& member : cluster.members) sum += double(member.similarity);
    cluster.cohesion = static_cast<float>(sum / double(cluster.members.size()));
  }
  std::sort(clusters.begin(), clusters.end(), [](const Cluster& a, const Cluster& b) {
    return a.members.size() != b.members.size() ? a.members.size() > b.members.size()
                                                : a.members.front().row < b.members.front().row;
  });
  return clusters;
}

}  // namespace

ClusterMethod parse_cluster_method(std::string_view text) {
  for (const ClusterMethod method :
       {ClusterMethod::kKMeans, ClusterMethod::kAverageLinkage, ClusterMethod::kCompleteLinkage}) {
    if (text == cluster_method_name(method)) return method;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown way to group \"" + std::string(text) + "\"; use kmeans, average or complete");
}

const char* cluster_method_name(ClusterMethod method) noexcept {
  switch (method) {
    case ClusterMethod::kKMeans: return "kmeans";
    case ClusterMethod::kAverageLinkage: return "average";
    case ClusterMethod::kCompleteLinkage: return "complete";
  }
  return "unknown";
}

std::vector<Cluster> find_clusters(const VectorSet& vectors, const ClusterOptions& options) {
  if (vectors.size() == 0) return {};
  const int threads = threads_or_all(options.threads);
  return clusters_of(vectors, options.method == ClusterMethod::kKMeans
                                  ? partition_by_k_means(vectors, options, threads)
                                  : partition_by_linkage(vectors, options, threads));
}

}  // namespace tessera
