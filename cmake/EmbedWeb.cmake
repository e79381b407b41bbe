# web/dist/NAME.html, a built page, becomes a constant of a room. It is committed, so that a build needs no Node;
# tests/browser/run.sh shows that it is what web/ builds. As bytes: a literal has limits, and JavaScript has every
# character that CMake and raw strings could stumble over.
#
# punie_embed_web(TARGET PAGE HEADER FUNCTION): HEADER declares `std::string_view FUNCTION()` in punie::ROOM, ROOM being
# the header's folder.
function(punie_embed_web target page_name header function)
    set(page "${PROJECT_SOURCE_DIR}/web/dist/${page_name}.html")
    get_filename_component(room "${header}" DIRECTORY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${page}")
    file(READ "${page}" hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    set(text "#include \"${header}\"\n\nnamespace punie::${room} {\n\nnamespace {\n\n")
    string(APPEND text "constexpr unsigned char page[] = {${bytes}};\n\n}  // namespace\n\n")
    string(APPEND text "std::string_view ${function}() {\n")
    string(APPEND text "    return {reinterpret_cast<const char*>(page), sizeof page};\n}\n\n")
    string(APPEND text "}  // namespace punie::${room}\n")
    set(generated "${PROJECT_BINARY_DIR}/generated/${page_name}_page.cpp")
    file(CONFIGURE OUTPUT "${generated}" CONTENT "@text@" @ONLY)
    target_sources(${target} PRIVATE "${generated}")
endfunction()
