"""The team: ageing of open cases, and who decided what."""
