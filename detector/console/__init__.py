"""The operations console: where analysts work cases, and the API that a payment system calls."""
