# Read at the end of llama-cpp-python's project(): leaves out llama.cpp's `common` library, which only its own
# command-line programs use. A normal variable outweighs the cache entry that the sdist forces (CMP0126).
set(LLAMA_BUILD_COMMON OFF)
include("${CMAKE_CURRENT_LIST_DIR}/llama-x86.cmake")
