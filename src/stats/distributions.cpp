#include "stats/distributions.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "base/assert.hpp"

namespace punie::stats {

double normal_quantile(double p) {
    PUNIE_ASSERT(p > 0 && p < 1, "a quantile's p lies between 0 and 1");
    return boost::math::quantile(boost::math::normal(), p);
}

double student_quantile(double p, double degrees) {
    PUNIE_ASSERT(p > 0 && p < 1, "a quantile's p lies between 0 and 1");
    PUNIE_ASSERT(degrees > 0, "t needs a degree of freedom");
    return boost::math::quantile(boost::math::students_t(degrees), p);
}

double half_binomial_below(std::size_t k, std::size_t n) {
    if (k >= n) return 1;
    const boost::math::binomial tosses(static_cast<double>(n), 0.5);
    return boost::math::cdf(tosses, static_cast<double>(k));
}

}  // namespace punie::stats
