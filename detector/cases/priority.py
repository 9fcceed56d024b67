"""The order in which cases are worked: by expected loss."""

PRIOR_DECISIONS = 10
"""How many decisions the prior is worth as an estimate of precision: a few cannot swing it."""


def likelihood(score: float, confirmed: int = 0, decided: int = 0) -> float:
    """How likely a case is fraud: its score squared, corrected by decisions on its patterns.

    The mean of a beta distribution whose prior is worth `PRIOR_DECISIONS` decisions. Squared,
    because two patterns that agree tell more than twice as much as one.
    """
    return (confirmed + PRIOR_DECISIONS * score * score) / (decided + PRIOR_DECISIONS)
