// The jobs behind the page of duplicates.
#include "curate/duplicates_job.h"

#include <QCoreApplication>

namespace tessera::gui {

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
  DuplicateOptions options;
  options.ruled_out = ruled_out_pairs(Curation::open(context.libraryDir(), OpenMode::kRead));
  options.progress = progress;
  options.stop = context.stop();
  return find_duplicates(context.library(), options).groups;
}

std::vector<ReviewedGroup> read_groups(JobContext& context, const std::vector<DuplicateGroup>& groups,
                                       const std::vector<KeepRule>& rules) {
  const Curation curation = Curation::open(context.libraryDir(), OpenMode::kRead);
  return review_duplicates(context.library(), curation, groups, rules, context.stop());
}

}  // namespace tessera::gui
