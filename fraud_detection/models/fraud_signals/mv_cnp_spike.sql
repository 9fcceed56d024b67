{{ burst('cnp_spike') }}
