// Where a selection goes: its files into a folder, or what is known of it into a file, sidecars or the clipboard.
#pragma once

#include <QDialog>
#include <vector>

#include "curate/curation_model.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace tessera::gui {

class ExportDialog : public QDialog {
  Q_OBJECT

 public:
  enum class What { kCopy, kMove, kSymlink, kPaths, kCsv, kJsonl, kSheetPage, kSheetPicture, kSidecars };

  ExportDialog(Session& session, std::vector<ImageId> ids, QWidget* parent);

  What what() const;
  void choose(What what);
  void accept() override;

 private:
  void addChoices();
  bool wantsFolder() const;
  bool wantsFile() const;
  void showChoice();
  void check();
  void choosePlace();
  QString fileName() const;  // with the ending that the choice needs

  Session& session_;
  const std::vector<ImageId> ids_;
  QLabel* place_text_ = nullptr;
  QLineEdit* place_ = nullptr;
  QPushButton* browse_ = nullptr;
  QComboBox* what_ = nullptr;
  QLabel* note_ = nullptr;
  QPushButton* ok_ = nullptr;
};

}  // namespace tessera::gui
