"""The parts of the synthetic bank: customers, their ordinary days, and seven frauds."""
