// Base of everything the window shows in its middle.
#include "app/page.h"

namespace tessera::gui {

Page::Page(Session& session, const QString& name, const QString& title, QWidget* parent)
    : QWidget(parent), session_(session), name_(name), title_(title) {
  setObjectName(name);
  setAccessibleName(title);
}

}  // namespace tessera::gui
