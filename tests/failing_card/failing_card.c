// Takes the place of Vulkan's loader by LD_PRELOAD, passes all calls on, and lets cards get lost or have little memory.
// Written without Vulkan's headers, which a machine that runs tests does not need to have.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

enum { SUCCESS = 0, OUT_OF_DEVICE_MEMORY = -2, INITIALIZATION_FAILED = -3, DEVICE_LOST = -4 };

typedef void (*function)(void);
typedef function (*get_address)(void *, const char *);

static volatile int is_lost, stays_lost;
static int32_t (*create_device)(void *, const void *, const void *, void **);
static int32_t (*queue_submit)(void *, uint32_t, const void *, uint64_t);
static int32_t (*fence_status)(void *, uint64_t);
static int32_t (*wait_for_fences)(void *, uint32_t, const uint64_t *, uint32_t, uint64_t);

// From now on, all calls for cards fail: until a new connection is made, or for ever.
void lose_cards(int for_ever) {
    is_lost = 1;
    stays_lost = for_ever;
}

static int32_t create(void *card, const void *info, const void *allocator, void **device) {
    if (stays_lost) {
        return INITIALIZATION_FAILED;
    }
    int32_t result = create_device(card, info, allocator, device);
    is_lost = is_lost && result != SUCCESS;
    return result;
}

static int32_t submit(void *queue, uint32_t n, const void *work, uint64_t fence) {
    return is_lost ? DEVICE_LOST : queue_submit(queue, n, work, fence);
}

static int32_t status(void *device, uint64_t fence) { return is_lost ? DEVICE_LOST : fence_status(device, fence); }

static int32_t wait(void *device, uint32_t n, const uint64_t *fences, uint32_t all, uint64_t ns) {
    return is_lost ? DEVICE_LOST : wait_for_fences(device, n, fences, all, ns);
}

// Memory on all cards together: what may be allocated, what is, and the size of each allocation.
enum { MAX_ALLOCATIONS = 4096 };
static uint64_t n_allowed = UINT64_MAX, n_allocated;
static struct { uint64_t memory, size; } allocations[MAX_ALLOCATIONS];
static int32_t (*allocate_memory)(void *, const uint64_t *, const void *, uint64_t *);
static void (*free_memory)(void *, uint64_t, const void *);

void limit_memory(uint64_t size) { n_allowed = size; }

uint64_t allocated_memory(void) { return n_allocated; }

static void record(uint64_t before, uint64_t memory, uint64_t size) {
    for (int i = 0; i < MAX_ALLOCATIONS; i++) {
        if (allocations[i].memory == before) {
            n_allocated += size - allocations[i].size;
            allocations[i].memory = memory;
            allocations[i].size = size;
            return;
        }
    }
}

static int32_t allocate(void *device, const uint64_t *info, const void *allocator, uint64_t *memory) {
    uint64_t size = info[2]; // behind the type and a pointer
    if (size > n_allowed || n_allocated > n_allowed - size) {
        return OUT_OF_DEVICE_MEMORY;
    }
    int32_t result = allocate_memory(device, info, allocator, memory);
    if (result == SUCCESS) {
        record(0, *memory, size);
    }
    return result;
}

static void release(void *device, uint64_t memory, const void *allocator) {
    if (memory) {
        record(memory, 0, 0);
    }
    free_memory(device, memory, allocator);
}

function vkGetInstanceProcAddr(void *instance, const char *name) {
    static get_address next;
    if (!next) {
        next = (get_address)dlsym(dlopen("libvulkan.so.1", RTLD_NOW), "vkGetInstanceProcAddr");
    }
    function found = next(instance, name);
    struct { const char *name; function *original, ours; } replaced[] = {
        {"vkCreateDevice", (function *)&create_device, (function)create},
        {"vkQueueSubmit", (function *)&queue_submit, (function)submit},
        {"vkGetFenceStatus", (function *)&fence_status, (function)status},
        {"vkWaitForFences", (function *)&wait_for_fences, (function)wait},
        {"vkAllocateMemory", (function *)&allocate_memory, (function)allocate},
        {"vkFreeMemory", (function *)&free_memory, (function)release},
    };
    for (int i = 0; found && i < 6; i++) {
        if (!strcmp(name, replaced[i].name)) {
            *replaced[i].original = found;
            return replaced[i].ours;
        }
    }
    return found;
}
