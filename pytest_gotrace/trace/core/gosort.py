"""Pattern-defeating quicksort (arXiv 2106.05123), deciding wherever there is a choice as Go's `slices.SortFunc` does.

The sort is not stable, so where equal times end up depends on its every step; Go's reader sorts its frontier this way
when the earliest event cannot advance, and which of two simultaneous events is tried first shows in the result.
"""

import cython
from cython.cimports.libc.stdint import int32_t, uint64_t
from cython.cimports.pytest_gotrace.trace.core.gosort import swap
from cython.cimports.pytest_gotrace.trace.core.layout import HeadP

SHORT = cython.declare(cython.int, 12)  # up to here insertion sort
LONG = cython.declare(
    cython.int, 50
)  # from here on the pivot is a median of medians, and pairs may be shifted
MOST_SHIFTS = cython.declare(cython.int, 5)
ALL_SWAPPED = cython.declare(cython.int, 12)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def less(heads: HeadP, i: int32_t, j: int32_t) -> cython.bint:
    return heads[i].time < heads[j].time


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sort_heads(heads: HeadP, count: int32_t) -> cython.void:
    bits: cython.int = 0
    while count >> bits:
        bits += 1
    quicksort(heads, 0, count, bits)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def quicksort(heads: HeadP, low: int32_t, high: int32_t, patience: cython.int) -> cython.void:
    """Sorts [low, high). `patience` is how many lopsided partitions are borne before heapsort takes over."""
    balanced: cython.bint = True
    sorted_before: cython.bint = True
    ascending: cython.bint = False
    pivot: int32_t
    middle: int32_t
    length: int32_t
    while high - low > SHORT:
        length = high - low
        if patience == 0:
            heapsort(heads + low, length)
            return
        if not balanced:
            scatter(heads + low, length)
            patience -= 1
        pivot = choose_pivot(heads, low, length, cython.address(ascending))
        if pivot < 0:
            # Every comparison said that it descends: turned around it ascends.
            reverse(heads, low, high)
            pivot = high - 1 - (-1 - pivot - low)
            ascending = True
        if balanced and sorted_before and ascending and nearly_sorted(heads, low, high):
            return
        if low > 0 and not less(heads, low - 1, pivot):
            low = split_equal(heads, low, high, pivot)
            continue
        middle = split(heads, low, high, pivot, cython.address(sorted_before))
        if middle - low < high - middle:
            balanced = middle - low >= length // 8
            quicksort(heads, low, middle, patience)
            low = middle + 1
        else:
            balanced = high - middle >= length // 8
            quicksort(heads, middle + 1, high, patience)
            high = middle
    insertion(heads, low, high)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def insertion(heads: HeadP, low: int32_t, high: int32_t) -> cython.void:
    i: int32_t
    j: int32_t
    for i in range(low + 1, high):
        j = i
        while j > low and less(heads, j, j - 1):
            swap(heads, j, j - 1)
            j -= 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def heapsort(heads: HeadP, count: int32_t) -> cython.void:
    i: int32_t
    for i in range((count - 1) // 2, -1, -1):
        sink(heads, i, count)
    for i in range(count - 1, -1, -1):
        swap(heads, 0, i)
        sink(heads, 0, i)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def sink(heads: HeadP, root: int32_t, count: int32_t) -> cython.void:
    child: int32_t
    while True:
        child = 2 * root + 1
        if child >= count:
            return
        if child + 1 < count and less(heads, child, child + 1):
            child += 1
        if not less(heads, root, child):
            return
        swap(heads, root, child)
        root = child


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def scatter(heads: HeadP, length: int32_t) -> cython.void:
    """Swaps three elements around the middle with pseudo-random ones, to break a pattern that defeats the pivot."""
    random: uint64_t = length
    mask: uint64_t = 1
    other: uint64_t
    i: int32_t
    if length < 8:
        return
    while mask <= cython.cast(uint64_t, length):
        mask <<= 1
    for i in range(length // 4 * 2 - 1, length // 4 * 2 + 2):
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        other = random & (mask - 1)
        if other >= cython.cast(uint64_t, length):
            other -= length
        swap(heads, i, cython.cast(int32_t, other))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def choose_pivot(
    heads: HeadP, low: int32_t, length: int32_t, ascending: cython.pointer(cython.bint)
) -> int32_t:
    """A pivot, and whether what was looked at ascends; if it descends throughout, -1 less the pivot."""
    quarter: int32_t = length // 4
    first: int32_t = low + quarter
    second: int32_t = low + quarter * 2
    third: int32_t = low + quarter * 3
    swaps: cython.int = 0
    if length >= 8:
        if length >= LONG:
            first = median(heads, first - 1, first, first + 1, cython.address(swaps))
            second = median(heads, second - 1, second, second + 1, cython.address(swaps))
            third = median(heads, third - 1, third, third + 1, cython.address(swaps))
        second = median(heads, first, second, third, cython.address(swaps))
    ascending[0] = swaps == 0
    return -1 - second if swaps == ALL_SWAPPED else second


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def median(heads: HeadP, a: int32_t, b: int32_t, c: int32_t, swaps: cython.pointer(cython.int)) -> int32_t:
    if less(heads, b, a):
        a, b = b, a
        swaps[0] += 1
    if less(heads, c, b):
        b, c = c, b
        swaps[0] += 1
    if less(heads, b, a):
        a, b = b, a
        swaps[0] += 1
    return b


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def reverse(heads: HeadP, low: int32_t, high: int32_t) -> cython.void:
    high -= 1
    while low < high:
        swap(heads, low, high)
        low += 1
        high -= 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def nearly_sorted(heads: HeadP, low: int32_t, high: int32_t) -> cython.bint:
    """Puts a few neighbours right; whether all is sorted after that."""
    i: int32_t = low + 1
    j: int32_t
    _shift: cython.int
    for _shift in range(MOST_SHIFTS):
        while i < high and not less(heads, i, i - 1):
            i += 1
        if i == high:
            return True
        if high - low < LONG:
            return False
        swap(heads, i, i - 1)
        if i - low >= 2:
            j = i - 1
            while j >= 1 and less(heads, j, j - 1):
                swap(heads, j, j - 1)
                j -= 1
        if high - i >= 2:
            j = i + 1
            while j < high and less(heads, j, j - 1):
                swap(heads, j, j - 1)
                j += 1
    return False


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def split(
    heads: HeadP, low: int32_t, high: int32_t, pivot: int32_t, sorted_before: cython.pointer(cython.bint)
) -> int32_t:
    """Puts what is less than the pivot before it, and the rest behind; where the pivot is, and if it was so before."""
    i: int32_t = low + 1
    j: int32_t = high - 1
    sorted_before[0] = True
    swap(heads, low, pivot)
    while True:
        while i <= j and less(heads, i, low):
            i += 1
        while i <= j and not less(heads, j, low):
            j -= 1
        if i > j:
            break
        sorted_before[0] = False
        swap(heads, i, j)
        i += 1
        j -= 1
    swap(heads, j, low)
    return j


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def split_equal(heads: HeadP, low: int32_t, high: int32_t, pivot: int32_t) -> int32_t:
    """Puts what equals the pivot first, given that nothing is less; where the rest begins."""
    i: int32_t = low + 1
    j: int32_t = high - 1
    swap(heads, low, pivot)
    while True:
        while i <= j and not less(heads, low, i):
            i += 1
        while i <= j and less(heads, low, j):
            j -= 1
        if i > j:
            return i
        swap(heads, i, j)
        i += 1
        j -= 1
