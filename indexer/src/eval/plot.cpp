// Line charts as SVG: labelled axes, intervals, a legend.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "tessera/error.h"
#include "tessera/indexer/eval_plot.h"

namespace tessera::eval {
namespace {

constexpr double kWidth = 720, kHeight = 440;
constexpr double kLeft = 64, kRight = 190, kTop = 40, kBottom = 52;  // margins; the legend is on the right
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;
constexpr double kInset = 14;  // between the axis and the first point, so that its interval is seen
constexpr int kYTicks = 6;
// Okabe and Ito 2008: told apart with any colour vision.
constexpr std::array<const char*, 8> kColors = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                "#e69f00", "#56b4e9", "#000000", "#999999"};

std::string number(double value, int decimals) {
  std::array<char, 64> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
  return error == std::errc{} ? std::string(buffer.data(), end) : std::string("0");
}

// Without trailing zeros.
std::string label(double value) {
  std::string text = number(value, 3);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result.push_back(c);
    }
  }
  return result;
}

// 1, 2 or 5 times a power of ten, not below `least`.
double round_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

class Chart {
 public:
  explicit Chart(const Plot& plot) : plot_(plot) {
    bool any = false;
    for (const PlotSeries& series : plot.series) {
      for (const PlotPoint& point : series.points) {
        check(point);
        const double at = x_value(point.x);
        if (!any) {
          x_low_ = x_high_ = at;
          y_low_ = point.low;
          y_high_ = point.high;
        }
        any = true;
        x_low_ = std::min(x_low_, at);
        x_high_ = std::max(x_high_, at);
        y_low_ = std::min({y_low_, point.low, point.y});
        y_high_ = std::max({y_high_, point.high, point.y});
      }
    }
    if (!any) throw Error(ErrorCode::kInvalidArgument, "a plot needs at least one point");
    if (x_low_ == x_high_) {
      x_low_ -= 0.5;
      x_high_ += 0.5;
    }
    step_ = round_step(std::max(y_high_ - y_low_, 1e-3) / kYTicks);
    y_low_ = std::floor(y_low_ / step_) * step_;
    y_high_ = std::max(std::ceil(y_high_ / step_) * step_, y_low_ + step_);
  }

  std::string draw() const {
    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth, 0) + " " +
                      number(kHeight, 0) + "\" width=\"" + number(kWidth, 0) + "\" height=\"" + number(kHeight, 0) +
                      "\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"12\">\n"
                      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    svg += text(kLeft, 22, escaped(plot_.title), "font-size=\"14\" font-weight=\"bold\"");
    svg += axes();
    for (std::size_t s = 0; s < plot_.series.size(); ++s) svg += series(plot_.series[s], s);
    return svg + "</svg>\n";
  }

 private:
  void check(const PlotPoint& point) const {
    for (const double value : {point.x, point.y, point.low, point.high}) {
      if (!std::isfinite(value)) throw Error(ErrorCode::kInvalidArgument, "a plot has a point that is no number");
    }
    if (plot_.log_x && point.x <= 0) {
      throw Error(ErrorCode::kInvalidArgument, "a logarithmic axis needs positive numbers");
    }
  }

  double x_value(double x) const { return plot_.log_x ? std::log2(x) : x; }
  double x_at(double x) const {
    return kLeft + kInset + (x_value(x) - x_low_) / (x_high_ - x_low_) * (kPlotWidth - 2 * kInset);
  }
  double y_at(double y) const { return kTop + (y_high_ - y) / (y_high_ - y_low_) * kPlotHeight; }

  static std::string text(double x, double y, const std::string& content, const std::string& more) {
    return "<text x=\"" + number(x, 1) + "\" y=\"" + number(y, 1) + "\" " + more + ">" + content + "</text>\n";
  }

  static std::string line(double x1, double y1, double x2, double y2, const std::string& more) {
    return "<line x1=\"" + number(x1, 1) + "\" y1=\"" + number(y1, 1) + "\" x2=\"" + number(x2, 1) + "\" y2=\"" +
           number(y2, 1) + "\" " + more + "/>\n";
  }

  std::vector<double> x_ticks() const {
    if (!plot_.ticks.empty()) return plot_.ticks;
    std::vector<double> ticks;
    for (const PlotSeries& each : plot_.series) {
      for (const PlotPoint& point : each.points) ticks.push_back(point.x);
    }
    std::sort(ticks.begin(), ticks.end());
    ticks.erase(std::unique(ticks.begin(), ticks.end()), ticks.end());
    return ticks;
  }

  std::string axes() const {
    std::string svg;
    const double bottom = kTop + kPlotHeight;
    const auto steps = static_cast<int>(std::lround((y_high_ - y_low_) / step_));
    for (int i = 0; i <= steps; ++i) {
      const double value = y_low_ + i * step_;
      svg += line(kLeft, y_at(value), kLeft + kPlotWidth, y_at(value), "stroke=\"#dddddd\"");
      svg += text(kLeft - 8, y_at(value) + 4, label(value), "text-anchor=\"end\"");
    }
    for (const double tick : x_ticks()) {
      svg += line(x_at(tick), bottom, x_at(tick), bottom + 5, "stroke=\"#333333\"");
      svg += text(x_at(tick), bottom + 19, label(tick), "text-anchor=\"middle\"");
    }
    svg += line(kLeft, bottom, kLeft + kPlotWidth, bottom, "stroke=\"#333333\"");
    svg += line(kLeft, kTop, kLeft, bottom, "stroke=\"#333333\"");
    svg += text(kLeft + kPlotWidth / 2, kHeight - 12, escaped(plot_.x_label), "text-anchor=\"middle\"");
    const std::string centre = number(kTop + kPlotHeight / 2, 1);
    svg += text(16, kTop + kPlotHeight / 2, escaped(plot_.y_label),
                "text-anchor=\"middle\" transform=\"rotate(-90 16 " + centre + ")\"");
    return svg;
  }

  std::string series(const PlotSeries& each, std::size_t place) const {
    const std::string color = kColors[place % kColors.size()];
    std::string svg;
    std::string path;
    for (const PlotPoint& point : each.points) {
      path += (path.empty() ? "" : " ") + number(x_at(point.x), 1) + "," + number(y_at(point.y), 1);
      if (point.high > point.low) {
        svg += line(x_at(point.x), y_at(point.low), x_at(point.x), y_at(point.high),
                    "stroke=\"" + color + "\" stroke-opacity=\"0.5\"");
      }
      svg += "<circle cx=\"" + number(x_at(point.x), 1) + "\" cy=\"" + number(y_at(point.y), 1) + "\" r=\"3\" fill=\"" +
             color + "\"/>\n";
    }
    svg += "<polyline points=\"" + path + "\" fill=\"none\" stroke=\"" + color + "\" stroke-width=\"2\"/>\n";
    const double y = kTop + 8 + 20 * double(place);
    const double x = kLeft + kPlotWidth + 16;
    svg += line(x, y, x + 18, y, "stroke=\"" + color + "\" stroke-width=\"2\"");
    return svg + text(x + 24, y + 4, escaped(each.name), "");
  }

  const Plot& plot_;
  double x_low_ = 0, x_high_ = 0;  // log2 on a logarithmic axis
  double y_low_ = 0, y_high_ = 0;
  double step_ = 1;
};

}  // namespace

std::string plot_svg(const Plot& plot) { return Chart(plot).draw(); }

}  // namespace tessera::eval
