// Search by pictures: the controls of the page.
#include <QAction>
#include <QCheckBox>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QSlider>
#include <QToolButton>
#include <QVBoxLayout>

#include "browse/example_chip.h"
#include "browse/grid_footer.h"
#include "browse/grid_view.h"
#include "browse/search_page.h"

namespace tessera::gui {
namespace {

constexpr int kChipRowHeight = 84;

}  // namespace

SearchPage::SearchPage(Session& session, QWidget* parent)
    : ViewPage(session, QStringLiteral("search"), tr("Search"), false, parent) {
  setAcceptDrops(true);
  view_->setAccessibleName(tr("Results"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  addActions();
  addChipRow(layout);
  addSettings(layout);
  problem_ = new QLabel(this);
  problem_->setWordWrap(true);
  problem_->setMargin(10);
  problem_->setAccessibleName(tr("What went wrong"));
  problem_->hide();
  layout->addWidget(problem_);
  layout->addWidget(view_, 1);
  layout->addWidget(footer_);
  connect(&session, &Session::libraryOpened, this, &SearchPage::restart);
  connect(&session, &Session::similarWanted, this, &SearchPage::searchPictures);
  connect(&session, &Session::regionSearchWanted, this, &SearchPage::searchRegion);
  connect(&session, &Session::filterChanged, this, [this] {
    if (!query_.examples.empty()) ask();
  });
  connect(&session.library(), &LibraryModel::changed, this, [this] {
    const int stored = this->session().library().encoder() ? this->session().library().encoder()->stored_tokens : 16;
    const QSignalBlocker quiet(tokens_);
    tokens_->setRange(1, stored);
    showSettings();
    if (answer_) ask();
  });
  showChips();
  showSettings();
  enableHistory();
  showResult();
}

void SearchPage::addActions() {
  back_ = new QAction(tr("Search &before"), this);
  back_->setShortcut(QKeySequence(Qt::ALT | Qt::Key_Left));
  connect(back_, &QAction::triggered, this, &SearchPage::goBack);
  back_->setIconText(QStringLiteral("\u2190"));
  forward_ = new QAction(tr("Search &after"), this);
  forward_->setShortcut(QKeySequence(Qt::ALT | Qt::Key_Right));
  forward_->setIconText(QStringLiteral("\u2192"));
  connect(forward_, &QAction::triggered, this, &SearchPage::goForward);
  auto* similar = new QAction(tr("Find &similar"), this);
  similar->setShortcut(Qt::Key_S);
  connect(similar, &QAction::triggered, this, [this] {
    std::vector<ImageId> ids = selectedPictures();
    if (ids.empty() && currentPicture()) ids.push_back(*currentPicture());
    if (!ids.empty()) searchPictures(ids);
  });
  const auto add_selected = [this](bool negative) {
    std::vector<Example> examples = examplesOf(selectedPictures());
    for (Example& example : examples) example.negative = negative;
    if (!examples.empty()) addExamples(examples);
  };
  auto* more = new QAction(tr("&More like the selected pictures"), this);
  more->setShortcut(QKeySequence(Qt::SHIFT | Qt::Key_Plus));
  connect(more, &QAction::triggered, this, [add_selected] { add_selected(false); });
  auto* less = new QAction(tr("&Less like the selected pictures"), this);
  less->setShortcut(QKeySequence(Qt::SHIFT | Qt::Key_Minus));
  connect(less, &QAction::triggered, this, [add_selected] { add_selected(true); });
  save_ = new QAction(tr("Sa&ve this search…"), this);
  save_->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_S));
  connect(save_, &QAction::triggered, this, &SearchPage::saveFromDialog);
  actions_ = {similar, more, less, save_};
  addAction(back_);
  addAction(forward_);
}

QList<QAction*> SearchPage::pageActions() const { return actions_; }

void SearchPage::addChipRow(QLayout* layout) {
  auto* row = new QWidget(this);
  auto* items = new QHBoxLayout(row);
  items->setContentsMargins(10, 6, 10, 2);
  const auto button = [&](QAction* action) {
    auto* tool = new QToolButton(row);
    tool->setDefaultAction(action);
    tool->setAutoRaise(true);
    tool->setAccessibleName(action->text().remove(QLatin1Char('&')));
    tool->setToolTip(
        QStringLiteral("%1 (%2)").arg(action->text().remove(QLatin1Char('&')), action->shortcut().toString()));
    items->addWidget(tool);
  };
  button(back_);
  button(forward_);
  auto* scroll = new QScrollArea(row);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setWidgetResizable(true);
  scroll->setFixedHeight(kChipRowHeight);
  scroll->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setAccessibleName(tr("Examples"));
  auto* content = new QWidget(scroll);
  chips_ = new QHBoxLayout(content);
  chips_->setContentsMargins(0, 0, 0, 0);
  scroll->setWidget(content);
  items->addWidget(scroll, 1);
  auto* add = new QPushButton(tr("&Add picture..."), row);
  connect(add, &QPushButton::clicked, this, &SearchPage::addFromDialog);
  items->addWidget(add);
  auto* keep = new QPushButton(tr("Sa&ve…"), row);
  keep->setToolTip(tr("Keep this search among the collections"));
  connect(keep, &QPushButton::clicked, save_, &QAction::trigger);
  items->addWidget(keep);
  layout->addWidget(row);
}

void SearchPage::addSettings(QLayout* layout) {
  auto* row = new QWidget(this);
  auto* items = new QHBoxLayout(row);
  items->setContentsMargins(10, 2, 10, 6);
  const auto slider = [&](const QString& text, const QString& tip, QSlider*& control, QLabel*& value, int widest) {
    auto* label = new QLabel(text, row);
    control = new QSlider(Qt::Horizontal, row);
    control->setMinimumWidth(60);
    control->setMaximumWidth(170);
    control->setToolTip(tip);
    control->setAccessibleName(text);
    control->setAccessibleDescription(tip);
    value = new QLabel(row);
    value->setMinimumWidth(value->fontMetrics().horizontalAdvance(QString(widest, QLatin1Char('0'))));
    items->addWidget(label);
    items->addWidget(control);
    items->addWidget(value);
    items->addSpacing(20);
  };
  slider(tr("Composition"),
         tr("How much it counts that the same things are in the same places; at 0 only the picture as a whole counts"),
         composition_, composition_text_, 5);
  slider(tr("Detail"), tr("How many tokens of each picture are compared, from coarse to fine"), tokens_, tokens_text_,
         10);
  composition_->setRange(0, 100);
  tokens_->setRange(1, 16);
  likely_only_ = new QCheckBox(tr("&Only what is likely related"), this);
  connect(composition_, &QSlider::valueChanged, this, &SearchPage::readSettings);
  connect(tokens_, &QSlider::valueChanged, this, &SearchPage::readSettings);
  connect(likely_only_, &QCheckBox::toggled, this, &SearchPage::readSettings);
  items->addStretch();
  layout->addWidget(row);
  auto* line = new QHBoxLayout;  // of its own, so that the page fits beside a panel in a small window
  line->setContentsMargins(10, 0, 10, 6);
  line->addWidget(likely_only_);
  line->addStretch();
  static_cast<QBoxLayout*>(layout)->addLayout(line);
}

void SearchPage::showChips() {
  while (QLayoutItem* item = chips_->takeAt(0)) {
    if (item->widget() != nullptr) item->widget()->deleteLater();
    delete item;
  }
  for (std::size_t i = 0; i < query_.examples.size(); ++i) {
    auto* chip = new ExampleChip(session(), query_.examples[i]);
    connect(chip, &ExampleChip::signToggled, this, [this, i] {
      SearchQuery query = query_;
      query.examples[i].negative = !query.examples[i].negative;
      search(query);
    });
    connect(chip, &ExampleChip::removed, this, [this, i] {
      SearchQuery query = query_;
      query.examples.erase(query.examples.begin() + static_cast<std::ptrdiff_t>(i));
      search(query);
    });
    chips_->addWidget(chip);
  }
  if (!query_.filter.empty()) chips_->addWidget(makeConditionsChip());
  if (query_.examples.empty()) {
    auto* hint = new QLabel(tr("No example yet: drop, paste or add a picture."));
    hint->setForegroundRole(QPalette::PlaceholderText);
    chips_->addWidget(hint);
  }
  chips_->addStretch();
}

void SearchPage::showSettings() {
  const QSignalBlocker quiet_tokens(tokens_);
  const QSignalBlocker quiet_composition(composition_);
  const QSignalBlocker quiet_likely(likely_only_);
  const int tokens = query_.settings.tokens == 0 ? tokens_->maximum() : query_.settings.tokens;
  tokens_->setValue(tokens);
  tokens_text_->setText(tr("%1 of %2").arg(tokens_->value()).arg(tokens_->maximum()));
  composition_->setValue(static_cast<int>(query_.settings.composition * 100 + 0.5));
  composition_text_->setText(tr("%1 %").arg(composition_->value()));
  likely_only_->setChecked(query_.settings.likely_only);
}

// The sliders change the question that is shown; they make no step in the history.
void SearchPage::readSettings() {
  query_.settings.tokens = tokens_->value() == tokens_->maximum() ? 0 : tokens_->value();
  query_.settings.composition = composition_->value() / 100.0;
  query_.settings.likely_only = likely_only_->isChecked();
  if (place_ >= 0) history_[static_cast<std::size_t>(place_)].settings = query_.settings;
  showSettings();
  if (!query_.examples.empty()) ask();
}

void SearchPage::addFromDialog() {
  const QString key = QStringLiteral("search/folder");
  auto* dialog = new QFileDialog(this, tr("Search by pictures"), QSettings().value(key).toString());
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::ExistingFiles);
  dialog->setNameFilter(tr("Pictures (*.jpg *.jpeg *.png *.webp *.tif *.tiff *.bmp *.gif *.ppm *.pgm)"));
  connect(dialog, &QFileDialog::filesSelected, this, [this, key](const QStringList& files) {
    std::vector<Example> examples;
    for (const QString& file : files) examples.push_back({0, file.toStdString(), nullptr, {}, false});
    if (!examples.empty()) {
      QSettings().setValue(key, pathText(examples.front().file.parent_path()));
      addExamples(examples);
    }
  });
  dialog->open();
}

void SearchPage::dragEnterEvent(QDragEnterEvent* event) {
  if (holdsPicture(event->mimeData())) event->acceptProposedAction();
}

void SearchPage::dropEvent(QDropEvent* event) {
  if (searchMime(event->mimeData(), event->modifiers() & Qt::ShiftModifier)) event->acceptProposedAction();
}

}  // namespace tessera::gui
