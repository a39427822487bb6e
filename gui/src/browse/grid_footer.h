// The line below a grid: order, groups, how many pictures, and their size.
#pragma once

#include <QWidget>

#include "browse/arrange.h"

class QComboBox;
class QLabel;
class QSlider;
class QToolButton;

namespace tessera::gui {

class GridView;

class GridFooter : public QWidget {
  Q_OBJECT

 public:
  // `with_order`: pictures can be sorted and grouped; results of a search come in an order of their own.
  GridFooter(GridView* view, bool with_order, QWidget* parent = nullptr);

  const Order& order() const { return order_; }
  void setOrder(const Order& order);
  void setCount(const QString& text);

 Q_SIGNALS:
  void orderChanged();

 private:
  void addOrder();
  void readOrder();

  Order order_;
  QComboBox* sort_ = nullptr;
  QComboBox* group_ = nullptr;
  QToolButton* direction_ = nullptr;
  QLabel* count_ = nullptr;
  QSlider* size_ = nullptr;
};

}  // namespace tessera::gui
