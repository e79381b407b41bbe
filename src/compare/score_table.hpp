#pragma once
// The scores of one variant: what comparing needs, wherever they came from.

#include <map>
#include <string>
#include <vector>

namespace punie::compare {

struct Score {
    std::string prompt;    ///< pairs variants
    std::string group;     ///< "" is a group of its own
    std::string category;  ///< "" is none
    int sample = 0;
    double score = 0;  ///< 0 to 1
    bool passed = false;
    std::string content{};   ///< hash of what was asked (the document); "" is unknown
    std::string rendered{};  ///< hash of the prompt as it was sent; "" is unknown
};

/// What must agree for two variants to be comparable; "" is unknown (named, not refused).
struct Identity {
    std::string suite_hash;     ///< what is asked and how it is judged
    std::string sampling_hash;  ///< the resolved sampling of all requests
    std::string template_hash;  ///< a probe prompt as the served chat template renders it
    std::string backend;        ///< "mlx_lm 0.32.2"
};

struct ScoreTable {
    std::string name;    ///< as the person named it
    std::string source;  ///< file or run id
    std::string format;  ///< "punie", "scores", "lm-eval", "inspect", "promptfoo"
    std::vector<Score> scores;
    Identity identity;
    std::size_t unanswered = 0;  ///< asked for but not judged: failed, refused, not asked
    std::size_t cut = 0;
    std::size_t unparsed = 0;
    std::vector<std::string> notes;
};

}  // namespace punie::compare
