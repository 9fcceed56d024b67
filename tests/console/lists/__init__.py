"""Tests of the named lists."""
