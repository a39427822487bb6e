// Where a selection goes.
#include "curate/export_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <algorithm>

#include "app/count_text.h"
#include "curate/export_job.h"

namespace tessera::gui {
namespace {

const QString kFolder = QStringLiteral("curate/export_folder");
const QString kChoice = QStringLiteral("curate/export_choice");

using What = ExportDialog::What;

ExportKind kind_of(What what) {
  switch (what) {
    case What::kJsonl: return ExportKind::kJsonl;
    case What::kSheetPage: return ExportKind::kSheetPage;
    case What::kSheetPicture: return ExportKind::kSheetPicture;
    case What::kSidecars: return ExportKind::kSidecars;
    default: return ExportKind::kCsv;
  }
}

}  // namespace

ExportDialog::ExportDialog(Session& session, std::vector<ImageId> ids, QWidget* parent)
    : QDialog(parent),
      session_(session),
      ids_(std::move(ids)),
      place_text_(new QLabel(this)),
      place_(new QLineEdit(this)),
      browse_(new QPushButton(tr("Choose…"), this)),
      what_(new QComboBox(this)),
      note_(new QLabel(this)) {
  setWindowTitle(tr("Export %1").arg(picturesText(std::ssize(ids_))));
  place_->setMinimumWidth(fontMetrics().averageCharWidth() * 50);
  place_text_->setBuddy(place_);
  what_->setAccessibleName(tr("What to do"));
  addChoices();
  note_->setWordWrap(true);
  note_->setMinimumHeight(2 * fontMetrics().lineSpacing());
  auto* line = new QHBoxLayout();
  line->addWidget(place_);
  line->addWidget(browse_);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
  ok_ = buttons->button(QDialogButtonBox::Ok);
  auto* form = new QFormLayout(this);
  form->addRow(tr("&Do"), what_);
  form->addRow(place_text_, line);
  form->addRow(note_);
  form->addRow(buttons);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(browse_, &QPushButton::clicked, this, &ExportDialog::choosePlace);
  connect(place_, &QLineEdit::textChanged, this, &ExportDialog::check);
  connect(what_, &QComboBox::currentIndexChanged, this, &ExportDialog::showChoice);
  what_->setCurrentIndex(std::max(0, what_->findData(QSettings().value(kChoice, 0).toInt())));
  showChoice();
}

void ExportDialog::addChoices() {
  const auto add = [this](What what, const QString& text) { what_->addItem(text, static_cast<int>(what)); };
  add(What::kCopy, tr("Copy the files"));
  add(What::kMove, tr("Move the files"));
  add(What::kSymlink, tr("Make symbolic links"));
  add(What::kPaths, tr("List of paths to the clipboard"));
  add(What::kCsv, tr("Table (CSV)"));
  add(What::kJsonl, tr("Records (JSON lines)"));
  add(What::kSheetPage, tr("Contact sheet as a web page"));
  add(What::kSheetPicture, tr("Contact sheet as a picture"));
  add(What::kSidecars, tr("XMP sidecars beside the files"));
}

ExportDialog::What ExportDialog::what() const { return static_cast<What>(what_->currentData().toInt()); }

void ExportDialog::choose(What what) { what_->setCurrentIndex(what_->findData(static_cast<int>(what))); }

bool ExportDialog::wantsFolder() const { return what() <= What::kSymlink; }

bool ExportDialog::wantsFile() const { return what() >= What::kCsv && what() <= What::kSheetPicture; }

void ExportDialog::showChoice() {
  const bool place = wantsFolder() || wantsFile();
  place_text_->setText(wantsFile() ? tr("&File") : tr("&Folder"));
  place_->setAccessibleName(wantsFile() ? tr("File") : tr("Folder"));
  place_->setEnabled(place);
  place_text_->setEnabled(place);
  browse_->setEnabled(place);
  const QString folder = QSettings().value(kFolder, QDir::homePath()).toString();
  if (wantsFolder()) place_->setText(folder);
  if (wantsFile()) place_->setText(QDir(folder).filePath(tr("pictures") + exportSuffix(kind_of(what()))));
  if (!place) place_->clear();
  if (wantsFolder()) {
    note_->setText(tr("Nothing is replaced: a name that is taken gets a number. Undo takes it back."));
  } else if (what() == What::kSidecars) {
    note_->setText(
        tr("Stars, flag, label and tags are written where digiKam, darktable and Lightroom read them. What "
           "else is in a sidecar stays."));
  } else if (what() == What::kPaths) {
    note_->setText(tr("One path a line; file managers paste the files."));
  } else if (what() == What::kCsv || what() == What::kJsonl) {
    note_->setText(tr("Paths, sizes and dates, with flag, stars, label and tags."));
  } else {
    note_->setText(tr("Small pictures with their names and marks, to look at or to print."));
  }
  check();
}

void ExportDialog::check() {
  ok_->setEnabled(!(wantsFolder() || wantsFile()) ||
                  (QDir::isAbsolutePath(place_->text()) && (wantsFolder() || !QFileInfo(place_->text()).isDir())));
}

QString ExportDialog::fileName() const {
  const QString suffix = exportSuffix(kind_of(what()));
  return place_->text().endsWith(suffix, Qt::CaseInsensitive) ? place_->text() : place_->text() + suffix;
}

void ExportDialog::choosePlace() {
  const QString place = wantsFolder()
                            ? QFileDialog::getExistingDirectory(this, tr("Export to"), place_->text())
                            : QFileDialog::getSaveFileName(this, tr("Export to"), place_->text(),
                                                           QStringLiteral("*") + exportSuffix(kind_of(what())), nullptr,
                                                           QFileDialog::DontConfirmOverwrite);  // asked for at the end
  if (!place.isEmpty()) place_->setText(place);
}

void ExportDialog::accept() {
  const QString place = place_->text();
  if (wantsFile() && QFileInfo::exists(fileName()) &&
      QMessageBox::question(this, windowTitle(), tr("%1 is there already. Replace it?").arg(fileName())) !=
          QMessageBox::Yes) {
    return;
  }
  QSettings settings;
  settings.setValue(kChoice, static_cast<int>(what()));
  if (wantsFolder()) settings.setValue(kFolder, place);
  if (wantsFile()) settings.setValue(kFolder, QFileInfo(place).absolutePath());
  switch (what()) {
    case What::kCopy: CurationModel::of(session_).transfer(ids_, place, Transfer::kCopy); break;
    case What::kMove: CurationModel::of(session_).transfer(ids_, place, Transfer::kMove); break;
    case What::kSymlink: CurationModel::of(session_).transfer(ids_, place, Transfer::kSymlink); break;
    case What::kPaths: copyPaths(session_, ids_); break;
    default: exportPictures(session_, ids_, kind_of(what()), fileName());
  }
  QDialog::accept();
}

}  // namespace tessera::gui
