// Asks for the keys of one action.
#pragma once

#include <QDialog>

#include "app/key_bindings.h"

class QKeySequenceEdit;
class QLabel;
class QPushButton;

namespace tessera::gui {

class KeyDialog : public QDialog {
  Q_OBJECT

 public:
  KeyDialog(const KeyBindings& bindings, const QString& name, QWidget* parent = nullptr);

  // What was entered; none = the action has no key.
  QList<QKeySequence> keys() const;

 private:
  void check();

  const KeyBindings& bindings_;
  const QString name_;
  QList<QKeySequenceEdit*> edits_;
  QLabel* clash_ = nullptr;
  QPushButton* ok_ = nullptr;
};

}  // namespace tessera::gui
