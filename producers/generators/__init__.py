"""What the synthetic bank is made of: customers, their normal days, and seven frauds."""
