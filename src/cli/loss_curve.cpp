#include "cli/loss_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace punie::cli {

namespace {

struct Marks {
    std::string train;
    std::string valid;
    std::string axis;
    std::string corner;
    std::string floor;
};

Marks marks_of(bool ascii) {
    if (ascii) return {".", "o", "|", "+", "-"};
    return {"•", "◆", "│", "└", "─"};
}

std::vector<CurvePoint> finite(const std::vector<CurvePoint>& points) {
    std::vector<CurvePoint> kept;
    std::ranges::copy_if(points, std::back_inserter(kept), [](const auto& point) {
        return std::isfinite(point.loss);
    });
    return kept;
}

class Plot {
public:
    Plot(std::vector<CurvePoint> train, std::vector<CurvePoint> valid, const CurveStyle& style)
        : train_(std::move(train)),
          valid_(std::move(valid)),
          style_(style),
          marks_(marks_of(style.ascii)) {
        for (const auto* points : {&train_, &valid_}) {
            for (const auto& point : *points) {
                low_ = std::min(low_, point.loss);
                high_ = std::max(high_, point.loss);
                last_ = std::max(last_, point.iteration);
            }
        }
        if (high_ <= low_) high_ = low_ + 1;  // a flat line lies at the bottom
    }

    std::vector<std::string> lines() {
        cells_.assign(
            static_cast<std::size_t>(style_.height), std::vector<std::string>(columns(), " ")
        );
        draw(train_, marks_.train);
        draw(valid_, marks_.valid);
        std::vector<std::string> lines;
        lines.reserve(cells_.size() + 2);
        for (std::size_t row = 0; row < cells_.size(); ++row) {
            std::string line = fmt::format("{:>8} {}", label(row), marks_.axis);
            for (const auto& cell : cells_[row]) line += cell;
            line.erase(line.find_last_not_of(' ') + 1);
            lines.push_back(std::move(line));
        }
        std::string floor = fmt::format("{:>8} {}", "", marks_.corner);
        for (std::size_t i = 0; i < columns(); ++i) floor += marks_.floor;
        lines.push_back(std::move(floor));
        lines.push_back(legend());
        return lines;
    }

private:
    std::size_t columns() const { return static_cast<std::size_t>(style_.width); }

    std::string label(std::size_t row) const {
        if (row == 0) return fmt::format("{:.3g}", high_);
        if (row + 1 == cells_.size()) return fmt::format("{:.3g}", low_);
        return {};
    }

    std::string legend() const {
        auto text = fmt::format("{:>8} 0", "");
        const auto end = fmt::format("{}", last_);
        const auto middle = fmt::format(
            " {} training{} ",
            marks_.train,
            valid_.empty() ? "" : fmt::format("   {} validation", marks_.valid)
        );
        const int room = style_.width - 1 - static_cast<int>(end.size());
        return text + fmt::format("{:^{}}", middle, std::max(room, 1)) + end;
    }

    void draw(const std::vector<CurvePoint>& points, const std::string& mark) {
        std::map<std::size_t, std::pair<double, int>> sums;
        for (const auto& point : points) {
            const double share = last_ > 0 ? static_cast<double>(point.iteration) / last_ : 0;
            auto& sum = sums[static_cast<std::size_t>(std::lround(share * (style_.width - 1)))];
            sum.first += point.loss;
            ++sum.second;
        }
        for (const auto& [column, sum] : sums) {
            const double height = (sum.first / sum.second - low_) / (high_ - low_);
            const auto row = std::lround((1 - height) * (style_.height - 1));
            cells_[static_cast<std::size_t>(row)][column] = mark;
        }
    }

    std::vector<CurvePoint> train_;
    std::vector<CurvePoint> valid_;
    CurveStyle style_;
    Marks marks_;
    double low_ = HUGE_VAL;
    double high_ = -HUGE_VAL;
    int last_ = 0;
    std::vector<std::vector<std::string>> cells_;
};

}  // namespace

std::vector<std::string> loss_curve(
    const std::vector<CurvePoint>& train,
    const std::vector<CurvePoint>& valid,
    const CurveStyle& style
) {
    auto drawn_train = finite(train);
    auto drawn_valid = finite(valid);
    if (drawn_train.size() + drawn_valid.size() < 2 || style.width < 10 || style.height < 2)
        return {};
    return Plot(std::move(drawn_train), std::move(drawn_valid), style).lines();
}

}  // namespace punie::cli
