"""User-facing errors: each says what came, what was expected and what to do."""


class FraudError(Exception):
    """Base of every error that the command line and the console show as a plain sentence."""


class RulesError(FraudError):
    """The rules of detection in `dbt_project.yml` are malformed."""


class InputError(FraudError):
    """What the user named (a file, a folder, an option) cannot be used."""


class StoreError(FraudError):
    """The store cannot be opened, or holds something this version does not understand."""


class CommitRefused(StoreError):
    """A commit failed for a reason that may pass, such as a full disk; nothing of it is stored."""


class StoreInUse(StoreError):
    """Another process has the store."""
