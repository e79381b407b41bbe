#pragma once
// Losses over iterations as a few lines of text.

#include <string>
#include <vector>

namespace punie::cli {

struct CurvePoint {
    int iteration = 0;
    double loss = 0;
};

struct CurveStyle {
    int width = 60;   ///< columns of the plot itself
    int height = 10;  ///< lines
    bool ascii = false;
};

/// Both curves in one plot, the axis and what the marks mean below it; nothing when there are fewer
/// than two points in all. Several points of one column are averaged. Losses that are no numbers
/// are left out.
std::vector<std::string> loss_curve(
    const std::vector<CurvePoint>& train,
    const std::vector<CurvePoint>& valid,
    const CurveStyle& style
);

}  // namespace punie::cli
