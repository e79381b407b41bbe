#include "process/child.hpp"

namespace punie::process {

Containment available_containment() {
    return Containment::kqueue_guard;
}

}  // namespace punie::process
