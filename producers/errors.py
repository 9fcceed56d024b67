"""What the commands report in one sentence."""


class ConfigError(ValueError):
    """A setting cannot be used; the text names it, its value, what is allowed and what to do."""
