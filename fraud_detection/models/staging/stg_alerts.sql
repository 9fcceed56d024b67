{{ staged('alerts') }}
