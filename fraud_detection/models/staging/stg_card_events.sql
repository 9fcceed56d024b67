{{ staged('card_events') }}
