// Tags of one or many pictures.
#include "curate/tags_dialog.h"

#include <QCompleter>
#include <QDialogButtonBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QVBoxLayout>
#include <unordered_map>

#include "app/count_text.h"

namespace tessera::gui {
namespace {

constexpr int kBefore = Qt::UserRole;  // the check state that it began with

}  // namespace

TagsDialog::TagsDialog(CurationModel& model, std::vector<ImageId> ids, QWidget* parent)
    : QDialog(parent), model_(model), ids_(std::move(ids)), line_(new QLineEdit(this)), list_(new QListWidget(this)) {
  setWindowTitle(tr("Tags of %1").arg(picturesText(std::ssize(ids_))));
  auto* completer = new QCompleter(model.tagNames(), this);
  completer->setCaseSensitivity(Qt::CaseInsensitive);
  completer->setFilterMode(Qt::MatchContains);
  line_->setCompleter(completer);
  line_->setPlaceholderText(tr("New tag; Places/Vienna is below Places"));
  line_->setAccessibleName(tr("New tag"));
  list_->setAccessibleName(tr("Tags"));
  auto* label = new QLabel(tr("A half-filled box: some of the pictures have the tag."), this);
  label->setWordWrap(true);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(line_);
  layout->addWidget(list_);
  layout->addWidget(label);
  layout->addWidget(buttons);
  // Return adds the tag that was typed, and ends the dialog when nothing was.
  buttons->button(QDialogButtonBox::Ok)->setDefault(true);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  fill();
  line_->setFocus();
}

void TagsDialog::fill() {
  std::unordered_map<TagId, std::size_t> counts;
  for (const ImageId id : ids_) {
    for (const TagId tag : model_.marks(id).tags) ++counts[tag];
  }
  for (const Tag& tag : model_.tags()) {
    const auto found = counts.find(tag.id);
    const std::size_t count = found == counts.end() ? 0 : found->second;
    const Qt::CheckState state = count == 0 ? Qt::Unchecked : count == ids_.size() ? Qt::Checked : Qt::PartiallyChecked;
    auto* item = new QListWidgetItem(QString::fromStdString(tag.name), list_);
    item->setCheckState(state);
    item->setData(kBefore, static_cast<int>(state));
  }
}

void TagsDialog::addTyped() {
  const QString name = line_->text().trimmed();
  line_->clear();
  if (name.isEmpty()) return;
  const auto same = list_->findItems(name, Qt::MatchExactly | Qt::MatchCaseSensitive);
  QListWidgetItem* item = same.isEmpty() ? new QListWidgetItem(name) : same.front();
  if (same.isEmpty()) {
    item->setData(kBefore, static_cast<int>(Qt::Unchecked));
    list_->insertItem(0, item);
  }
  item->setCheckState(Qt::Checked);
  list_->scrollToItem(item);
}

void TagsDialog::accept() {
  if (!line_->text().trimmed().isEmpty()) {
    addTyped();
    if (line_->hasFocus()) return;
  }
  QStringList add, remove;
  for (int row = 0; row < list_->count(); ++row) {
    const QListWidgetItem* item = list_->item(row);
    if (static_cast<int>(item->checkState()) == item->data(kBefore).toInt()) continue;
    (item->checkState() == Qt::Checked ? add : remove).append(item->text());
  }
  if (!add.isEmpty() || !remove.isEmpty()) model_.changeTags(ids_, add, remove);
  QDialog::accept();
}

}  // namespace tessera::gui
