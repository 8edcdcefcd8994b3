/* The work of a server without a server: reads prompts and decodes greedily, with llama.cpp alone.
 *
 * `bare_loop.py` compiles this file, creates the context, and calls `run`. The declarations match llama.h. */

#include <stdint.h>
#include <time.h>

typedef struct {
    int32_t n_tokens;
    int32_t *token;
    float *embd;
    int32_t *pos;
    int32_t *n_seq_id;
    int32_t **seq_id;
    int8_t *logits;
} llama_batch;

int32_t llama_decode(void *context, llama_batch batch);
float *llama_get_logits_ith(void *context, int32_t row);

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int32_t likeliest(const float *logits, int32_t n_vocab) {
    int32_t best = 0;
    for (int32_t token = 1; token < n_vocab; token++)
        if (logits[token] > logits[best]) best = token;
    return best;
}

static void add(llama_batch *batch, int32_t token, int32_t position, int32_t sequence, int8_t has_logits) {
    int32_t at = batch->n_tokens++;
    batch->token[at] = token;
    batch->pos[at] = position;
    batch->n_seq_id[at] = 1;
    batch->seq_id[at][0] = sequence;
    batch->logits[at] = has_logits;
}

/* Decodes the batch, and samples each sequence whose row in it has logits. `rows` contains the row of each sequence, or
 * -1. Empties the batch and `rows`. */
static int32_t decode(void *context, llama_batch *batch, int32_t n_vocab, int32_t n_sequences, int32_t *rows,
                      int32_t *outputs) {
    int32_t error = llama_decode(context, *batch);
    if (error) return error;
    for (int32_t sequence = 0; sequence < n_sequences; sequence++)
        if (rows[sequence] >= 0) {
            outputs[sequence] = likeliest(llama_get_logits_ith(context, rows[sequence]), n_vocab);
            rows[sequence] = -1;
        }
    batch->n_tokens = 0;
    return 0;
}

/* Reads the prompts from position `n_cached` on, at most `n_batch` tokens per decode, then decodes `n_output` tokens of
 * each sequence, counting the one that the prompt gives. `prompts` contains all prompts one after another, `rows` has
 * room for a number per sequence. `seconds` receives the time until the last prompt is read, and the time from there to
 * the end. Returns 0, or llama_decode's error. */
int32_t run(void *context, llama_batch batch, int32_t n_batch, int32_t n_vocab, int32_t n_sequences,
            const int32_t *prompts, const int32_t *lengths, int32_t n_cached, int32_t n_output, int32_t *rows,
            int32_t *outputs, double seconds[2]) {
    double started_s = now_s();
    int32_t error = 0;
    batch.n_tokens = 0;
    for (int32_t sequence = 0; sequence < n_sequences; sequence++) rows[sequence] = -1;
    for (int32_t sequence = 0; sequence < n_sequences; prompts += lengths[sequence++])
        for (int32_t at = n_cached; at < lengths[sequence]; at++) {
            int32_t is_last = at == lengths[sequence] - 1;
            if (is_last) rows[sequence] = batch.n_tokens;
            add(&batch, prompts[at], at, sequence, (int8_t)is_last);
            if (batch.n_tokens == n_batch && (error = decode(context, &batch, n_vocab, n_sequences, rows, outputs)))
                return error;
        }
    if (batch.n_tokens && (error = decode(context, &batch, n_vocab, n_sequences, rows, outputs))) return error;
    double read_s = now_s();
    for (int32_t at = 0; at < n_output - 1; at++) {
        for (int32_t sequence = 0; sequence < n_sequences; sequence++) {
            rows[sequence] = batch.n_tokens;
            add(&batch, outputs[sequence], lengths[sequence] + at, sequence, 1);
        }
        if ((error = decode(context, &batch, n_vocab, n_sequences, rows, outputs))) return error;
    }
    seconds[0] = read_s - started_s;
    seconds[1] = now_s() - read_s;
    return 0;
}
