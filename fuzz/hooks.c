/* The fuzzer looks for these two functions when it is loaded, which is before Python runs: they call what Python sets. */

#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

size_t (*python_mutate)(uint8_t *data, size_t size, size_t most, unsigned int seed);
size_t (*python_cross)(const uint8_t *data, size_t size, const uint8_t *other, size_t other_size, uint8_t *out,
                       size_t most, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed) {
    return python_mutate ? python_mutate(data, size, most, seed) : LLVMFuzzerMutate(data, size, most);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t most, unsigned int seed) {
    return python_cross ? python_cross(data, size, other, other_size, out, most, seed) : 0;
}
