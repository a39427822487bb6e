// A page whose pictures are in a grid.
#include "browse/view_page.h"

#include "browse/grid_footer.h"
#include "browse/grid_view.h"

namespace tessera::gui {

ViewPage::ViewPage(Session& session, const QString& name, const QString& title, bool with_order, QWidget* parent)
    : Page(session, name, title, parent),
      list_(new PictureList(this)),
      view_(new GridView(session, list_, this)),
      footer_(new GridFooter(view_, with_order, this)) {
  view_->setAccessibleName(title);
  setFocusProxy(view_);
  connect(view_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &Page::selectionChanged);
  connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this, &Page::selectionChanged);
  connect(view_, &GridView::thumbnailsReadyChanged, this, &Page::screenshotReadyChanged);
  connect(view_, &GridView::pictureActivated, this,
          [this](ImageId id) { Q_EMIT this->session().lookWanted(id, list_->ids()); });
}

std::vector<ImageId> ViewPage::selectedPictures() const { return view_->selectedIds(); }
std::optional<ImageId> ViewPage::currentPicture() const { return view_->currentId(); }
std::vector<ImageId> ViewPage::shownPictures() const { return list_->ids(); }
void ViewPage::setCurrentPicture(ImageId id) { view_->setCurrentId(id); }
bool ViewPage::advance(int step) { return view_->step(step); }

}  // namespace tessera::gui
