"""Graphics cards: which ones there are, the libraries with which llama.cpp computes on them, and what fits on them."""
