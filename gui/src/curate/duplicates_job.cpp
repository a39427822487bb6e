// The jobs behind the page of duplicates.
#include "curate/duplicates_job.h"

#include <QCoreApplication>
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "tessera/indexer/curation.h"

namespace tessera::gui {
namespace {

using RuledOut = std::set<std::pair<ContentHash, ContentHash>>;

RuledOut ruled_out_pairs(const Curation& curation) {
  RuledOut pairs;
  for (const PairVerdict& verdict : curation.verdicts()) {
    if (verdict.verdict == Verdict::kNotDuplicate) pairs.insert(std::minmax(verdict.pair.a, verdict.pair.b));
  }
  return pairs;
}

bool still_a_group(const ShownGroup& group, const RuledOut& ruled_out) {
  if (group.rows.size() < 2) return false;
  const auto pairs = group.pairs();
  return group.label == DuplicateLabel::kExact || std::any_of(pairs.begin(), pairs.end(), [&](const ContentPair& pair) {
           return !ruled_out.contains(std::minmax(pair.a, pair.b));
         });
}

// None if it is no longer in the library.
std::unique_ptr<ImageRecord> record_of(const Library& library, ImageId id) {
  try {
    return std::make_unique<ImageRecord>(library.image(id));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    return nullptr;
  }
}

}  // namespace

std::vector<ImageId> ShownGroup::pictures() const {
  std::vector<ImageId> ids;
  for (const DuplicateRow& row : rows) {
    if (std::find(ids.begin(), ids.end(), row.id) == ids.end()) ids.push_back(row.id);
  }
  return ids;
}

std::vector<ContentPair> ShownGroup::pairs() const {
  std::set<ContentHash> contents;
  for (const DuplicateRow& row : rows) contents.insert(row.hash);
  std::vector<ContentPair> pairs;
  for (auto a = contents.begin(); a != contents.end(); ++a) {
    for (auto b = std::next(a); b != contents.end(); ++b) pairs.push_back({*a, *b});
  }
  return pairs;
}

QString labelText(DuplicateLabel label) {
  const char* text = "";
  switch (label) {
    case DuplicateLabel::kExact: text = QT_TRANSLATE_NOOP("Duplicates", "Exact copies"); break;
    case DuplicateLabel::kReencoded: text = QT_TRANSLATE_NOOP("Duplicates", "Re-encoded"); break;
    case DuplicateLabel::kEdited: text = QT_TRANSLATE_NOOP("Duplicates", "Edited or cropped"); break;
    case DuplicateLabel::kSameScene: text = QT_TRANSLATE_NOOP("Duplicates", "Same scene"); break;
  }
  return QCoreApplication::translate("Duplicates", text);
}

std::vector<DuplicateGroup> search_duplicates(JobContext& context, const std::function<void(double share)>& progress) {
  const RuledOut ruled_out = ruled_out_pairs(Curation::open(context.libraryDir(), OpenMode::kRead));
  DuplicateOptions options;
  options.ruled_out = [&](const ContentHash& a, const ContentHash& b) { return ruled_out.contains(std::minmax(a, b)); };
  options.progress = progress;
  options.stop = context.stop();
  return find_duplicates(context.library(), options).groups;
}

std::vector<ShownGroup> read_groups(JobContext& context, const std::vector<DuplicateGroup>& groups,
                                    const std::vector<KeepRule>& rules) {
  const Library& library = context.library();
  const Curation curation = Curation::open(context.libraryDir(), OpenMode::kRead);
  const RuledOut ruled_out = ruled_out_pairs(curation);
  std::vector<ShownGroup> shown;
  for (const DuplicateGroup& group : groups) {
    context.throwIfCancelled();
    std::vector<std::unique_ptr<ImageRecord>> records;
    std::vector<KeepFile> files;
    for (const ImageId id : group.images) {
      auto record = record_of(library, id);
      if (!record) continue;
      const int rating = curation.marks(record->hash).rating;
      for (const FileRecord& file : record->files) {
        if (file.state != FileState::kMissing) files.push_back({record.get(), file, rating, true});
      }
      records.push_back(std::move(record));
    }
    ShownGroup entry{group.label, group.certainty, {}};
    for (const KeepDecision& decision : decide_keep(files, rules)) {
      const ImageRecord& image = *decision.file.image;
      const FileRecord& file = decision.file.file;
      entry.rows.push_back({image.id, image.hash, file.path, image.width, image.height, file.bytes, file.mtime_ns,
                            decision.file.rating, file.state == FileState::kPresent && image.error.empty(),
                            decision.keep, QString::fromStdString(decision.reason)});
    }
    if (still_a_group(entry, ruled_out)) shown.push_back(std::move(entry));
  }
  return shown;
}

std::vector<DuplicateFile> files_to_trash(const std::vector<ShownGroup>& groups,
                                          const std::function<bool(const std::filesystem::path&)>& marked) {
  struct Choice {
    ContentHash kept;
    bool stays = false;
  };
  std::map<std::filesystem::path, Choice> choices;
  for (const ShownGroup& group : groups) {
    const auto stays = std::find_if(group.rows.begin(), group.rows.end(),
                                    [&](const DuplicateRow& row) { return row.present && !marked(row.path); });
    const bool found = stays != group.rows.end();
    const ContentHash& kept = found ? stays->hash : group.rows.front().hash;
    for (const DuplicateRow& row : group.rows) {
      if (!marked(row.path)) continue;
      Choice& choice = choices.try_emplace(row.path, Choice{kept, found}).first->second;
      if (!choice.stays && found) choice = {kept, true};
    }
  }
  std::vector<DuplicateFile> files;
  for (const auto& [path, choice] : choices) files.push_back({path, choice.kept});
  return files;
}

}  // namespace tessera::gui
