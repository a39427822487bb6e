// Tags of one or many pictures: those they have, and new ones with completion.
#pragma once

#include <QDialog>
#include <vector>

#include "curate/curation_model.h"

class QLineEdit;
class QListWidget;

namespace tessera::gui {

class TagsDialog : public QDialog {
  Q_OBJECT

 public:
  TagsDialog(CurationModel& model, std::vector<ImageId> ids, QWidget* parent);

  void accept() override;

 private:
  void fill();
  void addTyped();

  CurationModel& model_;
  const std::vector<ImageId> ids_;
  QLineEdit* line_ = nullptr;
  QListWidget* list_ = nullptr;
};

}  // namespace tessera::gui
