"""What users do: reviews, snoozes, report drafts, users, keys, the audit log and its followers."""
