// Line charts as SVG: labelled axes, intervals, a legend.
#pragma once

#include <string>
#include <vector>

namespace tessera::eval {

struct PlotPoint {
  double x = 0;
  double y = 0;
  double low = 0;  // of the interval; low == high draws none
  double high = 0;
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;  // ascending x
};

struct Plot {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_x = false;         // powers of two as steps; every x must be positive
  std::vector<double> ticks;  // marks of the x axis; empty = chosen
  std::vector<PlotSeries> series;
};

// A document of 720 x 440 units for any browser; texts are escaped. Throws kInvalidArgument for a plot without points
// or with numbers that are not finite.
std::string plot_svg(const Plot& plot);

}  // namespace tessera::eval
