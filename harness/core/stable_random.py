"""A pure source of even bits for seeded cuts: no state, no clock, no draw.

The mixing function is that of SplitMix64 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", 2014). The same arguments give the same bits on
every machine and Python, whatever ``PYTHONHASHSEED`` is.
"""

from __future__ import annotations

_WORD = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15  # SplitMix64's increment: 2**64 over the golden ratio, odd

# How many words are and-ed to a mask: on average a cut after every character (0:
# no word), every 2nd, 4th, 16th, 64th. A block of its own density each, so that
# long and short pieces both come up in one text.
_WORDS_A_DENSITY = (0, 1, 2, 4, 6)


def mix(*numbers: int) -> int:
    """Mix integers to one of 64 bits, every bit of which depends on all of them.

    Args:
        *numbers: Non-negative; only the low 64 bits of each count.

    Returns:
        An integer from 0 to 2**64-1.
    """
    state = 0
    for number in numbers:
        state = (state + number + _GAMMA) & _WORD
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _WORD
        state ^= state >> 31
    return state


def mask_of_block(seed: int, run: int, block: int) -> int:
    """Return 64 bits: bit ``i`` set means a cut before position ``64 * block + i``.

    Args:
        seed: The seed of the split.
        run: The number of the run, so that runs are cut differently.
        block: The position divided by 64.

    Returns:
        The bits, of a density that is drawn for each block.
    """
    mask = _WORD
    words = _WORDS_A_DENSITY[mix(seed, run, block) % len(_WORDS_A_DENSITY)]
    for word in range(words):
        mask &= mix(seed, run, block, word)
    return mask
