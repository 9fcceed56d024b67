"""The order in which cases are worked: by expected loss."""

PRIOR_DECISIONS = 10
"""How many decisions the score is worth as an estimate of precision: a few cannot swing it."""


def likelihood(score: float, confirmed: int = 0, decided: int = 0) -> float:
    """How likely a case is fraud: its score, corrected by decisions on cases of its patterns.

    The mean of a beta distribution whose prior is the score, worth `PRIOR_DECISIONS` decisions.
    """
    return (confirmed + PRIOR_DECISIONS * score) / (decided + PRIOR_DECISIONS)
