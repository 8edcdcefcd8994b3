# Read at the end of llama.cpp's project() where its server is built: one program that needs no library beside it. The
# sdist around it always asks for shared libraries, by a variable that no definition outweighs.
set(BUILD_SHARED_LIBS OFF)
include("${CMAKE_CURRENT_LIST_DIR}/llama-x86.cmake")
