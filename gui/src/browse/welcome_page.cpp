// What a new user sees.
#include "browse/welcome_page.h"

#include <QCommandLinkButton>
#include <QDir>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "browse/library_files.h"

namespace tessera::gui {

WelcomePage::WelcomePage(Session& session, QWidget* parent)
    : Page(session, QStringLiteral("welcome"), tr("Welcome"), parent) {
  auto* outer = new QHBoxLayout(this);
  auto* column = new QVBoxLayout;
  outer->addStretch(1);
  outer->addLayout(column);
  outer->addStretch(1);
  column->addStretch(2);
  auto* heading = new QLabel(tr("Find, compare and curate your photos"), this);
  QFont large = heading->font();
  large.setPointSizeF(large.pointSizeF() * 2);
  large.setBold(true);
  heading->setFont(large);
  heading->setWordWrap(true);
  column->addWidget(heading);
  auto* text = new QLabel(
      tr("Tessera reads your photos once and then finds similar ones at a glance. Everything stays on this computer, "
         "and your files are never changed.\nYou can look around and search while it is still reading."),
      this);
  text->setWordWrap(true);
  text->setMinimumWidth(400);
  text->setMaximumWidth(640);
  text->setForegroundRole(QPalette::PlaceholderText);
  column->addWidget(text);
  column->addSpacing(18);
  choose_ = new QPushButton(tr("&Choose a photo folder"), this);
  choose_->setDefault(true);
  QFont button = choose_->font();
  button.setPointSizeF(button.pointSizeF() * 1.3);
  choose_->setFont(button);
  choose_->setMinimumHeight(choose_->fontMetrics().height() * 3);
  choose_->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
  column->addWidget(choose_);
  auto* open = new QPushButton(tr("&Open a library..."), this);
  open->setFlat(true);
  open->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
  column->addWidget(open);
  problem_ = new QLabel(this);
  problem_->setWordWrap(true);
  problem_->setMaximumWidth(640);
  problem_->setFrameShape(QFrame::StyledPanel);
  problem_->setMargin(10);
  problem_->setAccessibleName(tr("What went wrong"));
  problem_->hide();
  column->addSpacing(12);
  column->addWidget(problem_);
  column->addSpacing(18);
  recent_ = new QVBoxLayout;
  column->addLayout(recent_);
  column->addStretch(3);
  setFocusProxy(choose_);
  connect(choose_, &QPushButton::clicked, this, &WelcomePage::folderWanted);
  connect(open, &QPushButton::clicked, this, &WelcomePage::libraryWanted);
  showRecent();
}

void WelcomePage::showProblem(const QString& text) {
  problem_->setText(text);
  problem_->setVisible(!text.isEmpty());
}

void WelcomePage::showRecent() {
  while (QLayoutItem* item = recent_->takeAt(0)) {
    if (item->widget() != nullptr) item->widget()->deleteLater();
    delete item;
  }
  const QStringList libraries = recentLibraries();
  if (libraries.isEmpty()) return;
  auto* title = new QLabel(tr("Recent libraries"), this);
  title->setForegroundRole(QPalette::PlaceholderText);
  recent_->addWidget(title);
  for (const QString& library : libraries) {
    auto* button = new QPushButton(library, this);
    button->setFlat(true);
    button->setStyleSheet(QStringLiteral("text-align: left; padding: 4px;"));
    button->setAccessibleName(tr("Open the library %1").arg(library));
    connect(button, &QPushButton::clicked, this, [this, library] { Q_EMIT recentWanted(library); });
    recent_->addWidget(button);
  }
}

}  // namespace tessera::gui
