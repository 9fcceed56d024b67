{{ burst('brute_force_login') }}
