"""Accounts and customers."""
