// Search by pictures: a search kept among the collections, and opened from there.
#include <QAction>
#include <QHBoxLayout>
#include <QInputDialog>
#include <QLabel>
#include <QToolButton>
#include <cmath>

#include "app/library_snapshot.h"
#include "browse/search_page.h"
#include "curate/curation_model.h"
#include "tessera/error.h"

namespace tessera::gui {
namespace {

// What holds of both filters; where both say something about the same, the second counts.
CatalogFilter joined(const CatalogFilter& first, const CatalogFilter& second) {
  return parse_filter(filter_text(first) + filter_text(second));
}

// A file may be of the library without the example saying so, as one is of which a region was drawn.
std::optional<Row> row_of(const LibrarySnapshot& snapshot, const Example& example) {
  if (example.id != 0) return snapshot.find(example.id);
  const std::string name = example.file.filename().native();
  for (Row row = 0; row < snapshot.size(); ++row) {
    if (snapshot.name(row) == name && snapshot.path(row) == example.file) return row;
  }
  return std::nullopt;
}

struct Opened {
  std::vector<Example> examples;
  QString problem;
};

Opened find_examples(const Library& library, const std::vector<SavedExample>& saved) {
  Opened opened;
  for (const SavedExample& each : saved) {
    try {
      FoundExample found = find_example(library, each);
      QRectF region;
      if (each.region) region = {each.region->x, each.region->y, each.region->width, each.region->height};
      opened.examples.push_back({found.id, std::move(found.file), nullptr, region, each.negative});
    } catch (const Error& error) {
      opened.problem = QString::fromUtf8(error.what());
    }
  }
  return opened;
}

}  // namespace

SavedSearch SearchPage::savedSearch() const {
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  SavedSearch saved;
  for (const Example& example : query_.examples) {
    if (example.picture) {
      throw Error(ErrorCode::kInvalidArgument,
                  tr("A picture from the clipboard has no file, so a search for it cannot be kept.").toStdString());
    }
    SavedExample kept{{}, example.file, {}, example.negative};
    if (const auto row = row_of(snapshot, example)) {
      kept.content = snapshot[*row].hash;
      kept.file = snapshot.path(*row);
    }
    const QRectF& part = example.region;
    if (!part.isNull()) kept.region = PictureRegion{part.x(), part.y(), part.width(), part.height(), true};
    saved.examples.push_back(std::move(kept));
  }
  if (saved.examples.empty()) {
    throw Error(ErrorCode::kInvalidArgument, tr("There is no example to keep a search for.").toStdString());
  }
  saved.filter = joined(query_.filter, session().filter());
  saved.tokens = query_.settings.tokens;
  saved.rerank_weight = static_cast<float>(query_.settings.composition);
  saved.precision = query_.settings.likely_only ? kCutPrecision : 0;
  saved.not_weight = kNegativeWeight;
  return saved;
}

void SearchPage::save(const QString& name) {
  try {
    CurationModel::of(session()).saveSearch(name, savedSearch());
  } catch (const Error& error) {
    Q_EMIT session().message(QString::fromUtf8(error.what()));
  }
}

void SearchPage::saveFromDialog() {
  try {
    savedSearch();  // refused before a name is asked for
  } catch (const Error& error) {
    Q_EMIT session().message(QString::fromUtf8(error.what()));
    return;
  }
  const QString name = QInputDialog::getText(this, tr("Save the search"), tr("Name")).trimmed();
  if (!name.isEmpty()) save(name);
}

void SearchPage::openSaved(const SavedSearch& saved) {
  opening_.cancel();
  opening_ = session().jobs().run(
      Lane::kCatalog, this,
      [examples = saved.examples](JobContext& context) { return find_examples(context.library(), examples); },
      [this, saved](Opened opened) {
        if (!opened.problem.isEmpty()) Q_EMIT session().message(opened.problem);
        SearchSettings settings;
        settings.tokens = saved.tokens;
        settings.composition = std::round(100 * double(saved.rerank_weight)) / 100;  // as the slider has it
        settings.likely_only = saved.precision > 0;
        search({std::move(opened.examples), settings, saved.filter});
      },
      [this](const JobError& error) { Q_EMIT session().message(error.message); });
}

QWidget* SearchPage::makeConditionsChip() {
  auto* chip = new QFrame;
  chip->setFrameShape(QFrame::StyledPanel);
  chip->setBackgroundRole(QPalette::Button);
  chip->setAutoFillBackground(true);
  auto* layout = new QHBoxLayout(chip);
  layout->setContentsMargins(8, 4, 4, 4);
  QString text = QString::fromStdString(filter_text(query_.filter)).trimmed();
  auto* label = new QLabel(text, chip);
  label->setTextFormat(Qt::PlainText);
  label->setToolTip(tr("Only pictures that meet these conditions, saved with the search"));
  auto* close = new QToolButton(chip);
  close->setAutoRaise(true);
  close->setText(QStringLiteral("\u00d7"));
  close->setToolTip(tr("Search all pictures"));
  close->setAccessibleName(tr("Take the saved conditions away"));
  connect(close, &QToolButton::clicked, this, [this] {
    SearchQuery query = query_;
    query.filter = {};
    search(query);
  });
  layout->addWidget(label);
  layout->addWidget(close);
  return chip;
}

}  // namespace tessera::gui
