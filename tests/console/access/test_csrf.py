"""The CSRF token as pages contain it."""

from detector.console.access import csrf

TOKEN = "mJ3_-x9Q"


def test_a_page_never_contains_the_same_text_twice() -> None:
    """Compressed beside text of an attacker's choice, a token that stays could be guessed."""
    masked = {csrf.masked(TOKEN) for _ in range(50)}
    assert len(masked) == 50 and not any(TOKEN in text for text in masked)
    assert all(csrf.matches(text, TOKEN) for text in masked)


def test_only_the_token_matches() -> None:
    """Masked or plain; nothing else, and nothing where there is no token."""
    assert csrf.matches(TOKEN, TOKEN)
    for wrong in ("", ".", "00.", ".00", "zz.zz", TOKEN[:-1], csrf.masked(TOKEN)[:-2], "00.00"):
        assert not csrf.matches(wrong, TOKEN)
    assert not csrf.matches(csrf.masked("other"), TOKEN)
    assert not csrf.matches("", "") and csrf.masked("") == ""
