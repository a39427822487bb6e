// Completes the last of several tags that stand between commas.
#pragma once

#include <QCompleter>

class QLineEdit;

namespace tessera::gui {

class TagCompleter : public QCompleter {
  Q_OBJECT

 public:
  explicit TagCompleter(QLineEdit* line);  // a child of it, and its completer

  void setTags(const QStringList& tags);
  // "Sea, Places/Graz" -> both, in order, each once; empty ones are left out.
  static QStringList tagsOf(const QString& text, const QStringList& known);

  QString pathFromIndex(const QModelIndex& index) const override;
  QStringList splitPath(const QString& text) const override;

 private:
  QLineEdit* line_;
};

}  // namespace tessera::gui
