// Pictures grouped by what they show: spherical k-means or agglomerative clustering over token 0, with a representative
// picture for each group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <vector>

#include "tessera/indexer/vector_set.h"

namespace tessera {

enum class ClusterMethod {
  kKMeans,           // spherical k-means, k-means++ start (Arthur and Vassilvitskii 2007) from a seed; any size
  kAverageLinkage,   // agglomerative by the mean similarity between groups; at most kMostLinked pictures
  kCompleteLinkage,  // agglomerative by the least similarity between groups; at most kMostLinked pictures
};
inline constexpr std::size_t kMostLinked = 6'000;           // memory: 4 bytes for each of n (n - 1) / 2 pairs
ClusterMethod parse_cluster_method(std::string_view text);  // "kmeans", "average", "complete"; throws kInvalidArgument
const char* cluster_method_name(ClusterMethod method) noexcept;

struct ClusterOptions {
  ClusterMethod method = ClusterMethod::kKMeans;
  // Groups to make; at most as many as there are different pictures. 0 = the number, up to `most`, with the largest
  // mean simplified silhouette: how much nearer pictures are to the middle of their own group than to that of the next
  // one.
  std::size_t count = 0;
  std::size_t most = 100;
  std::uint64_t seed = 1;
  int iterations = 50;  // of k-means at most
  int threads = 0;      // 0 = one per core
  std::stop_token stop;
};

struct ClusterMember {
  std::size_t row = 0;
  float similarity = 0;  // to the middle of the group
};

struct Cluster {
  std::vector<ClusterMember> members;  // most typical first: members.front() represents the group
  float cohesion = 0;                  // mean similarity to the middle
};

// Largest first, ties by the representative's row; every row is in one group. The same for the same input, seed and
// options on every machine. Throws kLimit (linkage of too many), kCancelled.
std::vector<Cluster> find_clusters(const VectorSet& vectors, const ClusterOptions& options = {});

}  // namespace tessera
