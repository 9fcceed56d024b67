{{ pair('geo_impossible') }}
