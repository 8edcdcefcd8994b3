/* To GCC 12.2 and its like (its bug 114098), _tile_loadconfig reads 8 bytes of the 64. The others are then never stored,
   the tiles have no rows, and llama.cpp ends by an illegal instruction at its first prompt where a processor has AMX. */
#if defined(__AMX_TILE__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#define _tile_loadconfig(config) __asm__ volatile("ldtilecfg\t%X0" : : "m"(*(const char(*)[64])(config)))
#endif
