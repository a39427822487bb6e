// Clusters against a plain agglomeration, and what must hold for every clustering.
#include "tessera/indexer/clusters.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "analyse/analyse_fixture.h"
#include "analyse/linkage.h"
#include "tessera/error.h"

namespace tessera {
namespace {

using test::themed_vectors;

// The groups as sets of rows.
std::set<std::set<std::size_t>> groups_of(const std::vector<Cluster>& clusters) {
  std::set<std::set<std::size_t>> groups;
  for (const Cluster& cluster : clusters) {
    std::set<std::size_t> rows;
    for (const ClusterMember& member : cluster.members) rows.insert(member.row);
    groups.insert(rows);
  }
  return groups;
}

// Agglomeration by its definition, every pair of groups compared at every step.
std::set<std::set<std::size_t>> plain_linkage(const VectorSet& set, bool complete, std::size_t count) {
  std::vector<std::set<std::size_t>> groups;
  for (std::size_t row = 0; row < set.size(); ++row) groups.push_back({row});
  while (groups.size() > count) {
    std::size_t best_a = 0, best_b = 1;
    double most = -2;
    for (std::size_t a = 0; a < groups.size(); ++a) {
      for (std::size_t b = a + 1; b < groups.size(); ++b) {
        double sum = 0, least = 2;
        for (const std::size_t i : groups[a]) {
          for (const std::size_t j : groups[b]) {
            sum += test::plain_similarity(set, i, j);
            least = std::min(least, test::plain_similarity(set, i, j));
          }
        }
        const double value = complete ? least : sum / double(groups[a].size() * groups[b].size());
        if (value > most) {
          most = value;
          best_a = a;
          best_b = b;
        }
      }
    }
    groups[best_a].insert(groups[best_b].begin(), groups[best_b].end());
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(best_b));
  }
  return {groups.begin(), groups.end()};
}

TEST(Clusters, LinkageIsTheAgglomerationOfItsDefinition) {
  const VectorSet set = themed_vectors(70, 16, 6, 1.2f, 19);
  for (const bool complete : {false, true}) {
    for (const std::size_t count : {1U, 2U, 5U, 11U, 30U, 69U, 70U}) {
      ClusterOptions options;
      options.method = complete ? ClusterMethod::kCompleteLinkage : ClusterMethod::kAverageLinkage;
      options.count = count;
      EXPECT_EQ(groups_of(find_clusters(set, options)), plain_linkage(set, complete, count)) << complete << count;
    }
  }
}

TEST(Clusters, EveryMethodFindsTheThemesAndTheirNumber) {
  std::vector<int> theme_of;
  const VectorSet set = themed_vectors(400, 48, 7, 0.35f, 23, &theme_of);
  std::map<int, std::set<std::size_t>> by_theme;
  for (std::size_t row = 0; row < theme_of.size(); ++row) by_theme[theme_of[row]].insert(row);
  std::set<std::set<std::size_t>> themes;
  for (const auto& [theme, rows] : by_theme) themes.insert(rows);
  for (const ClusterMethod method :
       {ClusterMethod::kKMeans, ClusterMethod::kAverageLinkage, ClusterMethod::kCompleteLinkage}) {
    ClusterOptions options;
    options.method = method;
    EXPECT_EQ(groups_of(find_clusters(set, options)), themes) << cluster_method_name(method);
    options.count = 7;
    EXPECT_EQ(groups_of(find_clusters(set, options)), themes) << cluster_method_name(method);
  }
}

TEST(Clusters, AreWholeSortedAndRepresentedByTheMostTypical) {
  const VectorSet set = themed_vectors(900, 24, 12, 1.0f, 3);
  for (const ClusterMethod method : {ClusterMethod::kKMeans, ClusterMethod::kAverageLinkage}) {
    ClusterOptions options;
    options.method = method;
    options.count = 15;
    const std::vector<Cluster> clusters = find_clusters(set, options);
    EXPECT_EQ(clusters.size(), 15U);
    std::set<std::size_t> seen;
    for (std::size_t c = 0; c < clusters.size(); ++c) {
      if (c > 0) {
        EXPECT_GE(clusters[c - 1].members.size(), clusters[c].members.size());
      }
      // The member with the largest sum of similarities to all members is the one nearest to the middle.
      std::vector<double> sums;
      for (const ClusterMember& member : clusters[c].members) {
        EXPECT_TRUE(seen.insert(member.row).second);
        double sum = 0;
        for (const ClusterMember& other : clusters[c].members) {
          sum += test::plain_similarity(set, member.row, other.row);
        }
        sums.push_back(sum);
      }
      EXPECT_NEAR(sums.front(), *std::max_element(sums.begin(), sums.end()), 1e-3 * double(sums.size()));
    }
    EXPECT_EQ(seen.size(), set.size());
  }
}

TEST(Clusters, KMeansLeavesEveryPictureWithItsNearestMiddle) {
  const VectorSet set = themed_vectors(600, 16, 8, 0.8f, 29);
  ClusterOptions options;
  options.count = 8;
  options.iterations = 200;
  const std::vector<Cluster> clusters = find_clusters(set, options);
  std::vector<std::vector<double>> middles;
  for (const Cluster& cluster : clusters) {
    std::vector<double>& middle = middles.emplace_back(16, 0.0);
    for (const ClusterMember& member : cluster.members) {
      for (std::size_t i = 0; i < 16; ++i) middle[i] += set.row(member.row)[i];
    }
    double norm = 0;
    for (const double x : middle) norm += x * x;
    for (double& x : middle) x /= std::sqrt(norm) * VectorSet::kOne;
  }
  for (std::size_t c = 0; c < clusters.size(); ++c) {
    for (const ClusterMember& member : clusters[c].members) {
      std::vector<double> dots;
      for (const auto& middle : middles) {
        double dot = 0;
        for (std::size_t i = 0; i < 16; ++i) dot += middle[i] * set.row(member.row)[i];
        dots.push_back(dot);
      }
      EXPECT_NEAR(member.similarity, dots[c], 1e-3);
      EXPECT_NEAR(dots[c], *std::max_element(dots.begin(), dots.end()), 2e-3);
    }
  }
}

TEST(Clusters, AreTheSameForOneSeedWithAnyNumberOfThreads) {
  const VectorSet set = themed_vectors(5'000, 16, 20, 1.0f, 7);
  ClusterOptions options;
  options.count = 20;
  options.threads = 1;
  const auto one = groups_of(find_clusters(set, options));
  options.threads = 4;
  EXPECT_EQ(groups_of(find_clusters(set, options)), one);
  options.seed = 2;
  EXPECT_NE(groups_of(find_clusters(set, options)), one);
  options.count = 0;
  EXPECT_EQ(groups_of(find_clusters(set, options)), groups_of(find_clusters(set, options)));
}

TEST(Clusters, EqualPicturesSmallSetsAndBadOptions) {
  VectorSet equal(8);
  for (int i = 0; i < 30; ++i) equal.add(std::vector<float>{1, 2, 3, 4, 5, 6, 7, float(i % 2)});
  ClusterOptions options;
  options.count = 5;
  EXPECT_EQ(find_clusters(equal, options).size(), 2U);  // there are no more different ones
  EXPECT_TRUE(find_clusters(VectorSet(4)).empty());
  const VectorSet one = themed_vectors(1, 4, 1, 0.0f, 1);
  for (const ClusterMethod method : {ClusterMethod::kKMeans, ClusterMethod::kAverageLinkage}) {
    options.method = method;
    EXPECT_EQ(find_clusters(one, options).size(), 1U);
    options.count = 0;
    EXPECT_EQ(find_clusters(one, options).size(), 1U);
  }
  EXPECT_THROW(find_clusters(themed_vectors(kMostLinked + 1, 2, 2, 1.0f, 1),
                             {.method = ClusterMethod::kCompleteLinkage, .stop = {}}),
               Error);
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(find_clusters(equal, {.stop = source.get_token()}), Error);
  EXPECT_EQ(parse_cluster_method("complete"), ClusterMethod::kCompleteLinkage);
  EXPECT_THROW(parse_cluster_method("dbscan"), Error);
}

}  // namespace
}  // namespace tessera
