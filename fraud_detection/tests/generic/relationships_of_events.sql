{#- Signals whose event is not among the events that the pattern reads. -#}
{% test relationships_of_events(model, to) %}
select signals.signal_id
from {{ model }} as signals
left join {{ to }} as events on signals.event_id = events.event_id
where events.event_id is null
{% endtest %}
