// Conditions that pictures must meet to be shown and found.
#include "browse/filter_bar.h"

#include <QAction>
#include <QComboBox>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QToolButton>
#include <algorithm>

#include "app/main_window.h"
#include "browse/flow_row.h"
#include "browse/tag_completer.h"
#include "curate/curation_model.h"
#include "tessera/error.h"

namespace tessera::gui {
namespace {

constexpr int kMostFolders = 5000;  // in the list
constexpr int kLetters = 9;         // a choice is at least as wide

const QString kUntagged = QStringLiteral("\n");  // no tag has such a name

}  // namespace

FilterBar::FilterBar(MainWindow& window) : QToolBar(tr("Filter"), &window), session_(window.session()) {
  setObjectName(QStringLiteral("filter"));
  setMovable(false);
  row_ = new FlowRow(this);
  addWidget(row_);
  stars_ = addChoice(tr("Stars"), {{tr("Any stars"), QString()},
                                   {tr("★ or more"), QStringLiteral("1..")},
                                   {tr("★★ or more"), QStringLiteral("2..")},
                                   {tr("★★★ or more"), QStringLiteral("3..")},
                                   {tr("★★★★ or more"), QStringLiteral("4..")},
                                   {tr("★★★★★"), QStringLiteral("5")},
                                   {tr("No stars"), QStringLiteral("0")}});
  flag_ = addChoice(tr("Flag"), {{tr("Any flag"), QString()},
                                 {tr("Picked"), QStringLiteral("pick")},
                                 {tr("Rejected"), QStringLiteral("reject")},
                                 {tr("No flag"), QStringLiteral("none")},
                                 {tr("Not rejected"), QStringLiteral("pick,none")}});
  label_ = addChoice(tr("Colour label"), {{tr("Any colour"), QString()},
                                          {tr("Red"), QStringLiteral("red")},
                                          {tr("Yellow"), QStringLiteral("yellow")},
                                          {tr("Green"), QStringLiteral("green")},
                                          {tr("Blue"), QStringLiteral("blue")},
                                          {tr("Purple"), QStringLiteral("purple")},
                                          {tr("No colour"), QStringLiteral("none")}});
  tag_ = addTags();
  folder_ = addChoice(tr("Folder"), {{tr("Any folder"), QString()}});
  size_ = addRange(tr("Size"), tr("Pixels, also as a range: 2M.. (at least), ..8M (at most), 2M..8M"),
                   {{tr("Any size"), QString()},
                    {tr("Below 2 megapixels"), QStringLiteral("..2M")},
                    {tr("2 megapixels or more"), QStringLiteral("2M..")},
                    {tr("8 megapixels or more"), QStringLiteral("8M..")},
                    {tr("12 megapixels or more"), QStringLiteral("12M..")},
                    {tr("24 megapixels or more"), QStringLiteral("24M..")}});
  bytes_ = addRange(tr("File size"), tr("Bytes, also as a range: 2M.. (at least), ..500k (at most), 500k..2M"),
                    {{tr("Any file size"), QString()},
                     {tr("Below 1 MB"), QStringLiteral("..999999")},
                     {tr("1 MB or more"), QStringLiteral("1M..")},
                     {tr("5 MB or more"), QStringLiteral("5M..")},
                     {tr("20 MB or more"), QStringLiteral("20M..")}});
  date_ = addLine(tr("Date"), tr("2019, 2019-05..2020"), 14);
  text_ = addLine(tr("Words in the path"), tr("Words in the path"), 14);
  addButtons();
  connect(&session_, &Session::libraryOpened, this, &FilterBar::clear);
  connect(&session_.library(), &LibraryModel::changed, this, [this] {
    if (isVisible()) readFolders();
  });
  connect(&CurationModel::of(session_), &CurationModel::changed, this, [this] {
    if (isVisible()) readTags();
  });
}

FilterBar* FilterBar::of(const MainWindow& window) { return window.findChild<FilterBar*>(); }

QComboBox* FilterBar::addChoice(const QString& name, const std::vector<std::pair<QString, QString>>& items) {
  auto* box = new QComboBox(row_);
  box->setAccessibleName(name);
  box->setToolTip(name);
  box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  box->setMinimumContentsLength(kLetters);
  for (const auto& [text, value] : items) box->addItem(text, value);
  row_->add(box);
  connect(box, &QComboBox::currentIndexChanged, this, &FilterBar::apply);
  return box;
}

// A list to choose from, and a line for another range.
QComboBox* FilterBar::addRange(const QString& name, const QString& tip,
                               const std::vector<std::pair<QString, QString>>& items) {
  QComboBox* box = addChoice(name, items);
  box->setEditable(true);
  box->setInsertPolicy(QComboBox::NoInsert);
  box->setToolTip(tip);
  box->setCompleter(nullptr);
  connect(box, &QComboBox::editTextChanged, this, &FilterBar::apply);
  return box;
}

QString FilterBar::rangeOf(const QComboBox& box) {
  const QString text = box.currentText().trimmed();
  const int item = box.findText(text);
  return item >= 0 ? box.itemData(item).toString() : text;
}

// A list to choose one from, and a line for several between commas.
QComboBox* FilterBar::addTags() {
  QComboBox* box = addChoice(tr("Tags"), {{QString(), QString()}, {tr("Without tags"), kUntagged}});
  box->setEditable(true);
  box->setInsertPolicy(QComboBox::NoInsert);
  box->setToolTip(tr("Tags that a picture must all have, between commas"));
  box->lineEdit()->setPlaceholderText(tr("Any tag"));
  box->setCompleter(nullptr);  // its own would take the whole line for one tag
  tag_completer_ = new TagCompleter(box->lineEdit());
  connect(box->lineEdit(), &QLineEdit::textChanged, this, &FilterBar::apply);
  return box;
}

QLineEdit* FilterBar::addLine(const QString& name, const QString& placeholder, int characters) {
  auto* line = new QLineEdit(row_);
  line->setAccessibleName(name);
  line->setToolTip(name);
  line->setPlaceholderText(placeholder);
  line->setClearButtonEnabled(true);
  line->setFixedWidth(fontMetrics().averageCharWidth() * (characters + 8));
  row_->add(line);
  connect(line, &QLineEdit::textChanged, this, &FilterBar::apply);
  return line;
}

void FilterBar::addButtons() {
  const auto add = [this](const QString& text, const QString& tip) {
    auto* button = new QToolButton(row_);
    button->setText(text);
    button->setToolTip(tip);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::StrongFocus);
    row_->add(button);
    return button;
  };
  connect(add(tr("Clear"), tr("Show all pictures")), &QToolButton::clicked, this, &FilterBar::clear);
  const QToolButton* keep = add(tr("Save…"), tr("Keep these conditions as a collection that is always up to date"));
  connect(keep, &QToolButton::clicked, this, [this] {
    const QString name = QInputDialog::getText(this, tr("Save the filter"), tr("Name")).trimmed();
    if (!name.isEmpty()) save(name);
  });
  problem_ = new QLabel(row_);
  problem_->setTextFormat(Qt::PlainText);
  problem_->hide();
  row_->add(problem_);
}

CatalogFilter FilterBar::filter() const {
  CatalogFilter filter;
  const auto add = [&](const char* name, const QString& value) {
    if (!value.isEmpty()) add_filter_term(filter, name, value.toStdString());
  };
  add("rating", stars_->currentData().toString());
  add("flag", flag_->currentData().toString());
  add("label", label_->currentData().toString());
  add("pixels", rangeOf(*size_));
  add("size", rangeOf(*bytes_));
  if (tag_->currentText() == tag_->itemText(1)) {
    filter.untagged = true;
  } else {
    const QStringList known = CurationModel::of(session_).tagNames();
    for (const QString& tag : TagCompleter::tagsOf(tag_->currentText(), known)) {
      filter.tags.push_back(knownTag(tag, known));
    }
  }
  if (folder_->currentIndex() > 0) {
    filter.under.push_back(folders_[static_cast<std::size_t>(folder_->currentIndex() - 1)]);
  }
  filter.text = text_->text().trimmed().toStdString();
  add("date", date_->text().trimmed());
  return filter;
}

// A tag, or one that others are below; throws for what is not one yet while it is typed.
std::string FilterBar::knownTag(const QString& name, const QStringList& tags) {
  const auto meant = [&](const QString& tag) { return tag == name || tag.startsWith(name + QLatin1Char('/')); };
  if (std::none_of(tags.begin(), tags.end(), meant)) {
    throw Error(ErrorCode::kInvalidArgument, tr("There is no tag %1.").arg(name).toStdString());
  }
  return name.toStdString();
}

void FilterBar::clear() {
  clearing_ = true;
  for (QComboBox* box : {stars_, flag_, label_, tag_, folder_, size_, bytes_}) box->setCurrentIndex(0);
  tag_->clearEditText();
  for (QComboBox* box : {size_, bytes_}) box->setEditText(box->itemText(0));
  date_->clear();
  text_->clear();
  clearing_ = false;
  apply();
}

void FilterBar::apply() {
  if (clearing_) return;
  QString problem;
  try {
    session_.setFilter(filter());
  } catch (const Error& error) {
    problem = QString::fromUtf8(error.what());  // while a date is typed; the filter before stays
  }
  problem_->setText(problem);
  problem_->setVisible(!problem.isEmpty());
}

void FilterBar::save(const QString& name) {
  SavedSearch search;
  search.filter = session_.filter();
  CurationModel::of(session_).saveSearch(name, search);
}

void FilterBar::showEvent(QShowEvent* event) {
  QToolBar::showEvent(event);
  readFolders();
  readTags();
}

// What is chosen stays chosen; a list that is open is left alone unless there is something new.
void FilterBar::readFolders() {
  const auto snapshot = session_.library().snapshot();
  const QString chosen = folder_->currentIndex() > 0 ? folder_->currentText() : QString();
  std::vector<std::pair<QString, std::filesystem::path>> all;
  const auto count = std::min<std::size_t>(snapshot->folders().size(), kMostFolders);
  for (std::size_t i = 0; i < count; ++i) {
    all.emplace_back(snapshot->folderText(static_cast<std::uint32_t>(i)), snapshot->folders()[i]);
  }
  std::sort(all.begin(), all.end());
  if (std::ranges::equal(all, folders_, {}, &std::pair<QString, std::filesystem::path>::second)) return;
  clearing_ = true;
  while (folder_->count() > 1) folder_->removeItem(1);
  folders_.clear();
  for (const auto& [text, path] : all) {
    folder_->addItem(text);
    folder_->setItemData(folder_->count() - 1, text, Qt::ToolTipRole);
    folders_.push_back(path);
  }
  folder_->setCurrentIndex(chosen.isEmpty() ? 0 : std::max(0, folder_->findText(chosen)));
  clearing_ = false;
  if (!chosen.isEmpty()) apply();
}

void FilterBar::readTags() {
  const QStringList names = CurationModel::of(session_).tagNames();
  QStringList shown;
  for (int i = 2; i < tag_->count(); ++i) shown.append(tag_->itemText(i));
  if (shown == names) return;
  const QString chosen = tag_->currentText();
  clearing_ = true;
  while (tag_->count() > 2) tag_->removeItem(2);
  for (const QString& name : names) tag_->addItem(name, name);
  if (tag_->currentText() != chosen) tag_->setEditText(chosen);
  tag_completer_->setTags(names);
  clearing_ = false;
  if (!chosen.isEmpty()) apply();
}

void extendForFiltering(MainWindow& window) {
  auto* bar = new FilterBar(window);
  window.addToolBarBreak();
  window.addToolBar(bar);
  bar->hide();
  QAction* action = window.menu(MainWindow::Menu::kView)->addAction(QObject::tr("&Filter"));
  action->setCheckable(true);
  action->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_L));
  QObject::connect(action, &QAction::toggled, bar, [&window, bar](bool on) {
    bar->setVisible(on);
    if (on) {
      bar->findChild<QComboBox*>()->setFocus();
    } else {
      bar->clear();
      if (window.currentPage() != nullptr) window.currentPage()->setFocus();
    }
  });
  QObject::connect(bar, &QToolBar::visibilityChanged, action, [action, bar] {
    const QSignalBlocker quiet(action);
    action->setChecked(bar->isVisibleTo(bar->parentWidget()));
  });
}

}  // namespace tessera::gui
