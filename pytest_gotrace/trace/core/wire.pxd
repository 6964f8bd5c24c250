# Bytes to numbers: what every event needs, put into the code of whoever reads it.
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy
from pytest_gotrace.trace.core.layout cimport Bytes, Codes, CursorP

cdef uint64_t long_uvarint(Bytes *at) noexcept nogil
cdef int32_t search(const Codes *table, uint64_t key) noexcept nogil

# The varint at `at`, which moves behind it. Up to ten bytes are read, whatever the end of the batch is: behind every
# batch lie `MARGIN` more. Eight bytes are looked at together, in the order that little-endian machines have them.
cdef inline uint64_t uvarint(Bytes *at) noexcept nogil:
    cdef uint64_t word, ends
    cdef uint64_t first = at[0][0]
    cdef uint64_t second
    if first < 0x80:
        at[0] += 1
        return first
    second = at[0][1]
    if second < 0x80:
        at[0] += 2
        return (first & 0x7F) | (second << 7)
    memcpy(&word, at[0], 8)
    ends = ~word & 0x8080808080808080u
    if ends == 0:
        return long_uvarint(at)
    ends &= 0 - ends
    # The product's upper bits are the number of the byte that `ends` is the highest bit of, counted from 1.
    at[0] += (ends * 0x20406080A0C0E1u) >> 60
    # Seven bits of each byte up to that one move together: by two, by four, by eight.
    word &= (ends - 1) & 0x7F7F7F7F7F7F7F7Fu
    word = (word & 0x007F007F007F007Fu) | ((word >> 1) & 0x3F803F803F803F80u)
    word = (word & 0x00003FFF00003FFFu) | ((word >> 2) & 0x0FFFC0000FFFC000u)
    return (word & 0x000000000FFFFFFFu) | ((word >> 4) & 0x00FFFFFFF0000000u)

# Whether the arguments read up to `at` lie within the batch.
cdef inline bint took(CursorP c, Bytes at) noexcept nogil:
    c.at = at
    return <size_t> (at - c.args) <= <size_t> (c.end - c.args)

# Ticks as Go converts them: a product of doubles, cut off. Beyond 64 bits the lowest value, as amd64 does.
cdef inline uint64_t nanoseconds(uint64_t ticks, double frequency) noexcept nogil:
    cdef double product
    if <int64_t> ticks >= 0:
        product = <double> <int64_t> ticks * frequency
    else:
        product = <double> ticks * frequency
    if product < 9223372036854775808.0:
        return <uint64_t> <int64_t> product
    return <uint64_t> 1 << 63

# The file-wide code of a string or stack of this generation, -1 if it has none.
cdef inline int32_t code(const Codes *table, uint64_t key) noexcept nogil:
    if table.ids == NULL and key < <uint64_t> table.count:
        return table.codes[key]
    return search(table, key)
