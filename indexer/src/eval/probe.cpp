// Splits into training and test, and the probe of labels.
#include "tessera/indexer/eval_probe.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "eval/random.h"
#include "eval/search_rows.h"
#include "tessera/error.h"

namespace tessera::eval {
namespace {

std::vector<int> labels_of(const Side& side, std::span<const std::size_t> rows) {
  std::vector<int> labels;
  for (const std::size_t row : rows) labels.push_back(side.set.pictures[side.features.pictures[row]].label);
  return labels;
}

int most_frequent(const std::vector<int>& labels) {
  std::map<int, std::size_t> counts;
  for (const int label : labels) ++counts[label];
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

ProbeRows rows_of(const VectorTable& table, std::span<const std::size_t> rows, std::vector<int> classes) {
  ProbeRows result{table.width, {}, std::move(classes)};
  for (const std::size_t row : rows) {
    const std::span<const float> vector = table.row(row);
    result.values.insert(result.values.end(), vector.begin(), vector.end());
  }
  return result;
}

}  // namespace

ProbeSplit probe_split(std::span<const int> strata, std::span<const std::string> groups, double share,
                       std::uint64_t seed) {
  if (strata.size() != groups.size()) throw Error(ErrorCode::kInvalidArgument, "a group is needed for each picture");
  std::map<int, std::vector<std::vector<std::size_t>>> by_stratum;
  std::map<std::string, std::pair<int, std::size_t>> places;  // of groups: stratum, number in it
  for (std::size_t i = 0; i < strata.size(); ++i) {
    const auto found = groups[i].empty() ? places.end() : places.find(groups[i]);
    if (found != places.end()) {
      by_stratum[found->second.first][found->second.second].push_back(i);
      continue;
    }
    auto& members = by_stratum[strata[i]];
    if (!groups[i].empty()) places[groups[i]] = {strata[i], members.size()};
    members.push_back({i});
  }
  Random random(seed);
  ProbeSplit split;
  for (auto& [stratum, members] : by_stratum) {
    for (std::size_t i = 0; i + 1 < members.size(); ++i) {
      std::swap(members[i], members[i + random.below(members.size() - i)]);
    }
    const auto rounded = static_cast<std::size_t>(std::lround(share * double(members.size())));
    const std::size_t trained =
        members.size() < 2 ? members.size() : std::clamp<std::size_t>(rounded, 1, members.size() - 1);
    for (std::size_t i = 0; i < members.size(); ++i) {
      std::vector<std::size_t>& side = i < trained ? split.training : split.test;
      side.insert(side.end(), members[i].begin(), members[i].end());
    }
  }
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

Measured probe_labels(const Sides& sides, const ProbeSplit& split, const ProbeOptions& options) {
  const Side& trained = sides.gallery ? *sides.gallery : sides.queries;
  const auto all_of = [](const Side& side) {
    std::vector<std::size_t> rows(side.features.pictures.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return rows;
  };
  const std::vector<std::size_t> training = sides.gallery ? all_of(trained) : split.training;
  const std::vector<std::size_t> test = sides.gallery ? all_of(sides.queries) : split.test;
  if (training.empty() || test.empty()) {
    throw Error(ErrorCode::kUnsupported, "a probe needs pictures to train on and others to test with");
  }
  const std::vector<int> known = labels_of(trained, training), wanted = labels_of(sides.queries, test);
  if (std::adjacent_find(known.begin(), known.end(), std::not_equal_to<>()) == known.end()) {
    throw Error(ErrorCode::kUnsupported, "all pictures to train on have one label");
  }
  Measured measured;
  measured.figures = {"accuracy"};
  measured.queries = test.size();
  const auto add = [&](const std::string& name, const auto& predicted) {
    std::vector<double> hits;
    for (std::size_t i = 0; i < test.size(); ++i) hits.push_back(predicted(test[i]) == wanted[i] ? 1 : 0);
    measured.rows.push_back({name, 0, {per_cent(hits, options.seed)}});
  };
  const auto classes = static_cast<int>(trained.set.labels.size());
  for (std::size_t d = 0; d < sides.queries.features.vectors.size(); ++d) {
    const VectorTable& table = sides.queries.features.vectors[d];
    const LinearClassifier classifier(rows_of(trained.features.vectors[d], training, known), classes, options);
    add(table.name, [&](std::size_t row) { return classifier.predict(table.row(row)); });
  }
  add("majority", [most = most_frequent(known)](std::size_t) { return most; });
  return measured;
}

}  // namespace tessera::eval
