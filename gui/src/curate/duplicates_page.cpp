// Groups of duplicates: which file stays, which goes to the trash, and which only look alike.
#include "curate/duplicates_page.h"

#include <QComboBox>
#include <QDateTime>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QScrollBar>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <set>
#include <utility>

#include "app/count_text.h"
#include "look/page_parts.h"

namespace tessera::gui {
namespace {

enum Column {
  kFileColumn,
  kVerdictColumn,
  kPixelsColumn,
  kBytesColumn,
  kDateColumn,
  kStarsColumn,
  kFolderColumn,
  kColumns
};

bool is_sure(DuplicateLabel label) { return label == DuplicateLabel::kExact || label == DuplicateLabel::kReencoded; }

}  // namespace

DuplicatesPage::DuplicatesPage(Session& session, QWidget* parent)
    : Page(session, QStringLiteral("duplicates"), tr("Duplicates"), parent) {
  auto* layout = new QVBoxLayout(this);
  addControls();
  addTree();
  layout->addWidget(tree_);
  auto* below = new QHBoxLayout;
  for (QPushButton* button : {not_duplicates_, compare_}) below->addWidget(button);
  below->addWidget(summary_, 1);
  below->addWidget(trash_);
  layout->addLayout(below);
  setFocusProxy(tree_);
  ask_.setSingleShot(true);
  ask_.setInterval(0);
  connect(&ask_, &QTimer::timeout, this, &DuplicatesPage::askForThumbnails);
  connect(&session.thumbnails(), &Thumbnails::ready, this, &DuplicatesPage::setIcons);
  connect(&session.thumbnails(), &Thumbnails::settled, this, &Page::screenshotReadyChanged);
  connect(&session, &Session::libraryOpened, this, &DuplicatesPage::clear);
  connect(&session.library(), &LibraryModel::changed, this, [this] {
    if (found_) {
      read();
    } else if (isVisible()) {
      search();
    }
  });
  connect(&CurationModel::of(session), &CurationModel::changed, this, [this] {
    if (found_) read();
  });
  setBusy(false);
  updateSummary();
}

void DuplicatesPage::addControls() {
  auto* bar = new QHBoxLayout;
  search_ = new QPushButton(this);
  connect(search_, &QPushButton::clicked, this, [this] { searching_.running() ? stop() : search(); });
  auto* label = new QLabel(tr("&Keep:"), this);
  rule_ = new QComboBox(this);
  const std::string rest(kStandardKeepRules);
  const std::pair<QString, std::string> rules[] = {
      {tr("Most stars, then most pixels"), rest}, {tr("Most pixels"), "resolution," + rest},
      {tr("Largest file"), "size," + rest},       {tr("Oldest file"), "oldest," + rest},
      {tr("Newest file"), "newest," + rest},      {tr("Files of a folder"), "folder"}};
  for (const auto& [text, value] : rules) rule_->addItem(text, QString::fromStdString(value));
  rule_->setAccessibleName(tr("Which file of a group to keep"));
  label->setBuddy(rule_);
  folder_ = new QComboBox(this);
  folder_->setAccessibleName(tr("Folder whose files are kept"));
  folder_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  folder_->setMinimumContentsLength(12);
  folder_->hide();
  connect(rule_, &QComboBox::currentIndexChanged, this, [this] {
    fillFolders();
    read();
  });
  connect(folder_, &QComboBox::currentIndexChanged, this, [this] { read(); });
  progress_ = makeLine(this);
  bar->addWidget(search_);
  bar->addWidget(label);
  bar->addWidget(rule_);
  bar->addWidget(folder_);
  bar->addWidget(progress_, 1);
  static_cast<QVBoxLayout*>(layout())->addLayout(bar);

  const auto button = [this](const QString& text, const QString& tip, void (DuplicatesPage::*call)()) {
    auto* made = new QPushButton(text, this);
    made->setToolTip(tip);
    connect(made, &QPushButton::clicked, this, call);
    return made;
  };
  not_duplicates_ = button(tr("Not duplicates"), tr("These pictures only look alike: the group never comes back."),
                           &DuplicatesPage::ruleOutCurrent);
  compare_ = button(tr("Compare"), tr("The pictures of the group side by side"), &DuplicatesPage::compareCurrent);
  trash_ = button(tr("Move the marked to the trash"), tr("Undo brings them back."), &DuplicatesPage::trashMarked);
  summary_ = makeLine(this);
  actions_ = {makeAction(this, tr("Mark the file for the trash, or not"), {Qt::Key_Space},
                         [this] {
                           if (const KeepDecision* row = rowOf(tree_->currentItem())) {
                             setMarked(row->file.file.path, !marked(row->file.file.path));
                           }
                         }),
              makeAction(this, tr("The group's pictures are no duplicates"), {Qt::SHIFT | Qt::Key_N},
                         [this] { ruleOutCurrent(); }),
              makeAction(this, tr("Move the marked files to the trash"), {Qt::CTRL | Qt::Key_Delete},
                         [this] { trashMarked(); })};
}

void DuplicatesPage::addTree() {
  tree_ = new QTreeWidget(this);
  tree_->setAccessibleName(title());
  tree_->setColumnCount(kColumns);
  tree_->setHeaderLabels(
      {tr("File"), tr("What happens"), tr("Pixels"), tr("Size"), tr("Date"), tr("Stars"), tr("Folder")});
  tree_->setIconSize(kIcon);
  tree_->setUniformRowHeights(false);
  tree_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  tree_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  tree_->header()->setStretchLastSection(true);
  const int letter = fontMetrics().averageCharWidth();
  tree_->setColumnWidth(kFileColumn, kIcon.width() + 36 * letter);
  tree_->setColumnWidth(kVerdictColumn, 40 * letter);
  connect(tree_, &QTreeWidget::itemChanged, this, [this](QTreeWidgetItem* item, int column) {
    const KeepDecision* row = rowOf(item);
    if (!filling_ && column == kFileColumn && row != nullptr)
      setMarked(row->file.file.path, item->checkState(kFileColumn) == Qt::Checked);
  });
  connect(tree_, &QTreeWidget::itemActivated, this, [this](QTreeWidgetItem* item) {
    if (const KeepDecision* row = rowOf(item)) {
      Q_EMIT session().lookWanted(row->file.image->id, shown_[placeOf(item)->group].pictures());
    }
  });
  connect(tree_, &QTreeWidget::itemSelectionChanged, this, &Page::selectionChanged);
  connect(tree_, &QTreeWidget::currentItemChanged, this, [this] {
    updateSummary();
    Q_EMIT selectionChanged();
  });
  connect(tree_, &QTreeWidget::itemExpanded, this, [this] { ask_.start(); });
  connect(tree_->verticalScrollBar(), &QScrollBar::valueChanged, this, [this] { ask_.start(); });
  connect(tree_->verticalScrollBar(), &QScrollBar::rangeChanged, this, [this] { ask_.start(); });
}

void DuplicatesPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  if (!found_ && !searching_.running()) search();
  ask_.start();
}

void DuplicatesPage::clear() {
  searching_.cancel();
  reading_.cancel();
  found_.reset();
  shown_.clear();
  by_hand_.clear();
  setBusy(false);
  fill();
}

void DuplicatesPage::search() {
  if (session().library().snapshot()->size() == 0) return;
  searching_.cancel();
  progress_->setText(tr("Looking for duplicates…"));
  searching_ = session().jobs().run(
      Lane::kLong, this,
      [this](JobContext& context) {
        int told = -1;
        return search_duplicates(context, [this, &context, told](double share) mutable {
          const int percent = static_cast<int>(100 * share);
          if (percent == std::exchange(told, percent)) return;
          context.post([this, percent] { progress_->setText(tr("Looking for duplicates: %1 %").arg(percent)); });
        });
      },
      [this](std::vector<DuplicateGroup> groups) {
        found_ = std::make_shared<const std::vector<DuplicateGroup>>(std::move(groups));
        by_hand_.clear();
        setBusy(false);
        read();
      },
      [this](const JobError& error) {
        setBusy(false);
        progress_->setText(error.message);
        Q_EMIT screenshotReadyChanged();
      });
  setBusy(true);
}

void DuplicatesPage::stop() {
  searching_.cancel();
  setBusy(false);
  progress_->setText(tr("The search was stopped."));
  Q_EMIT screenshotReadyChanged();
}

void DuplicatesPage::setBusy(bool busy) { search_->setText(busy ? tr("Stop") : tr("Find duplicates")); }

void DuplicatesPage::fillFolders() {
  const bool wanted = rule_->currentData().toString() == QStringLiteral("folder");
  if (wanted && !folder_->isVisibleTo(this)) {
    const QSignalBlocker blocker(folder_);
    std::set<std::filesystem::path> folders;
    for (const ReviewedGroup& group : shown_) {
      for (const KeepDecision& row : group.files) folders.insert(row.file.file.path.parent_path());
    }
    folder_->clear();
    for (const auto& folder : folders) folder_->addItem(pathText(folder), QByteArray::fromStdString(folder.native()));
  }
  folder_->setVisible(wanted);
}

void DuplicatesPage::read() {
  if (!found_) return;
  std::vector<KeepRule> rules;
  if (folder_->isVisibleTo(this))
    rules.push_back({KeepCriterion::kFolder, {folder_->currentData().toByteArray().toStdString()}});
  const QString text = rule_->currentData().toString();
  const auto rest = parse_keep_rules(folder_->isVisibleTo(this) ? std::string(kStandardKeepRules) : text.toStdString());
  rules.insert(rules.end(), rest.begin(), rest.end());
  reading_.cancel();
  reading_ = session().jobs().run(
      Lane::kCatalog, this,
      [found = found_, rules](JobContext& context) { return read_groups(context, *found, rules); },
      [this](std::vector<ReviewedGroup> groups) {
        shown_ = std::move(groups);
        fill();
      },
      [this](const JobError& error) { progress_->setText(error.message); });
}

void DuplicatesPage::fill() {
  const std::optional<ImageId> current = currentPicture();
  const int scrolled = tree_->verticalScrollBar()->value();
  by_rule_.clear();
  filling_ = true;
  tree_->clear();
  for (const ReviewedGroup& group : shown_) {
    auto* top = new QTreeWidgetItem(tree_);
    top->setFirstColumnSpanned(true);
    QFont bold = tree_->font();
    bold.setBold(true);
    top->setFont(kFileColumn, bold);
    top->setText(kFileColumn, tr("%1, certainty %2: %3")
                                  .arg(labelText(group.label), QLocale().toString(group.certainty, 'f', 2),
                                       filesText(static_cast<std::int64_t>(group.files.size()))));
    top->setExpanded(true);
    for (const KeepDecision& row : group.files) {
      if (is_sure(group.label)) {
        bool& goes = by_rule_.try_emplace(row.file.file.path, false).first->second;
        goes = goes || !row.keep;
      }
      auto* item = new QTreeWidgetItem(top);
      if (row.file.usable()) item->setFlags(item->flags() | Qt::ItemIsUserCheckable);
      fillRow(item, row);
    }
  }
  filling_ = false;
  updateRows();
  if (current) setCurrentPicture(*current);
  if (tree_->currentItem() == nullptr && tree_->topLevelItemCount() > 0) {
    tree_->setCurrentItem(tree_->topLevelItem(0)->child(0));
  }
  tree_->verticalScrollBar()->setValue(scrolled);
  if (!searching_.running()) {
    progress_->setText(!found_ ? QString()
                       : shown_.empty()
                           ? tr("No duplicates were found.")
                           : tr("%1, the safest first")
                                 .arg(countText(static_cast<std::int64_t>(shown_.size()), tr("group"), tr("groups"))));
  }
  ask_.start();
  Q_EMIT selectionChanged();
}

void DuplicatesPage::fillRow(QTreeWidgetItem* item, const KeepDecision& row) {
  QPixmap empty(kIcon * devicePixelRatioF());
  empty.setDevicePixelRatio(devicePixelRatioF());
  empty.fill(Qt::transparent);
  const QLocale locale;
  item->setIcon(kFileColumn, QIcon(empty));
  item->setText(kFileColumn, pathText(row.file.file.path.filename()));
  item->setToolTip(kFileColumn, pathText(row.file.file.path));
  item->setText(kPixelsColumn, tr("%1 x %2").arg(row.file.image->width).arg(row.file.image->height));
  item->setText(kBytesColumn, locale.formattedDataSize(static_cast<qint64>(row.file.file.bytes)));
  item->setText(kDateColumn, locale.toString(QDateTime::fromMSecsSinceEpoch(row.file.file.mtime_ns / 1'000'000),
                                             QLocale::ShortFormat));
  item->setText(kStarsColumn, row.file.rating > 0 ? QString(row.file.rating, QChar(0x2605)) : QString());
  item->setText(kFolderColumn, pathText(row.file.file.path.parent_path()));
}

bool DuplicatesPage::marked(const std::filesystem::path& file) const {
  if (const auto found = by_hand_.find(file); found != by_hand_.end()) return found->second;
  const auto found = by_rule_.find(file);
  return found != by_rule_.end() && found->second;
}

void DuplicatesPage::setMarked(const std::filesystem::path& file, bool marked) {
  by_hand_[file] = marked;
  updateRows();
}

// A file may be in several groups: its check is the same in all.
void DuplicatesPage::updateRows() {
  filling_ = true;
  for (int g = 0; g < tree_->topLevelItemCount(); ++g) {
    QTreeWidgetItem* top = tree_->topLevelItem(g);
    for (int i = 0; i < top->childCount(); ++i) {
      QTreeWidgetItem* item = top->child(i);
      const KeepDecision& row = *rowOf(item);
      const bool goes = row.file.usable() && marked(row.file.file.path);
      item->setCheckState(kFileColumn, goes ? Qt::Checked : Qt::Unchecked);
      const QString what = goes ? tr("✗ to the trash") : i == 0 ? tr("✓ stays, the best") : tr("✓ stays");
      const QString reason = QString::fromStdString(row.reason);
      item->setText(kVerdictColumn, QStringLiteral("%1\n%2").arg(what, reason));
      item->setToolTip(kVerdictColumn, reason);
      QFont font = tree_->font();
      font.setStrikeOut(goes);
      item->setFont(kFileColumn, font);
    }
  }
  filling_ = false;
  updateSummary();
}

void DuplicatesPage::updateSummary() {
  std::map<std::filesystem::path, std::uint64_t> going;
  for (const ReviewedGroup& group : shown_) {
    for (const KeepDecision& row : group.files) {
      if (row.file.usable() && marked(row.file.file.path)) going[row.file.file.path] = row.file.file.bytes;
    }
  }
  std::uint64_t bytes = 0;
  for (const auto& [path, size] : going) bytes += size;
  summary_->setText(going.empty() ? tr("Nothing is marked.")
                                  : tr("%1 marked, %2")
                                        .arg(filesText(static_cast<std::int64_t>(going.size())))
                                        .arg(QLocale().formattedDataSize(static_cast<qint64>(bytes))));
  trash_->setEnabled(!going.empty());
  const auto place = placeOf(tree_->currentItem());
  const bool several = place && shown_[place->group].pictures().size() > 1;
  not_duplicates_->setEnabled(several);
  compare_->setEnabled(several);
}

std::optional<DuplicatesPage::Place> DuplicatesPage::placeOf(const QTreeWidgetItem* item) const {
  if (item == nullptr) return std::nullopt;
  const QTreeWidgetItem* top = item->parent() != nullptr ? item->parent() : item;
  const int group = tree_->indexOfTopLevelItem(const_cast<QTreeWidgetItem*>(top));
  if (group < 0 || static_cast<std::size_t>(group) >= shown_.size()) return std::nullopt;
  Place place{static_cast<std::size_t>(group), std::nullopt};
  if (item != top) place.row = static_cast<std::size_t>(top->indexOfChild(const_cast<QTreeWidgetItem*>(item)));
  return place;
}

const KeepDecision* DuplicatesPage::rowOf(const QTreeWidgetItem* item) const {
  const auto place = placeOf(item);
  if (!place || !place->row || *place->row >= shown_[place->group].files.size()) return nullptr;
  return &shown_[place->group].files[*place->row];
}

void DuplicatesPage::ruleOutCurrent() {
  const auto place = placeOf(tree_->currentItem());
  if (!place) return;
  const auto pairs = shown_[place->group].pairs();
  if (!pairs.empty()) CurationModel::of(session()).ruleOut(pairs);
}

void DuplicatesPage::compareCurrent() {
  const auto place = placeOf(tree_->currentItem());
  if (place) Q_EMIT session().compareWanted(shown_[place->group].pictures());
}

void DuplicatesPage::trashMarked() {
  const auto files = files_to_trash(
      shown_, [this](const KeepDecision& row) { return row.file.usable() && marked(row.file.file.path); });
  if (!files.empty()) CurationModel::of(session()).trashDuplicates(files);
}

}  // namespace tessera::gui
