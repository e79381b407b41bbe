#include "gateway/control.hpp"
#include "gateway/dashboard_asset.hpp"

namespace punie::gateway {

std::string_view dashboard_page() {
    return embedded_dashboard();
}

}  // namespace punie::gateway
