// Line charts: what the SVG holds, where its points lie, and what is refused.
#include "tessera/indexer/eval_plot.h"

#include <gmock/gmock.h>

#include <limits>
#include <regex>

#include "eval/eval_fixture.h"

namespace tessera::eval {
namespace {

using test::error_of;
using ::testing::HasSubstr;

Plot token_plot() {
  Plot plot;
  plot.title = "eval map <set> & \"more\"";
  plot.x_label = "tokens";
  plot.y_label = "per cent";
  plot.log_x = true;
  plot.series = {{"P@1", {{1, 90, 88, 92}, {4, 92, 90, 94}, {16, 95, 95, 95}}}, {"P@5", {{1, 80, 80, 80}}}};
  return plot;
}

struct Mark {
  double x = 0;
  double y = 0;
};
std::vector<Mark> circles(const std::string& svg) {
  static const std::regex kCircle("<circle cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
  std::vector<Mark> marks;
  for (std::sregex_iterator at(svg.begin(), svg.end(), kCircle), end; at != end; ++at) {
    marks.push_back({std::stod((*at)[1]), std::stod((*at)[2])});
  }
  return marks;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Plot, PointsLieWhereTheirNumbersSay) {
  const std::vector<Mark> marks = circles(plot_svg(token_plot()));
  ASSERT_EQ(marks.size(), 4U);
  EXPECT_NEAR(marks[1].x - marks[0].x, marks[2].x - marks[1].x, 0.11);  // 1, 4, 16: equal steps of the logarithm
  EXPECT_EQ(marks[3].x, marks[0].x);
  EXPECT_NEAR((marks[0].y - marks[1].y) / 2, (marks[1].y - marks[2].y) / 3, 0.11);
  EXPECT_NEAR((marks[3].y - marks[0].y) / 10, (marks[1].y - marks[2].y) / 3, 0.11);
  for (const Mark& mark : marks) {
    EXPECT_GE(mark.x, 0);
    EXPECT_LE(mark.x, 720);
    EXPECT_GE(mark.y, 0);
    EXPECT_LE(mark.y, 440);
  }

  Plot linear = token_plot();
  linear.log_x = false;
  const std::vector<Mark> even = circles(plot_svg(linear));
  EXPECT_NEAR((even[1].x - even[0].x) / 3, (even[2].x - even[1].x) / 12, 0.11);
}

TEST(Plot, HasTitleAxesLegendAndIntervals) {
  const std::string svg = plot_svg(token_plot());
  EXPECT_THAT(svg, ::testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(svg, ::testing::EndsWith("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr("eval map &lt;set&gt; &amp; &quot;more&quot;"));
  for (const char* text : {">tokens<", ">per cent<", ">P@1<", ">P@5<", ">1<", ">4<", ">16<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_EQ(count(svg, "stroke-opacity"), 2U);  // points without an interval have no line for it
  EXPECT_EQ(count(svg, "<polyline"), 2U);
  EXPECT_EQ(svg, plot_svg(token_plot()));
}

TEST(Plot, TheValueAxisHoldsEveryInterval) {
  Plot plot = token_plot();
  plot.series = {{"a", {{1, 50, 12, 97}}}};
  const std::string svg = plot_svg(plot);
  EXPECT_THAT(svg, HasSubstr(">0<"));
  EXPECT_THAT(svg, HasSubstr(">100<"));
  EXPECT_EQ(circles(svg).size(), 1U);
}

TEST(Plot, RefusesWhatCannotBeDrawn) {
  Plot plot = token_plot();
  plot.series[0].points[0].x = 0;
  error_of([&] { plot_svg(plot); }, ErrorCode::kInvalidArgument);
  plot.log_x = false;
  EXPECT_THAT(plot_svg(plot), HasSubstr(">0<"));
  plot.series[0].points[0].y = std::numeric_limits<double>::quiet_NaN();
  error_of([&] { plot_svg(plot); }, ErrorCode::kInvalidArgument);
  plot.series.clear();
  error_of([&] { plot_svg(plot); }, ErrorCode::kInvalidArgument);
  plot.series = {{"empty", {}}};
  error_of([&] { plot_svg(plot); }, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::eval
