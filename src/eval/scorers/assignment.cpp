#include "eval/scorers/assignment.hpp"

#include <algorithm>
#include <limits>

namespace punie::eval::scorers {

namespace {

/// Costs (lower is better) of at most as many rows as columns; 1-based as in the literature.
class Hungarian {
public:
    Hungarian(const Worth& worth, std::size_t rows, std::size_t columns)
        : worth_(worth),
          rows_(rows),
          columns_(columns),
          row_price_(rows + 1),
          column_price_(columns + 1),
          row_of_(columns + 1) {}

    /// For each column its row from 1, or 0.
    std::vector<std::size_t> run() {
        for (std::size_t row = 1; row <= rows_; ++row) augment(row);
        return row_of_;
    }

private:
    void augment(std::size_t row) {
        row_of_[0] = row;
        std::vector<double> least(columns_ + 1, std::numeric_limits<double>::infinity());
        std::vector<std::size_t> from(columns_ + 1);
        std::vector<bool> used(columns_ + 1);
        std::size_t column = 0;
        while (row_of_[column] != 0) column = step(column, least, from, used);
        while (column != 0) {
            row_of_[column] = row_of_[from[column]];
            column = from[column];
        }
    }

    std::size_t step(
        std::size_t column,
        std::vector<double>& least,
        std::vector<std::size_t>& from,
        std::vector<bool>& used
    ) {
        used[column] = true;
        const auto row = row_of_[column];
        auto delta = std::numeric_limits<double>::infinity();
        std::size_t next = 0;
        for (std::size_t j = 1; j <= columns_; ++j) {
            if (used[j]) continue;
            const double cost = -worth_[row - 1][j - 1] - row_price_[row] - column_price_[j];
            if (cost < least[j]) {
                least[j] = cost;
                from[j] = column;
            }
            if (least[j] < delta) {
                delta = least[j];
                next = j;
            }
        }
        for (std::size_t j = 0; j <= columns_; ++j) {
            if (used[j]) {
                row_price_[row_of_[j]] += delta;
                column_price_[j] -= delta;
            } else {
                least[j] -= delta;
            }
        }
        return next;
    }

    const Worth& worth_;
    std::size_t rows_;
    std::size_t columns_;
    std::vector<double> row_price_;
    std::vector<double> column_price_;
    std::vector<std::size_t> row_of_;
};

Worth turned(const Worth& worth, std::size_t columns) {
    Worth other(columns, std::vector<double>(worth.size()));
    for (std::size_t i = 0; i < worth.size(); ++i) {
        for (std::size_t j = 0; j < columns; ++j) other[j][i] = worth[i][j];
    }
    return other;
}

}  // namespace

std::vector<std::size_t> best_assignment(const Worth& worth) {
    std::vector<std::size_t> columns_of(worth.size(), unassigned);
    const auto columns = worth.empty() ? 0 : worth.front().size();
    if (columns == 0) return columns_of;
    const bool wide = worth.size() <= columns;
    const auto other = wide ? Worth{} : turned(worth, columns);
    const auto& matrix = wide ? worth : other;
    const auto row_of = Hungarian(matrix, matrix.size(), matrix.front().size()).run();
    for (std::size_t j = 1; j < row_of.size(); ++j) {
        if (row_of[j] == 0) continue;
        const auto row = wide ? row_of[j] - 1 : j - 1;
        const auto column = wide ? j - 1 : row_of[j] - 1;
        if (worth[row][column] > 0) columns_of[row] = column;
    }
    return columns_of;
}

std::vector<std::size_t> best_alignment(const Worth& worth) {
    const auto rows = worth.size();
    const auto columns = rows == 0 ? 0 : worth.front().size();
    std::vector<std::size_t> columns_of(rows, unassigned);
    Worth best(rows + 1, std::vector<double>(columns + 1));
    for (std::size_t i = rows; i-- > 0;) {
        for (std::size_t j = columns; j-- > 0;)
            best[i][j] =
                std::max({best[i + 1][j], best[i][j + 1], worth[i][j] + best[i + 1][j + 1]});
    }
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < rows && j < columns) {
        if (worth[i][j] > 0 && best[i][j] == worth[i][j] + best[i + 1][j + 1])
            columns_of[i++] = j++;
        else if (best[i][j] == best[i + 1][j])
            ++i;
        else
            ++j;
    }
    return columns_of;
}

}  // namespace punie::eval::scorers
