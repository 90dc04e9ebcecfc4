"""The worst case over all attacks: curves, f50 and amplification with intervals, references, one sentence."""
