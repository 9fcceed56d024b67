{{ novelty('account_takeover') }}
