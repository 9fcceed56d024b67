"""Small keyed state in event time: trailing windows, ordered trails, first sightings."""
