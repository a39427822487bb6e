// Asks for the keys of one action.
#include "look/key_dialog.h"

#include <QDialogButtonBox>
#include <QFormLayout>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <algorithm>

namespace tessera::gui {
namespace {

constexpr qsizetype kLeastEdits = 2;

}  // namespace

KeyDialog::KeyDialog(const KeyBindings& bindings, const QString& name, QWidget* parent)
    : QDialog(parent), bindings_(bindings), name_(name) {
  setWindowTitle(tr("Keys for “%1”").arg(name));
  auto* form = new QFormLayout(this);
  const QList<QKeySequence> keys = bindings.keys(name);
  for (qsizetype i = 0; i < std::max(kLeastEdits, keys.size()); ++i) {
    auto* edit = new QKeySequenceEdit(i < keys.size() ? keys[i] : QKeySequence(), this);
    const QString text = i == 0 ? tr("Key") : tr("Another key");
    edit->setAccessibleName(text);
    auto* clear = new QToolButton(this);
    clear->setText(tr("Clear"));
    clear->setAccessibleName(tr("No key here: %1").arg(text));
    connect(clear, &QToolButton::clicked, edit, &QKeySequenceEdit::clear);
    connect(edit, &QKeySequenceEdit::keySequenceChanged, this, [this, edit](const QKeySequence& sequence) {
      // One key, not several in turn.
      if (sequence.count() > 1) edit->setKeySequence(QKeySequence(sequence[0]));
      check();
    });
    auto* row = new QHBoxLayout;
    row->addWidget(edit, 1);
    row->addWidget(clear);
    form->addRow(text, row);
    edits_.append(edit);
  }
  clash_ = new QLabel(this);
  clash_->setWordWrap(true);
  form->addRow(clash_);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
  ok_ = buttons->button(QDialogButtonBox::Ok);
  form->addRow(buttons);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  check();
}

QList<QKeySequence> KeyDialog::keys() const {
  QList<QKeySequence> keys;
  for (const QKeySequenceEdit* edit : edits_) {
    const QKeySequence key = edit->keySequence();
    if (!key.isEmpty() && !keys.contains(key)) keys.append(key);
  }
  return keys;
}

void KeyDialog::check() {
  const QStringList others = bindings_.clashes(name_, keys());
  clash_->setText(others.isEmpty()
                      ? tr("Click into a field and press the key.")
                      : tr("“%1” has this key now and would lose it.").arg(others.join(QStringLiteral("”, “"))));
  ok_->setText(others.isEmpty() ? tr("OK") : tr("Take it"));
}

}  // namespace tessera::gui
