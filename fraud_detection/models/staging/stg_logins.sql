{{ staged('logins') }}
