// Completes the last of several tags that stand between commas.
#include "browse/tag_completer.h"

#include <QLineEdit>
#include <QStringListModel>

namespace tessera::gui {
namespace {

const QLatin1Char kComma(',');

}  // namespace

TagCompleter::TagCompleter(QLineEdit* line) : QCompleter(line), line_(line) {
  setModel(new QStringListModel(this));
  setCaseSensitivity(Qt::CaseInsensitive);
  setFilterMode(Qt::MatchContains);
  line_->setCompleter(this);
}

void TagCompleter::setTags(const QStringList& tags) { static_cast<QStringListModel*>(model())->setStringList(tags); }

QStringList TagCompleter::tagsOf(const QString& text, const QStringList& known) {
  const QStringList parts = text.split(kComma);
  QStringList tags;
  for (qsizetype at = 0, next = 0; at < parts.size(); at = next) {
    // A tag may have commas of its own.
    QString tag;
    for (next = parts.size(); next > at; --next) {
      tag = parts.mid(at, next - at).join(kComma).trimmed();
      if (next == at + 1 || known.contains(tag)) break;
    }
    if (!tag.isEmpty() && !tags.contains(tag)) tags.append(tag);
  }
  return tags;
}

QString TagCompleter::pathFromIndex(const QModelIndex& index) const {
  const QString tag = QCompleter::pathFromIndex(index);
  const qsizetype comma = line_->text().lastIndexOf(kComma);
  return comma < 0 ? tag : line_->text().left(comma + 1) + QLatin1Char(' ') + tag;
}

QStringList TagCompleter::splitPath(const QString& text) const {
  return {text.mid(text.lastIndexOf(kComma) + 1).trimmed()};
}

}  // namespace tessera::gui
