/* Read before each file of llama.cpp, where a processor's own code needs it. */

#if defined(__GNUC__) && defined(__AVX512FP16__)
/* llama.cpp would then add up attention in half precision, 128 numbers at a time: a head of 64, as most small models have
   them, falls through to its loop over single numbers, three times slower behind 1,000 tokens. Without, it adds up in
   single precision, 64 at a time. */
#include <immintrin.h>
#undef __AVX512FP16__
#endif

#if defined(__GNUC__) && !defined(__clang__) && defined(__AMX_TILE__)
/* To GCC 12.2 and its like (its bug 114098), _tile_loadconfig reads 8 bytes of the 64. The others are then never stored,
   the tiles have no rows, and llama.cpp ends by an illegal instruction at its first prompt. */
#include <immintrin.h>
#define _tile_loadconfig(config) __asm__ volatile("ldtilecfg\t%X0" : : "m"(*(const char(*)[64])(config)))
#endif
