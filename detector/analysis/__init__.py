"""What is computed over a whole log: evaluation, parity, backtest."""
