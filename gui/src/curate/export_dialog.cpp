// Where the files of a selection go.
#include "curate/export_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>

namespace tessera::gui {
namespace {

const QString kFolder = QStringLiteral("curate/export_folder");

}  // namespace

ExportDialog::ExportDialog(CurationModel& model, std::vector<ImageId> ids, QWidget* parent)
    : QDialog(parent), model_(model), ids_(std::move(ids)), folder_(new QLineEdit(this)), how_(new QComboBox(this)) {
  setWindowTitle(ids_.size() == 1 ? tr("Export the picture") : tr("Export %1 pictures").arg(ids_.size()));
  folder_->setText(QSettings().value(kFolder).toString());
  folder_->setMinimumWidth(360);
  folder_->setAccessibleName(tr("Folder"));
  how_->setAccessibleName(tr("What to do"));
  how_->addItem(tr("Copy the files"), static_cast<int>(Transfer::kCopy));
  how_->addItem(tr("Move the files"), static_cast<int>(Transfer::kMove));
  how_->addItem(tr("Make symbolic links"), static_cast<int>(Transfer::kSymlink));
  auto* choose = new QPushButton(tr("Choose…"), this);
  connect(choose, &QPushButton::clicked, this, &ExportDialog::chooseFolder);
  auto* line = new QHBoxLayout();
  line->addWidget(folder_);
  line->addWidget(choose);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
  ok_ = buttons->button(QDialogButtonBox::Ok);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* note = new QLabel(tr("Nothing is replaced: a name that is taken gets a number. Undo takes it back."), this);
  note->setWordWrap(true);
  auto* form = new QFormLayout(this);
  form->addRow(tr("&Folder"), line);
  form->addRow(tr("&Do"), how_);
  form->addRow(note);
  form->addRow(buttons);
  const auto check = [this] { ok_->setEnabled(QDir::isAbsolutePath(folder_->text())); };
  connect(folder_, &QLineEdit::textChanged, this, check);
  check();
}

void ExportDialog::chooseFolder() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Export to"), folder_->text());
  if (!folder.isEmpty()) folder_->setText(folder);
}

void ExportDialog::accept() {
  QSettings().setValue(kFolder, folder_->text());
  model_.transfer(ids_, folder_->text(), static_cast<Transfer>(how_->currentData().toInt()));
  QDialog::accept();
}

}  // namespace tessera::gui
