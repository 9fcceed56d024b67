{{ novelty('new_payee_large') }}
