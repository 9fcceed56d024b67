"""How the tests run: the same examples every time, unless a deeper search is asked for."""

import os

from hypothesis import HealthCheck, settings

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    max_examples=150,
    database=None,
    suppress_health_check=_SLOW_IS_FINE,
)
# HYPOTHESIS_PROFILE=search looks for new counterexamples, several minutes long.
settings.register_profile(
    "search", deadline=None, max_examples=3000, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
