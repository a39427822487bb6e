// Duplicates of a library: candidates by token 0, labels on pixels, groups.
#include "tessera/indexer/duplicates.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include "analyse/duplicate_groups.h"
#include "analyse/pair_label.h"
#include "analyse/row_scan.h"
#include "tessera/indexer/similar_pairs.h"

namespace tessera {
namespace {

constexpr double kShareOfScan = 0.1;  // of the progress
constexpr double kShareOfLooks = 0.45;

const FileRecord* readable_file(const ImageRecord& record) {
  for (const FileRecord& file : record.files) {
    if (file.state == FileState::kPresent) return &file;
  }
  return nullptr;
}

class DuplicateSearch {
 public:
  DuplicateSearch(const Library& library, const DuplicateOptions& options)
      : library_(library), options_(options), threads_(threads_or_all(options.threads)) {}

  DuplicateReport run() {
    add_exact_groups();
    if (options_.least == DuplicateLabel::kExact) return std::move(report_);
    vectors_ = options_.among ? library_.vectors(*options_.among) : library_.vectors();
    find_candidates();
    load_looks();
    judge();
    add_groups();
    return std::move(report_);
  }

 private:
  void add_exact_groups() {
    const auto add = [&](const ImageRecord& record) {
      const auto there = std::count_if(record.files.begin(), record.files.end(),
                                       [](const FileRecord& file) { return file.state != FileState::kMissing; });
      if (there > 1) report_.groups.push_back({DuplicateLabel::kExact, 1, {record.id}});
      stop_if_asked(options_.stop);
      return true;
    };
    if (!options_.among) {
      library_.list({}, add);
      return;
    }
    std::vector<ImageId> ids = *options_.among;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    for (const ImageId id : ids) add(library_.image(id));
  }

  // The most similar pairs of each picture; those a person ruled out take no place.
  void find_candidates() {
    SimilarPairsOptions wanted;
    wanted.least = options_.least_similarity;
    wanted.threads = threads_;
    wanted.stop = options_.stop;
    wanted.progress = [this](double share) { progress(kShareOfScan * share); };
    std::vector<SimilarPair> pairs = find_similar_pairs(vectors_.vectors, wanted);
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const SimilarPair& x, const SimilarPair& y) { return x.similarity > y.similarity; });
    std::vector<std::size_t> taken(vectors_.ids.size());
    for (const SimilarPair& pair : pairs) {
      if (taken[pair.a] >= options_.nearest && taken[pair.b] >= options_.nearest) continue;
      if (ruled_out(vectors_.ids[pair.a], vectors_.ids[pair.b])) continue;
      ++taken[pair.a];
      ++taken[pair.b];
      candidates_.push_back(pair);
    }
  }

  bool ruled_out(ImageId a, ImageId b) {
    return options_.ruled_out && options_.ruled_out(record(a).hash, record(b).hash);
  }
  const ImageRecord& record(ImageId id) {
    const auto [at, made] = records_.try_emplace(id);
    if (made) at->second = library_.image(id);
    return at->second;
  }

  void load_looks() {
    std::vector<std::size_t> rows;
    for (const SimilarPair& pair : candidates_) {
      rows.push_back(pair.a);
      rows.push_back(pair.b);
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    std::vector<std::filesystem::path> paths;
    for (const std::size_t row : rows) {
      const FileRecord* file = readable_file(record(vectors_.ids[row]));
      paths.push_back(file == nullptr ? std::filesystem::path() : file->path);
    }
    looks_.resize(vectors_.ids.size());
    std::atomic<std::int64_t> unreadable = 0;
    std::atomic<std::size_t> done = 0;
    parallel_for(rows.size(), threads_, [&](std::size_t i, int) {
      stop_if_asked(options_.stop);
      try {
        if (!paths[i].empty()) looks_[rows[i]] = std::make_unique<Look>(load_look(paths[i]));
      } catch (const Error&) {
        // Then the pair cannot be compared on pixels, which `unreadable` counts.
      }
      if (!looks_[rows[i]]) ++unreadable;
      progress(kShareOfScan + kShareOfLooks * double(++done) / double(rows.size()));
    });
    report_.unreadable = unreadable;
  }

  void judge() {
    std::vector<std::optional<PairJudgement>> judgements(candidates_.size());
    std::atomic<std::size_t> done = 0;
    parallel_for(candidates_.size(), threads_, [&](std::size_t i, int) {
      stop_if_asked(options_.stop);
      const SimilarPair& pair = candidates_[i];
      judgements[i] = judge_pair(looks_[pair.a].get(), looks_[pair.b].get(), pair.similarity);
      const double share = double(++done) / double(candidates_.size());
      progress(kShareOfScan + kShareOfLooks + (1 - kShareOfScan - kShareOfLooks) * share);
    });
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const SimilarPair& pair = candidates_[i];
      const bool compared = looks_[pair.a] && looks_[pair.b];
      report_.compared += compared ? 1 : 0;
      if (!judgements[i] || judgements[i]->label > options_.least) continue;
      report_.pairs.push_back({vectors_.ids[pair.a], vectors_.ids[pair.b], judgements[i]->label,
                               judgements[i]->certainty, pair.similarity, compared});
    }
    std::stable_sort(report_.pairs.begin(), report_.pairs.end(),
                     [](const DuplicatePair& x, const DuplicatePair& y) { return x.certainty > y.certainty; });
  }

  void add_groups() {
    GroupRules rules;
    rules.ruled_out = [this](ImageId a, ImageId b) { return ruled_out(a, b); };
    rules.same_scene = [this](ImageId a, ImageId b) {
      return vectors_.vectors.similarity(row_of(a), row_of(b)) >= kSceneGroupSimilarity;
    };
    std::vector<DuplicateGroup> groups = group_pairs(report_.pairs, rules);
    report_.groups.insert(report_.groups.end(), groups.begin(), groups.end());
    std::stable_sort(report_.groups.begin(), report_.groups.end(),
                     [](const DuplicateGroup& x, const DuplicateGroup& y) {
                       if (x.certainty != y.certainty) return x.certainty > y.certainty;
                       if (x.images.size() != y.images.size()) return x.images.size() > y.images.size();
                       return x.images.front() < y.images.front();
                     });
  }

  std::size_t row_of(ImageId id) const {
    return static_cast<std::size_t>(std::lower_bound(vectors_.ids.begin(), vectors_.ids.end(), id) -
                                    vectors_.ids.begin());
  }

  void progress(double share) {
    if (!options_.progress) return;
    const std::lock_guard lock(progress_mutex_);
    furthest_ = std::max(furthest_, share);
    options_.progress(furthest_);
  }

  const Library& library_;
  const DuplicateOptions& options_;
  int threads_;
  DuplicateReport report_;
  PictureVectors vectors_;
  std::vector<SimilarPair> candidates_;  // most similar first
  std::unordered_map<ImageId, ImageRecord> records_;
  std::vector<std::unique_ptr<Look>> looks_;  // per row; null = not needed or not readable
  std::mutex progress_mutex_;
  double furthest_ = 0;
};

}  // namespace

const char* duplicate_label_name(DuplicateLabel label) noexcept {
  switch (label) {
    case DuplicateLabel::kExact: return "exact";
    case DuplicateLabel::kReencoded: return "re-encoded";
    case DuplicateLabel::kEdited: return "edited";
    case DuplicateLabel::kSameScene: return "scene";
  }
  return "unknown";
}

DuplicateLabel parse_duplicate_label(std::string_view text) {
  for (const DuplicateLabel label :
       {DuplicateLabel::kExact, DuplicateLabel::kReencoded, DuplicateLabel::kEdited, DuplicateLabel::kSameScene}) {
    if (text == duplicate_label_name(label)) return label;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown label \"" + std::string(text) + "\"; use exact, re-encoded, edited or scene");
}

DuplicateReport find_duplicates(const Library& library, const DuplicateOptions& options) {
  return DuplicateSearch(library, options).run();
}

}  // namespace tessera
