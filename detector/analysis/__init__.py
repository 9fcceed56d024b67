"""Computations over a whole log: evaluation, parity, backtest."""
