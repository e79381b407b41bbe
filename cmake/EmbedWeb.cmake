# web/dist/report.html, the built page, becomes a constant of the library. It is committed, so that a build needs no
# Node; tests/browser/run.sh shows that it is what web/ builds. As bytes: a literal has limits, and JavaScript has every
# character that CMake and raw strings could stumble over.
function(punie_embed_web target)
    set(page "${PROJECT_SOURCE_DIR}/web/dist/report.html")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${page}")
    file(READ "${page}" hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    set(text "#include \"report/template.hpp\"\n\nnamespace punie::report {\n\nnamespace {\n\n")
    string(APPEND text "constexpr unsigned char page[] = {${bytes}};\n\n}  // namespace\n\n")
    string(APPEND text "std::string_view page_template() {\n")
    string(APPEND text "    return {reinterpret_cast<const char*>(page), sizeof page};\n}\n\n")
    string(APPEND text "}  // namespace punie::report\n")
    set(generated "${PROJECT_BINARY_DIR}/generated/report_template.cpp")
    file(CONFIGURE OUTPUT "${generated}" CONTENT "@text@" @ONLY)
    target_sources(${target} PRIVATE "${generated}")
endfunction()
