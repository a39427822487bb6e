// A suggested selection.
#include "curate/suggestions_page.h"

#include <QComboBox>
#include <QLabel>
#include <QSpinBox>
#include <algorithm>

#include "app/count_text.h"
#include "browse/grid_view.h"
#include "tessera/indexer/diversity.h"
#include "tessera/indexer/outliers.h"

namespace tessera::gui {
namespace {

constexpr int kUsualCount = 20;
constexpr int kMostCount = 10'000;

std::vector<ImageId> diverse(const PictureVectors& vectors, DiversityMethod method, std::size_t count,
                             const std::stop_token& stop) {
  DiverseOptions options;
  options.method = method;
  options.count = count;
  options.stop = stop;
  std::vector<ImageId> ids;
  for (const DiversePicked& picked : pick_diverse(vectors.vectors, options)) ids.push_back(vectors.ids[picked.row]);
  return ids;
}

std::vector<ImageId> least_like(const PictureVectors& vectors, std::size_t count, const std::stop_token& stop) {
  OutlierOptions options;
  options.count = count;
  options.stop = stop;
  std::vector<ImageId> ids;
  for (const Outlier& outlier : find_outliers(vectors.vectors, options)) ids.push_back(vectors.ids[outlier.row]);
  return ids;
}

std::vector<ImageId> more_like(const PictureVectors& all, const std::vector<ImageId>& members, std::size_t count,
                               const std::stop_token& stop) {
  std::vector<std::size_t> rows;
  for (const ImageId id : members) {
    const auto place = std::lower_bound(all.ids.begin(), all.ids.end(), id);
    if (place != all.ids.end() && *place == id) rows.push_back(static_cast<std::size_t>(place - all.ids.begin()));
  }
  AffinityOptions options;
  options.count = count;
  options.stop = stop;
  std::vector<ImageId> ids;
  for (const Affinity& found : find_more_like(all.vectors, rows, options)) ids.push_back(all.ids[found.row]);
  return ids;
}

}  // namespace

SuggestionsPage::SuggestionsPage(Session& session, QWidget* parent)
    : FoundPage(session, QStringLiteral("suggestions"), tr("Suggestions"), parent) {
  what_ = new QComboBox(this);
  what_->setAccessibleName(tr("What to suggest"));
  what_->addItem(tr("Differ as much as possible"), static_cast<int>(Suggestion::kVaried));
  what_->addItem(tr("Stand for all the others"), static_cast<int>(Suggestion::kTypical));
  what_->addItem(tr("More like the chosen ones"), static_cast<int>(Suggestion::kMoreLike));
  what_->addItem(tr("Least like the rest"), static_cast<int>(Suggestion::kLeastLike));
  count_ = new QSpinBox(this);
  count_->setRange(1, kMostCount);
  count_->setValue(kUsualCount);
  count_->setAccessibleName(tr("How many pictures"));
  count_->setKeyboardTracking(false);
  auto* label = new QLabel(tr("&Pictures"), this);
  label->setBuddy(count_);
  bar()->addWidget(what_);
  bar()->addWidget(label);
  bar()->addWidget(count_);
  connect(what_, &QComboBox::activated, this, [this] { askAnew(); });
  connect(count_, &QSpinBox::valueChanged, this, [this] { askAnew(); });
}

void SuggestionsPage::suggest(Suggestion what, std::optional<std::vector<ImageId>> ids) {
  what_->setCurrentIndex(what_->findData(static_cast<int>(what)));
  setPictures(std::move(ids));
}

FoundPage::Find SuggestionsPage::question() const {
  return [what = static_cast<Suggestion>(what_->currentData().toInt()), ids = pictures(),
          count = static_cast<std::size_t>(count_->value())](JobContext& context) {
    const Library& library = context.library();
    Found found;
    if (what == Suggestion::kMoreLike && !ids) {
      found.text = tr("Choose some pictures on another page first, then Tools, More like these.");
      return found;
    }
    const bool all = !ids || what == Suggestion::kMoreLike;
    const PictureVectors vectors = all ? library.vectors() : library.vectors(*ids);
    FoundGroup group;
    switch (what) {
      case Suggestion::kVaried:
        group.ids = diverse(vectors, DiversityMethod::kFarthestPoint, count, context.stop());
        break;
      case Suggestion::kTypical:
        group.ids = diverse(vectors, DiversityMethod::kFacilityLocation, count, context.stop());
        break;
      case Suggestion::kMoreLike: group.ids = more_like(vectors, *ids, count, context.stop()); break;
      case Suggestion::kLeastLike: group.ids = least_like(vectors, count, context.stop()); break;
    }
    const bool others = what == Suggestion::kMoreLike;
    const QString of = picturesText(static_cast<std::int64_t>(others ? ids->size() : vectors.ids.size()));
    found.text = (others ? tr("%1 like %2 chosen, selected") : tr("%1 of %2, selected"))
                     .arg(picturesText(static_cast<std::int64_t>(group.ids.size())), of);
    found.groups.push_back(std::move(group));
    return found;
  };
}

void SuggestionsPage::answered() {
  view()->selectionModel()->clear();
  view()->select(list()->ids());
}

}  // namespace tessera::gui
