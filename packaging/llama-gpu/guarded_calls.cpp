// Calls functions of llama.cpp for the app, and catches the exceptions of Vulkan's library.
//
// The library throws when a card stops responding. llama.cpp's C functions let the exception pass, and in a caller
// without C++ it would end the process. The app calls them through this file instead (engine/native/card_guard.py).
// It is compiled into the library, because its users build or ship that in any case.

#include "ggml-vulkan-types.h"
#include "ggml-vulkan-common.h"

#include <cstdio>

#ifdef _WIN32
#define EXPORTED extern "C" __declspec(dllexport)
#else
#define EXPORTED extern "C" __attribute__((visibility("default")))
#endif

// llama_batch of llama.h, which is not among the sources of ggml.
struct app_batch {
    int32_t n_tokens;
    void * arrays[6];
};

template <typename F> static bool guarded(char * error, size_t size, F call) {
    try {
        call();
        return true;
    } catch (const std::exception & exception) {
        snprintf(error, size, "%s", exception.what());
    } catch (...) {
        snprintf(error, size, "unknown exception");
    }
    return false;
}

// Calls llama_decode, then llama_synchronize, because llama.cpp only waits for a card when a result is read. Writes
// llama_decode's result. Returns whether there was no exception; if there was, writes its text to `error`.
EXPORTED bool app_guarded_decode(int32_t (*decode)(void *, app_batch), void (*synchronize)(void *), void * context,
                                 app_batch batch, int32_t * result, char * error, size_t size) {
    return guarded(error, size, [&] {
        *result = decode(context, batch);
        synchronize(context);
    });
}

// Calls llama_state_seq_get_data or llama_state_seq_set_data. See app_guarded_decode.
EXPORTED bool app_guarded_copy(size_t (*copy)(void *, uint8_t *, size_t, int32_t), void * context, uint8_t * state,
                               size_t length, int32_t sequence, size_t * result, char * error, size_t size) {
    return guarded(error, size, [&] { *result = copy(context, state, length, sequence); });
}

// Connects to all cards anew, because a connection to a lost card never works again. Returns false, and keeps the old
// connections, if that fails. The memory of a lost connection is not freed: its destructor would wait for the card. No
// model may be on a card.
EXPORTED bool app_reconnect_cards() {
    bool all = true;
    for (size_t i = 0; i < GGML_VK_MAX_DEVICES; i++) {
        if (!vk_instance.devices[i]) {
            continue;
        }
        const vk_device & lost = *new vk_device(vk_instance.devices[i]);
        vk_instance.devices[i].reset();
        char error[1];
        if (!guarded(error, sizeof(error), [&] { ggml_vk_get_device(i); })) {
            new vk_device(vk_instance.devices[i]);
            vk_instance.devices[i] = lost;
            all = false;
        }
    }
    return all;
}
