{{ burst('velocity') }}
