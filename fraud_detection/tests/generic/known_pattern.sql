{#- Rows that name a pattern which is not in vars.patterns. -#}
{% test known_pattern(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} not in ({{ quoted(var('patterns')) }})
{% endtest %}
