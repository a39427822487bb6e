// Groups of duplicates as a person decides upon them.
#include "tessera/indexer/duplicate_review.h"

#include <algorithm>
#include <map>
#include <set>

namespace tessera {
namespace {

// None if it is no longer in the library.
std::shared_ptr<const ImageRecord> record_of(const Library& library, ImageId id) {
  try {
    return std::make_shared<const ImageRecord>(library.image(id));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    return nullptr;
  }
}

}  // namespace

std::vector<ImageId> ReviewedGroup::pictures() const {
  std::vector<ImageId> ids;
  for (const KeepDecision& decision : files) {
    const ImageId id = decision.file.image->id;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  return ids;
}

std::vector<ContentPair> ReviewedGroup::pairs() const {
  std::set<ContentHash> contents;
  for (const auto& image : images) contents.insert(image->hash);
  std::vector<ContentPair> pairs;
  for (auto a = contents.begin(); a != contents.end(); ++a) {
    for (auto b = std::next(a); b != contents.end(); ++b) pairs.push_back({*a, *b});
  }
  return pairs;
}

std::function<bool(const ContentHash&, const ContentHash&)> ruled_out_pairs(const Curation& curation) {
  std::set<std::pair<ContentHash, ContentHash>> pairs;
  for (const PairVerdict& verdict : curation.verdicts()) {
    if (verdict.verdict == Verdict::kNotDuplicate) pairs.insert(std::minmax(verdict.pair.a, verdict.pair.b));
  }
  return [pairs = std::move(pairs)](const ContentHash& a, const ContentHash& b) {
    return pairs.contains(std::minmax(a, b));
  };
}

std::vector<ReviewedGroup> review_duplicates(const Library& library, const Curation& curation,
                                             std::span<const DuplicateGroup> groups, std::span<const KeepRule> rules,
                                             const std::stop_token& stop) {
  const auto ruled_out = ruled_out_pairs(curation);
  std::vector<ReviewedGroup> reviewed;
  for (const DuplicateGroup& group : groups) {
    if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "the review of duplicates was cancelled");
    ReviewedGroup entry{group.label, group.certainty, {}, {}};
    std::vector<KeepFile> files;
    for (const ImageId id : group.images) {
      const auto record = record_of(library, id);
      if (!record) continue;
      const int rating = curation.marks(record->hash).rating;
      const std::size_t before = files.size();
      for (const FileRecord& file : record->files) {
        if (file.state != FileState::kMissing) files.push_back({record.get(), file, rating, record->error.empty()});
      }
      if (files.size() > before) entry.images.push_back(record);
    }
    if (files.size() < 2) continue;
    const auto pairs = entry.pairs();
    const bool none_left =
        std::all_of(pairs.begin(), pairs.end(), [&](const ContentPair& pair) { return ruled_out(pair.a, pair.b); });
    if (group.label != DuplicateLabel::kExact && none_left) continue;
    entry.files = decide_keep(files, rules);
    reviewed.push_back(std::move(entry));
  }
  return reviewed;
}

std::vector<DuplicateFile> files_to_trash(std::span<const ReviewedGroup> groups,
                                          const std::function<bool(const KeepDecision&)>& goes) {
  struct Choice {
    ContentHash kept;
    bool stays = false;
  };
  std::map<std::filesystem::path, Choice> choices;
  for (const ReviewedGroup& group : groups) {
    const auto stays = std::find_if(group.files.begin(), group.files.end(), [&](const KeepDecision& decision) {
      return decision.file.usable() && !goes(decision);
    });
    const bool found = stays != group.files.end();
    for (const KeepDecision& decision : group.files) {
      if (!goes(decision)) continue;
      const ContentHash& kept = (found ? *stays : group.files.front()).file.image->hash;
      Choice& choice = choices.try_emplace(decision.file.file.path, Choice{kept, found}).first->second;
      if (!choice.stays && found) choice = {kept, true};
    }
  }
  std::vector<DuplicateFile> files;
  for (const auto& [path, choice] : choices) files.push_back({path, choice.kept});
  return files;
}

}  // namespace tessera
