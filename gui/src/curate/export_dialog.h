// Where the files of a selection go: copied, moved or linked into a folder.
#pragma once

#include <QDialog>
#include <vector>

#include "curate/curation_model.h"

class QComboBox;
class QLineEdit;
class QPushButton;

namespace tessera::gui {

class ExportDialog : public QDialog {
  Q_OBJECT

 public:
  ExportDialog(CurationModel& model, std::vector<ImageId> ids, QWidget* parent);

  void accept() override;

 private:
  void chooseFolder();

  CurationModel& model_;
  const std::vector<ImageId> ids_;
  QLineEdit* folder_ = nullptr;
  QComboBox* how_ = nullptr;
  QPushButton* ok_ = nullptr;
};

}  // namespace tessera::gui
